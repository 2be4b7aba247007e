"""Zones and what is in them, each record with the place it came from."""

from dataclasses import dataclass, replace
from enum import StrEnum

from dnscertscan.model.names import DnsName

HOST_TYPES = frozenset({"A", "AAAA", "CNAME", "DNAME"})
"""Record types that lead to addresses; the others are loaded and exported, but name no endpoint."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record was read: ``source`` is a file or ``dns://server:port/zone``; ``index`` its record number from 1."""

    source: str
    index: int | None = None
    view: str = ""

    @property
    def locator(self) -> str:
        """``zones.json record 17`` or the source alone."""
        return self.source if self.index is None else f"{self.source} record {self.index}"


class _RecordParts:
    """How a record is kept: a zone has hundreds of thousands, so the origin is one object for all and a number for each."""

    __slots__ = ("_index", "_place", "data", "name", "ttl", "type")
    _index: int | None
    _place: Origin

    @property
    def origin(self) -> Origin:
        """Where the record was read."""
        place, index = self._place, self._index
        return place if index is None else Origin(place.source, index, place.view)


@dataclass(frozen=True, init=False)
class Record(_RecordParts):
    """One resource record. ``name`` is absolute; ``data`` is rdata text, host names in it absolute with a final dot."""

    __slots__ = ()
    name: DnsName
    type: str
    data: str
    ttl: int | None
    origin: Origin

    def __init__(
        self,
        name: DnsName,
        type: str,  # noqa: A002 - the field's name
        data: str,
        ttl: int | None,
        origin: Origin,
        index: int | None = None,
    ) -> None:
        """``index`` is the record's number when ``origin`` is the place that all records of one source share."""
        keep = object.__setattr__
        keep(self, "name", name)
        keep(self, "type", type)
        keep(self, "data", data)
        keep(self, "ttl", ttl)
        keep(self, "_place", origin)
        keep(self, "_index", index)

    @property
    def view(self) -> str:
        """The view it was read in."""
        return self._place.view

    def in_view(self, view: str, places: "dict[tuple[Origin, str], Origin]") -> "Record":
        """The same record told apart by another view; ``places`` keeps the new origins, so that records share them."""
        place = places.setdefault((self._place, view), replace(self._place, view=view))
        return Record(self.name, self.type, self.data, self.ttl, place, self._index)

    def __reduce__(self) -> tuple[object, ...]:
        return Record, (self.name, self.type, self.data, self.ttl, self._place, self._index)

    @property
    def target(self) -> DnsName:
        """The name a CNAME or DNAME points to."""
        return DnsName.parse(self.data)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone as one source gave it, complete. The same name from two sources is two zones with two ``view`` labels."""

    name: DnsName
    serial: int | None
    records: tuple[Record, ...]
    source: str
    view: str = ""


class ZoneFault(StrEnum):
    """What kind of problem a source met."""

    FAILED = "failed"
    """The zone (or the whole source) could not be read: nothing of it is known."""
    BAD_RECORD = "bad-record"
    """One record cannot be used; the others of the zone are."""


@dataclass(frozen=True, slots=True)
class ZoneProblem:
    """Something a source could not read. ``message`` is one line: zone, place, cause, next step.

    ``record`` says which record of the zone is meant (``record 17``), so that two bad records are two problems.
    """

    fault: ZoneFault
    zone: str
    source: str
    message: str
    record: str = ""


class Verdict(StrEnum):
    """How following a name's alias chain ended."""

    RESOLVED = "resolved"
    DANGLING = "dangling"
    LOOP = "loop"
    TOO_LONG = "too-long"
    OUT_OF_SCOPE = "out-of-scope"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of an alias chain: ``name type target``, and who said so (``zone example.com`` or ``resolver 192.0.2.1:53``)."""

    name: DnsName
    type: str
    target: DnsName
    where: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """The end of one chase: a verdict, not an exception. ``reason`` is empty when resolved, else ``NXDOMAIN``, ``no data``..."""

    name: DnsName
    hops: tuple[Hop, ...]
    verdict: Verdict
    addresses: tuple[str, ...] = ()
    reason: str = ""

    @property
    def chain_text(self) -> str:
        """``a.example -> b.example -> c.example`` with at most 20 names shown."""
        names = [self.name.display, *(hop.target.display for hop in self.hops)]
        shown = names if len(names) <= 20 else [*names[:18], f"... ({len(names) - 19} more)", names[-1]]
        return " -> ".join(shown)
