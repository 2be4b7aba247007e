"""The web page as a document: what is in it, in which order, how large it is, and that nothing in it is live."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from report import factory
from report.html_fleet import Page, served

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.pki.parse import reference
from dnscertscan.report.html_chain import draw
from dnscertscan.report.html_report import render_html


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


def test_zones_have_their_totals() -> None:
    """A row for every zone, also one that could not be read at all."""
    rows = re.findall(r'<tr><th scope="row">([a-z.]+)((?:<td[^>]*>\d+)+)', html(factory.rich_report()))
    numbers = {zone: tuple(map(int, re.findall(r">(\d+)", cells))) for zone, cells in rows}
    assert numbers == {"broken.example": (0, 0, 0, 0, 1, 0), "example.com": (7, 2, 3, 2, 2, 2), "example.net": (2, 1, 0, 1, 1, 0)}


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
