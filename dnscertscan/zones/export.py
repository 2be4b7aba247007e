"""Zones as JSON that :mod:`dnscertscan.zones.json_file` reads back to the same records, one record a line."""

import json
from collections.abc import Iterable
from typing import NamedTuple

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Record, Zone
from dnscertscan.zones.canonical import MAX_TTL, BadRecordError, name_key, owner_name, record_key


class ZoneRow(NamedTuple):
    """One line of ``zones list``. ``records`` counts all types."""

    name: str
    serial: int | None
    records: int
    source: str
    view: str


def zone_rows(zones: Iterable[Zone]) -> list[ZoneRow]:
    """One row for each view of each zone, sorted by zone (DNSSEC order), source and view. Texts are raw."""
    ordered = sorted(zones, key=lambda zone: (name_key(zone.name), zone.source, zone.view))
    return [ZoneRow(zone.name.text or ".", zone.serial, len(zone.records), zone.source, zone.view) for zone in ordered]


def zones_json(zones: Iterable[Zone]) -> str:
    """The zones JSON document, ASCII with a final newline; equal zones give equal text, whatever their order.

    Two views of one zone become one list: records with the same owner, type and rdata stand once (RFC 2181 section 5), with
    the smallest TTL that is known. A zone without records is written as an empty list; no zone at all is ``{}``.
    """
    merged: dict[DnsName, dict[tuple[str, str, str], Record]] = {}
    for zone in zones:
        kept = merged.setdefault(zone.name, {})
        for record in zone.records:
            key = (record.name.text, record.type, record.data)
            if key not in kept or _ttl_rank(record) < _ttl_rank(kept[key]):
                kept[key] = record
    blocks = (_block(name, merged[name].values()) for name in sorted(merged, key=name_key))
    return "{" + ",".join(blocks) + "\n}\n" if merged else "{}\n"


def _ttl_rank(record: Record) -> int:
    return MAX_TTL + 1 if record.ttl is None else record.ttl


def _block(zone: DnsName, records: Iterable[Record]) -> str:
    lines = ",\n    ".join(_line(record, zone) for record in sorted(records, key=record_key))
    body = f"[\n    {lines}\n  ]" if lines else "[]"
    return f"\n  {json.dumps(zone.text or '.')}: {body}"


def _line(record: Record, zone: DnsName) -> str:
    fields = {"type": record.type, "name": relative_name(record.name, zone), "ttl": record.ttl, "target": record.data}
    return json.dumps(fields)


def relative_name(name: DnsName, zone: DnsName) -> str:
    """``@``, the name relative to the zone, or (where that would read back as another name) absolute with a final dot."""
    if name == zone:
        return "@"
    relative = name.text[: -len(zone.text) - 1] if zone.text and name.is_within(zone) else name.text
    return relative if _reads_as(relative, zone) == name else name.text + "."


def _reads_as(text: str, zone: DnsName) -> DnsName | None:
    try:
        return owner_name(text, zone)
    except BadRecordError:
        return None
