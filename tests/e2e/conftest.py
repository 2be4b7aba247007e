"""The command as a user runs it: a process of its own, no configuration of the machine's, nothing beyond loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


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


def environment(home: Path) -> dict[str, str]:
    """A clean environment: no configuration is found, no colours, warnings of our own code are errors."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PYTHONWARNINGS": "error::ResourceWarning"}


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Done]:
    """Run ``dnscertscan`` with the arguments given, in an empty folder."""

    def run(*args: object, timeout: float = 120, env: dict[str, str] | None = None, **options: Any) -> Done:
        command = [sys.executable, "-m", "dnscertscan", *map(str, args)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, cwd=tmp_path, check=False,
            env={**environment(tmp_path), **(env or {})}, **options,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def zones_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a zones JSON: ``zones_file({"a.example": [("A", "www", "127.0.0.1"), ...]})``."""

    def write(zones: dict[str, list[tuple[str, str, str]]], name: str = "zones.json") -> Path:
        path = tmp_path / name
        data = {
            zone: [{"type": kind, "name": owner, "ttl": 300, "target": target} for kind, owner, target in records]
            for zone, records in zones.items()
        }
        path.write_text(json.dumps(data))
        return path

    return write
