"""From host records and their resolutions to unique targets, and a coverage row for everything that becomes none."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter

from dnscertscan.model.endpoints import TLS, Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Verdict
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.resolve.addresses import canonical, unscannable
from dnscertscan.resolve.chase import NO_DATA
from dnscertscan.resolve.rows import LeftOut, Rows, coverage_row, record_text

__all__ = ["VERDICT_WORDS", "MapSettings", "Plan", "PlanBuilder", "coverage_row", "record_text"]

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.DANGLING: "dangling",
    Verdict.LOOP: "loop",
    Verdict.TOO_LONG: "too-long",
    Verdict.OUT_OF_SCOPE: "out-of-scope",
    Verdict.FAILED: "lookup-failed",
}
_UNSCANNABLE = (State.SKIPPED, "unscannable-address")
_DUPLICATE = (State.SKIPPED, "duplicate")
_TARGET_ORDER = tuple(map(attrgetter, ("server_name.text", "endpoint.service", "endpoint.port", "endpoint.address")))
"""The least significant first."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What to make of the records. ``ports`` are (service, port); patterns are searched in the name without final dot.

    ``wildcard_names`` maps a wildcard (``*.example.com``) or a zone to labels or names scanned under the wildcard, or under
    every wildcard of the zone; ``seen_names`` has names that CT knows under a wildcard, by its text. ``probe_label`` is the label
    a wildcard is scanned with; empty: made from the wildcard's name.
    """

    ports: tuple[tuple[str, int], ...] = ((TLS, 443),)
    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()
    wildcard_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen_names: Mapping[str, tuple[DnsName, ...]] = field(default_factory=dict)
    probe_label: str = ""

    def wants(self, *names: DnsName) -> bool:
        """Whether the filters let a name pass.

        Of a wildcard and a name under it, either may match ``include`` and neither may match ``exclude``.
        """
        texts = [name.text for name in names]
        if any(pattern.search(text) for pattern in self.exclude for text in texts):
            return False
        return not self.include or any(pattern.search(text) for pattern in self.include for text in texts)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to scan, and everything that is not scanned with the reason.

    ``targets`` are unique and sorted, each with every provenance (sorted; the first one's coverage row is left to the scan).
    ``resolutions`` has one provenance for each host record whose chase did not end RESOLVED. The counts are per zone name,
    all its views together.
    """

    # Not in repr: asyncio.run() builds the repr of what its main task returns (seconds for 100,000 targets).
    targets: tuple[Target, ...] = field(repr=False)
    unscanned: Sequence[CoverageRow] = field(repr=False)
    resolutions: tuple[Provenance, ...] = field(repr=False)
    host_records: Mapping[str, int]
    other_records: Mapping[str, int]


class PlanBuilder:
    """Collects in any order and gives the same plan for the same facts."""

    def __init__(self, settings: MapSettings) -> None:
        self._ports = tuple(dict.fromkeys(settings.ports))
        self._why: dict[tuple[State, str], tuple[State, str]] = {}
        self._endpoints: dict[tuple[str, int], dict[str, Endpoint]] = {place: {} for place in self._ports}
        self._targets: list[Target] = []
        self._left_out: list[LeftOut | CoverageRow] = []
        self._unresolved: dict[tuple[str, int], Provenance] = {}

    def add(self, provenance: Provenance, name: DnsName, addresses: Iterable[str]) -> None:
        """``name`` at every address and port is a target of this record, as far as the address can be scanned."""
        for address in {canonical(address) for address in addresses}:
            if problem := unscannable(address):
                self._each_port(provenance, name, address, _UNSCANNABLE, problem)
                continue
            for (service, port), known in self._endpoints.items():
                endpoint = known.get(address)
                if endpoint is None:
                    endpoint = known[address] = Endpoint(address, port, service)
                self._targets.append(Target(endpoint, name, (provenance,)))

    def add_resolution(self, provenance: Provenance, name: DnsName) -> None:
        """Use the end of a record's chase: targets, or the row that says why there are none."""
        resolution = provenance.resolution
        if resolution is None:
            raise ValueError("a provenance without its resolution")
        detail = f"{resolution.chain_text} ({resolution.reason})"
        if resolution.verdict is Verdict.RESOLVED:
            self.add(provenance, name, resolution.addresses)
            if resolution.reason:
                self.leave_out(provenance, name, State.FAILED, "lookup-failed", detail)
        elif resolution.verdict is Verdict.DANGLING and resolution.reason == NO_DATA and _has_underscore(provenance.record.name):
            self.leave_out(provenance, name, State.SKIPPED, "no-address", detail)
        else:
            self.leave_out(provenance, name, State.FAILED, VERDICT_WORDS[resolution.verdict], detail)
            # One for each record, though a wildcard is chased once for each name scanned under it.
            self._unresolved.setdefault((provenance.zone.text, id(provenance.record)), provenance)

    def leave_out(self, provenance: Provenance, name: DnsName, state: State, reason: str, detail: str = "") -> None:
        """A record (and name) that leads to no target: one row for each port when its address is known, else one row."""
        why = self._why.setdefault((state, reason), (state, reason))
        if provenance.record.type in ("A", "AAAA"):
            self._each_port(provenance, name, canonical(provenance.record.data), why, detail)
        else:
            self._left_out.append(LeftOut(provenance, name, "", None, why, detail))

    def note(self, row: CoverageRow) -> None:
        """A row that no record stands behind."""
        self._left_out.append(row)

    def finish(self, host_records: Mapping[str, int], other_records: Mapping[str, int]) -> Plan:
        """The plan, sorted, with a row for each record beyond the first that leads to the same target."""
        targets, self._targets = self._targets, []
        self._endpoints.clear()
        for key in _TARGET_ORDER:  # sorts are stable; one key at a time needs a fraction of the memory
            targets.sort(key=key)
        unique = tuple(self._merged(targets))
        unresolved = sorted(self._unresolved.values(), key=_order)
        return Plan(unique, Rows(self._left_out), tuple(unresolved), dict(host_records), dict(other_records))

    def _merged(self, ordered: list[Target]) -> Iterator[Target]:
        """Each run of equal targets as one, with all their provenances."""
        for target, group in groupby(ordered):
            same = tuple(group)
            if len(same) == 1:
                yield target
                continue
            found = sorted((provenance for one in same for provenance in one.provenance), key=_order)
            yield Target(target.endpoint, target.server_name, tuple(found))
            self._left_out += [_duplicate(target, other, found[0]) for other in found[1:]]

    def _each_port(self, provenance: Provenance, name: DnsName, address: str, why: tuple[State, str], detail: str) -> None:
        self._left_out += [LeftOut(provenance, name, address, port, why, detail) for _, port in self._ports]


def _duplicate(target: Target, provenance: Provenance, first: Provenance) -> LeftOut:
    return LeftOut(provenance, target.server_name, target.endpoint.address, target.endpoint.port, _DUPLICATE, first)


def _has_underscore(name: DnsName) -> bool:
    return any(label.startswith("_") for label in name.labels)


def _order(provenance: Provenance) -> tuple[str, ...]:
    record = provenance.record
    origin = record.origin
    wildcard = provenance.wildcard.text if provenance.wildcard else ""
    place = (origin.view, origin.source, f"{origin.index or 0:012d}")
    return (provenance.zone.text, record.name.text, record.type, record.data, wildcard, *place)
