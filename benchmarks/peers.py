"""Who is measured: each a function of a running fleet that gives a Sample, at most as many targets as it does in 15 s or so.

    PYTHONPATH=tests python benchmarks/peers.py [--targets 1000]     # each once

Every peer is a process of its own, start-up included, as a user runs it.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from fleet import Fleet, FleetSpec, Host, fleet
from measure import MEBI, Sample, run, version_of

from dnscertscan.scan import ENGINES

Measure = Callable[[Fleet], Sample]
BASELINE = "SSLyze Scanner, defaults"
BEST_LIMIT = 200
_HERE = Path(__file__).parent
_FINDINGS, _INCOMPLETE = 1, 3


def ours(
    engine: str, fleet: Fleet, *options: str, limit: float = 300.0, environment: Mapping[str, str] | None = None
) -> Sample:
    """The command as a user gives it, over the whole fleet. Findings are in it on purpose, so a status of 1 is fine."""
    command = [
        sys.executable, "-m", "dnscertscan", "scan", "-q", "--from-zones-json", str(fleet.zones_json),
        "--ca-file", str(fleet.ca_file), "--port", str(fleet.port), "--engine", engine,
        "-f", "jsonl", "--coverage", "coverage.csv", "-o", "out.csv",
    ]
    good = [host.name for host in fleet.hosts if host.kind == "good"]
    statuses = (0, _FINDINGS, _INCOMPLETE)
    return run([*command, *options], fleet, fleet.targets, rows=good, limit=limit, good=statuses, environment=environment)


def scanner(fleet: Fleet, *, targets: int, limit: int | None = None) -> Sample:
    """SSLyze's Scanner; ``limit`` is the number of servers at once."""
    with _listed(fleet, targets, lambda host: f"{host.name} {host.address}") as (hosts, count):
        command = [sys.executable, str(_HERE / "sslyze_scanner.py"), hosts, str(fleet.port), str(fleet.ca_file)]
        names = [line.split()[0] for line in Path(hosts).read_text().splitlines()]
        return run([*command, *([str(limit)] if limit else [])], fleet, count, rows=names)


def nmap(fleet: Fleet, *, targets: int) -> Sample:
    """Addresses only and no server name: nmap takes names from the DNS alone. Each address counts once."""
    with _listed(fleet, targets, lambda host: host.address) as (hosts, count):
        return run(["nmap", "-n", "-Pn", "-p", str(fleet.port), "--script", "ssl-cert", "-iL", hosts], fleet, count)


def sslscan(fleet: Fleet, *, targets: int) -> Sample:
    """The certificate and which versions are spoken; all other examinations are off."""
    off = ("ciphersuites", "heartbleed", "compression", "fallback", "groups", "renegotiation")
    with _listed(fleet, targets, lambda host: f"{host.address}:{fleet.port}") as (hosts, count):
        return run(["sslscan", *(f"--no-{what}" for what in off), "--no-colour", f"--targets={hosts}"], fleet, count)


def s_time(fleet: Fleet, *, seconds: int = 3) -> Sample:
    """Bare handshakes with one address, one after another: what one connection at a time can do at best."""
    place = next(host.address for host in fleet.hosts if host.kind == "good")
    before = fleet.connections()
    command = ["openssl", "s_time", "-connect", f"{place}:{fleet.port}", "-new", "-time", str(seconds)]
    sample = run(command, fleet, 1)
    return replace(sample, targets=max(1, fleet.connections() - before))


def peers(*, slow_targets: int = 500, quick_targets: int = 200) -> Mapping[str, Measure | None]:
    """Every peer in the order of the table; None: not installed (or not built)."""
    engines = {name: f"dnscertscan --engine {name}" for name in ("sslyze", "probe", "auto")}
    tools: Mapping[str, Measure] = {
        "nmap --script ssl-cert": partial(nmap, targets=slow_targets),
        "sslscan, certificate only": partial(sslscan, targets=quick_targets),
        "openssl s_time -new, one address": s_time,
    }
    return {
        BASELINE: partial(scanner, targets=slow_targets),
        f"SSLyze Scanner, {BEST_LIMIT} servers at once": partial(scanner, targets=slow_targets, limit=BEST_LIMIT),
        **{label: partial(ours, name) if name in ENGINES else None for name, label in engines.items()},
        **{label: tool if shutil.which(label.split()[0].rstrip(',')) else None for label, tool in tools.items()},
    }


def versions() -> dict[str, str]:
    """What each tool says of its version; empty when it is not there."""
    asked = {"nmap": ["nmap", "--version"], "sslscan": ["sslscan", "--version"], "openssl": ["openssl", "version"]}
    asked |= {"nginx": ["nginx", "-v"]}
    said = {name: re.sub(r"\x1b\[[0-9;]*m", " ", version_of(command)) for name, command in asked.items()}
    found = {name: re.search(r"\d+(\.\d+)+\w*", text) for name, text in said.items()}
    return {name: match[0] if match else "" for name, match in found.items()}


@contextmanager
def _listed(fleet: Fleet, count: int, line: Callable[[Host], str]) -> Iterator[tuple[str, int]]:
    """A file with distinct lines for the first ``count`` good hosts, and how many there are."""
    lines: Sequence[str] = list(dict.fromkeys(line(host) for host in fleet.hosts if host.kind == "good"))[:count]
    with tempfile.NamedTemporaryFile("w", prefix="hosts-") as file:
        file.write("".join(f"{text}\n" for text in lines))
        file.flush()
        yield file.name, len(lines)


def describe(sample: Sample) -> str:
    """One line with every figure."""
    def each(value: float) -> float:
        return value / sample.targets

    first = "-" if sample.first_row is None else f"{sample.first_row:.2f}"
    return (
        f"{sample.rate:7.0f}/s {sample.wall:6.2f} s, {each(1000 * sample.cpu):6.2f} ms CPU a target (server "
        f"{each(1000 * sample.server_cpu):.2f}), {each(sample.connections):.2f} connections, {sample.memory / MEBI:.0f} MB "
        f"(largest {sample.largest / MEBI:.0f}), first row {first} s, {sample.rows} rows, {sample.scanned} scanned, "
        f"{sample.lost} lost, {sample.deployments} lists"
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--targets", type=int, default=1000)
    options.add_argument("--only", default="", help="a part of the peer's name")
    chosen = options.parse_args()
    with fleet(FleetSpec(chosen.targets, addresses=500)) as running:
        for name, measure in peers().items():
            if chosen.only not in name:
                continue
            sample = measure(running) if measure else None
            if sample is None or sample.problem:
                print(f"{name:38} {sample.problem if sample else 'not installed'}")
                continue
            print(f"{name:38} {describe(sample)}", flush=True)


if __name__ == "__main__":
    main()
