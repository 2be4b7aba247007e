"use strict";
(() => {
const get = id => document.getElementById(id);

// Numbers lead to the findings they count.
const leadsTo = (node, words, text) => {
  const link = document.createElement("a");
  link.href = "#" + words;
  if (text) link.textContent = text; else link.append(...node.childNodes);
  node.append(link);
};
const tools = get("tools");
if (tools) {
  document.querySelectorAll("[data-go]").forEach(node => leadsTo(node, node.dataset.go));
  document.querySelectorAll("#zones tbody th").forEach(node => leadsTo(node, new URLSearchParams({q: node.textContent.trim()})));
  document.querySelectorAll("[data-rule]").forEach(node => { node.append(": "); leadsTo(node, "r=" + node.dataset.rule, "show"); });
}

// Tables of numbers can be sorted.
const table = get("zones");
if (table) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const text = new Intl.Collator("en", {numeric: true}).compare;
  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.onclick = () => {
      const sign = head.getAttribute("aria-sort") === (at ? "descending" : "ascending") ? (at ? 1 : -1) : (at ? -1 : 1);
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      const rows = [...body.rows].map(row => [row.cells[at].textContent.trim(), row]);
      rows.sort((one, other) => sign * text(one[0], other[0]));
      body.append(...rows.map(row => row[1]));
    };
  });
}

// What is printed is open.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open]):not(.why)")];
  opened.forEach(one => { one.open = true; });
});
addEventListener("afterprint", () => { opened.forEach(one => { one.open = false; }); opened = []; });

if (!tools) return;
tools.hidden = false;
const words = get("q"), severity = get("s"), rule = get("r"), order = get("o"), told = get("n");
const blocks = [...document.querySelectorAll(".block")].map(node => ({node, size: node.childElementCount, groups: null, off: false}));
let groups = null, all = 0;

// The page is the data: an entry is a heading, its facts, then findings (p with a class), each followed by its targets.
const read = item => {
  const kids = item.children, parts = [];
  let part = null;
  for (let n = 2; n < kids.length; n++) {
    const kid = kids[n];
    if (kid.localName === "p" && kid.className) {
      const code = kid.firstElementChild.getAttribute("href").slice(1);
      part = {nodes: [kid], kind: kid.className, code, text: kid.textContent.toLowerCase(), lines: [], texts: null, hidden: null, next: null, off: false, live: true, box: null, ours: false};
      parts.push(part);
    } else if (part) {
      part.nodes.push(kid);
      if (kid.localName === "p") part.lines.push(kid);
      else if (kid.localName === "ul") part.lines.push(...kid.children);
      else if (kid.className === "at") { part.box = kid; part.lines.push(...kid.querySelectorAll("li")); }
    }
  }
  const title = kids[0].textContent, facts = kids[1].textContent;
  const end = /^end(?:s|ed) (\d{4}-\d\d-\d\d)/.exec(facts);
  const whole = item.textContent.toLowerCase();  // most entries are settled by one look at this
  return {item, at: 0, title, text: (title + " " + facts).toLowerCase(), whole, end: end ? end[1] : "~", parts, off: false, live: true};
};
const index = () => {
  if (groups) return;
  groups = [];
  for (const block of blocks) {
    block.groups = Array.from(block.node.children, read);
    block.groups.forEach((one, at) => { one.at = groups.length + at; });
    groups.push(...block.groups);
  }
  for (const one of groups) for (const part of one.parts) all += part.lines.length;
};

