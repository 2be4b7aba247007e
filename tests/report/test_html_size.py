"""Pages of large fleets: what is left out first, what always stays, and how much memory it takes to write them."""

import re
import tracemalloc
from dataclasses import replace

import pytest
from report import factory
from report.html_fleet import LONG, LONGER, LONGEST, Page, fleet_report

from dnscertscan.model.report import Report
from dnscertscan.report.base import CHUNK
from dnscertscan.report.html_findings import FIRST, FULL, Found
from dnscertscan.report.html_report import render_html
from dnscertscan.report.html_short import Shortened, unsearched


def html(report: Report) -> str:
    return b"".join(render_html(report)).decode()


def test_of_many_certificates_the_worst_are_shown_in_full() -> None:
    """A large fleet's page says how many are in full; the others have their first words and the number of their issuer."""
    count = FULL + 500
    text = html(fleet_report(count))
    page = Page(text.encode())
    assert (len(page.entries), len(page.targets)) == (count, count)
    assert f"The {FIRST} most urgent of {count:,} entries are shown" in text
    assert text.count('<details class="why">') == FIRST
    assert "<p class=w><a href=#DCS103>warning DCS103</a> certificate expiring at 2026-12-01T00:00:00+00:00<p>10." in text
    issued = re.findall(r"<p>end(?:s|ed) 2\d{3}-\d\d-\d\d [0-9a-f]{12} issuer (\d)<p class=", text)
    assert (len(issued), set(issued)) == (count - FIRST, {"1", "2"})
    issuers = text[text.index('<details id="issuers">'):]
    assert sorted(re.findall(r"<li>(.*)", issuers)) == ["CN=Fleet Issuing CA,O=Example Trust", "CN=Issuing CA,O=Example Trust"]


def test_issuers_that_are_too_many_are_not_listed() -> None:
    """Their names take so much room and no more; the page says of how many entries the issuer is not searched."""
    short = Shortened(_room=40)
    one, own = factory.reference("CN=a"), factory.reference("CN=b")
    other, own = replace(one, issuer="CN=Other CA"), replace(own, issuer="CN=b")
    for shown in (one, one, other, other, own):
        short.name(shown, shown.subject)
    assert [short.issuer(shown) for shown in (one, other, own)] == ["issuer 1", "", "self-issued"]
    assert unsearched(5, short, 1) == (
        "Of the 5 entries in short, serial numbers, records, the rest of long messages and the issuers of 2 are not searched. "
        "Of 1 entry that has very many findings, only the first messages are searched whole."
    )
    assert unsearched(0, short, 0) == ""


def test_a_page_of_fifty_thousand_is_under_ten_megabytes() -> None:
    """Every target with a certificate and a finding of its own: the page comes in pieces, and no list of them is held."""
    sizes = [len(piece) for piece in render_html(fleet_report(50_000))]
    assert 5_000_000 < sum(sizes) < 10_000_000
    assert max(sizes) < 2 * CHUNK


def test_names_of_usual_length_fit_too() -> None:
    """With names of 38 characters entries tell less: a rule's name for a message, of a certificate's name the first part."""
    report = fleet_report(50_000, **LONG)
    text = html(report)
    assert 8_000_000 < len(text.encode()) < 10_000_000
    page = Page(text.encode())
    assert (len(page.entries), len(page.targets)) == (50_000, 50_000)
    assert page.entries[-1] == f"CN={page.targets[-1][1].split()[1]}"
    assert "<p class=w>DCS103 cert-expiring<p>10." in text
    assert "each by the name of its kind and the first part of its name, so that this page stays one that" in text
    assert "messages and names of certificates after their first part or 80 characters are not searched" in text
    assert 8_000_000 < sum(map(len, render_html(fleet_report(50_000, **LONGER)))) < 10_000_000


def test_names_that_are_too_long_for_the_page() -> None:
    """With names of 100 characters everywhere the page grows by what the targets take: all of them are there, names are cut."""
    text = html(fleet_report(50_000, **LONGEST))
    page = Page(text.encode())
    assert len(set(page.targets)) == 50_000
    assert all(len(target.split()[1]) >= 96 for _, target in page.targets)
    assert sum(title.endswith("x\N{HORIZONTAL ELLIPSIS}") for title in page.entries) > 49_000
    assert len(text.encode()) < 14_000_000


def test_what_is_measured_is_what_is_written() -> None:
    """The octets by which the detail is chosen are those of the page, up to a few in a hundred, in whichever detail."""
    for report in (fleet_report(9000), fleet_report(9000, per_certificate=4), fleet_report(30_000, 12, **LONGEST)):
        found, text = Found.of(report), html(report)
        start, end = text.index('<ul class="block">'), text.index('<details id="issuers">')
        assert found.short.octets == pytest.approx(len(text[start:end].encode()), rel=0.04)


def test_one_certificate_on_many_targets_is_not_held() -> None:
    """The targets of one finding pass through; what is held beside the report is their order."""
    report = fleet_report(20_000, per_certificate=20_000)
    assert [len(items) for items in (report.findings, report.observations)] == [20_000, 20_000]
    tracemalloc.start()
    try:
        size = sum(map(len, render_html(report)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 800_000
    assert peak < 16_000_000, peak
