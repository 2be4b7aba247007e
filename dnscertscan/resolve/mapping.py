"""From host records and their resolutions to unique targets, and a coverage row for everything that becomes none."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dnscertscan.model.endpoints import TLS, Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Verdict
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.model.text import visible
from dnscertscan.resolve.addresses import canonical, unscannable
from dnscertscan.resolve.chase import NO_DATA

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.DANGLING: "dangling",
    Verdict.LOOP: "loop",
    Verdict.TOO_LONG: "too-long",
    Verdict.OUT_OF_SCOPE: "out-of-scope",
    Verdict.FAILED: "lookup-failed",
}
_SHOWN = 4
"""Addresses shown in a record's text; the others are counted."""


@dataclass(frozen=True, slots=True)
class MapSettings:
    """What to make of the records. ``ports`` are (service, port); patterns are searched in the name without final dot.

    ``wildcard_names`` maps a wildcard (``*.example.com``) or a zone to labels or names scanned under the wildcard, or under
    every wildcard of the zone. ``probe_label`` is the label a wildcard is scanned with; empty: made from the wildcard's name.
    """

    ports: tuple[tuple[str, int], ...] = ((TLS, 443),)
    include: tuple[re.Pattern[str], ...] = ()
    exclude: tuple[re.Pattern[str], ...] = ()
    wildcard_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
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
    unscanned: tuple[CoverageRow, ...] = field(repr=False)
    resolutions: tuple[Provenance, ...] = field(repr=False)
    host_records: Mapping[str, int]
    other_records: Mapping[str, int]


def record_text(provenance: Provenance) -> str:
    """``www.example.test. A 192.0.2.1`` or ``shop.example.test. CNAME shops.example.net. -> 192.0.2.7``.

    Facts of the zone and the resolution only, never where the zone was read. `` [view]`` ends it when the zone has views.
    """
    record = provenance.record
    parts = [f"{_absolute(record.name)} {record.type} {_data(provenance)}"]
    if provenance.resolution is not None:
        parts += [_absolute(hop.target) for hop in provenance.resolution.hops[1:]]
        if addresses := provenance.resolution.addresses:
            more = f" and {len(addresses) - _SHOWN} more" if len(addresses) > _SHOWN else ""
            parts.append(", ".join(addresses[:_SHOWN]) + more)
    view = record.origin.view
    return " -> ".join(parts) + (f" [{visible(view, 80)}]" if view else "")


def coverage_row(
    target: Target, provenance: Provenance, state: State, reason: str, detail: str = "", seconds: float | None = None
) -> CoverageRow:
    """The ledger line of one record that leads to ``target``."""
    return _row(provenance, target.server_name, (target.endpoint.address, target.endpoint.port), state, (reason, detail), seconds)


class PlanBuilder:
    """Collects in any order and gives the same plan for the same facts."""

    def __init__(self, settings: MapSettings) -> None:
        self._ports = tuple(dict.fromkeys(settings.ports))
        self._found: dict[tuple[str, int, str, str], list[Provenance]] = {}
        self._rows: list[CoverageRow] = []
        self._unresolved: dict[tuple[str, int], Provenance] = {}

    def add(self, provenance: Provenance, name: DnsName, addresses: Iterable[str]) -> None:
        """``name`` at every address and port is a target of this record, as far as the address can be scanned."""
        for address in {canonical(address) for address in addresses}:
            if problem := unscannable(address):
                self._each_port(provenance, name, address, State.SKIPPED, "unscannable-address", problem)
                continue
            for service, port in self._ports:
                self._found.setdefault((address, port, service, name.text), []).append(provenance)

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
        if provenance.record.type in ("A", "AAAA"):
            self._each_port(provenance, name, canonical(provenance.record.data), state, reason, detail)
        else:
            self._rows.append(_row(provenance, name, ("", None), state, (reason, detail)))

    def note(self, row: CoverageRow) -> None:
        """A row that no record stands behind."""
        self._rows.append(row)

    def finish(self, host_records: Mapping[str, int], other_records: Mapping[str, int]) -> Plan:
        """The plan, sorted, with a row for each record beyond the first that leads to the same target."""
        targets = []
        for (address, port, service, name), found in sorted(self._found.items(), key=_by_key):
            found.sort(key=_order)
            target = Target(Endpoint(address, port, service), DnsName(name), tuple(found))
            targets.append(target)
            if len(found) > 1:
                detail = f"same target as {record_text(found[0])} (zone {found[0].zone.display})"
                self._rows += [coverage_row(target, other, State.SKIPPED, "duplicate", detail) for other in found[1:]]
        self._rows.sort(key=_row_order)
        unresolved = sorted(self._unresolved.values(), key=_order)
        return Plan(tuple(targets), tuple(self._rows), tuple(unresolved), dict(host_records), dict(other_records))

    def _each_port(self, provenance: Provenance, name: DnsName, address: str, state: State, reason: str, detail: str) -> None:
        self._rows += [_row(provenance, name, (address, port), state, (reason, detail)) for _, port in self._ports]


def _row(
    provenance: Provenance,
    name: DnsName,
    place: tuple[str, int | None],
    state: State,
    why: tuple[str, str],
    seconds: float | None = None,
) -> CoverageRow:
    return CoverageRow(
        zone=provenance.zone.text,
        record=record_text(provenance),
        fqdn=name.text if name.problem is None else name.display,
        ip_address=visible(place[0], 60),
        port=place[1],
        state=state,
        reason=why[0],
        detail=why[1],
        wildcard=provenance.wildcard.display if provenance.wildcard else "",
        origin=provenance.record.origin.locator,
        seconds=seconds,
    )


def _data(provenance: Provenance) -> str:
    record = provenance.record
    return visible(canonical(record.data), 60) if record.type in ("A", "AAAA") else _absolute(record.target)


def _absolute(name: DnsName) -> str:
    return f"{name.display}." if name.text else "."


def _has_underscore(name: DnsName) -> bool:
    return any(label.startswith("_") for label in name.labels)


def _by_key(item: tuple[tuple[str, int, str, str], list[Provenance]]) -> tuple[str, int, str, str]:
    return item[0]


def _order(provenance: Provenance) -> tuple[str, ...]:
    record = provenance.record
    origin = record.origin
    wildcard = provenance.wildcard.text if provenance.wildcard else ""
    place = (origin.view, origin.source, f"{origin.index or 0:012d}")
    return (provenance.zone.text, record.name.text, record.type, record.data, wildcard, *place)


def _row_order(row: CoverageRow) -> tuple[str, ...]:
    return (row.zone, row.record, row.fqdn, row.ip_address, f"{row.port or 0:05d}", row.state, row.reason, row.detail, row.origin)
