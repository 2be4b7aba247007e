"""A real fleet on loopback: nginx with hundreds of addresses and thousands of names, and bad servers among them on request.

    PYTHONPATH=tests python benchmarks/fleet.py --targets 2000 [--silent 0.05 ...]

prints the port, the CA file, the zones file and a command to scan it with, and runs until Ctrl-C.

One zone, ``bench.test``. Host ``h000001.z0042.bench.test`` belongs to identity 42, a server block of nginx with
``server_name *.z0042.bench.test``, its own leaf (RSA-2048, ECDSA P-256 or both, each with an intermediate) and its own address.
Four addresses share a /24. Every bad target has an address of its own (from 1,024 of a kind on, they share).
"""

import argparse
import json
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from identities import Identity, make_identities
from proc import cpu_seconds, tree
from servers.dns_process import free_port, unprivileged
from servers.nginx import _wait

BAD = ("silent", "slow", "reset", "blackhole", "closed")
_MOST_BAD_ADDRESSES = 1024
_CNAME_EVERY = 50


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """What to build. ``certificates`` is the number of identities; the five last are shares of the targets, 0 to 1.

    ``both`` is the share of identities with an RSA and an ECDSA leaf; of the others half have RSA, half ECDSA. ``expired``,
    ``wrong_name`` and ``incomplete`` (no intermediate sent) are shares of identities.
    """

    targets: int
    addresses: int = 200
    certificates: int = 500
    both: float = 0.2
    expired: float = 0.02
    wrong_name: float = 0.01
    incomplete: float = 0.01
    silent: float = 0.0
    slow: float = 0.0
    reset: float = 0.0
    blackhole: float = 0.0
    closed: float = 0.0


@dataclass(frozen=True, slots=True)
class Host:
    """One target: its name without final dot, its address, and ``good`` or the kind of bad server it is."""

    name: str
    address: str
    kind: str
    alias_of: str = ""


@dataclass
class Fleet:
    """A running fleet. ``hosts`` are in zone order; the status page is asked over a port of its own."""

    spec: FleetSpec
    zones_json: Path
    ca_file: Path
    port: int
    hosts: Sequence[Host]
    pid: int
    status_port: int
    _asked: int = 0

    @property
    def targets(self) -> int:
        """How many (address, port, name) the zone leads to."""
        return len(self.hosts)

    def cpu_seconds(self) -> float:
        """User and system time of nginx so far (the bad servers are not in it)."""
        return sum(cpu_seconds(pid) for pid in tree(self.pid))

    def connections(self) -> int:
        """TCP connections nginx has accepted so far, our own questions for it left out."""
        with socket.create_connection(("127.0.0.1", self.status_port), timeout=5) as conn:
            conn.sendall(b"GET /status HTTP/1.0\r\n\r\n")
            reply = b"".join(iter(lambda: conn.recv(4096), b""))
        self._asked += 1
        accepted = int(reply.split(b"accepts handled requests")[1].split()[0])
        return accepted - self._asked


def addresses(block: int, count: int) -> list[str]:
    """``count`` addresses from 127.block.0.1 on, four in each /24."""
    return [f"127.{block + at // 1024}.{at // 4 % 256}.{at % 4 + 1}" for at in range(count)]


