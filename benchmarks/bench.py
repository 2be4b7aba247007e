"""Everything that is measured about speed: ``make bench``, or

    PYTHONPATH=tests python benchmarks/bench.py [--only table|alone|bad|growth|profile] [--rounds 3] [--targets 4000]

Renews benchmarks/results.json, the tables in benchmarks/README.md and benchmarks/growth.svg. A section that is not asked for
keeps its figures of the last time. All traffic stays on loopback.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from measure import MEBI, read_text
from peers import versions
from plot import growth_svg
from sections import SECTIONS, Wanted, say
from tables import growth_points, markdown

HERE = Path(__file__).parent
_BEGIN, _END = "<!-- results: written by bench.py -->", "<!-- /results -->"
_PACKAGES = ("dnscertscan", "sslyze", "nassl", "cryptography", "pyOpenSSL", "dnspython")


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = re.search(r"^model name\s*: (.*)$", read_text("/proc/cpuinfo"), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", read_text("/proc/meminfo"), re.MULTILINE)
    cores = len(os.sched_getaffinity(0))
    return {
        "": datetime.now(UTC).strftime("%Y-%m-%d"),
        "CPU": f"{model[1] if model else platform.machine()}, {cores} cores shared by scanner and servers",
        "memory": f"{int(memory[1]) // 1024 // 1024} GB" if memory else "",
        "Linux": platform.release(),
        "Python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        **versions(),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def publish(results: dict[str, Any]) -> None:
    """Write the three files."""
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    readme = HERE / "README.md"
    before, rest = readme.read_text().split(_BEGIN)
    readme.write_text(f"{before}{_BEGIN}\n\n{markdown(results)}\n\n{_END}{rest.split(_END)[1]}")
    section = results.get("growth", {})
    if "rows" in section:
        seconds = growth_points(section, lambda sample: sample["wall"])
        memory = growth_points(section, lambda sample: sample["memory"] / MEBI)
        (HERE / "growth.svg").write_text(growth_svg(seconds, memory))


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", action="append", choices=[*SECTIONS, "publish"], help="repeatable; publish: files only")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--targets", type=int, default=4_000, help="of the sections table, bad and profile")
    options.add_argument("--most", type=int, default=100_000, help="largest zone of the section growth")
    options.add_argument("--engine", action="append", help="repeatable; default: all of ours")
    chosen = options.parse_args()
    wanted = Wanted(chosen.rounds, chosen.targets, chosen.most, tuple(chosen.engine or Wanted().engines))
    stored = read_text(str(HERE / "results.json"))
    results: dict[str, Any] = json.loads(stored) if stored else {}
    failed = False
    for name in (name for name in SECTIONS if not chosen.only or name in chosen.only):
        try:
            results[name] = {**SECTIONS[name](wanted), "machine": machine()}
        except (OSError, RuntimeError, ValueError, LookupError, subprocess.SubprocessError) as problem:
            say(f"{name} failed: {problem}")
            results[name] = {"failed": f"{type(problem).__name__}: {problem}"}
            failed = True
        publish(results)
    publish(results)
    print(markdown(results))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
