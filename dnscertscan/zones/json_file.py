"""Zones from a JSON file: ``{"example.com": [{"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.10"}]}``.

Written by :mod:`dnscertscan.zones.export` and by the exports of earlier tools. Names and CNAME targets are relative to
the zone, absolute with a final dot, or ``@``; ``ttl`` may be null or missing; other keys of a record are ignored.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, ZoneFault, ZoneProblem
from dnscertscan.model.text import visible
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.canonical import MAX_TTL, BadRecordError, RecordBuilder, build_zone, zone_name
from dnscertscan.zones.json_stream import DocumentError, Members, NoObjectError

MAX_BYTES = 512 * 1024 * 1024
_READ = 1 << 20
_SHAPE = 'expected {"zone": [{"type": ..., "name": ..., "ttl": ..., "target": ...}, ...]}'


class _UnusableFileError(ValueError):
    """The file as a whole cannot be used; the text is the reason without the file's name."""


class _Repeated(dict[str, Any]):
    """A JSON object with a key written twice: the last value of each is in the dict, all of them in ``pairs``."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


@dataclass(frozen=True, slots=True)
class JsonFileSource:
    """One zones JSON file. ``view`` marks its zones when another source has zones of the same names."""

    path: Path
    view: str = ""

    @property
    def name(self) -> str:
        """The path as given."""
        return str(self.path)

    def fetch(self) -> Fetched:
        """Every zone of the file. A key that stands twice (or in two spellings) is one zone with the records of both."""
        problems: list[ZoneProblem] = []
        try:
            collected = self._collect(problems)
        except _UnusableFileError as error:
            return Fetched((), (self._problem(ZoneFault.FAILED, "", str(error)),))
        except DocumentError as error:
            return Fetched((), (self._problem(ZoneFault.FAILED, "", _reason(error.cause)),))
        zones = tuple(build_zone(collector.zone, collector.finish(), self.name, self.view) for collector in collected)
        for collector in collected:
            for index, fault in collector.faults:
                message = f"zone {collector.zone.display}, record {index}: {fault}"
                problems.append(self._problem(ZoneFault.BAD_RECORD, collector.zone.text, message, f"record {index}"))
        return Fetched(zones, tuple(problems))

    def _collect(self, problems: list[ZoneProblem]) -> list["_Collector"]:
        """The records of every zone that is whole; ``problems`` takes one for each zone that is not."""
        place = Origin(self.name, None, self.view)
        found: dict[DnsName, _Collector] = {}
        broken: set[DnsName] = set()
        empty = True
        for key, value in Members(_text(self.path), _object):
            empty = False
            try:
                name = zone_name(key)
            except BadRecordError as error:
                problems.append(self._problem(ZoneFault.FAILED, key, f"{error}; the keys of the file are zone names"))
                continue
            collector = found.setdefault(name, _Collector(name, place))
            if not isinstance(value, Iterator):
                broken.add(name)
                message = f"zone {name.display}: its value is {_kind(value)}, not a list of records; {_SHAPE}"
                problems.append(self._problem(ZoneFault.FAILED, name.text, message))
            elif name not in broken:
                collector.take(value)
        if empty:
            raise _UnusableFileError("the file holds no zone at all ({}), so there is nothing to scan; was the export complete?")
        return [collector for name, collector in found.items() if name not in broken]  # half a zone is an error, never a zone

    def _problem(self, fault: ZoneFault, zone: str, message: str, record: str = "") -> ZoneProblem:
        return ZoneProblem(fault, zone, self.name, f"{visible(self.name)}: {message}", record)


class _Collector:
    """The records of one zone as they are read, and the number and fault of each that cannot be used."""

    def __init__(self, zone: DnsName, place: Origin) -> None:
        self.zone = zone
        self.faults: list[tuple[int, str]] = []
        self._records: list[Record] = []
        self._place = place
        self._builder = RecordBuilder(zone)
        self._count = 0

    def take(self, values: Iterable[Any]) -> None:
        """Add the elements of one list; records are numbered on from the last."""
        for value in values:
            self._count += 1
            try:
                self._records.append(_record(self._builder, value, self._place, self._count))
            except BadRecordError as error:
                self.faults.append((self._count, str(error)))

    def finish(self) -> list[Record]:
        """The records, which are not kept here any longer."""
        self._builder = RecordBuilder(self.zone)
        records, self._records = self._records, []
        return records


def _text(path: Path) -> str:
    octets = bytearray()
    try:
        with path.open("rb") as file:
            while len(octets) <= MAX_BYTES and (more := file.read(_READ)):
                octets += more
    except OSError as error:
        raise _UnusableFileError(f"cannot read the zones file: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise _UnusableFileError(f"cannot read the zones file: {error}") from None
    if len(octets) > MAX_BYTES:
        raise _UnusableFileError(f"larger than {MAX_BYTES >> 20} MiB; split it into several files")
    if not octets or octets.isspace():
        raise _UnusableFileError("the file is empty; was the export complete?")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _UnusableFileError(f"line {line}: not UTF-8 ({error.reason} at octet {error.start}); save it as UTF-8") from None


def _reason(error: Exception) -> str:
    """Why the document cannot be used."""
    match error:
        case NoObjectError():
            return f"the document is {_kind(error.value)}, not an object; {_SHAPE}"
        case json.JSONDecodeError():
            return f"line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}"
        case RecursionError():
            return f"nested too deep; {_SHAPE}"
        case _:  # an integer of more digits than Python converts
            return f"a number in it cannot be read: {str(error).partition(';')[0]}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _Repeated(pairs)


def _record(builder: RecordBuilder, value: Any, place: Origin, index: int) -> Record:
    if not isinstance(value, dict):
        raise BadRecordError(f'is {_kind(value)}, not an object with "type", "name" and "target"')
    if isinstance(value, _Repeated):
        keys = [key for key, _ in value.pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadRecordError(f"has {visible(twice, 80)!r} twice; which one is meant?")
    name, kind, target = _string(value, "name"), _string(value, "type"), _string(value, "target")
    return builder.build(name, kind, target, _ttl(value.get("ttl")), place, index)


def _string(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if isinstance(value, str):
        return value
    raise BadRecordError(f'"{key}" is {_kind(value)}, not a string' if key in record else f'has no "{key}"')


def _ttl(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRecordError(f'"ttl" is {_kind(value)}, not a whole number of seconds or null')
    if not 0 <= value <= MAX_TTL:
        raise BadRecordError(f'"ttl" {value if abs(value) < 10**20 else "of many digits"} is outside 0..{MAX_TTL}')
    return value


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number" if math.isfinite(value) else str(value)
        case str():
            return f"the string {visible(value, 40)!r}"
        case list():
            return "a list"
        case _:
            return "an object"
