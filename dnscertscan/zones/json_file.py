"""Zones from a JSON file: ``{"example.com": [{"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.10"}]}``.

Written by :mod:`dnscertscan.zones.export` and by the exports of earlier tools. Names and CNAME targets are relative to
the zone, absolute with a final dot, or ``@``; ``ttl`` may be null or missing; other keys of a record are ignored.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Zone, ZoneFault, ZoneProblem
from dnscertscan.model.text import visible
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.canonical import MAX_TTL, BadRecordError, RecordBuilder, build_zone, zone_name

MAX_BYTES = 512 * 1024 * 1024
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
        try:
            lists = self._zone_lists()
        except _UnusableFileError as error:
            return Fetched((), (self._problem(ZoneFault.FAILED, "", str(error)),))
        zones: list[Zone] = []
        problems: list[ZoneProblem] = []
        merged: dict[DnsName, list[Any]] = {}
        broken: set[DnsName] = set()
        for key, value in lists:
            try:
                name = zone_name(key)
            except BadRecordError as error:
                problems.append(self._problem(ZoneFault.FAILED, key, f"{error}; the keys of the file are zone names"))
                continue
            records = merged.setdefault(name, [])
            if isinstance(value, list):
                records.extend(value)
            else:
                broken.add(name)
                message = f"zone {name.display}: its value is {_kind(value)}, not a list of records; {_SHAPE}"
                problems.append(self._problem(ZoneFault.FAILED, name.text, message))
        for name, raw in merged.items():
            if name not in broken:  # half a zone is an error, never a zone
                zone, bad = self._zone(name, raw)
                zones.append(zone)
                problems.extend(bad)
        return Fetched(tuple(zones), tuple(problems))

    def _zone_lists(self) -> list[tuple[str, Any]]:
        document = _document(_text(self.path))
        if not isinstance(document, dict):
            raise _UnusableFileError(f"the document is {_kind(document)}, not an object; {_SHAPE}")
        if not document:
            raise _UnusableFileError("the file holds no zone at all ({}), so there is nothing to scan; was the export complete?")
        return document.pairs if isinstance(document, _Repeated) else list(document.items())

    def _zone(self, name: DnsName, raw: list[Any]) -> tuple[Zone, list[ZoneProblem]]:
        builder = RecordBuilder(name)
        records: list[Record] = []
        problems: list[ZoneProblem] = []
        for index, value in enumerate(raw, 1):
            try:
                records.append(_record(builder, value, Origin(self.name, index, self.view)))
            except BadRecordError as error:
                message = f"zone {name.display}, record {index}: {error}"
                problems.append(self._problem(ZoneFault.BAD_RECORD, name.text, message, f"record {index}"))
        return build_zone(name, records, self.name, self.view), problems

    def _problem(self, fault: ZoneFault, zone: str, message: str, record: str = "") -> ZoneProblem:
        return ZoneProblem(fault, zone, self.name, f"{visible(self.name)}: {message}", record)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _UnusableFileError(f"cannot read the zones file: {error.strerror or error}") from None
    except ValueError as error:  # a NUL in the path
        raise _UnusableFileError(f"cannot read the zones file: {error}") from None
    if len(octets) > MAX_BYTES:
        raise _UnusableFileError(f"larger than {MAX_BYTES >> 20} MiB; split it into several files")
    if not octets.strip():
        raise _UnusableFileError("the file is empty; was the export complete?")
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise _UnusableFileError(f"line {line}: not UTF-8 ({error.reason} at octet {error.start}); save it as UTF-8") from None


def _document(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise _UnusableFileError(f"line {error.lineno}, column {error.colno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise _UnusableFileError(f"nested too deep; {_SHAPE}") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise _UnusableFileError(f"a number in it cannot be read: {str(error).partition(';')[0]}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else _Repeated(pairs)


def _record(builder: RecordBuilder, value: Any, origin: Origin) -> Record:
    if not isinstance(value, dict):
        raise BadRecordError(f'is {_kind(value)}, not an object with "type", "name" and "target"')
    if isinstance(value, _Repeated):
        keys = [key for key, _ in value.pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadRecordError(f"has {visible(twice, 80)!r} twice; which one is meant?")
    name, kind, target = _string(value, "name"), _string(value, "type"), _string(value, "target")
    return builder.build(name, kind, target, _ttl(value.get("ttl")), origin)


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
