"""The web page as a document: what is in it, in which order, how large it is, and that nothing in it is live."""

import re
import tracemalloc
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography import x509
from report import factory
from report.html_fleet import LONG, LONGER, LONGEST, Page, fleet_report, served

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.pki.parse import reference
from dnscertscan.report.base import CHUNK
from dnscertscan.report.html_chain import draw
from dnscertscan.report.html_findings import FIRST, FULL, Found
from dnscertscan.report.html_report import render_html
from dnscertscan.report.html_short import Shortened, unsearched
from dnscertscan.report.html_timeline import DAYS, Calendar


def html(report: Report) -> str:
    return b"".join(render_html(report)).decode()


def silent(count: int) -> tuple[CoverageRow, ...]:
    """Targets that were tried and gave no answer."""
    return tuple(factory.row(State.FAILED, "timeout", address=f"10.0.0.{number}") for number in range(count))


def test_verdict_and_coverage_come_first() -> None:
    """What was found, that the run is incomplete and why, and what became of every target stand before anything else."""
    page = html(factory.rich_report())
    parts = ["4 errors and 2 warnings found", "This run is incomplete", "REFUSED by 192.0.2.53", 'id="coverage"', "3 failed",
             'id="ends"', 'id="zones-h"', 'id="findings"', 'id="rules"']
    places = [page.index(words) for words in parts]
    assert places == sorted(places)
    assert "9 records -&gt; 9 targets: 3 scanned, 3 unreachable, 3 skipped; 4 errors, 2 warnings" in page


@pytest.mark.parametrize(("findings", "rows", "complete", "words"), [
    ((), (factory.row(),), True, "No errors and no warnings"),
    ((), (), True, "No certificate was looked at"),
    ((), (factory.row(),), False, "Nothing wrong was found in what could be looked at"),
    ((factory.finding(rule_hit=factory.EXPIRING),), (factory.row(),), True, "No errors, 1 warning found"),
    ((factory.finding(rule_hit=factory.ROOT_SENT),), (factory.row(),), True, "No errors and no warnings"),
    ((factory.finding(rule_hit=factory.EXPIRING),), (factory.row(), *silent(1)), True,
     "No errors, 1 warning found; 1 target could not be looked at"),
    ((), silent(2), True, "No certificate was looked at"),
])
def test_verdicts(findings: tuple[object, ...], rows: tuple[object, ...], complete: bool, words: str) -> None:
    """Silence never looks like health."""
    page = html(factory.report(findings, (), factory.coverage(rows), complete=complete))  # type: ignore[arg-type]  # parametrized
    assert f'<h2 id="verdict-h">{words}</h2>' in page


@pytest.mark.parametrize(("scanned", "failed", "kind", "words"), [
    (1, 200, "w", "No errors and no warnings in 1 target; 200 could not be looked at"),
    (9, 1, "o", "No errors and no warnings in 9 targets; 1 could not be looked at"),
    (8, 1, "w", "No errors and no warnings in 8 targets; 1 could not be looked at"),
    (3, 0, "o", "No errors and no warnings"),
])
def test_targets_without_an_answer_are_no_health(scanned: int, failed: int, kind: str, words: str) -> None:
    """How many gave no answer is in the heading, and where it is more than one in ten the page is not green."""
    rows = [*(factory.row(address=f"10.0.1.{number}") for number in range(scanned)), *silent(failed)]
    page = html(factory.report((), (), factory.coverage(rows)))
    assert f'<section id="verdict" class="{kind}"' in page
    assert f'<h2 id="verdict-h">{words}</h2>' in page


def test_findings_stand_under_their_certificate() -> None:
    """A certificate is one entry with all that is wrong with it, worst first, and a finding says why and how to fix it."""
    one, other = (reference(served(2)[number][0], 0) for number in range(2))
    found = [
        factory.finding("ends soon", rule_hit=factory.EXPIRING, certificate=one),
        factory.finding("ends soon", rule_hit=factory.EXPIRING, certificate=one, address="192.0.2.2", record=""),
        factory.finding("ends soon", rule_hit=factory.EXPIRING, certificate=other, address="192.0.2.3", record=""),
        factory.finding("is broken", certificate=one),
    ]
    page = Page(html(factory.report(found)).encode())
    assert page.entries == [one.subject, other.subject]
    assert page.targets == [
        ("DCS101", "192.0.2.1:443 www.example.com"), ("DCS103", "192.0.2.1:443 www.example.com"),
        ("DCS103", "192.0.2.2:443 www.example.com"), ("DCS103", "192.0.2.3:443 www.example.com"),
    ]
    text = html(factory.report(found))
    advice = "<h4>Why it matters</h4>\n<p>why</p>\n<h4>How to fix it</h4>\n<p>fix</p>"
    assert text.count(advice) == 3 + 2  # where they are found, and at the end


