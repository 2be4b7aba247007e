"""Memory and time of the main process, stage by stage, with an engine that makes its observations up.

    python benchmarks/flat_memory.py [--distinct N] [--faulty] [targets ...]

The pipeline, journal, judge and every output are those of a scan from the command line; only nobody is asked. ``--distinct N``:
that many different leaves over all targets (default: each its own). ``--faulty``: no chain leads to an anchor, so that every
target has findings. "peak" is the highest resident size during the stage, "end" that at its end, in MB; all in one process.
"""

import argparse
import asyncio
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from minting import Mint

import dnscertscan.cli.session  # noqa: F401 - what every session has in memory before the first zone
from dnscertscan.assembly import assemble, public_stores, utc_now
from dnscertscan.cli.outputs import Outputs
from dnscertscan.cli.resume import Keeper
from dnscertscan.cli.watch import Watcher
from dnscertscan.demo.authority import pem
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.pipeline import Stop, run
from dnscertscan.pipeline.events import Event, Planned, TargetObserved
from dnscertscan.settings.load import load


class MadeUp:
    """Gives every target a chain of two; leaves are made as they are asked for, ``distinct`` different ones at most."""

    name = "made-up"

    def __init__(self, mint: Mint, distinct: int) -> None:
        self._leaf = lru_cache(maxsize=1000)(mint.leaf)  # a leaf made again has another signature and so is another leaf
        self._sent = Certificate(mint.sent)
        self._distinct = distinct
        self.seconds = 0.0

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncIterator[Observation]:  # noqa: ARG002 - the protocol's
        for done, target in enumerate(targets):
            start = time.process_time()
            number = int(target.server_name.text[4:12]) % self._distinct
            chain = (Certificate(self._leaf(number)), self._sent)
            outcome = Handshake((Deployment(chain, ("TLS 1.2 not RSA", "TLS 1.3")),), "TLS 1.3", "TLS_AES_128_GCM_SHA256")
            self.seconds += time.process_time() - start
            yield Observation(target, outcome, self.name, datetime.now(UTC), 0.01)
            if done % 100 == 0:
                await asyncio.sleep(0)


class Stages:
    """Seconds and memory of each stage."""

    def __init__(self) -> None:
        self.rows: list[dict[str, object]] = []
        self._reset()

    def done(self, name: str) -> None:
        wall, cpu = time.perf_counter() - self._start[0], time.process_time() - self._start[1]
        memory = {"peak": _status("VmHWM"), "end": _status("VmRSS")}
        self.rows.append({"stage": name, "wall": round(wall, 2), "cpu": round(cpu, 2), **memory})
        self._reset()

    def _reset(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc(5))
        self._start = time.perf_counter(), time.process_time()


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith(name))


def child(folder: Path, count: int, distinct: int, faulty: bool) -> None:
    mint = Mint("Bench", datetime.now(UTC))
    zone = [
        {"type": "A", "name": f"host{number:08}", "ttl": 300, "target": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}
        for number in range(count)
    ]
    (folder / "z.json").write_text(json.dumps({"bench.test": zone}))
    (folder / "ca.pem").write_bytes(pem([mint.root.certificate]))
    del zone
    gc.collect()
    outputs = [folder / name for name in ("r.csv", "r.json", "r.jsonl", "r.txt")]
    options = {
        "zones": [{"kind": "json", "path": str(folder / "z.json")}], "output.files": [],
        "trust.ca_files": [] if faulty else [str(folder / "ca.pem")], "log.level": "error", "log.file": str(folder / "log"),
        "journal.path": str(folder / "journal"),
    }
    loaded = load(Path("/dev/null"), options, {}, None)
    held = public_stores()
    stages = Stages()
    stages.done(f"start ({len(held)} stores)")
    engine = MadeUp(mint, distinct)
    with Keeper(loaded, {}, utc_now()) as keeper:
        parts = replace(assemble(loaded), engine=engine, again=None, journal=keeper.begin())
        with Watcher(loaded.settings.log) as watcher:

            def observer(event: Event) -> None:
                watcher(event)
                if isinstance(event, Planned):
                    stages.done("zones and plan")
                if isinstance(event, TargetObserved) and event.done == event.total:
                    stages.done("scan")

            async def whole() -> None:  # returns nothing: asyncio.run() would make the repr of it
                reports.append(await run(parts, observer, Stop()))

            reports = []
            asyncio.run(whole())
        stages.done("judge all, ledger")
        with reports[0] as report:
            for path in outputs:
                Outputs(loaded.settings.output.model_copy(update={"files": (path,), "format": "jsonl"})).write(report)
                stages.done(path.name)
            Outputs(loaded.settings.output.model_copy(update={"coverage": folder / "c.csv", "format": "jsonl"})).write(report)
            stages.done("coverage")
        keeper.end(complete=True)
        stages.done("end")
    sizes = {path.name: path.stat().st_size for path in (*outputs, folder / "c.csv", folder / "journal")}
    print(json.dumps({"stages": stages.rows, "engine": round(engine.seconds, 2), "sizes": sizes}))


def show(count: int, distinct: int, faulty: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        args = ["--child", folder, "--distinct", str(distinct), *(["--faulty"] if faulty else []), str(count)]
        done = subprocess.run([sys.executable, __file__, *args], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    told = json.loads(done.stdout.splitlines()[-1])
    print(f"\n{count} targets, {min(distinct, count)} distinct leaves{', all with findings' if faulty else ''}"
          f" (of the scan {told['engine']} s are the made-up engine's)")
    print(f"{'stage':<22}{'wall s':>9}{'CPU s':>9}{'CPU ms/target':>15}{'peak':>8}{'end':>8}")
    for row in told["stages"]:
        each = 1000 * row["cpu"] / count
        print(f"{row['stage']:<22}{row['wall']:>9}{row['cpu']:>9}{each:>15.3f}{row['peak']:>8}{row['end']:>8}")
    print("sizes (MB): " + ", ".join(f"{name} {size / 2**20:.1f}" for name, size in told["sizes"].items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--distinct", type=int, default=10**8)
    parser.add_argument("--faulty", action="store_true")
    parser.add_argument("--child")
    given = parser.parse_args()
    for count in given.targets:
        if given.child:
            child(Path(given.child), count, given.distinct, given.faulty)
        else:
            show(count, given.distinct, given.faulty)


if __name__ == "__main__":
    main()
