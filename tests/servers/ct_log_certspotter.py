"""The real ``certspotter`` (Debian has 0.16: RFC 6962 only) pointed at logs of ours: unprivileged, in a folder of its own.

    with Certspotter(alpha, beta, watch=[".example"]) as spotter:
        spotter.wait(lambda: len(spotter.events()) >= 2)
    spotter.position(alpha)                         # how many entries it has verified
    spotter.state                                   # the state directory: certs/<xx>/<sha256>.pem, .v1.json
    spotter.close()                                 # removes the folder; entering again goes on from the kept state
"""

import json
import shutil
import signal
import subprocess
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from servers.ct_issue import log_list
from servers.ct_log import CtLog
from servers.dns_process import unprivileged

_HOOK = """#!/bin/sh
file=$(mktemp "{folder}/events/XXXXXXXX.part")
env -0 > "$file"
mv "$file" "${{file%.part}}.event"
"""
_LIMIT_SECONDS = 20.0


class Certspotter:
    """See the module. ``healthcheck`` is how often it reports backlogs, in Go's notation."""

    def __init__(self, *logs: CtLog, watch: tuple[str, ...] = (".",), healthcheck: str = "24h") -> None:
        self.logs = logs
        self.folder = Path(tempfile.mkdtemp(prefix="certspotter-"))
        self.state = self.folder / "state"
        self._healthcheck = healthcheck
        self._output = self.folder / "output"
        for name in ("events", "config/hooks.d"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "config" / "watchlist").write_text("".join(f"{item}\n" for item in watch))
        hook = self.folder / "config" / "hooks.d" / "record"
        hook.write_text(_HOOK.format(folder=self.folder))
        hook.chmod(0o755)

    def __enter__(self) -> Self:
        (self.folder / "loglist.json").write_bytes(log_list(*self.logs, rfc6962_only=True))
        command = [
            "certspotter", "-logs", f"{self.folder}/loglist.json", "-state_dir", str(self.state),
            "-watchlist", f"{self.folder}/config/watchlist", "-healthcheck", self._healthcheck, "-verbose",
        ]
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(self.folder), "CERTSPOTTER_CONFIG_DIR": f"{self.folder}/config"}
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                unprivileged(command, self.folder), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder,
                env=environment,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait(self, done: Callable[[], bool]) -> None:
        """Until ``done``; fails with its output when it ends before, or takes too long."""
        end = time.monotonic() + _LIMIT_SECONDS
        while not done():
            if self._process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"certspotter (status {self._process.poll()}): {self.output[-4000:]}")
            time.sleep(0.05)

    @property
    def output(self) -> str:
        """What it printed so far."""
        return self._output.read_text(errors="replace")

    def events(self, kind: str = "discovered_cert") -> list[dict[str, str]]:
        """The environment of each call of the hook for such an event."""
        found = []
        for path in sorted((self.folder / "events").glob("*.event"), key=lambda path: path.stat().st_mtime_ns):
            pairs = [line.partition("=") for line in path.read_text(errors="replace").split("\0") if line]
            found.append({name: value for name, _, value in pairs})
        return [event for event in found if event.get("EVENT") == kind]

    def log_state(self, log: CtLog) -> dict[str, Any]:
        """What it keeps of a log; empty before it has anything."""
        path = self._of(log) / "state.json"
        try:
            return dict(json.loads(path.read_bytes()))
        except (FileNotFoundError, ValueError):
            return {}

    def position(self, log: CtLog) -> int:
        """Up to which entry its download matches a signed tree head."""
        return int((self.log_state(log).get("verified_position") or {}).get("size", 0))

    def unverified(self, log: CtLog) -> list[str]:
        """The tree heads it holds that its download does not match."""
        return [path.name for path in (self._of(log) / "unverified_sths").glob("*.json")]

    def _of(self, log: CtLog) -> Path:
        return self.state / "logs" / urlsafe_b64encode(log.log_id).decode().rstrip("=")