def test_the_most_urgent_entry_comes_first() -> None:
    """By severity, then by the end; what is about no certificate, and so has no end, follows those that have one."""
    soon, late = (reference(served(2)[number][0], 0) for number in range(2))
    found = [
        factory.finding("no zone", rule_hit=factory.ZONE_FAILED, address="", port=None),
        factory.finding("late", certificate=late),
        factory.finding("ends soon", rule_hit=factory.EXPIRING, certificate=soon),
    ]
    assert Page(html(factory.report(found)).encode()).entries == [late.subject, factory.ZONE_FAILED.title, soon.subject]


def test_the_same_finding_on_many_names_is_said_once() -> None:
    """A wrong certificate behind many names is one finding in words, with all the names; its rule is explained once."""
    at_fault = reference(served(1)[0][0], 0)
    names = [f"n{number}.example.com" for number in range(300)]
    found = [factory.finding(f'"{name}" was asked for', fqdn=name, record="", certificate=at_fault) for name in names]
    page = html(factory.report([*found, factory.finding("and more", certificate=at_fault)]))
    assert page.count("&#34;(each name listed)&#34; was asked for</p>") == 1
    assert [target.split()[1] for _, target in Page(page.encode()).targets] == [*names, "www.example.com"]
    assert page.count('<details class="why">') == 1
    assert "<summary>300 targets</summary>" in page
    one = html(factory.report(found[:1]))
    assert "&#34;n0.example.com&#34; was asked for</p>" in one


def test_words_of_an_entry_with_very_many_findings() -> None:
    """Findings of one entry that all read differently: the first ones in full, then their first words, and none is missing."""
    messages = [f"loop {number:03} -> {'x' * 200}" for number in range(120)]
    found = [factory.finding(message, rule_hit=factory.DANGLING, address="", port=None) for message in messages]
    page = html(factory.report(found))
    assert len(Page(page.encode()).targets) == 120
    assert page.count("x" * 200) == 50
    assert page.count("x\N{HORIZONTAL ELLIPSIS}</p>") == 70


def test_a_rule_with_commands_keeps_their_lines() -> None:
    """Indented lines of a rule are commands, whose lines stay apart."""
    text = "Renew it.\n    certbot renew\n    nginx -t <x>\nThen look."
    hit = factory.rule()
    hit = type(hit)(hit.code, hit.slug, hit.title, hit.severity, hit.scope, hit.why, text)
    page = html(factory.report([factory.finding(rule_hit=hit)]))
    assert '<p>Renew it.</p>\n<pre tabindex="0">certbot renew\nnginx -t &lt;x&gt;\n</pre>\n<p>Then look.</p>' in page


def test_what_leads_to_a_target_is_said_where_its_name_does_not() -> None:
    """An alias, a wildcard and a zone of another name stand beside the target."""
    page = html(factory.report([
        factory.finding(record="www.example.com. CNAME lb.example.net."), factory.finding(),
        factory.finding(zone="a.test, example.com", wildcard="*.x.test"),
    ]))
    assert "<li>192.0.2.1:443 www.example.com <small>www.example.com. CNAME lb.example.net.</small>" in page
    assert "<li>192.0.2.1:443 www.example.com (for *.x.test) <small>zone a.test, example.com</small>" in page
    assert "<li>192.0.2.1:443 www.example.com\n" in page


def test_the_chain_is_drawn_with_the_certificate_at_fault() -> None:
    """Every certificate that was sent, the issuer that was not, and in words which one is at fault."""
    chain = factory.credential_chain()
    drawing = draw(chain, reference(chain[1], 1))
    assert [(box.role, box.name, box.marked, box.sent) for box in drawing.boxes] == [
        ("0 leaf", "www.example.com", False, True), ("1 CA", "Issuing CA", True, True), ("issuer", "Root", False, False),
    ]
    assert drawing.label == "Certificates as served: 0 leaf www.example.com; 1 CA Issuing CA, at fault; issuer Root, not sent"
    page = html(factory.report([factory.finding(certificate=reference(chain[1], 1))], [factory.observation()]))
    assert f'aria-label="{drawing.label}"' in page
    assert page.count('class="box fault"') == 1


