"""What is not known of CT is said: once for each source, once for everything else; accounts in CAA records."""

from dataclasses import replace
from datetime import timedelta

import pytest
from servers.ct_sighting import NOW, WWW, ZONE, at, caa, codes, found, issuance, made, policy, published, sightings

from dnscertscan.checks.ct_fleet import look
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict, unavailable
from dnscertscan.model.transparency import CaaAnswer, CtFacts

GOOD = made("www.example.com")
ORG = DnsName("example.org")


def test_a_source_that_gave_no_answer() -> None:
    """One warning for each, with its domains and reasons; nothing is concluded from what it did not tell."""
    silent = [unavailable("crt.sh", domain, "status 502") for domain in (ORG, ZONE)]
    silent.append(unavailable("b", ZONE, "\x1btimeout"))
    answers = [*silent, SearchResult("crt.sh", DnsName("example.net"), Verdict.ABSENT, as_of=NOW)]
    findings = found([at(1, GOOD)], ct=sightings(answers=answers))
    assert [(one.rule.slug, one.severity, one.subject.fqdn) for one in findings] == [
        ("ct-source-unavailable", Severity.WARNING, "b"), ("ct-source-unavailable", Severity.WARNING, "crt.sh"),
    ]
    assert findings[1].message == (
        '"crt.sh" gave no answer for 2 of 3 domains (example.com, example.org): status 502; '
        "what CT has of them is unknown as far as this source goes, and nothing was concluded; "
        "run again later, or name another source ([ct] search)"
    )
    assert "\\x1btimeout" in findings[0].message
    assert len({one.fingerprint for one in findings}) == 2
    assert found([at(1, GOOD)], ct=sightings(answers=answers[::-1])) == findings


def test_sources_that_answered_are_not_told_of() -> None:
    """Absent is an answer, and so is a list that its source does not vouch for."""
    absent = SearchResult("crt.sh", ZONE, Verdict.ABSENT, as_of=NOW, reason="x")
    answers = [absent, SearchResult("b", ZONE, Verdict.FOUND, as_of=NOW, complete=True)]
    assert found([at(1, GOOD)], ct=sightings(GOOD, answers=answers)) == []


def test_answers_that_are_cut_off() -> None:
    """A note for the source."""
    part = SearchResult("crt.sh", ZONE, Verdict.FOUND, truncated=True, reason="3 certificates are not fetched yet")
    (finding,) = found(ct=sightings(answers=[part]))
    assert (finding.rule.slug, finding.severity, finding.subject.fqdn) == ("ct-search-incomplete", Severity.INFO, "crt.sh")
    assert "only a part of what it has for 1 of 1 domains (example.com): 3 certificates are not fetched yet" in finding.message


def test_answers_of_long_ago_and_of_no_time() -> None:
    """A source that has stopped, or never began, is not taken for one that sees that there is nothing new."""
    old = SearchResult("certspotter", ZONE, Verdict.ABSENT, as_of=NOW - timedelta(days=90))
    never = SearchResult("certspotter", ORG, Verdict.ABSENT)
    (finding,) = found(ct=sightings(answers=[old, never]))
    assert (finding.rule.slug, finding.subject.fqdn) == ("ct-search-incomplete", "certspotter")
    when = (NOW - timedelta(days=90)).isoformat()
    assert finding.message == (
        f'"certspotter" gave answers for 2 of 2 domains (example.com, example.org) that are only up to {when}: has it stopped?; '
        "what came into CT since then is unknown"
    )
    (finding,) = found(ct=sightings(answers=[never]))
    assert "that are of no time that it could tell: has it stopped?" in finding.message
    assert found(ct=sightings(answers=[replace(old, as_of=NOW - timedelta(days=2))])) == []


