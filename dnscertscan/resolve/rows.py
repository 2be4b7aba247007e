"""What becomes no target: one small value for each record, from which its coverage row is made when somebody reads it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, overload

from dnscertscan.model.endpoints import Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.model.text import visible
from dnscertscan.resolve.addresses import canonical

_SHOWN = 4
"""Addresses shown in a record's text; the others are counted."""


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
    endpoint = target.endpoint
    return LeftOut(provenance, target.server_name, endpoint.address, endpoint.port, (state, reason), detail).row(seconds)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record (and name) that leads to no target of its own: what its coverage row is made of.

    ``address`` is empty and ``port`` None when they are not known; ``detail_of`` is the detail, or the record that has the
    target already. The properties are columns of the row.
    """

    provenance: Provenance
    name: DnsName
    address: str
    port: int | None
    why: tuple[State, str]
    detail_of: str | Provenance = ""

    def row(self, seconds: float | None = None) -> CoverageRow:
        """The row."""
        wildcard = self.provenance.wildcard
        return CoverageRow(
            zone=self.zone,
            record=self.record,
            fqdn=self.fqdn,
            ip_address=self.ip_address,
            port=self.port,
            state=self.state,
            reason=self.reason,
            detail=self.detail,
            wildcard=wildcard.display if wildcard else "",
            origin=self.origin,
            seconds=seconds,
        )

    @property
    def zone(self) -> str:
        """The zone the record stands in."""
        return self.provenance.zone.text

    @property
    def record(self) -> str:
        """The record as text."""
        return record_text(self.provenance)

    @property
    def fqdn(self) -> str:
        """The name, safe to show."""
        return self.name.text if self.name.problem is None else self.name.display

    @property
    def ip_address(self) -> str:
        """The address, or nothing."""
        return visible(self.address, 60)

    @property
    def state(self) -> State:
        """The state it ends in."""
        return self.why[0]

    @property
    def reason(self) -> str:
        """Why, in a short word."""
        return self.why[1]

    @property
    def detail(self) -> str:
        """Why, in a sentence."""
        first = self.detail_of
        return first if isinstance(first, str) else f"same target as {record_text(first)} (zone {first.zone.display})"

    @property
    def origin(self) -> str:
        """Where the record was read, and the name when that is from elsewhere."""
        seen = f" (the name was seen in {self.provenance.seen_in})" if self.provenance.seen_in else ""
        return self.provenance.record.origin.locator + seen


class Rows(Sequence[CoverageRow]):
    """Coverage rows in order, each made when it is read: a hundred thousand of them cost little while nobody looks."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Iterable[LeftOut | CoverageRow]) -> None:
        """``kept`` in any order; rows are sorted by zone, record, name, address, port, state, reason, detail and origin."""
        ordered = list(kept)
        for key in _SORT_KEYS:  # sorts are stable; one key at a time needs a fraction of the memory
            ordered.sort(key=key)
        self._kept = tuple(ordered)

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[CoverageRow]:
        return map(_as_row, self._kept)

    @overload
    def __getitem__(self, index: int) -> CoverageRow: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[CoverageRow]: ...
    def __getitem__(self, index: int | slice) -> CoverageRow | Sequence[CoverageRow]:
        return tuple(map(_as_row, self._kept[index])) if isinstance(index, slice) else _as_row(self._kept[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rows | tuple):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))


def _port(item: LeftOut | CoverageRow) -> int:
    return item.port or 0


_SORT_KEYS: tuple[Callable[[LeftOut | CoverageRow], Any], ...] = (
    *(attrgetter(column) for column in ("origin", "detail", "reason", "state")),
    _port,
    *(attrgetter(column) for column in ("ip_address", "fqdn", "record", "zone")),
)
"""The least significant first."""


def _as_row(item: LeftOut | CoverageRow) -> CoverageRow:
    return item if isinstance(item, CoverageRow) else item.row()


def _data(provenance: Provenance) -> str:
    record = provenance.record
    return visible(canonical(record.data), 60) if record.type in ("A", "AAAA") else _absolute(record.target)


def _absolute(name: DnsName) -> str:
    return f"{name.display}." if name.text else "."
