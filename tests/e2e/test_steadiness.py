"""Silent servers, signals and deadlines: a run always ends in time, with valid files that account for every target."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from servers.command import COMMAND, clean_environment
from servers.https import HttpsServers

TIMEOUT = 5.0
GOOD, SILENT = 280, 20


@pytest.fixture
def silent() -> Iterator[Callable[[int, int], list[str]]]:
    """``silent(count, port)``: listeners that accept (in the kernel) and never say a word; their addresses."""
    with ExitStack() as stack:

        def listen(count: int, port: int) -> list[str]:
            addresses = [f"127.0.8.{number}" for number in range(1, count + 1)]
            for address in addresses:
                stack.enter_context(socket.create_server((address, port)))
            return addresses

        yield listen


def free_port() -> int:
    """A port that is free on every loopback address, as far as one can know."""
    with socket.create_server(("", 0)) as probe:
        return int(probe.getsockname()[1])


def test_silent_servers_hold_nothing_up(silent, rows_of, zones_file, tmp_path: Path) -> None:
    """300 targets of which 20 accept and stay silent: first finding within 3 s, all done within twice the limit of one target."""
    with HttpsServers(addresses=40) as servers:
        quiet = silent(SILENT, servers.port)
        records = [("A", f"good{number}", servers.addresses[number % 40]) for number in range(GOOD)]
        records += [("A", f"a-silent{number}", address) for number, address in enumerate(quiet)]
        zones_file({"a.example": records}, "z.json")
        (tmp_path / "ca.pem").write_bytes(servers.ca_pem)
        args = ["--from-zones-json", "z.json", "--port", str(servers.port), "--timeout", str(TIMEOUT), "--ca-file", "ca.pem"]
        start = time.monotonic()
        process = subprocess.Popen(
            [*COMMAND, *args, "-o", "r.csv", "--coverage", "c.csv"], cwd=tmp_path, env=clean_environment(tmp_path),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        first: list[float] = []

        def read() -> None:
            for line in process.stderr:
                if " - good" in line and not first:
                    first.append(time.monotonic() - start)

        reader = threading.Thread(target=read)
        reader.start()
        status = process.wait(timeout=60)
        took = time.monotonic() - start
        reader.join()
        process.stderr.close()
    assert status == 1
    assert first[0] < 3.0
    assert took < 2 * TIMEOUT
    outcomes = Counter((row["state"], row["reason"]) for row in rows_of("c.csv"))
    assert outcomes == {("scanned", "ok"): GOOD, ("failed", "handshake-timeout"): SILENT}


@pytest.mark.parametrize("cut", ["--deadline", signal.SIGINT, signal.SIGTERM])
def test_cut_short(silent, rows_of, zones_file, tmp_path: Path, cut: str | signal.Signals) -> None:
    """SIGINT, SIGTERM or the deadline: an end at once, status 3, every target in the coverage file, no process left."""
    port = free_port()
    quiet = silent(SILENT, port)
    zones_file({"a.example": [("A", f"silent{number}", address) for number, address in enumerate(quiet)]}, "z.json")
    args = ["--from-zones-json", "z.json", "--port", str(port), "--timeout", "60", "-o", "r.csv", "-o", "r.json"]
    args += ["--coverage", "c.csv", "-v"]
    args += ["--deadline", "2"] if isinstance(cut, str) else []
    process = subprocess.Popen(
        [*COMMAND, *args], cwd=tmp_path, env=clean_environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )
    try:
        said = ""
        while "targets to scan" not in said:
            said += process.stderr.readline()
        if isinstance(cut, signal.Signals):
            time.sleep(0.5)
            process.send_signal(cut)
        start = time.monotonic()
        out, err = process.communicate(timeout=20)
        took = time.monotonic() - start
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 3, err
    assert took < 6
    assert "INCOMPLETE" in out
    assert "cut short" in err
    assert Counter((row["state"], row["reason"]) for row in rows_of("c.csv")) == {("skipped", "deadline"): SILENT}
    assert json.loads((tmp_path / "r.json").read_text())["complete"] is False
    assert rows_of("r.csv") == []
    left = [path for path in Path("/proc").glob("[0-9]*/stat") if _session(path) == process.pid]
    assert left == []


def test_cut_short_while_resolving(rows_of, zones_file, tmp_path: Path) -> None:
    """What needed no look-up is known: aliases that loop are findings, addresses are in the coverage file."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        records = [("A", "www", "127.0.0.1"), ("CNAME", "a", "b"), ("CNAME", "b", "a"), ("CNAME", "away", "elsewhere.example.")]
        zones_file({"a.example": records}, "z.json")
        args = ["--from-zones-json", "z.json", "--nameserver", f"127.0.0.1:{mute.getsockname()[1]}", "--deadline", "1"]
        start = time.monotonic()
        done = subprocess.run(
            [*COMMAND, *args, "-o", "r.csv", "--coverage", "c.csv"], cwd=tmp_path, env=clean_environment(tmp_path),
            capture_output=True, text=True, check=False, timeout=30,
        )
        took = time.monotonic() - start
    assert done.returncode == 3
    assert took < 8
    assert sorted((row["fqdn"], row["ip_address"], row["state"], row["reason"]) for row in rows_of("c.csv")) == [
        ("a.a.example", "", "failed", "loop"),
        ("away.a.example", "", "skipped", "deadline"),
        ("b.a.example", "", "failed", "loop"),
        ("www.a.example", "127.0.0.1", "skipped", "deadline"),
    ]
    assert {row["code"] for row in rows_of("r.csv")} == {"DCS502"}


def test_workers_killed_again_and_again(rows_of, zones_file, tmp_path: Path) -> None:
    """Every worker process dies twice, the second time while it starts: no target is lost, and processes do not multiply."""
    with HttpsServers(addresses=40) as servers:
        zones_file({"a.example": [("A", f"good{number}", servers.addresses[number % 40]) for number in range(GOOD)]}, "z.json")
        (tmp_path / "ca.pem").write_bytes(servers.ca_pem)
        args = ["--from-zones-json", "z.json", "--port", str(servers.port), "--timeout", "5", "--ca-file", "ca.pem"]
        process = subprocess.Popen(
            [*COMMAND, *args, "--coverage", "c.csv", "-q"], cwd=tmp_path, env=clean_environment(tmp_path),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        process.stderr.readline()  # the first finding: workers are at work
        most = 0
        killed: set[int] = set()
        for _ in range(2):
            while not (found := set(_children(process.pid)) - killed):
                time.sleep(0.005)  # the second time they are killed as soon as they are there: none has begun to work
            for child in found:
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            killed |= found
        while process.poll() is None:
            most = max(most, len(_children(process.pid)))
            process.stderr.readline()
        process.stderr.close()
    assert process.returncode == 1
    assert most <= 3 * (os.cpu_count() or 1)
    assert Counter((row["state"], row["reason"]) for row in rows_of("c.csv")) == {("scanned", "ok"): GOOD}


def _children(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(pid) for pid in children.read_text().split()] if children.exists() else []


def _session(stat: Path) -> int:
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return 0