def test_drawings_of_odd_chains() -> None:
    """Wrong order, an anchor that nobody sent, garbage, a list of fifty: each has a drawing that says so."""
    leaf, issuing = factory.credential_chain()
    stranger = served(1)[0][0]
    assert [box.broken for box in draw((leaf, stranger, issuing), None).boxes] == [False, True, True, False]
    anchor = draw((leaf, issuing), factory.reference("CN=Old", position=None)).boxes[-1]
    assert (anchor.role, anchor.name, anchor.marked, anchor.sent) == ("trust anchor", "CN=Old", True, False)
    assert draw((Certificate(b"\x30\x82\xff"),), None).boxes[0].role == "0 unreadable"
    long = draw((leaf, *[issuing] * 48, stranger), reference(stranger, 49))
    assert (len(long.boxes), long.boxes[5].skipped, long.boxes[5].marked) == (7, 44, True)
    assert (draw((), None).boxes, draw((), None).height) == ((), 0)


def test_the_chain_shown_is_one_with_the_certificate_at_fault() -> None:
    """Of all lists an endpoint serves the one that has the certificate at fault is drawn."""
    issuing = Authority.root("R", now=factory.NOW).intermediate("Expired CA")
    chain = tuple(Certificate(one.public_bytes(factory.Encoding.DER)) for one in issuing.leaf("www.example.com").chain)
    leaf, at_fault = reference(chain[0], 0), reference(chain[1], 1)
    found = factory.finding(certificate=at_fault, leaf=leaf)
    seen = [factory.observation(factory.handshake(served)) for served in (chain[:1], chain)]
    page = html(factory.report([found], seen))
    assert "1 CA Expired CA, at fault; issuer R, not sent" in page


def test_the_timeline_shows_what_ends_together() -> None:
    """A bar for each day, what has ended and what ends later apart, and the days on which many end by name."""
    calendar = Calendar(factory.NOW)
    chains = served(60)
    calendar.add(sorted({one.sha256: one for chain in chains for one in chain}.values(), key=lambda one: one.sha256))
    for number, chain in enumerate(chains):
        calendar.serve(factory.observation(factory.handshake(chain), fqdn=f"host{number}.example.com"))
    assert (calendar.total, calendar.ended, calendar.later, calendar.unread) == (61, 0, 1, 0)
    cluster = calendar.clusters()[0]
    assert (cluster.left, cluster.certificates, cluster.endpoints, len(cluster.examples)) == (61, 21, 21, 3)
    assert cluster.day == (factory.NOW + timedelta(days=61)).date()
    page = html(fleet_report(60, chains=60))
    assert f'<text class="peak" x="{cluster.label_x}" y="18">21 on 2027-01-20</text>' in page
    assert "1 ends more than 400 days from now" in page


def calendar_of(days: dict[int, int]) -> Calendar:
    """One on which so many certificates end on these days."""
    calendar = Calendar(factory.NOW)
    for left, count in days.items():
        calendar.days[left] = count
        calendar._names[left] = ["x"]
    return calendar


@pytest.mark.parametrize(("days", "expected"), [
    (dict.fromkeys(range(390), 20), []),
    ({left: 15 + left * 7 % 11 for left in range(390)}, []),
    (dict.fromkeys(range(90), 20) | dict.fromkeys(range(90, 390), 1), []),
    (dict.fromkeys(range(390), 20) | {30: 800}, [30]),
    (dict.fromkeys(range(390), 20) | {30: 99, 60: 100}, [60]),
    (dict.fromkeys(range(0, 300, 2), 1) | {100: 5, 200: 12}, [200]),
    ({5: 1, 17: 1, 90: 3}, [90]),
    ({5: 1, 17: 2}, []),
    (dict.fromkeys(range(0, 40, 10), 100), [0, 10, 20, 30]),
    (dict.fromkeys(range(390), 30) | {left: 400 + left for left in range(20, 390, 20)}, list(range(160, 390, 20))),
])
def test_clusters_stand_out_of_usual_days(days: dict[int, int], expected: list[int]) -> None:
    """A day counts that has many more than usual, however large the fleet; a flat fleet has none, a small one what is plain."""
    assert [one.left for one in calendar_of(days).clusters()] == expected


