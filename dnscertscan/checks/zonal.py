"""What the zones show before any server is asked: aliases that lead nowhere, names nobody can ask for, zones not read."""

from collections.abc import Iterator, Sequence

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.subjects import RecordText, name_subject
from dnscertscan.model.endpoints import Provenance
from dnscertscan.model.findings import Finding, Severity, Subject
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import HOST_TYPES, Resolution, Verdict, Zone, ZoneFault, ZoneProblem
from dnscertscan.model.text import visible

_SLUGS = {
    Verdict.DANGLING: "dangling-target",
    Verdict.LOOP: "alias-loop",
    Verdict.TOO_LONG: "alias-chain-too-long",
    Verdict.FAILED: "lookup-failed",
}
_WORDS = {
    "dangling-target": "alias leads to a name without an address",
    "alias-loop": "alias leads back to itself",
    "alias-chain-too-long": "alias chain is too long",
    "lookup-failed": "name could not be looked up",
}


def look_name(name: DnsName, origins: Sequence[Provenance], record_text: RecordText) -> Iterator[Finding]:
    """Findings about one name, given every provenance it has: one for each bad verdict, one when it cannot be asked for."""
    subject = name_subject(origins, name, record_text)
    if problem := _problem(name):
        rule = RULES["unscannable-name"]
        yield Finding(rule, rule.severity, subject, f"name cannot be asked for in TLS: {problem}: {name.display}")
    endings: dict[str, list[Resolution]] = {}
    for origin in origins:
        if origin.resolution is not None and (slug := _SLUGS.get(origin.resolution.verdict)) is not None:
            endings.setdefault(slug, []).append(origin.resolution)
    for slug, resolutions in sorted(endings.items()):
        rule = RULES[slug]
        texts = sorted({_ending(resolution) for resolution in resolutions})
        yield Finding(rule, rule.severity, subject, f"{_WORDS[slug]}: {'; '.join(texts)}")


def name_of(origin: Provenance) -> DnsName:
    """The name a provenance is about: the one that was followed (for a wildcard its probe label), else the record's owner."""
    return origin.record.name if origin.resolution is None else origin.resolution.name


def unscannable(zone: Zone) -> Iterator[Provenance]:
    """The host records of a zone whose names nobody can ask for; they lead to no target, so that no plan has them."""
    for record in zone.records:
        if record.type in HOST_TYPES and record.type != "DNAME" and _problem(record.name):
            yield Provenance(record, zone.name, None, record.name if record.name.is_wildcard else None)


def look_problem(problem: ZoneProblem) -> Finding:
    """A zone that could not be read, or a record in it that cannot be used."""
    rule = RULES["zone-failed" if problem.fault is ZoneFault.FAILED else "bad-record"]
    zone = DnsName.parse(problem.zone).text
    subject = Subject(zone=zone or problem.source, fqdn=zone or problem.source, record=problem.record)
    return Finding(rule, rule.severity, subject, visible(problem.message, 1000))


def look_zone(zone: Zone) -> Finding | None:
    """A zone without a single record that leads to an address: a warning when it is empty, else (parked, mail only) a note.

    Where the zone was read does not enter: the same zone from a transfer and from its export gives the same finding.
    """
    if any(record.type in HOST_TYPES for record in zone.records):
        return None
    rule = RULES["empty-zone"]
    others = f"{len(zone.records)} of other types" if zone.records else "none at all"
    message = f"zone has no A, AAAA, CNAME or DNAME record ({others}): {zone.name.display}"
    severity = Severity.INFO if zone.records else rule.severity
    return Finding(rule, severity, Subject(zone=zone.name.text, fqdn=zone.name.text), message)


def _problem(name: DnsName) -> str | None:
    return (name.parent if name.is_wildcard else name).problem


def _ending(resolution: Resolution) -> str:
    return f"{resolution.chain_text} ({visible(resolution.reason, 300)})" if resolution.reason else resolution.chain_text
