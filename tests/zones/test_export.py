"""The zones JSON we write reads back to what was written."""

import json
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Zone
from dnscertscan.zones.canonical import MAX_TTL, BadRecordError, RecordBuilder, build_zone, zone_name
from dnscertscan.zones.export import ZoneRow, relative_name, zone_rows, zones_json
from dnscertscan.zones.json_file import JsonFileSource

HERE = Origin("here")
LABELS = st.one_of(
    st.sampled_from(["www", "*", "_tcp", "@", "WWW", "bücher", "xn--bcher-kva", "a b", "\\.", "\\052", "\\@", "com", ""]),
    st.text(max_size=6),
    st.text("abc.\\ *@\u3002", max_size=6),
)
NAMES = st.one_of(st.lists(LABELS, max_size=4).map(".".join), st.just("@"))
OWNERS = st.one_of(NAMES, NAMES.map(lambda name: name + ".example.com."), st.just("example.com."))
TTLS = st.one_of(st.none(), st.integers(0, MAX_TTL))
ZONE_NAMES = st.sampled_from(["example.com", "com", ".", "bücher.example", "2.0.192.in-addr.arpa", "0/25.2.0.192.in-addr.arpa"])
RDATA = st.one_of(
    st.tuples(st.just("A"), st.builds(IPv4Address, st.integers(0, 2**32 - 1)).map(str)),
    st.tuples(st.just("AAAA"), st.builds(IPv6Address, st.integers(0, 2**128 - 1)).map(str)),
    st.tuples(st.sampled_from(["CNAME", "DNAME"]), OWNERS),
    st.tuples(st.sampled_from(["TXT", "mx", "TYPE65280", "SOA", "X-ODD"]), st.text(max_size=20)),
)


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    """A zone of records that a source would accept, duplicates removed as a transfer does."""
    name: DnsName = zone_name(draw(ZONE_NAMES))
    builder = RecordBuilder(name)
    kept: dict[tuple[str, str, str], Record] = {}
    for owner, (kind, data), ttl in draw(st.lists(st.tuples(OWNERS, RDATA, TTLS), max_size=12)):
        try:
            record = builder.build(owner, kind, data, ttl, HERE)
        except BadRecordError:
            continue  # an owner outside the zone, an empty target: no source gives such a record
        kept[record.name.text, record.type, record.data] = record
    return build_zone(name, kept.values(), HERE.source)


def record(name: str, kind: str, data: str, ttl: int | None = 300) -> Record:
    return Record(DnsName(name), kind, data, ttl, HERE)


def zone(name: str, *records: Record, source: str = "here", view: str = "") -> Zone:
    return build_zone(DnsName(name), records, source, view)


def load(text: str) -> tuple[Zone, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "zones.json")
        path.write_text(text, encoding="ascii")
        fetched = JsonFileSource(path).fetch()
    assert fetched.problems == ()
    return fetched.zones


def content(of: Zone) -> list[tuple[str, str, str, int | None]]:
    return [(item.name.text, item.type, item.data, item.ttl) for item in of.records]


@settings(deadline=None)  # a busy machine is no fault of the code
@given(zones())
def test_what_is_written_reads_back_the_same(original: Zone) -> None:
    """Name, serial and every record with its order survive the file, whatever the names look like."""
    (loaded,) = load(zones_json([original]))
    assert (loaded.name, loaded.serial) == (original.name, original.serial)
    assert content(loaded) == content(original)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(zones(), max_size=4), st.randoms(use_true_random=False))
def test_the_text_does_not_depend_on_order(originals: list[Zone], shuffle: Random) -> None:
    """The same zones in any order, with records in any order, give the same text; it is ASCII JSON."""
    text = zones_json(originals)
    mixed = [replace(original, records=tuple(shuffle.sample(original.records, len(original.records)))) for original in originals]
    shuffle.shuffle(mixed)
    assert zones_json(mixed) == text
    assert text.isascii()
    assert len(json.loads(text)) == len({original.name for original in originals})


def test_one_record_stands_on_one_line() -> None:
    """The document is made for people and for diff: zones and records sorted, one record a line."""
    text = zones_json(
        [
            zone("example.net"),
            zone(
                "example.com",
                record("www.example.com", "A", "192.0.2.10"),
                record("example.com", "A", "192.0.2.1", None),
                record("*.example.com", "CNAME", "shops.example.net."),
                record("a.www.example.com", "TXT", '"x"'),
            ),
        ]
    )
    assert (
        text
        == """{
  "example.com": [
    {"type": "A", "name": "@", "ttl": null, "target": "192.0.2.1"},
    {"type": "CNAME", "name": "*", "ttl": 300, "target": "shops.example.net."},
    {"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.10"},
    {"type": "TXT", "name": "a.www", "ttl": 300, "target": "\\"x\\""}
  ],
  "example.net": []
}
"""
    )


def test_two_views_of_one_zone_are_merged() -> None:
    """Neither view overwrites the other; a record in both stands once with the smaller known TTL."""
    name, other = "a.example.com", "b.example.com"
    inside = zone("example.com", record(name, "A", "192.0.2.1", None), record(other, "A", "10.0.0.1"), view="in")
    outside = zone("example.com", record(name, "A", "192.0.2.1", 60), record(other, "A", "192.0.2.2"), view="out")
    third = zone("example.com", record(name, "A", "192.0.2.1", 90))
    (merged,) = load(zones_json([inside, outside, third]))
    assert content(merged) == [
        ("a.example.com", "A", "192.0.2.1", 60),
        ("b.example.com", "A", "10.0.0.1", 300),
        ("b.example.com", "A", "192.0.2.2", 300),
    ]


def test_no_zone_at_all_is_an_empty_object() -> None:
    """Nothing fetched is still valid JSON."""
    assert json.loads(zones_json([])) == {}


def test_names_that_only_look_relative_are_written_absolute() -> None:
    """A relative spelling that would read back as another name is not used."""
    com = DnsName("example.com")
    assert relative_name(DnsName("www.example.com"), com) == "www"
    assert relative_name(com, com) == "@"
    assert relative_name(DnsName("@.example.com"), com) == "@.example.com."
    assert relative_name(DnsName("x..example.com"), com) == "x..example.com."


def test_rows_for_a_list_of_zones() -> None:
    """Every view is a row of its own; records of all types count; order is by zone, source, view."""
    rows = zone_rows(
        [
            zone("example.net", source="b.json"),
            zone("example.com", record("example.com", "SOA", "ns. admin. 42 1 1 1 1"), source="b.json", view="out"),
            zone("example.com", record("example.com", "MX", "10 m."), record("example.com", "A", "192.0.2.1"), source="a.json"),
            zone(""),
        ]
    )
    assert rows == [
        ZoneRow(".", None, 0, "here", ""),
        ZoneRow("example.com", None, 2, "a.json", ""),
        ZoneRow("example.com", 42, 1, "b.json", "out"),
        ZoneRow("example.net", None, 0, "b.json", ""),
    ]
