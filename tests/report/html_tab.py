"""What a reader does with the web page, and sees in it."""

import json
from pathlib import Path

from servers.chromium import Browser

from dnscertscan.model.report import Report
from dnscertscan.report.files import write_atomically
from dnscertscan.report.html_report import render_html

PICTURES = Path(__file__).parents[2] / "build" / "screenshots"
"""Kept by CI for people to look at."""


def opened(tab: Browser, report: Report, folder: Path, fragment: str = "") -> str:
    """Write the page, open it, and give its address."""
    path = folder / "report.html"
    write_atomically(path, render_html(report))
    tab.open(path.as_uri() + fragment)
    return path.as_uri()


def choose(tab: Browser, **values: str) -> None:
    """Fill fields of the filter as a user's input does."""
    for name, value in values.items():
        kind = "input" if name == "q" else "change"
        field = f"document.getElementById('{name}')"
        tab.run(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('{kind}'))")
    tab.settle()


def seen(tab: Browser, selector: str) -> list[str]:
    """Texts of the elements that are shown."""
    found: list[str] = tab.run(
        f"[...document.querySelectorAll('{selector}')].filter(e => !e.closest('[hidden]')).map(e => e.textContent.trim())"
    )
    return found


def entries(tab: Browser) -> list[str]:
    """Titles of the entries that are shown, in their order."""
    return seen(tab, ".block > li > h3")


CONTRAST = """(() => {
  const part = value => (value /= 255) <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4;
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(part);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$|transparent/.test(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const poor = new Set();
  for (const node of document.querySelectorAll('main *, header *, footer *')) {
    if (node.closest('svg') || ![...node.childNodes].some(one => one.nodeType === 3 && one.data.trim())) continue;
    if (!node.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))].sort((a, b) => b - a);
    if ((one + .05) / (other + .05) < 4.5) poor.add(`${node.localName}.${node.className} ${(one + .05) / (other + .05)}`);
  }
  return [...poor];
})()"""
"""Texts whose contrast is less than 4.5 (WCAG 2.2, 1.4.3)."""