@contextmanager
def fleet(spec: FleetSpec) -> Iterator[Fleet]:
    """Start it, give it, end it by pid."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleet-")))
        folder.chmod(0o755)
        good, bad = addresses(64, spec.addresses), _bad_addresses(spec)
        root, identities = make_identities(spec, datetime.now(UTC))
        listens = _listens(identities, good)
        hosts = _hosts(spec, listens, bad)
        port = free_port((*good, *(address for group in bad.values() for address in group)))
        (folder / "ca.pem").write_bytes(root)
        (folder / "zones.json").write_text(_zone(hosts))
        server, status_port = _start_nginx(stack, folder / "nginx", identities, listens, port)
        _start_bad(stack, folder, bad, hosts, listens, port)
        yield Fleet(spec, folder / "zones.json", folder / "ca.pem", port, hosts, server.pid, status_port, 1)


def _bad_addresses(spec: FleetSpec) -> dict[str, list[str]]:
    counts = {kind: round(getattr(spec, kind) * spec.targets) for kind in BAD}
    return {kind: addresses(80 + 2 * place, min(counts[kind], _MOST_BAD_ADDRESSES)) for place, kind in enumerate(BAD)}


def _listens(identities: Sequence[Identity], good: Sequence[str]) -> list[list[str]]:
    """The addresses of each identity: identities share addresses, or have several, so that every address is used."""
    count = len(identities)
    return [list(good[number::count]) or [good[number % len(good)]] for number in range(count)]


def _hosts(spec: FleetSpec, listens: Sequence[Sequence[str]], bad: dict[str, list[str]]) -> list[Host]:
    kinds = dict(enumerate(["good"] * spec.targets))
    wanted = [kind for kind in BAD for _ in range(round(getattr(spec, kind) * spec.targets))]
    kinds |= dict(zip(random.Random(spec.targets).sample(range(spec.targets), len(wanted)), wanted, strict=True))
    hosts: list[Host] = []
    seen = dict.fromkeys(BAD, 0)
    for number in range(spec.targets):
        turn, identity = divmod(number, len(listens))
        kind, name = kinds[number], f"h{number:06}.z{identity:04}.bench.test"
        if kind != "good":
            hosts.append(Host(name, bad[kind][seen[kind] % len(bad[kind])], kind))
            seen[kind] += 1
            continue
        before = hosts[number - len(listens)] if turn % _CNAME_EVERY == 1 else None
        if before is not None and before.kind == "good":
            hosts.append(Host(name, before.address, "good", alias_of=before.name))
        else:
            hosts.append(Host(name, listens[identity][turn % len(listens[identity])], "good"))
    return hosts


def _zone(hosts: Sequence[Host]) -> str:
    records = [
        {"type": "SOA", "name": "@", "ttl": 3600, "target": "ns.other.test. hostmaster.bench.test. 1 7200 900 1209600 300"},
        {"type": "NS", "name": "@", "ttl": 3600, "target": "ns.other.test."},
    ]
    for host in hosts:
        kind, data = ("CNAME", f"{host.alias_of}.") if host.alias_of else ("A", host.address)
        records.append({"type": kind, "name": host.name.removesuffix(".bench.test"), "ttl": 300, "target": data})
    return '{"bench.test": [\n' + ",\n".join(map(json.dumps, records)) + "\n]}\n"


def _start_nginx(
    stack: ExitStack, folder: Path, identities: Sequence[Identity], listens: Sequence[Sequence[str]], port: int
) -> tuple["subprocess.Popen[bytes]", int]:
    folder.mkdir()
    status_port = free_port(("127.0.0.1",))
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    blocks: list[str] = []
    queued: set[str] = set()  # nginx takes the length of an address's queue once
    for identity, places in zip(identities, listens, strict=True):
        certificates = "".join(f"ssl_certificate {path}; ssl_certificate_key {key};" for path, key in identity.write(folder))
        listen = "".join(f"listen {at}:{port} ssl{'' if at in queued else ' backlog=4096'};" for at in places)
        queued.update(places)
        blocks.append(f"server {{ server_name *.{identity.label}.bench.test; {listen} {certificates} return 200 ok; }}\n")
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 2; pid {folder}/pid; error_log stderr crit;\n"
        f"events {{ worker_connections 8000; multi_accept on; }}\n"
        f"http {{ access_log off; {temporary} ssl_session_cache off; ssl_protocols TLSv1.2 TLSv1.3;\n"
        f"server_names_hash_bucket_size 128; server_names_hash_max_size 16384;\n"
        f"server {{ listen 127.0.0.1:{status_port}; location /status {{ stub_status; }} }}\n{''.join(blocks)}}}\n"
    )
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] % (1 << 63), 1 << 16)  # the servers' limit, not the scanners'
    start = ["prlimit", f"--nofile={files}", "nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    command = unprivileged(start, folder)
    process = _running(stack, command, folder)
    _wait(process, "127.0.0.1", status_port, folder / "stderr")
    return process, status_port


def _start_bad(
    stack: ExitStack, folder: Path, bad: dict[str, list[str]], hosts: Sequence[Host], listens: Sequence[Sequence[str]], port: int
) -> None:
    """The bad servers; a slow one passes on what the identity's good address says."""
    behind = {host.address: listens[int(host.name.split(".z")[1][:4])][0] for host in hosts if host.kind == "slow"}
    plan = {kind: places for kind, places in bad.items() if places and kind != "closed"}
    if not plan:
        return
    (folder / "bad.json").write_text(json.dumps({"port": port, "places": plan, "behind": behind}))
    command = [sys.executable, str(Path(__file__).with_name("bad_servers.py")), str(folder / "bad.json")]
    process = _running(stack, command, folder, subprocess.PIPE)
    if process.stdout is None or process.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the bad servers did not start: {(folder / 'stderr').read_text()}")


def _running(stack: ExitStack, command: Sequence[str], folder: Path, output: int | None = None) -> "subprocess.Popen[bytes]":
    with (folder / "stderr").open("wb") as log:  # a session of its own: a Ctrl-C is for us, the servers end when we end them
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output or log, stderr=log, cwd=folder, start_new_session=True
        )
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
    if process.stdout:
        process.stdout.close()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for item in fields(FleetSpec):
        default = 2000 if item.name == "targets" else item.default
        options.add_argument("--" + item.name.replace("_", "-"), type=type(default), default=default, dest=item.name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with fleet(FleetSpec(**vars(options.parse_args()))) as running:
        print(f"{running.targets} targets\nport {running.port}\nca {running.ca_file}\nzones {running.zones_json}")
        scan = f"--from-zones-json {running.zones_json} --ca-file {running.ca_file} --port {running.port}"
        print(f"dnscertscan scan {scan}", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            print(f"{running.connections()} connections, {running.cpu_seconds():.2f} s of CPU")


if __name__ == "__main__":
    main()
