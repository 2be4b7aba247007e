"""Promises of a plan over any zones: nothing is lost, nothing is double, order does not matter, size does not hurt."""

import asyncio
import time
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import HOST_TYPES, Origin, Record, Zone
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan
from dnscertscan.resolve.plan import make_plan


def plan(*zones: Zone, ports: tuple[tuple[str, int], ...] = (("tls", 443),)) -> Plan:
    """A plan made without any look-up."""
    resolver = Resolver([("127.0.0.1", 1)])
    resolver.stop("no look-ups in this test")
    return asyncio.run(make_plan(zones, resolver, MapSettings(ports=ports)))


LABELS = st.sampled_from(["@", "a", "b", "*", "*.a", "x.a", "_s", "a b", "y" * 64])


@st.composite
def any_zone(draw: st.DrawFn) -> Zone:
    """Records of all kinds, colliding a lot."""
    place = draw(st.sampled_from(["e.test", "a.e.test"]))
    records = []
    for number in range(draw(st.integers(0, 10))):
        kind = draw(st.sampled_from(["A", "AAAA", "CNAME", "DNAME", "TXT"]))
        owner = DnsName.parse(draw(LABELS), DnsName(place))
        target = DnsName.parse(draw(LABELS), DnsName("e.test")).text + "."
        value = {"A": draw(st.sampled_from(["192.0.2.1", "0.0.0.0"])), "AAAA": draw(st.sampled_from(["::1", "::ffff:192.0.2.1"]))}
        records.append(Record(owner, kind, value.get(kind, target), None, Origin("h", number)))
    return Zone(DnsName(place), None, tuple(records), "h", draw(st.sampled_from(["", "v"])))


def _read_from(source: str, item: Zone) -> list[Record]:
    return [replace(record, origin=replace(record.origin, source=source)) for record in item.records]


@settings(max_examples=150, deadline=None)
@given(st.lists(any_zone(), max_size=4), st.sampled_from([(("tls", 443),), (("tls", 443), ("smtp", 25))]), st.randoms())
def test_every_record_is_accounted_for_and_order_does_not_matter(zones, ports, random):
    """Each host record is a target's provenance or has a row; targets are unique; shuffled records give the same plan."""
    zones = [replace(item, records=tuple(_read_from(f"file {i}", item))) for i, item in enumerate(zones)]
    result = plan(*zones, ports=ports)
    assert len({(target.endpoint, target.server_name) for target in result.targets}) == len(result.targets)
    assert list(result.targets) == sorted(result.targets)
    duplicates = sum(row.reason == "duplicate" for row in result.unscanned)
    assert sum(len(target.provenance) - 1 for target in result.targets) == duplicates
    accounted = {row.origin for row in result.unscanned}
    accounted |= {item.record.origin.locator for target in result.targets for item in target.provenance}
    hosts = [record for item in zones for record in item.records if record.type in HOST_TYPES]
    assert accounted == {record.origin.locator for record in hosts}
    assert sum(result.host_records.values()) == len(hosts)
    shuffled = [Zone(z.name, z.serial, tuple(random.sample(z.records, len(z.records))), z.source, z.view) for z in zones]
    assert plan(*shuffled, ports=ports) == result


def test_large_zones_are_planned_quickly():
    """20,000 records, a fifth of them aliases, well under the ten seconds that five times as many may take."""
    aliases = 4_000
    origin = Origin("zones.json")
    records = [Record(DnsName(f"h{i}.e.test"), "A", f"10.0.{i >> 8}.{i & 255}", 300, origin) for i in range(4 * aliases)]
    records += [Record(DnsName(f"c{i}.e.test"), "CNAME", f"h{i}.e.test.", 300, origin) for i in range(aliases)]
    before = time.process_time()
    result = plan(Zone(DnsName("e.test"), 1, tuple(records), "zones.json"))
    assert time.process_time() - before < 4
    assert len(result.targets) == 5 * aliases
