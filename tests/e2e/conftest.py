"""Fixtures of the end-to-end tests."""

import csv
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.command import COMMAND, Done, clean_environment, closed_port
from servers.ct_world import World
from servers.side_by_side import Played, side_by_side


@pytest.fixture
def cli(tmp_path: Path) -> Callable[..., Done]:
    """Run ``dnscertscan`` with the arguments given, in an empty folder."""

    def run(*args: object, timeout: float = 120, env: dict[str, str] | None = None, **options: Any) -> Done:
        done = subprocess.run(
            [*COMMAND, *map(str, args)], capture_output=True, text=True, timeout=timeout, cwd=tmp_path, check=False,
            env={**clean_environment(tmp_path), **(env or {})}, **options,
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


@pytest.fixture
def rows_of(tmp_path: Path) -> Callable[[str], list[dict[str, str]]]:
    """Read a CSV file of the test's folder."""

    def read(name: str) -> list[dict[str, str]]:
        with (tmp_path / name).open(newline="") as handle:
            return list(csv.DictReader(handle))

    return read


@pytest.fixture
def quick(zones_file: Callable[..., Path]) -> list[str]:
    """A run that takes no time: closed ports."""
    zones_file({"a.example": [("A", f"n{number}", "127.0.0.1") for number in range(3)]}, "z.json")
    return ["--from-zones-json", "z.json", "--port", str(closed_port())]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Certificate Transparency around the test's folder; whatever the test does, nothing may leave loopback."""
    with World(tmp_path) as made:
        yield made
    assert made.guard.attempts == []


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played[None]]:
    """The scenes of the module that were asked for, side by side."""
    wanted = {item.name for item in request.session.items if item.path == request.path}
    with side_by_side(tmp_path_factory.mktemp, request.module.scene.among(wanted)) as done:
        yield done
