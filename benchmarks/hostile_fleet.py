"""Thirty hostile servers among a hundred good ones: no result lost, none late, memory and time.

    PYTHONPATH=tests python benchmarks/hostile_fleet.py

Prints what became of every hostile server, when the good ones were done, and the peak memory of the scanner and its workers.
"""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from servers import hostile
from servers.https import HttpsServers
from servers.scanning import der

from dnscertscan.demo.authority import Authority
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.report.describe import terminal_state
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.sslyze import SslyzeEngine

GOOD = 100
TIMEOUT = 5.0


def behaviours() -> dict[str, hostile.Behaviour]:
    """Thirty ways to be no good server."""
    now = datetime.now(UTC)
    leaf = Authority.root("Bench Root", now=now).leaf("h.test", key="rsa2048")
    well = hostile.tls(der(leaf), leaf.key_pem)
    roots = [Authority.root("Copied Root", now=now).certificate for _ in range(5)]
    copies = hostile.tls((*der(leaf), *(root.public_bytes(Encoding.DER) for root in roots)), leaf.key_pem)
    kinds = {
        "silent": hostile.silent, "closes at once": hostile.close_at_once, "closes on the hello": hostile.close_on_hello,
        "reset": hostile.reset, "one octet every 0.3 s": hostile.drip, "endless certificate message": hostile.endless,
        "certificate of 16 MB": hostile.huge_certificate, "HelloRequest flood": hostile.hello_requests,
        "empty records without end": hostile.empty_records, "HTTP": hostile.http, "SSH": hostile.ssh, "SMTP": hostile.smtp_banner,
        "SMTP, not UTF-8": hostile.smtp_not_utf8, "FTP": hostile.ftp_banner, "POP3": hostile.pop3_banner,
        "IMAP": hostile.imap_banner, "MySQL": hostile.mysql, "garbage": hostile.garbage, "endless greeting": hostile.smtp_endless,
        "alert after the certificate": hostile.fixed_flight(der(leaf), then=hostile.record(21, b"\x02\x28")),
        "good once, then silent": hostile.first_good(well, hostile.silent),
        "good once, then dripping": hostile.first_good(well, hostile.drip),
        "good once, then endless": hostile.first_good(well, hostile.endless),
        "good once, then HelloRequests": hostile.first_good(well, hostile.hello_requests),
        "five roots of one name": copies,
    }
    numbers = {"handshake_failure": 40, "bad_certificate": 42, "protocol_version": 70, "internal_error": 80}
    numbers["unrecognized_name"] = 112
    return {**kinds, **{f"alert {name}": hostile.alert(number) for name, number in numbers.items()}}




@contextmanager
def fleet() -> Iterator[tuple[list[Target], dict[int, str]]]:
    """Targets in one order that mixes both kinds, and what stands behind each hostile port."""
    with ExitStack() as stack:
        good = stack.enter_context(HttpsServers(addresses=GOOD))
        ports = {stack.enter_context(hostile.serve(behaviour)): kind for kind, behaviour in behaviours().items()}
        targets = [Target(Endpoint(address, good.port), DnsName(f"g{n}.a.example")) for n, address in enumerate(good.addresses)]
        for number, port in enumerate(ports):
            targets.insert(number * 4, Target(Endpoint("127.0.0.1", port), DnsName(f"h{number}.test")))
        yield targets, ports


async def scan(targets: list[Target]) -> tuple[list[tuple[float, Observation]], float, list[int]]:
    """Observations with the second they came in, seconds in all, peak memory (MB) of the scanner and of each worker seen."""
    engine = SslyzeEngine(ScanSettings(timeout=TIMEOUT, per_address=50), lambda: datetime.now(UTC))
    seen, peaks, start = [], {}, time.monotonic()
    async for observation in engine.scan(targets):
        seen.append((time.monotonic() - start, observation))
        peaks |= {pid: max(peaks.get(pid, 0), peak(pid)) for pid in engine.worker_pids}
    return seen, time.monotonic() - start, [peak("self"), *peaks.values()]


def peak(pid: int | str) -> int:
    """Peak resident memory in MB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def main() -> None:
    """Run it once and tell."""
    with fleet() as (targets, ports):
        seen, took, peaks = asyncio.run(scan(targets))
    good = sorted(at for at, one in seen if one.target.endpoint.port not in ports)
    fine = sum(isinstance(one.outcome, Handshake) and one.outcome.engine_failure is None
               for _, one in seen if one.target.endpoint.port not in ports)
    for at, one in sorted(seen, key=lambda item: item[0]):
        if kind := ports.get(one.target.endpoint.port):
            state, reason, detail = terminal_state(one.outcome)
            print(f"{at:6.2f} s  {kind:32} {state} {reason}: {detail[:120]}")
    print(f"\n{len(seen)} of {len(targets)} observed in {took:.1f} s (limit per target {TIMEOUT:g} s)")
    times = f"first {good[0]:.2f} s, median {statistics.median(good):.2f} s, last {good[-1]:.2f} s"
    print(f"good ones: {fine} of {GOOD} scanned; {times}")
    print(f"peak memory: scanner {peaks[0]} MB, workers {sorted(peaks[1:], reverse=True)} MB")
    print("outcomes:", dict(Counter(type(one.outcome).__name__ for _, one in seen)))


if __name__ == "__main__":
    main()
