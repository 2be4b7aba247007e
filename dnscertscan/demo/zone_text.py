"""Zones as text: a master file (RFC 1035 5) for the DNS server, and the JSON shape that scans read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TTL = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as written in a zone: ``name`` relative to the zone or ``@``, ``data`` with absolute names."""

    name: str
    type: str
    data: str


def base_entries(server: str) -> tuple[Entry, ...]:
    """What every zone needs, and some records that name no TLS server. ``server`` is the name server's absolute name."""
    return (
        Entry("@", "SOA", f"{server}. hostmaster.{server}. 1 3600 900 604800 300"),
        Entry("@", "NS", f"{server}."),
        Entry("@", "MX", f"10 {server}."),
        Entry("@", "TXT", '"v=spf1 -all"'),
        Entry("@", "CAA", '0 issue "ca.demo.test"'),
    )


def master_file(entries: Iterable[Entry]) -> str:
    """The entries as master file text, to be read with the zone's name as origin."""
    return f"$TTL {TTL}\n" + "".join(f"{entry.name} IN {entry.type} {entry.data}\n" for entry in entries)


def zones_json(zones: Mapping[str, Iterable[Entry]]) -> str:
    """All zones in the JSON shape that ``--from-zones-json`` reads."""
    shape = {
        zone: [{"type": entry.type, "name": entry.name, "ttl": TTL, "target": entry.data} for entry in entries]
        for zone, entries in zones.items()
    }
    return json.dumps(shape, indent=1) + "\n"