// How many targets of a finding fit; which of them are to be seen is settled on the way.
const fit = (group, part, asked) => {
  if (severity.value && part.kind !== severity.value || rule.value && part.code !== rule.value) return 0;
  const left = asked.filter(word => !group.text.includes(word) && !part.text.includes(word));
  if (!left.length && !part.hidden) return part.lines.length;  // nothing was ever hidden in it
  part.texts ??= part.lines.map(line => line.textContent.toLowerCase());
  part.hidden ??= new Uint8Array(part.lines.length);
  part.next ??= new Uint8Array(part.lines.length);
  let hits = 0;
  for (let at = 0; at < part.lines.length; at++) {
    const hit = left.every(word => part.texts[at].includes(word));
    hits += hit;
    part.next[at] = hit ? 0 : 1;
  }
  if (hits) settle(part, left.length > 0 && hits <= 50);
  return hits;
};
const settle = (part, open) => {
  for (let at = 0; at < part.lines.length; at++)
    if (part.hidden[at] !== part.next[at]) { part.lines[at].hidden = part.next[at] === 1; part.hidden[at] = part.next[at]; }
  if (!part.box) return;
  if (open && !part.box.open) part.box.open = part.ours = true;
  else if (!open && part.ours) part.box.open = part.ours = false;
};
const filter = () => {
  index();
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let targets = 0, entries = 0;
  for (const block of blocks) {
    let live = 0;
    for (const group of block.groups) {
      let found = 0;
      if (asked.every(word => group.whole.includes(word))) for (const part of group.parts) {
        const hits = fit(group, part, asked);
        part.live = hits > 0;
        found += hits;
      }
      group.live = found > 0;
      targets += found;
      live += group.live;
    }
    entries += live;
    if (block.off !== (live === 0)) { block.off = live === 0; block.node.hidden = block.off; }
    if (block.off) continue;
    if (block.live !== live) {
      block.live = live;
      block.node.style.containIntrinsicBlockSize = live === block.groups.length ? "" : `auto ${live * (block.size > 10 ? 104 : 260)}px`;
    }
    for (const group of block.groups) {
      if (group.off === group.live) { group.off = !group.live; group.item.hidden = group.off; }
      if (group.live && group.parts.length > 1) for (const part of group.parts)
        if (part.off === part.live) { part.off = !part.live; part.nodes.forEach(node => { node.hidden = part.off; }); }
    }
  }
  const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
  told.textContent = `${targets.toLocaleString("en")} of ${count(all, "finding", "findings")}, ${count(entries, "entry", "entries")}`;
};
const text = new Intl.Collator("en", {numeric: true}).compare;
const size = group => group.parts.reduce((sum, part) => sum + part.lines.length, 0);
const orders = {
  "": (one, other) => one.at - other.at,
  ends: (one, other) => (one.end < other.end ? -1 : one.end > other.end ? 1 : one.at - other.at),
  name: (one, other) => text(one.title, other.title) || one.at - other.at,
  most: (one, other) => size(other) - size(one) || one.at - other.at,
};
let sorted = "";
const sort = () => {
  if (sorted === order.value) return;
  index();
  sorted = order.value;
  groups.sort(orders[sorted]);
  let at = 0;
  for (const block of blocks) {
    block.groups = groups.slice(at, at += block.size);
    block.node.append(...block.groups.map(one => one.item));
  }
};
const show = () => { sort(); filter(); };

// The filter is part of the address, so that it can be sent to somebody. Other fragments are places in the page.
const fields = {q: words, s: severity, r: rule, o: order};
let last = null, later = 0;
const restore = () => {
  const hash = location.hash.slice(1);
  if (hash === last || hash && !hash.includes("=")) return;
  const given = new URLSearchParams(hash);
  for (const [name, field] of Object.entries(fields)) {
    field.value = given.get(name) ?? "";
    if (field.selectedIndex === -1) field.value = "";
  }
  last = hash;
  if (groups || hash) show();
  if (hash) get("findings").scrollIntoView();
};
const keep = () => {
  const given = new URLSearchParams();
  for (const [name, field] of Object.entries(fields)) if (field.value.trim()) given.set(name, field.value.trim());
  last = given.toString();
  history.replaceState(null, "", "#" + (last || "findings"));
};
const changed = () => { show(); clearTimeout(later); later = setTimeout(keep, 200); };
words.oninput = severity.onchange = rule.onchange = order.onchange = changed;
get("x").onclick = () => { for (const field of Object.values(fields)) field.value = ""; changed(); words.focus(); };
addEventListener("hashchange", restore);
addEventListener("keydown", event => {
  if (event.key === "/" && !/^(input|select|textarea)$/.test(document.activeElement.localName)) { event.preventDefault(); words.focus(); }
});
restore();
(window.requestIdleCallback ?? setTimeout)(() => { index(); if (!told.textContent) filter(); });
})();
