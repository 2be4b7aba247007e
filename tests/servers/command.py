"""The command as a user runs it: a process of its own, no configuration of the machine's, nothing beyond loopback."""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-m", "dnscertscan")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """Non-empty lines of standard error."""
        return [line for line in self.err.splitlines() if line.strip()]


def clean_environment(home: Path) -> dict[str, str]:
    """No configuration is found, no colours; a resource our code leaves open is an error."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PYTHONWARNINGS": "error::ResourceWarning"}


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
