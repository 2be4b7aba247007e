"""The web page in a real browser: it can be filtered, sorted, read and printed by everybody."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from report import factory
from report.html_fleet import fleet_report, served
from report.html_tab import CONTRAST, PICTURES, choose, entries, opened, seen
from servers.chromium import Browser

from dnscertscan.model.report import Report
from dnscertscan.pki.parse import reference
from dnscertscan.report.files import write_atomically
from dnscertscan.report.html_report import render_html


@pytest.fixture(scope="module")
def ten_thousand() -> Report:
    return fleet_report(10_000, per_certificate=4)


def test_ten_thousand_rows_are_filtered_and_sorted(tab: Browser, ten_thousand: Report, tmp_path: Path) -> None:
    """Words, severity and kind narrow down; orders are what they say; clearing brings everything back."""
    opened(tab, ten_thousand, tmp_path)
    everything = entries(tab)
    assert len(everything) == 2500
    assert seen(tab, "#n") == ["10,000 of 10,000 findings, 2,500 entries"]
    choose(tab, q="host7777.example.com")
    assert seen(tab, "#n") == ["1 of 10,000 findings, 1 entry"]
    assert "10.0.30.97:443 host7777.example.com" in seen(tab, ".block li li")
    assert len(seen(tab, ".block li li")) == 1
    choose(tab, q="", s="w")
    assert seen(tab, "#n") == ["2,500 of 10,000 findings, 625 entries"]
    choose(tab, s="", r="DCS105")
    assert {text.split()[1] for text in seen(tab, ".block p > a")} == {"DCS105"}
    choose(tab, r="", o="name")
    names = entries(tab)
    assert sorted(names) == sorted(everything)
    order = [int("".join(filter(str.isdigit, name))) for name in names if name.startswith("CN=host") and "O=" not in name]
    assert order == sorted(order)
    choose(tab, o="ends")
    ends = [text.split()[1] for text in seen(tab, ".block h3 + p")]
    assert ends == sorted(ends)
    assert len(ends) == 2500
    tab.run("document.getElementById('x').click()")
    tab.settle()
    assert entries(tab) == everything
    choose(tab, q="nothing has this name")
    assert entries(tab) == []
    assert seen(tab, "#n") == ["0 of 10,000 findings, 0 entries"]
    tab.picture(PICTURES / "ten-thousand-nothing.png")


def test_the_filter_is_in_the_address(tab: Browser, ten_thousand: Report, tmp_path: Path) -> None:
    """What is filtered can be sent to somebody as an address; going back in the browser's history keeps it right."""
    address = opened(tab, ten_thousand, tmp_path)
    choose(tab, q="host12 10.0", s="e", o="most")
    tab.run("new Promise(done => setTimeout(done, 400))")
    given = tab.run("location.href")
    assert given == f"{address}#q=host12+10.0&s=e&o=most"
    shown, told = entries(tab), seen(tab, "#n")
    assert 0 < len(shown) < 2500
    tab.open(given)
    assert (entries(tab), seen(tab, "#n")) == (shown, told)
    assert tab.run("['q', 's', 'r', 'o'].map(id => document.getElementById(id).value)") == ["host12 10.0", "e", "", "most"]
    tab.run("location.hash = 's=w&r=DCS103'")
    tab.settle()
    assert seen(tab, "#n") == ["2,500 of 10,000 findings, 625 entries"]
    tab.run("location.hash = 'DCS103'")
    tab.settle()
    assert seen(tab, "#n") == ["2,500 of 10,000 findings, 625 entries"]
    tab.open(f"{address}#q=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&s=zz&r=javascript:alert(1)&o=__proto__")
    assert seen(tab, "#n") == ["0 of 10,000 findings, 0 entries"]
    tab.picture(PICTURES / "ten-thousand-desktop.png")


def test_one_certificate_on_thousands_of_targets(tab: Browser, tmp_path: Path) -> None:
    """Its targets are one list that is closed until something in it is looked for."""
    opened(tab, fleet_report(5000, per_certificate=5000), tmp_path)
    assert tab.run("document.querySelector('.at').open") is False
    choose(tab, q="host4321.")
    assert seen(tab, "#n") == ["1 of 5,000 findings, 1 entry"]
    assert seen(tab, ".at li") == ["10.0.16.225:443 host4321.example.com"]
    assert tab.run("document.querySelector('.at').open") is True
    choose(tab, q="")
    assert tab.run("document.querySelector('.at').open") is False
    assert len(seen(tab, ".at li")) == 5000


