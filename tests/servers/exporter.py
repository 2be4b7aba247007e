"""`dnscertscan exporter` as a user runs it: a process of its own, asked over HTTP, ended by SIGTERM.

    with exporter.running(folder, "--from-zones-json", "zones.json") as made: made.get("/health")
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from servers.command import COMMAND, clean_environment
from servers.prometheus import until


class Exporter:
    """``place`` is HOST:PORT; ``log`` is standard error so far."""

    def __init__(self, process: "subprocess.Popen[bytes]", place: str, err: Path) -> None:
        self.process = process
        self.place = place
        self._err = err

    @property
    def log(self) -> str:
        return self._err.read_text(errors="replace")

    def get(self, path: str) -> tuple[int, bytes]:
        """(status, body)."""
        connection = HTTPConnection(self.place, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait(self, health: int, words: bytes = b"") -> bytes:
        """The line of /health as soon as it has this status and these words."""
        def look() -> bytes:
            status, line = self.get("/health")
            return line if status == health and words in line else b""

        return until(look, f"health {health} {words!r}; the log:\n{self.log}")

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status after a signal."""
        self.process.send_signal(how)
        return self.process.wait(20)


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Exporter]:
    """On a free port of loopback; what is still there at the end is killed."""
    err = folder / "exporter.stderr"
    with err.open("wb") as output:
        process = subprocess.Popen(
            [*COMMAND, "exporter", "--listen", "127.0.0.1:0", *arguments], cwd=folder, env=clean_environment(folder),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=output,
        )
    try:
        words = until(lambda: process.poll() is not None or _said(err), "the exporter says where it listens", 30)
        assert process.poll() is None, err.read_text()
        yield Exporter(process, words, err)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)


def _said(err: Path) -> str:
    lines = [line for line in err.read_text(errors="replace").splitlines() if line.startswith("dnscertscan exporter: http://")]
    return lines[0].removeprefix("dnscertscan exporter: http://").removesuffix("/metrics") if lines else ""
