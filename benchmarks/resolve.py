"""Speed and memory of the resolve stage: 100,000 records to a plan, and look-ups a second against a local BIND.

    PYTHONPATH=tests python benchmarks/resolve.py
"""

import asyncio
import resource
import time

from servers import bind
from servers.dns_process import soa

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Zone
from dnscertscan.resolve.chase import Question
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings
from dnscertscan.resolve.plan import make_plan

RECORDS = 100_000
LOOKUPS = 5_000


def plan() -> None:
    """80 % A, 20 % CNAME inside the zone; no look-up needed."""
    name, aliases, place = DnsName("bench.test"), RECORDS // 5, Origin("zones.json")
    data = [("h", "A", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", i) for i in range(RECORDS - aliases)]
    data += [("c", "CNAME", f"h{i * 3}.bench.test." if i % 4 else f"c{i + 1}.bench.test.", i) for i in range(aliases)]
    records = tuple(
        Record(name.child(f"{kind}{i}"), rtype, value, 300, place, index)
        for index, (kind, rtype, value, i) in enumerate(data, 1)
    )
    before, memory = time.perf_counter(), _megabytes()
    result = asyncio.run(make_plan([Zone(name, 1, records, "zones.json")], Resolver([("127.0.0.1", 9)]), MapSettings()))
    spent = time.perf_counter() - before
    grown = _megabytes() - memory
    print(f"plan: {RECORDS} records -> {len(result.targets)} targets in {spent:.1f} s, {grown:.0f} MB more at the peak")


def lookups() -> None:
    """Distinct names, A and AAAA, 50 in flight."""
    zone = soa("bench.test") + "".join(f"h{i} A 10.0.{i >> 8}.{i & 255}\n" for i in range(LOOKUPS))
    with bind.serve({"bench.test": zone}, addresses=("127.0.0.1",)) as port:
        for families in (("A",), ("A", "AAAA")):
            resolver = Resolver([("127.0.0.1", port)])
            before = time.perf_counter()
            answered = asyncio.run(_all(resolver, families))
            rate = resolver.asked / (time.perf_counter() - before)
            asked = "+".join(families)
            print(f"look-ups {asked}: {answered} of {LOOKUPS} names resolved, {rate:.0f} queries/s, {resolver.failed} failed")


def outside() -> None:
    """Aliases to names outside the zone, four to each: every name is asked once, whoever wants it."""
    there = soa("bench.test") + "".join(f"h{i} A 10.0.{i >> 8}.{i & 255}\n" for i in range(LOOKUPS))
    name, origin = DnsName("here.test"), Origin("zones.json")
    records = tuple(
        Record(name.child(f"c{i}"), "CNAME", f"h{i % LOOKUPS}.bench.test.", 300, origin, i + 1) for i in range(4 * LOOKUPS)
    )
    with bind.serve({"bench.test": there}, addresses=("127.0.0.1",)) as port:
        resolver = Resolver([("127.0.0.1", port)])
        before = time.perf_counter()
        result = asyncio.run(make_plan([Zone(name, 1, records, "zones.json")], resolver, MapSettings()))
        spent = time.perf_counter() - before
    asked = f"{resolver.asked} queries for {LOOKUPS} names (A, AAAA), {resolver.asked / spent:.0f}/s with all planning"
    print(f"outside: {len(records)} aliases -> {len(result.targets)} targets in {spent:.1f} s, {asked}")


async def _all(resolver: Resolver, families: tuple[str, ...]) -> int:
    numbers = iter(range(LOOKUPS))

    async def work() -> int:
        found = 0
        for i in numbers:
            answer = await resolver.lookup(Question(DnsName(f"h{i}.bench.test"), families))
            found += bool(answer.addresses)
        return found

    return sum(await asyncio.gather(*(work() for _ in range(resolver.in_flight))))


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    plan()
    lookups()
    outside()
