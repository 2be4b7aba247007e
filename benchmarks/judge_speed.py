"""CPU milliseconds and memory the judge takes for each target, its looks (once seen, once at the end) counted apart.

    python benchmarks/judge_speed.py [--targets 100000] [--chains 500] [--distinct 20000] [--only SCENARIO]

healthy    few chains under wildcards, every target a name of its own, nothing wrong
faulty     the same, and 5 % of the targets have a name that the certificate is not for
mismatch   the same, and all of them have: what one finding costs
distinct   every target has a leaf of its own
fleet      one leaf for each target, only ``Judge.fleet``: passes over the observations are counted and their cost taken off
learn      one issuing certificate for each target (nobody sends so many but to hurt), only ``Judge.learn``

Each scenario runs in a process of its own: growth is what the peak of its memory (VmHWM) is above the start. The certificates
are read from a file, so they count only while they are kept.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from minting import Mint, Shelf

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.findings import Finding
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.model.records import Origin, Record
from dnscertscan.pki.truststore import TrustStore

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ZONE = DnsName("bench.test")
STORES = ("Android", "Apple", "Java", "Mozilla", "Windows")


def status(field: str) -> float:
    """A line of /proc/self/status in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:"))


def make_judge(root: Authority) -> Judge:
    anchor = Certificate(root.certificate.public_bytes(Encoding.DER))
    return Judge(CheckPolicy(), [TrustStore(name, (anchor,)) for name in STORES], (), NOW)


def observation(number: int, name: str, chain: tuple[Certificate, ...]) -> Observation:
    host = DnsName(name)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    origin = Provenance(Record(host, "A", address, 300, Origin("bench", number)), ZONE)
    how = ("TLS 1.2 RSA", "TLS 1.3")
    outcome = Handshake((Deployment(chain, how), Deployment(chain, ("no SNI",), sni=False)), "TLS 1.3", "TLS_AES_128_GCM_SHA256")
    return Observation(Target(Endpoint(address, 443), host, (origin,)), outcome, "bench", NOW, 0.01)


class Passes:
    """Observations made anew at each pass, as a store on disk gives them; ``count`` is how often that was."""

    def __init__(self, size: int, make: Callable[[int], Observation]) -> None:
        self._size, self._make, self.count = size, make, 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Observation]:
        self.count += 1
        return map(self._make, range(self._size))


def looks(judge: Judge, seen: Passes) -> None:
    """Three looks at everything: one with nothing known, one with all of it seen before, one by the two older functions."""
    ways: dict[str, Callable[[Observation], tuple[Finding, ...]]] = {
        "first look": lambda one: judge.look(one).findings,
        "second look": lambda one: judge.look(one).findings,
        "two calls": lambda one: (judge.endpoint(one), judge.valid(one))[0],
    }
    start_memory = status("VmRSS")
    for label, way in ways.items():
        spent, found, worst = 0.0, 0, 0.0
        for one in seen:
            start = time.thread_time()
            findings = way(one)
            took = time.thread_time() - start
            spent += took
            worst = max(worst, took)
            found += len(findings)
        growth = status("VmHWM") - start_memory
        print(f"  {label:12} {spent / len(seen) * 1000:7.4f} ms a target, {found:6} findings, "
              f"worst {worst * 1000:5.1f} ms, memory +{growth:.1f} MB", flush=True)


def shared(chosen: argparse.Namespace, wrong: float) -> None:
    mint = Mint("Shared", NOW)
    sent = Certificate(mint.sent)
    leaves = [mint.issuing.leaf(f"*.z{number}.bench.test", key="ec") for number in range(chosen.chains)]
    chains = [(Certificate(leaf.certificate.public_bytes(Encoding.DER)), sent) for leaf in leaves]
    every = round(1 / wrong) if wrong else 0

    def make(number: int) -> Observation:
        which = number % len(chains)
        bad = every and number // len(chains) % every == 0
        return observation(number, f"h{number}.{'wrong' if bad else f'z{which}'}.bench.test", chains[which])

    looks(make_judge(mint.root), Passes(chosen.targets, make))


def shelf(mint: Mint, size: int, folder: Path) -> Shelf:
    return Shelf(folder / "leaves", (mint.leaf(number) for number in range(size)))


def distinct(chosen: argparse.Namespace, folder: Path) -> None:
    mint = Mint("Distinct", NOW)
    leaves, sent = shelf(mint, chosen.distinct, folder), Certificate(mint.sent)
    looks(make_judge(mint.root), Passes(
        len(leaves), lambda number: observation(number, mint.name(number), (Certificate(leaves[number]), sent))
    ))


def timed(label: str, seen: Passes, work: Callable[[], object]) -> None:
    """Time and memory of ``work`` on ``seen``, less what the passes alone cost."""
    start = time.thread_time()
    for _ in seen:
        pass
    one_pass = time.thread_time() - start
    before, passes, start = status("VmRSS"), seen.count, time.thread_time()
    result = work()
    spent, passes = time.thread_time() - start, seen.count - passes
    own = (spent - passes * one_pass) / len(seen) * 1000
    size = len(result) if isinstance(result, tuple) else 0
    print(f"  {label:12} {own:7.4f} ms a target in {passes} passes, {size} findings, memory +{status('VmHWM') - before:.1f} MB")


def fleet(chosen: argparse.Namespace, folder: Path) -> None:
    mint = Mint("Fleet", NOW)
    leaves, sent = shelf(mint, chosen.targets, folder), Certificate(mint.sent)
    seen = Passes(len(leaves), lambda number: observation(number, mint.name(number), (Certificate(leaves[number]), sent)))
    judge = make_judge(mint.root)
    timed("fleet", seen, lambda: judge.fleet(seen))


def learn(chosen: argparse.Namespace, folder: Path) -> None:
    mint = Mint("Learn", NOW)
    leaves, sent = shelf(mint, chosen.targets, folder), Certificate(mint.sent)
    seen = Passes(
        len(leaves), lambda number: observation(number, mint.name(number), (sent, Certificate(leaves[number]), sent))
    )
    judge = make_judge(mint.root)
    timed("learn", seen, lambda: judge.learn(seen))


SCENARIOS: dict[str, Callable[[argparse.Namespace, Path], None]] = {
    "healthy": lambda chosen, _: shared(chosen, wrong=0),
    "faulty": lambda chosen, _: shared(chosen, wrong=0.05),
    "mismatch": lambda chosen, _: shared(chosen, wrong=1),
    "distinct": distinct, "fleet": fleet, "learn": learn,
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--targets", type=int, default=100_000)
    options.add_argument("--chains", type=int, default=500)
    options.add_argument("--distinct", type=int, default=20_000)
    options.add_argument("--only", choices=SCENARIOS)
    chosen = options.parse_args()
    if not chosen.only:
        for scenario in SCENARIOS:
            subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only", scenario], check=True)
        return
    print(f"{chosen.only}:", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        SCENARIOS[chosen.only](chosen, Path(folder))


if __name__ == "__main__":
    main()
