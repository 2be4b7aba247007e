"""Seconds and memory from 100,000 records (80 % A, 20 % CNAME chains) to a plan: zones JSON and AXFR from BIND.

    PYTHONPATH=tests python benchmarks/zone_memory.py [records]

Each source is read in a fresh interpreter that imported what a session imports. "peak" is how far the highest resident size
grew, "kept" how far the resident size had grown at the end with zones and plan alive, "objects" what those are by tracemalloc
(measured in a second process, because counting costs time and memory).
"""

import asyncio
import gc
import json
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from servers import bind
from servers.dns_process import soa

import dnscertscan.cli.session  # noqa: F401 - what every session has in memory before the first zone
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.memory import many_values
from dnscertscan.pipeline.stop import Stop
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan
from dnscertscan.resolve.plan import make_plan
from dnscertscan.zones.axfr import AxfrServer, AxfrSource
from dnscertscan.zones.base import ZoneSource
from dnscertscan.zones.json_file import JsonFileSource

ZONE = "bench.test"
RECORDS = 100_000


def data(count: int) -> list[tuple[str, str, str]]:
    """(owner, type, rdata), owners relative: hosts with an address each, and aliases in chains of one to four."""
    aliases = count // 5
    rows = [(f"h{i}", "A", f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}") for i in range(count - aliases - 3)]
    return rows + [(f"c{i}", "CNAME", f"h{i * 3}" if i % 4 == 3 or i == aliases - 1 else f"c{i + 1}") for i in range(aliases)]


def child(kind: str, place: str, filtered: bool, traced: bool) -> None:
    """Read, plan, print one JSON object of figures."""
    source: ZoneSource = JsonFileSource(Path(place))
    if kind == "axfr":
        source = AxfrSource(ZONE, (AxfrServer("127.0.0.1", int(place)),))
    settings = MapSettings(exclude=(re.compile("^"),) if filtered else ())
    gc.collect()
    before, peak = _status("VmRSS"), _status("VmHWM")
    if traced:
        tracemalloc.start()
    start, cpu = time.perf_counter(), time.process_time()

    kept: list[tuple[AllZones, Plan, float]] = []

    async def both() -> None:  # returns nothing: asyncio.run() would make the repr of it
        zones = await fetch_all([source], lambda _: None, Stop())
        fetched = time.perf_counter() - start
        kept.append((zones, await make_plan(zones.zones, Resolver([("127.0.0.1", 9)]), settings), fetched))

    with many_values():
        asyncio.run(both())
    spent, cpu = time.perf_counter() - start, time.process_time() - cpu
    zones, plan, fetched = kept[0]
    print(json.dumps(_traced() if traced else {
        "seconds": round(spent, 2), "cpu": round(cpu, 2), "fetch": round(fetched, 2),
        **_sizes(zones, plan),
        "base_mb": round(before, 1), "peak_mb": round(_status("VmHWM") - peak, 1), "kept_mb": round(_status("VmRSS") - before, 1),
    }))


def _sizes(zones: AllZones, plan: Plan) -> dict[str, int]:
    assert not zones.problems, zones.problems[:1]
    return {"records": sum(len(zone.records) for zone in zones.zones), "targets": len(plan.targets), "rows": len(plan.unscanned)}


def _traced() -> dict[str, float]:
    gc.collect()
    now, peak = tracemalloc.get_traced_memory()
    if "-v" in sys.argv:
        for line in tracemalloc.take_snapshot().statistics("lineno")[:14]:
            print(line, file=sys.stderr)
    return {"objects_mb": round(now / 2**20, 1), "objects_peak_mb": round(peak / 2**20, 1)}


def _status(key: str) -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1]) / 1024


def _measure(*arguments: str) -> dict[str, float]:
    figures: dict[str, float] = {}
    for traced in ("", "traced"):
        command = [sys.executable, __file__, "child", *arguments, traced, *sys.argv[2:]]
        ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=300)
        figures |= json.loads(ended.stdout)
    return figures


def main(count: int) -> None:
    rows = data(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zones.json"
        records = [{"type": kind, "name": name, "ttl": 300, "target": target} for name, kind, target in rows]
        path.write_text(json.dumps({ZONE: records}))
        del records
        print("json          ", _measure("json", str(path), ""), flush=True)
        print("json, filtered", _measure("json", str(path), "filtered"), flush=True)
    text = soa(ZONE) + "".join(f"{name} {kind} {target}\n" for name, kind, target in rows)
    with bind.serve({ZONE: text}, addresses=("127.0.0.1",)) as port:
        print("axfr          ", _measure("axfr", str(port), ""), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["child"]:
        child(sys.argv[2], sys.argv[3], bool(sys.argv[4]), bool(sys.argv[5]))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else RECORDS)
