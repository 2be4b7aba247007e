"""Whether search services have a certificate: found, found nowhere, or not known."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from dnscertscan.ct.audit_report import Point, Status
from dnscertscan.ct.registrable import sort_domains
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, Sct, SctVerdict
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.text import visible
from dnscertscan.pki.names import ask, is_named
from dnscertscan.pki.parse import Facts, parse, reference

LAG = timedelta(hours=48)
"""What logs (24 h) and those who read them may need until a certificate can be found."""


def domain_of(leaf: Certificate, host: str) -> DnsName | None:
    """The registrable domain to ask for: of ``host`` when the certificate is for it, else of a name it is for."""
    facts = parse(leaf)
    names = facts.extensions.alt_names
    own = [DnsName.parse(name) for name in (names.dns[:20] if names else ())]
    wanted = DnsName.parse(host)
    for name in (wanted, *own) if names and is_named(ask(host), names) else own:
        domains = sort_domains([name])
        if found := (*domains.public, *domains.internal):
            return found[0]
    return None


def search_points(leaf: Certificate, audit: CtAudit, domain: DnsName | None, found: Sightings, at: datetime) -> Iterator[Point]:
    """What the answers for ``domain`` mean for this certificate."""
    facts = parse(leaf)
    if domain is None:
        yield Point(Status.OK, "no search service was asked: the certificate has no name of a domain")
        return
    if (sighting := found.issuances.get(audit.tbs_sha256)) is not None:
        seen = f", first on {_words(sighting.issuance.first_seen)}" if sighting.issuance.first_seen else ""
        yield Point(Status.OK, f"found by {', '.join(sighting.sources)}{seen}")
        return
    answers = [answer for answer in found.answers if answer.domain == domain]
    for answer in answers:
        if answer.verdict is Verdict.UNAVAILABLE:
            reason = visible(answer.reason, 300)
            yield Point(Status.WARNING, f"whether {answer.source} has it is not known: it gave no answer ({reason})")
    yield from _missing(facts, audit, domain, found, at, answers)


def _missing(
    facts: Facts, audit: CtAudit, domain: DnsName, found: Sightings, at: datetime, answers: list[SearchResult]
) -> Iterator[Point]:
    there = [answer for answer in answers if answer.verdict is not Verdict.UNAVAILABLE]
    if not there:
        return
    asked = ", ".join(dict.fromkeys(answer.source for answer in there))
    serial = reference(facts.certificate, 0).serial
    if any(row.serial.lstrip("0") == serial.lstrip("0") for row in found.unidentified if row.serial):
        yield Point(Status.WARNING, f"{asked}: a certificate with its serial number {serial}, but its octets could not be had")
        return
    since = _since(facts, audit)
    if facts.not_after is not None and facts.not_after < at:
        yield Point(Status.OK, f"{asked}: not there; it has expired, and search services forget expired ones")
    elif since is not None and since + LAG > at:
        wait = f"{_words(since)} is less than {LAG // timedelta(hours=1)} hours ago"
        yield Point(Status.OK, f"{asked}: not there yet, which means nothing: {wait}")
    elif (until := found.complete_as_of(domain)) is not None and since is not None and until >= since + LAG:
        step = "ask the CA where it logged the certificate"
        yield Point(Status.CRITICAL, f"found nowhere: not in {asked}, with everything until {_words(until)}; {step}")
    else:
        yield Point(Status.WARNING, f"{asked}: not there, but none of them vouches for having everything: not decided")


def _since(facts: Facts, audit: CtAudit) -> datetime | None:
    """From when on it can be in a log: the latest valid SCT, else the first day of its validity."""
    times = [result.sct.at for result in audit.results if isinstance(result.sct, Sct) and result.verdict is SctVerdict.VALID]
    return max(times, default=facts.not_before)


def _words(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