def test_rows_that_cannot_be_used() -> None:
    """They may be the ones that matter: told with the first of them, whatever else the source gave."""
    odd = SearchResult("b", ZONE, Verdict.FOUND, as_of=NOW, problems=("row: \x1bint", "and 3 more"))
    (finding,) = found(ct=sightings(answers=[odd, replace(odd, domain=ORG, problems=())]))
    assert (finding.rule.slug, finding.subject.fqdn) == ("ct-search-incomplete", "b")
    assert finding.message == (
        '"b" sent rows that cannot be used (2) for 1 of 2 domains (example.com), as row: \\x1bint; what is in them is unknown'
    )
    silent = replace(odd, verdict=Verdict.UNAVAILABLE)
    assert codes(found(ct=sightings(answers=[silent]))) == ["ct-source-unavailable", "ct-search-incomplete"]


def test_everything_else_that_is_open_is_one_note() -> None:
    """Certificates that nobody fetched, names that nobody asks for, what the run could not ask."""
    rows = [issuance(made("a.example.com").leaf, tbs_sha256="", der=None)]
    base = sightings(*rows)
    what = Sightings(unidentified=base.unidentified, left_out=((DnsName("co.uk"), "a public suffix"),))
    (finding,) = found(ct=what, unasked=("logs: no answer\x1b", "logs: no answer\x1b"))
    assert (finding.rule.slug, finding.subject.fqdn) == ("ct-search-incomplete", "")
    assert finding.message == (
        "what CT has is not known in full: certificates that search services list but did not hand out (1): for a.example.com; "
        "names nobody was asked for (1): co.uk (a public suffix); logs: no answer\\x1b"
    )


def test_nobody_searched() -> None:
    """Then there is nothing to say but what could not be asked."""
    assert list(look([at(1, GOOD)], policy(), CtFacts(published=WWW), NOW, lambda *_: True)) == []
    assert codes(look([], policy(), CtFacts(unasked=("x",)), NOW, lambda *_: True)) == ["ct-search-incomplete"]


def test_caa_that_lets_every_account_issue() -> None:
    """Advice, once for each RRset however many names it counts for."""
    answer = caa("example.com", "issue ca.example", "issuewild ;")
    findings = found(caa_of={"www.example.com": answer, "a.example.com": answer})
    (finding,) = findings
    assert (finding.rule.slug, finding.severity, finding.subject.fqdn) == ("caa-no-account", Severity.INFO, "example.com")
    assert "CAA records at example.com let every account of ca.example issue; add accounturi" in finding.message


def test_caa_with_another_account() -> None:
    """A warning when the own accounts are known, else nothing."""
    answer = {"www.example.com": caa("example.com", "issue ca.example; accounturi=https://ca.example/2")}
    (finding,) = found(caa_of=answer, accounts=("https://ca.example/1",))
    assert (finding.rule.slug, finding.severity) == ("caa-no-account", Severity.WARNING)
    assert "name another account than ours: https://ca.example/2; ours are https://ca.example/1" in finding.message
    assert found(caa_of=answer, accounts=("https://ca.example/2",)) == []
    assert found(caa_of=answer) == []


@pytest.mark.parametrize(
    "answer",
    [
        CaaAnswer(), CaaAnswer(problem="x"), caa("com", "issue ca.example"), caa("example.com", "issue ;"),
        caa("example.com", "iodef mailto:x@y.example"), caa("sub.example.com", "issue ca.example"),
    ],
)
def test_caa_that_needs_no_advice(answer: CaaAnswer) -> None:
    """None, not learnt, somebody else's, one that lets nobody issue, one that restricts nobody, delegated."""
    names = published("example.com", "sub.example.com", cuts=["sub.example.com"])
    assert "caa-no-account" not in codes(found(caa_of={"www.example.com": answer}, names=names))


def test_a_rule_that_crashes_costs_itself_alone() -> None:
    """And is reported; the others go on, and an observation that cannot be read is told once."""

    def public(*_: object) -> bool:
        raise ValueError

    long = made("www.example.com", days=300)
    facts = CtFacts(sightings=sightings(GOOD, long, answers=[unavailable("b", ZONE, "x")]), published=WWW)
    findings = list(look([at(1, long), at(1, long)], policy(), facts, NOW + timedelta(days=1), public))
    assert codes(findings).count("check-crashed") == 1
    assert "ct-source-unavailable" in codes(findings)