def test_a_needless_certificate_makes_no_target_fail() -> None:
    """What counts is the first end on the path: leaf, issuers that are sent; not what is sent beside them."""
    old_ca = Authority.root("Old", now=factory.NOW, days=400)
    soon = old_ca.intermediate("Soon CA", not_after=factory.NOW + timedelta(days=20))
    other = old_ca.intermediate("Soon CA", not_after=factory.NOW + timedelta(days=5))

    def der(one: x509.Certificate) -> Certificate:
        return Certificate(one.public_bytes(factory.Encoding.DER))

    def leaf(under: Authority, days: int) -> Certificate:
        begins, ends = factory.NOW - timedelta(days=90), factory.NOW + timedelta(days=days)
        return der(under.leaf(f"h{days}.test", not_before=begins, not_after=ends).certificate)

    needless, mine, garbage = leaf(old_ca, -5), leaf(soon, 50), Certificate(b"no certificate")
    chains = [
        (leaf(old_ca, 30), needless, garbage),
        (mine, der(soon.certificate), needless),
        (mine, needless, der(other.certificate)),
        (leaf(old_ca, 10), der(soon.certificate)),
        (mine, der(other.certificate), der(soon.certificate)),
        (garbage, mine),
    ]
    calendar = Calendar(factory.NOW)
    calendar.add(sorted({one.sha256: one for chain in chains for one in chain}.values(), key=lambda one: one.sha256))
    first = []
    for chain in chains:
        calendar.endpoints.clear()
        calendar.serve(factory.observation(factory.handshake(chain)))
        first.append(dict(calendar.endpoints))
    assert first == [{30: 1}, {20: 1}, {50: 1}, {10: 1}, {20: 1}, {}]


def test_ends_at_the_edges_of_the_timeline() -> None:
    """The very second counts as not ended, the day before as ended, day 400 as later, and an unreadable end is none of them."""
    issuing = Authority.root("R", now=factory.NOW)
    moments = [timedelta(0), timedelta(seconds=-1), timedelta(days=DAYS), timedelta(days=DAYS - 1)]
    ends = [factory.NOW + moment for moment in moments]
    leaves = [issuing.leaf("a.test", not_before=factory.NOW - timedelta(days=9), not_after=end).certificate for end in ends]
    calendar = Calendar(factory.NOW)
    calendar.add([Certificate(b"no certificate"), *(Certificate(one.public_bytes(factory.Encoding.DER)) for one in leaves)])
    assert (calendar.ended, calendar.later, calendar.unread, dict(calendar.days)) == (1, 1, 1, {0: 1, DAYS - 1: 1})


def test_zones_have_their_totals() -> None:
    """A row for every zone, also one that could not be read at all."""
    rows = re.findall(r'<tr><th scope="row">([a-z.]+)((?:<td[^>]*>\d+)+)', html(factory.rich_report()))
    numbers = {zone: tuple(map(int, re.findall(r">(\d+)", cells))) for zone, cells in rows}
    assert numbers == {"broken.example": (0, 0, 0, 0, 1, 0), "example.com": (7, 2, 3, 2, 2, 2), "example.net": (2, 1, 0, 1, 1, 0)}


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


def test_the_policy_permits_exactly_the_page_s_own_style_and_script() -> None:
    """The hashes in the policy are those of the style and the script that are there; nothing else may be loaded or run."""
    page = html(factory.hostile_report())
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[0].replace("&#39;", "'")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(inside) == 1
        digest = b64encode(sha256(inside[0].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert {"base-uri 'none'", "form-action 'none'"} <= set(policy.split("; "))


def test_nothing_from_outside_is_markup() -> None:
    """Texts with tags and quotes in every field make no tag and no attribute."""
    tags = set(Page(b"".join(render_html(factory.rich_report()))).tags)
    hostile = Page(b"".join(render_html(factory.hostile_report())))
    assert set(hostile.tags) - tags <= {"small"}
    assert hostile.tags.count("script") == 1
    assert "img" not in hostile.tags
    page = re.sub(r"<(script|style)>.*?</\1>", "", html(factory.hostile_report()), flags=re.DOTALL)
    assert not re.search(r"<[a-z][^>]*\s(?:on\w+|style|src)\s*=", page)
    assert not re.search(r'<[a-z][^>]*\shref=(?!"?#)', page)


def test_states_without_targets() -> None:
    """A run that skipped everything has a bar without scanned targets, and no division by nothing."""
    page = html(factory.report(covered=factory.coverage([factory.row(State.SKIPPED, "filtered")])))
    assert "<b>1 skipped</b>: 1 filtered" in page
    assert "No certificate was read." in page
    assert "There are no findings." in page
