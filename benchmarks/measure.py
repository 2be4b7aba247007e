"""What one command costs: wall time, CPU, memory of its whole process tree, connections, first row."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleet import Fleet
from proc import proportional, size_peak, tree

_EVERY = 0.1
MEBI = 1 << 20
_NAME = re.compile(rb'"fqdn":"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of one command. Times are seconds, sizes octets; None where a tool has no such thing.

    ``cpu`` is user and system time of the command and all processes it has waited for. ``memory`` is the highest sum of PSS
    over the tree (looked at every 0.1 s), ``largest`` the highest resident size of any one process. ``rows`` are lines of
    output, ``scanned`` targets with a certificate, ``lost`` good servers without one, ``deployments`` certificate lists.
    ``problem`` says why there are no figures.
    """

    targets: int
    wall: float = 0.0
    cpu: float = 0.0
    server_cpu: float = 0.0
    memory: int = 0
    largest: int = 0
    connections: int = 0
    first_row: float | None = None
    last_row: float | None = None
    rows: int | None = None
    scanned: int | None = None
    lost: int | None = None
    deployments: int | None = None
    problem: str = ""

    @property
    def rate(self) -> float:
        """Targets a second, start-up and end of the process included."""
        return self.targets / self.wall if self.wall else 0.0


@dataclass
class _Reading:
    """What comes out of the command."""

    start: float
    good: set[bytes]
    first: float | None = None
    last: float | None = None
    rows: int = 0
    scanned: int = 0
    deployments: int = 0
    tail: bytes = b""

    def read(self, process: "subprocess.Popen[bytes]") -> None:
        """Take every line; the words are those of our JSONL, which the script for SSLyze's Scanner uses too."""
        assert process.stdout is not None
        for line in process.stdout:
            self.last = time.monotonic() - self.start
            self.first = self.first or self.last
            self.rows += 1
            if b'"state":"scanned"' in line and (name := _NAME.search(line)):
                self.scanned += 1
                self.good.discard(name[1])
            self.deployments += line.count(b'"sni":true')
            self.tail = line[-300:]


@dataclass
class _Memory:
    """Sampled until the command has ended."""

    pid: int
    tree: int = 0
    largest: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self.ended.wait(_EVERY):
            members = tree(self.pid)
            self.tree = max(self.tree, sum(map(proportional, members)))
            self.largest = max(self.largest, *map(size_peak, members))


def run(
    command: Sequence[str], fleet: Fleet, targets: int, *, rows: Collection[str] = (), limit: float = 300.0,
    good: Sequence[int] = (0,), environment: Mapping[str, str] | None = None,
) -> Sample:
    """Run ``command`` and measure it. ``rows``: its output is JSONL, and these names of good servers should be in it.

    ``good`` are the exit statuses that are fine. A command that outlives ``limit`` seconds is killed with all its processes;
    that, and a bad status, is a problem.
    """
    connections, server = fleet.connections(), fleet.cpu_seconds()
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, cwd=folder, start_new_session=True,
            env=os.environ | dict(environment or {}),
        )
        reading, memory = _Reading(start, {name.encode() for name in rows}), _Memory(process.pid)
        threads = [threading.Thread(target=reading.read, args=(process,)), threading.Thread(target=memory.watch)]
        for thread in threads:
            thread.start()
        late = threading.Timer(limit, _kill_group, [process.pid])
        late.start()
        try:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        finally:
            wall = time.monotonic() - start
            late.cancel()
            memory.ended.set()
            _kill_group(process.pid)  # what it left behind, if anything: the pipe must end; after Ctrl-C, all of it
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for thread in threads:
            thread.join()
        if process.stdout:
            process.stdout.close()
        errors.seek(0)
        said = errors.read()[-300:] or reading.tail
    cpu = used.ru_utime + used.ru_stime
    problem = "" if process.returncode in good else f"exit status {process.returncode}: {said.decode(errors='replace')}".strip()
    if wall > limit:
        problem = f"not done after {limit:.0f} s"
    plain = Sample(
        targets, wall, cpu, fleet.cpu_seconds() - server, memory.tree, memory.largest, fleet.connections() - connections,
        problem=" ".join(problem.split()),
    )
    if not rows:
        return plain
    return replace(
        plain, first_row=reading.first, last_row=reading.last, rows=reading.rows, scanned=reading.scanned,
        lost=len(reading.good), deployments=reading.deployments,
    )


def _kill_group(pid: int) -> None:
    """The command is the leader of a session of its own, so this is it and its descendants and nobody else."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def version_of(command: Sequence[str]) -> str:
    """The first line a program says of its version; empty when it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if any(map(str.isdigit, line))]
    return lines[0] if lines else ""


def read_text(path: str) -> str:
    """A small file of the system; empty when it is not there."""
    try:
        return Path(path).read_text()
    except OSError:
        return ""