def test_totals_of_zones_are_sorted_and_lead_to_findings(tab: Browser, tmp_path: Path) -> None:
    """A click on a heading sorts, another one turns it round; a zone's name filters by it; numbers lead to what they count."""
    opened(tab, factory.rich_report(), tmp_path)
    click = "document.querySelectorAll('#zones thead button')[{}].click()"
    tab.run(click.format(5))
    assert seen(tab, "#zones tbody th") == ["example.com", "broken.example", "example.net"]
    assert tab.run("document.querySelectorAll('#zones thead th')[5].ariaSort") == "descending"
    tab.run(click.format(5))
    assert seen(tab, "#zones tbody th")[-1] == "example.com"
    tab.run("[...document.querySelectorAll('#zones tbody th a')].find(a => a.textContent === 'broken.example').click()")
    tab.settle()
    assert seen(tab, "#n") == ["1 of 7 findings, 1 entry"]
    tab.run("document.querySelector('.cards .w a').click()")
    tab.settle()
    assert seen(tab, "#n") == ["2 of 7 findings, 2 entries"]
    tab.run("document.querySelector('[data-rule=DCS501] a').click()")
    tab.settle()
    assert seen(tab, "#n") == ["1 of 7 findings, 1 entry"]


def test_it_is_all_there_without_its_script(tab: Browser, tmp_path: Path) -> None:
    """Where scripts are switched off nothing is missing but the filter."""
    report = fleet_report(400)
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        path = tmp_path / "report.html"
        write_atomically(path, render_html(report))
        tab.open(path.as_uri(), settle=False)
        root = tab.call("DOM.getOuterHTML", nodeId=tab.call("DOM.getDocument")["root"]["nodeId"])["outerHTML"]
        assert root.count("host399.example.com") >= 2
        assert '<div id="tools" role="search" hidden="">' in root
        tab.picture(PICTURES / "no-script.png")
    finally:
        tab.call("Emulation.setScriptExecutionDisabled", value=False)


def test_keyboard_and_screen_reader(tab: Browser, tmp_path: Path) -> None:
    """Everything has a name, the first stop skips to the findings, "/" goes to the filter, and drawings are told in words."""
    chain = served(3)[0]
    found = [factory.finding(certificate=reference(chain[0], 0)), *factory.rich_report().findings]
    seen_by = (factory.observation(factory.handshake(chain)),)
    opened(tab, replace(factory.rich_report(), findings=tuple(found), observations=seen_by), tmp_path)
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.textContent") == "Skip to the findings"
    tab.press("/", 191)
    assert tab.run("document.activeElement.id") == "q"
    tab.press("x", 88)
    assert tab.run("document.activeElement.value") == "x"
    nodes = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tab.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"] and "role" in node
    ]
    roles = ("button", "link", "searchbox", "combobox", "image", "img", "SvgRoot", "table", "heading", "DisclosureTriangle")
    assert [role for role, name in nodes if role in roles[:8] and role != "table" and not name.strip()] == []
    assert {"Filter", "Severity", "Kind", "Order"} <= {name for _, name in nodes}
    assert {"main", "navigation", "search", "heading"} <= {role for role, _ in nodes}
    assert any(name.startswith("Certificates as served: 0 leaf") and "at fault" in name for _, name in nodes)
    levels = tab.run("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.localName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_phone_dark_and_paper(tab: Browser, tmp_path: Path) -> None:
    """On a phone nothing is wider than the screen, in the dark text stands out, and on paper nothing is closed."""
    address = opened(tab, fleet_report(40, per_certificate=8, chains=5), tmp_path)
    for scheme in ("light", "dark"):
        tab.look(scheme=scheme)
        tab.picture(PICTURES / f"small-{scheme}.png", whole=True)
        assert tab.run(CONTRAST) == []
    tab.size(360, 740, phone=True)
    tab.open(address)
    assert tab.run("document.documentElement.scrollWidth") <= 360
    tab.picture(PICTURES / "small-phone.png", whole=True)
    tab.size(1000, 900)
    tab.look(medium="print")
    assert tab.run("getComputedStyle(document.getElementById('tools')).display") == "none"
    tab.picture(PICTURES / "small-print.png", whole=True)
    assert tab.paper(PICTURES / "small.pdf") >= 2
