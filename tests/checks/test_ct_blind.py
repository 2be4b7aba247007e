"""A source that lacks what is served and what logs signed for is told; what it cannot be blamed for is not."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from pki import ct_forge
from pki.forge import NOW
from servers.ct_judging import GOOD, ISSUER, LIST, ONE, PLAIN, STRANGER, TWO, served
from servers.ct_sighting import issuance

from dnscertscan.checks.ct_fleet import look
from dnscertscan.ct.search_merge import merge
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Finding
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Observation
from dnscertscan.model.sightings import SearchResult, Verdict, unavailable
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.parse import parse

LATER = NOW + timedelta(days=5)
HOST = DnsName(parse(GOOD).extensions.alt_names.dns[0])  # type: ignore[union-attr] - this certificate has alternative names
DOMAIN = HOST.parent
EMPTY = SearchResult("crt.sh", DOMAIN, Verdict.ABSENT, as_of=LATER)


def judged(*answers: SearchResult, seen: tuple[Observation, ...] = (served(GOOD),)) -> list[Finding]:
    facts = CtFacts(sightings=merge(answers))
    return [one for one in look(seen, CtPolicy(LIST), facts, LATER, lambda *_: True) if one.rule.code == "DCS631"]


def test_a_source_that_answers_with_nothing() -> None:
    """An empty list, and one of other certificates: the one that is served is named; a source that has it is not blamed."""
    has = SearchResult("sslmate", DOMAIN, Verdict.FOUND, (issuance(GOOD, "sslmate"),), as_of=LATER)
    (finding,) = judged(EMPTY, has)
    assert finding.subject.fqdn == "crt.sh"
    assert finding.message == (
        f'"crt.sh" does not have certificates that are served and that CT logs have signed for (as sha256 {GOOD.sha256[:16]}) '
        f"for 1 of 1 domains ({DOMAIN.display}); what else it does not have is unknown"
    )


def _with(**changed: object) -> SearchResult:
    return replace(EMPTY, **changed)  # type: ignore[arg-type] - fields of it


@pytest.mark.parametrize(
    "answer",
    [
        _with(as_of=NOW + timedelta(hours=1)), _with(domain=DnsName("elsewhere.org")), _with(source="certspotter"),
        unavailable("crt.sh", DOMAIN, "x"),
        _with(verdict=Verdict.FOUND, issuances=(issuance(GOOD),)),
        _with(verdict=Verdict.FOUND, issuances=(issuance(GOOD, tbs_sha256="", der=None),)),
    ],
)
def test_what_nobody_is_blamed_for(answer: SearchResult) -> None:
    """Younger than the grace, another domain, logged before it was started, no answer, it has it, it may be in an unread row."""
    assert not any("does not have" in finding.message for finding in judged(answer))


def test_a_part_of_an_answer_is_told_as_that() -> None:
    """Nothing is held against a source that was stopped by us."""
    (finding,) = judged(_with(truncated=True))
    assert "does not have" not in finding.message


@pytest.mark.parametrize("leaf", [PLAIN, ct_forge.issue([STRANGER])])
def test_only_what_a_known_log_signed_for_is_evidence(leaf: Certificate) -> None:
    """Without SCTs, or by a log that nobody knows, nothing says that it is in CT at all."""
    assert judged(EMPTY, seen=(served(leaf),)) == []


def test_the_order_says_nothing() -> None:
    """Of several the same one is named."""
    leaves = [GOOD, ct_forge.issue([ONE]), ct_forge.issue([TWO])]
    told = {judged(EMPTY, seen=tuple(map(served, some)))[0].message for some in permutations(leaves)}
    assert len(told) == 1
    assert min(leaf.sha256 for leaf in leaves)[:16] in told.pop()


def test_without_the_issuer_nothing_is_proven() -> None:
    """An SCT of a certificate binds the key of its issuer: without it nobody can tell whether the log signed it."""
    lonely = replace(served(GOOD).outcome.deployments[0], chain=(GOOD,))  # type: ignore[union-attr] - a handshake
    seen = served(GOOD, ISSUER)
    seen = replace(seen, outcome=replace(seen.outcome, deployments=(lonely,)))  # type: ignore[arg-type] - a handshake
    assert judged(EMPTY, seen=(seen,)) == []
