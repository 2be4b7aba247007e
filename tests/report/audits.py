"""Audits, lists of logs and answers of search services, as a run has them."""

from dataclasses import replace
from datetime import datetime, timedelta

from report import factory

from dnscertscan.model.ct import (
    BadSct,
    CtAudit,
    Delivery,
    Inclusion,
    InclusionVerdict,
    Log,
    Logged,
    LogKind,
    LogList,
    LogState,
    PolicyResult,
    Program,
    Sct,
    SctResult,
    SctVerdict,
)
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.report import Report
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.transparency import CtFacts

LOG = Log(
    b"\1" * 32, b"key", "Example 'Yew2026h2'", LogKind.STATIC, "https://yew.example/", "https://mon.yew.example/", 60, None,
    ((LogState.USABLE, factory.NOW - timedelta(days=400)),), (("Example", None),),
)
LOGS = LogList("google", "93.6", factory.NOW - timedelta(days=9), {LOG.log_id: LOG}, "lists/google.json", signed=True)


def sct(number: int = 1, at: datetime = factory.NOW) -> Sct:
    return Sct(bytes([number]) * 40, 0, LOG.log_id, int(at.timestamp() * 1000), b"", 4, 3, b"signature")


def valid(number: int = 1) -> SctResult:
    return SctResult(sct(number), Delivery.EMBEDDED, SctVerdict.VALID, "", LOG, "Example", LogState.USABLE)


BROKEN = SctResult(
    BadSct(b"\0", "it ends inside the log id"), Delivery.TLS, SctVerdict.INVALID, "it ends inside the log id", None, "", None
)
UNLISTED = SctResult(
    sct(3, datetime.max.replace(tzinfo=factory.NOW.tzinfo)), Delivery.OCSP, SctVerdict.UNKNOWN_LOG, "log AQ== is not in the list",
    None, "", None,
)


def audit(*results: SctResult, logged: Logged = Logged.LOGGED, tbs: str = "ef" * 32) -> CtAudit:
    policies = (
        PolicyResult(Program.CHROME, False, ("1 embedded SCTs count, 2 are needed",)),
        PolicyResult(Program.APPLE, None, ("a doubt",)),
    )
    return CtAudit(results, policies, logged, tbs, LOGS.name, LOGS.version, 9, ("a note",))


def answer(source: str, domain: str, verdict: Verdict, reason: str = "") -> SearchResult:
    as_of = None if verdict is Verdict.UNAVAILABLE else factory.NOW
    return SearchResult(source, DnsName(domain), verdict, as_of=as_of, complete=verdict is Verdict.ABSENT, reason=reason)


def facts() -> CtFacts:
    proof = Inclusion(InclusionVerdict.INCLUDED, "proven", LOG.log_id, b"h" * 32, 100, factory.NOW, 17)
    sightings = Sightings(
        answers=(
            answer("sslmate", "example.net", Verdict.FOUND), answer("crt.sh", "example.net", Verdict.UNAVAILABLE, "HTTP 502"),
            answer("crt.sh", "example.com", Verdict.ABSENT),
        ),
        left_out=((DnsName("x.test"), "no domain to search by"), (DnsName("a.test"), "no domain to search by")), at=factory.NOW,
    )
    leaf = factory.credential_chain()[0].sha256
    return CtFacts(inclusions={leaf: ((valid(), proof),)}, sightings=sightings, unasked=("CAA of a.test: timeout",))


def of_leaves(found: dict[str, CtAudit]) -> Report:
    """A run whose observations are given ``found`` for the leaves they show."""

    def look(observation: Observation) -> dict[str, CtAudit]:
        outcome = observation.outcome
        shown = [one.chain[0].sha256 for one in outcome.deployments] if isinstance(outcome, Handshake) else []
        return {leaf: found[leaf] for leaf in reversed(shown) if leaf in found}

    return replace(factory.rich_report(), transparency=look, log_list=LOGS, ct_facts=facts())
