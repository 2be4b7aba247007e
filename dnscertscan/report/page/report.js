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
  document.querySelectorAll("#zones tbody th").forEach(node => leadsTo(node, new URLSearchParams({z: node.textContent.trim()})));
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
const words = get("q"), zone = get("z"), severity = get("s"), rule = get("r"), order = get("o"), told = get("n"), untold = get("m");
const blocks = [...document.querySelectorAll(".block")].map(node => ({node, size: node.childElementCount, groups: null, off: false}));
const issuers = [...document.querySelectorAll("#issuers li")].map(node => node.textContent.trim());
let groups = null, all = 0;

const severities = {e: "error ", w: "warning ", i: "info "};

// The page is the data: an entry is a heading, its facts, then findings (p with a class), each followed by its targets.
const read = (item, full) => {
  const kids = item.children, parts = [];
  let part = null, styled = "";
  for (let n = 2; n < kids.length; n++) {
    const kid = kids[n];
    if (kid.localName === "p" && kid.className) {
      const told = kid.firstElementChild ? "" : severities[kid.className];  // by the style
      const says = told + kid.textContent, code = says.split(" ", 2)[1];
      styled += told;
      part = {nodes: [kid], kind: kid.className, code, text: says.toLowerCase(), lines: [], texts: null, zones: null, hidden: null, next: null, off: false, live: true, box: null, ours: false};
      parts.push(part);
    } else if (part) {
      part.nodes.push(kid);
      if (kid.localName === "p") part.lines.push(kid);
      else if (kid.localName === "ul") part.lines.push(...kid.children);
      else if (kid.className === "at") { part.box = kid; part.lines.push(...kid.querySelectorAll("li")); }
    }
  }
  const short = !full && /^(.* ([0-9a-f]{12}))(?: issuer (\d+))?/.exec(kids[1].textContent);
  if (short && short[3]) kids[1].textContent = `${short[1]} issued by ${issuers[short[3] - 1]}`;
  const title = kids[0].textContent, facts = kids[1].textContent;
  const end = /^end(?:s|ed) (\d{4}-\d\d-\d\d)/.exec(facts);
  const whole = styled + item.textContent.toLowerCase();  // most entries are settled by one look at this
  const digest = short ? short[2] : null;
  return {item, at: 0, title, text: (title + " " + facts).toLowerCase(), whole, digest, end: end ? end[1] : "~", parts, off: false, live: true};
};
const index = () => {
  if (groups) return;
  groups = [];
  for (const block of blocks) {
    const full = block.node.classList.contains("full");
    block.groups = Array.from(block.node.children, item => read(item, full));
    block.groups.forEach((one, at) => { one.at = groups.length + at; });
    groups.push(...block.groups);
  }
  for (const one of groups) for (const part of one.parts) all += part.lines.length;
  if (issuers.length) get("issuers").hidden = true;  // the names stand where the numbers were
};

// Zones that lead to a target: those it says, else the longest zone of the table that a word of it is in.
const known = new Map(table ? [...table.tBodies[0].rows].map(row => row.cells[0].textContent.trim()).map(name => [name, [name]]) : []);
const zonesOf = line => {
  let place;
  if (line.childElementCount) {
    const note = line.lastElementChild.textContent;
    if (note.startsWith("zone ")) return note.slice(5).split(", ");
    if (note === "no zone") return [];
    place = line.firstChild.data;
  } else place = line.textContent;
  for (const word of place.trim().split(" "))
    for (let at = 0; ;) {
      const here = known.get(word.slice(at));
      if (here) return here;
      at = word.indexOf(".", at) + 1;
      if (!at) break;
    }
  return [];
};

// A word is in a text, or is the beginning of the digest that the text is about, of which short entries have 12 digits.
const ask = word => ({word, digest: /^[0-9a-f]{13,64}$/.test(word) ? word.slice(0, 12) : ""});
const has = (group, text, one) => text.includes(one.word) || one.digest !== "" && group.digest === one.digest;

// How many targets of a finding fit; which of them are to be seen is settled on the way.
const fit = (group, part, asked) => {
  if (severity.value && part.kind !== severity.value || rule.value && part.code !== rule.value) return 0;
  const left = asked.filter(one => !has(group, group.text, one) && !part.text.includes(one.word));
  if (zone.value) part.zones ??= part.lines.map(zonesOf);
  if (!left.length && !part.hidden && (!zone.value || part.zones.every(names => names.includes(zone.value))))
    return part.lines.length;  // nothing was ever hidden in it
  if (left.length) part.texts ??= part.lines.map(line => line.textContent.toLowerCase());
  part.hidden ??= new Uint8Array(part.lines.length);
  part.next ??= new Uint8Array(part.lines.length);
  let hits = 0;
  for (let at = 0; at < part.lines.length; at++) {
    const hit = left.every(one => part.texts[at].includes(one.word)) && (!zone.value || part.zones[at].includes(zone.value));
    hits += hit;
    part.next[at] = hit ? 0 : 1;
  }
  if (hits) settle(part, (left.length > 0 || zone.value !== "") && hits <= 50);
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
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean).map(ask), place = zone.value.toLowerCase();
  let targets = 0, entries = 0;
  for (const block of blocks) {
    let live = 0;
    for (const group of block.groups) {
      let found = 0;
      if (group.whole.includes(place) && asked.every(one => has(group, group.whole, one))) for (const part of group.parts) {
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
  if (untold) untold.hidden = asked.length === 0;
  zone.hidden = zone.value === "";
  zone.textContent = `Zone ${zone.value} \u00d7`;
  zone.setAttribute("aria-label", `Zone ${zone.value}: show all zones`);
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
const fields = {q: words, z: zone, s: severity, r: rule, o: order};
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
zone.onclick = () => { zone.value = ""; changed(); words.focus(); };
get("x").onclick = () => { for (const field of Object.values(fields)) field.value = ""; changed(); words.focus(); };
addEventListener("hashchange", restore);
restore();
const idle = window.requestIdleCallback ?? setTimeout;
const placed = () => { for (const group of groups) for (const part of group.parts) part.zones ??= part.lines.map(zonesOf); };
idle(() => { index(); if (!told.textContent) filter(); idle(placed); });
})();
