"""The web page in a real browser: it can be filtered, sorted, read and printed by everybody."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from report import factory
from report.html_fleet import LONG, fleet_report, served
from report.html_tab import CONTRAST, PICTURES, choose, entries, opened, seen
from servers.chromium import Browser

from dnscertscan.model.findings import Finding
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


def test_entries_in_short_are_found_by_what_they_leave_out(tab: Browser, ten_thousand: Report, tmp_path: Path) -> None:
    """Issuer and digest find an entry in short as one in full; what really is not in the page is said beside the count."""
    opened(tab, ten_thousand, tmp_path)
    tab.settle()
    assert seen(tab, "#m") == []
    for words, told in (("issuing ca", "10,000 of 10,000 findings, 2,500 entries"),
                        ("cn=ISSUING", "9,760 of 10,000 findings, 2,440 entries")):  # 60 are of another issuer
        choose(tab, q=words)
        assert seen(tab, "#n") == [told]
    assert seen(tab, "#m") == [
        "Of the 2,300 entries in short, serial numbers, records and the rest of long messages are not searched.",
    ]
    assert seen(tab, "#issuers") == []
    assert "issued by CN=Issuing CA,O=Example Trust" in seen(tab, ".block:not(.full) h3 + p")[0]
    digest = f"{1500:064x}"
    short = f"{0xABCDEF012345:012x}{7:052x}"
    last = replace(ten_thousand.findings[-1], certificate=factory.reference("CN=last", digest=short, days=900), leaf=None)
    opened(tab, replace(ten_thousand, findings=(*ten_thousand.findings, last)), tmp_path)
    for words, count in ((short, 1), (short[:13], 1), (short[:12], 1), (f"{short} example.com", 1), (f"{short} x.test", 0),
                         (f"b{short[1:]}", 0), (short[1:20], 0)):
        choose(tab, q=words)
        assert seen(tab, "#n") == [f"{count} of 10,001 findings, {count} {'entry' if count else 'entries'}"], words
    choose(tab, q=digest[:12])  # the fleet's digests begin alike
    assert seen(tab, "#n") != ["0 of 10,001 findings, 0 entries"]


def test_entries_by_kind_are_read_as_those_in_words(tab: Browser, tmp_path: Path) -> None:
    """In the page of a very large fleet, whose entries have neither links nor messages, severity and kind are told and filter."""
    opened(tab, fleet_report(50_000, **LONG), tmp_path)
    assert seen(tab, "#n") == ["50,000 of 50,000 findings, 50,000 entries"]
    choose(tab, s="w", q="warning dcs103 issuing")
    assert seen(tab, "#n")[0].startswith("12,500 of 50,000 findings")
    told = tab.run("getComputedStyle(document.querySelector('.plain .w'), '::before').content")
    assert told == '"warning "'
    assert tab.run("document.querySelector('.plain .w').textContent") == "DCS103 cert-expiring"
    choose(tab, s="", q="host4321.prod")
    assert seen(tab, "#n") == ["1 of 50,000 findings, 1 entry"]


def test_a_zone_is_that_zone_alone(tab: Browser, tmp_path: Path) -> None:
    """A zone's link shows what the table counts for it: no zone of a similar name, no zone inside it, no target that names it."""
    def found(fqdn: str, zone: str, number: int, record: str = "") -> Finding:
        return factory.finding(fqdn=fqdn, zone=zone, record=record, address=f"192.0.2.{number}")

    findings = [
        found("www.a.test", "a.test", 1), found("a.test", "a.test", 2), found("www.aa.test", "aa.test", 3),
        found("x.a.test.net", "a.test.net", 4), found("www.sub.a.test", "sub.a.test", 5), found("below.sub.a.test", "a.test", 6),
        found("both.a.test", "a.test, b.test", 7), found("b.test", "b.test", 8, "zone a.test, b.test"),
        found("far.other", "a.test", 9), found("www.a.test", "", 10),
        factory.finding("no zone", rule_hit=factory.ZONE_FAILED, address="", port=None, fqdn="", zone="a.test", record=""),
    ]
    address = opened(tab, factory.report(findings), tmp_path)
    counted = {name: int(errors) for name, _, _, _, _, errors, _ in tab.run(
        "[...document.querySelectorAll('#zones tbody tr')].map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )}
    assert counted == {"a.test": 6, "aa.test": 1, "a.test.net": 1, "sub.a.test": 1, "b.test": 2}
    for name, count in counted.items():
        tab.run(f"[...document.querySelectorAll('#zones tbody th a')].find(a => a.textContent.trim() === '{name}').click()")
        tab.settle()
        assert seen(tab, "#n")[0].startswith(f"{count} of 11 findings,"), name
        assert seen(tab, "#z") == [f"Zone {name} \N{MULTIPLICATION SIGN}"]
    tab.open(f"{address}#z=a.test&q=www")
    assert seen(tab, "#n")[0].startswith("1 of 11 findings,")
    tab.run("document.getElementById('z').focus()")
    tab.run("document.activeElement.click()")
    tab.run("new Promise(done => setTimeout(done, 400))")
    assert (seen(tab, "#z"), tab.run("document.activeElement.id")) == ([], "q")
    assert seen(tab, "#n")[0].startswith("4 of 11 findings,")
    assert tab.run("location.href") == f"{address}#q=www"
    tab.open(f"{address}#z=%3Cimg+src%3Dx%3E")
    assert seen(tab, "#n") == ["0 of 11 findings, 0 entries"]
    assert seen(tab, "#z") == ["Zone <img src=x> \N{MULTIPLICATION SIGN}"]
    tab.run("document.getElementById('x').click()")
    tab.settle()
    assert (seen(tab, "#z"), seen(tab, "#n")[0][:18]) == ([], "11 of 11 findings,")


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
    """Everything has a name, the first stop skips to the findings and their filter, and drawings are told in words.

    No single character is a shortcut (WCAG 2.2, 2.1.4).
    """
    chain = served(3)[0]
    found = [factory.finding(certificate=reference(chain[0], 0)), *factory.rich_report().findings]
    seen_by = (factory.observation(factory.handshake(chain)),)
    opened(tab, replace(factory.rich_report(), findings=tuple(found), observations=seen_by), tmp_path)
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.textContent") == "Skip to the findings"
    tab.press("/", 191)
    assert tab.run("document.activeElement.textContent") == "Skip to the findings"
    tab.run("document.activeElement.click()")
    tab.press("Tab", 9)
    assert tab.run("document.activeElement.id") == "q"
    for key, code in (("/", 191), ("x", 88)):
        tab.press(key, code)
    assert tab.run("document.activeElement.value") == "/x"
    tab.run("document.getElementById('x').click()")
    tab.settle()
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
