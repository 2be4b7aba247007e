"""Every output with the result of a large scan: seconds, memory and size of each.

    python benchmarks/formats.py [--targets 100000] [--rounds 3] [--only csv,xlsx]

The result is that of `large_result.py`: as many findings as targets. Each output is made in a process of its own, to a file, by
the functions that the command uses; "s" and "CPU s" are the best of the rounds, "to CSV" the CPU seconds over those of the CSV.
"before" is what the process held when the result lay ready (the targets, mostly), "peak" its highest resident size while it
wrote, in MB; what is between them is what the output needs. Observations and findings are on disk.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from large_result import open_report, write_journal

from dnscertscan.model.report import Report
from dnscertscan.report import FORMATS
from dnscertscan.report.coverage import render_coverage
from dnscertscan.report.files import write_atomically
from dnscertscan.report.influx import render_influx
from dnscertscan.report.statsd import render_statsd

OUTPUTS: dict[str, Callable[[Report], Iterator[bytes]]] = {
    **{name: style.render for name, style in FORMATS.items()},
    "coverage": render_coverage, "influx": render_influx, "statsd": render_statsd,
}


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def child(name: str, journal: Path, targets: int, rounds: int) -> None:
    """Write one output as often as asked, and say what that took."""
    place = journal.with_name(f"result.{name}")
    seconds, cpu, peaks = [], [], []
    with open_report(journal, targets) as report:
        gc.collect()
        before = _status("VmRSS")
        for _ in range(rounds):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (proc(5))
            start, spent = time.perf_counter(), time.process_time()
            write_atomically(place, OUTPUTS[name](report))
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - spent)
            peaks.append(_status("VmHWM"))
        found = report.tally().severities.total()
    told = {"wall": min(seconds), "cpu": min(cpu), "before": before, "peak": max(peaks), "size": place.stat().st_size / 1e6}
    print(json.dumps({**told, "findings": found}))


def measure(name: str, journal: Path, targets: int, rounds: int) -> dict[str, float]:
    """The figures of one output."""
    command = [sys.executable, __file__, "--child", name, str(journal), "--targets", str(targets), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main() -> None:
    """A row for each output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(OUTPUTS), help="outputs, with commas between them; the CSV is always there")
    parser.add_argument("--child", nargs=2, metavar=("OUTPUT", "JOURNAL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child[0], Path(given.child[1]), given.targets, given.rounds)
        return
    wanted = given.only.split(",")
    if unknown := sorted({*wanted} - {*OUTPUTS}):
        parser.error(f"no such output: {', '.join(unknown)}; there are {', '.join(OUTPUTS)}")
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal"
        write_journal(journal, given.targets)
        csv = measure("csv", journal, given.targets, given.rounds)
        titles = ("s", "CPU s", "to CSV", "before MB", "peak MB", "needs MB", "file MB")
        print(f"| {given.targets:,} targets, {csv['findings']:,.0f} findings | {' | '.join(titles)} |")
        print(f"| --- | {' | '.join(['---:'] * len(titles))} |")
        for name in ("csv", *(name for name in wanted if name != "csv")):
            row = csv if name == "csv" else measure(name, journal, given.targets, given.rounds)
            figures = (row["wall"], row["cpu"], row["cpu"] / csv["cpu"], row["before"], row["peak"], row["peak"] - row["before"])
            places = (1, 1, 1, 0, 0, 0)
            cells = [f"{figure:.{digits}f}" for figure, digits in zip(figures, places, strict=True)]
            print(f"| {name} | {' | '.join(cells)} | {row['size']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
