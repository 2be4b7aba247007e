"""What the zones of a run say, as far as it matters to what CT has, and what CT adds to it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from dnscertscan.ct.registrable import Domains, sort_domains
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import HOST_TYPES, Verdict, Zone
from dnscertscan.model.sightings import Sightings
from dnscertscan.model.transparency import Published
from dnscertscan.resolve.mapping import Plan
from dnscertscan.resolve.nametext import parents
from dnscertscan.resolve.zone_index import ZoneTree

MAX_NAMES = 10_000
"""Names that are scanned because CT has them, at most."""


def domains_of(zones: Sequence[Zone]) -> Domains:
    """What to search for: the registrable domains of the zones; those of the hosts where a zone is a public suffix itself."""
    places = {zone.name for zone in zones}
    found = sort_domains(places)
    suffixes = {name for name, _ in found.left_out}
    hosts = {
        record.name for zone in zones if zone.name in suffixes for record in zone.records if record.type in HOST_TYPES
    }
    return sort_domains(places | hosts) if hosts else found


def published(zones: Sequence[Zone], plan: Plan | None) -> Published:
    """Zones, owner names, delegations to zones that were not loaded, and names whose alias leads nowhere.

    A zone one view of which has neither SOA nor NS at its apex is there in part: who omits those omits delegations, too.
    """
    loaded = frozenset(zone.name for zone in zones)
    dangling = {
        origin.record.name for origin in (plan.resolutions if plan else ())
        if origin.resolution and origin.resolution.verdict is Verdict.DANGLING
    }
    return Published(
        loaded, frozenset(record.name for zone in zones for record in zone.records),
        frozenset(record.name for zone in zones for record in zone.records if record.type == "NS") - loaded, frozenset(dangling),
        frozenset(record.name for zone in zones for record in zone.records if record.type == "DNAME"),
        frozenset(zone.name for zone in zones if not _is_whole(zone)),
    )


def _is_whole(zone: Zone) -> bool:
    return any(record.type in ("SOA", "NS") and record.name == zone.name for record in zone.records)


def valid_names(sightings: Sightings, at: datetime) -> Iterator[DnsName]:
    """The names of all issuances that are not over, wildcards among them, some more than once."""
    for issuance in _issuances(sightings):
        if issuance.not_after is None or issuance.not_after > at:
            yield from map(DnsName.parse, issuance.names)


def _issuances(sightings: Sightings) -> Iterator[Issuance]:
    for sighting in sightings.issuances.values():
        yield sighting.issuance
    yield from sightings.unidentified


def names_under_wildcards(
    zones: Sequence[Zone], sightings: Sightings, at: datetime
) -> tuple[Mapping[str, tuple[DnsName, ...]], int]:
    """Names that no zone has and a wildcard of a zone answers for, by that wildcard; how many are left out as too many."""
    by_wildcard: dict[str, list[ZoneTree]] = {}
    for zone in zones:
        wildcards = {record.name.text for record in zone.records if record.name.is_wildcard and record.type in HOST_TYPES}
        tree = ZoneTree(zone) if wildcards else None
        for text in wildcards:
            by_wildcard.setdefault(text, []).extend([tree] if tree else [])
    found: dict[str, list[DnsName]] = {}
    count = 0
    for name in sorted({name for name in valid_names(sightings, at) if name.problem is None}):
        for above in parents(name.text):
            trees = by_wildcard.get(f"*.{above}", ())
            wildcard = DnsName(f"*.{above}")
            if any(tree.covers(wildcard, name) and tree.answer(name) for tree in trees):  # no answer: it is delegated
                count += 1
                if count <= MAX_NAMES:
                    found.setdefault(wildcard.text, []).append(name)
                break
    return {wildcard: tuple(names) for wildcard, names in found.items()}, max(count - MAX_NAMES, 0)
