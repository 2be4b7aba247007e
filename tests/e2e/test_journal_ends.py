"""The journal of a run: too old, somebody else's, on a full disk, or left behind by a process that died at the very end."""

import json
import resource
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from servers.command import clean_environment, closed_port

from dnscertscan.store.lock import Lock


def began(journal: Path, ago: timedelta) -> None:
    """Make a journal say that its run began some time ago."""
    started = json.dumps((datetime.now(UTC) - ago).isoformat()).encode()
    with sqlite3.connect(journal) as database:
        database.execute("UPDATE meta SET value = ? WHERE name = 'started'", (started,))
    database.close()


@pytest.mark.parametrize(("hours", "words"), [(96, "more than 24 hours ago"), (24.1, "more than"), (-1, "in the future")])
def test_a_start_that_is_no_time_to_judge_at(cli, quick: list[str], tmp_path: Path, hours: float, words: str) -> None:
    """What has expired since then would count as healthy, what is new as not yet valid: status 2 and one line."""
    assert cli(*quick, "--journal", "j", "-o", "missing/r.csv").status == 3
    began(tmp_path / "j", timedelta(hours=hours))
    done = cli(*quick, "--journal", "j", "--resume", "-o", "r.csv")
    assert (done.status, len(done.complaints)) == (2, 1), done.err
    assert "j: the run in this journal began at 20" in done.err
    assert words in done.err
    assert "start without --resume" in done.err
    assert not (tmp_path / "r.csv").exists()


@pytest.mark.parametrize(("hours", "notes"), [(0.9, 0), (1.5, 1), (23.9, 1)])
def test_the_age_of_what_is_continued(cli, quick: list[str], tmp_path: Path, hours: float, notes: int) -> None:
    """After an hour it is told, once."""
    assert cli(*quick, "--journal", "j", "-o", "missing/r.csv").status == 3
    began(tmp_path / "j", timedelta(hours=hours))
    done = cli(*quick, "--journal", "j", "--resume")
    told = done.err.count(f"this run began {hours:.3g} hours ago")
    assert (done.status, told, len(done.complaints)) == (0, notes, notes), done.err


def test_a_journal_somebody_else_is_making(cli, quick: list[str], tmp_path: Path) -> None:
    """Two starts at once: an empty file that is locked belongs to the other run, which keeps it."""
    lock = Lock(tmp_path / "j")
    (tmp_path / "j").touch()
    before = (tmp_path / "j").stat().st_ino
    for more in ([], ["--resume"]):
        done = cli(*quick, "--journal", "j", *more)
        assert (done.status, len(done.complaints)) == (2, 1)
        assert "j: another run is using this journal" in done.err
    assert (tmp_path / "j").stat().st_ino == before
    lock.release()
    assert cli(*quick, "--journal", "j").status == 0
    assert not (tmp_path / "j-lock").exists()


_CRASH = """
import os, sys
from dnscertscan.store.journal import Journal
Journal.remove = lambda self: os._exit(9)
sys.argv[0] = "dnscertscan"
from dnscertscan.cli import main
main()
"""


def test_killed_when_all_is_written(cli, quick: list[str], tmp_path: Path) -> None:
    """A run that is killed just before it removes its journal has ended: nothing is left to be resumed, nothing to be kept."""
    killed = subprocess.run(
        [sys.executable, "-c", _CRASH, *quick, "-o", "r.csv"], cwd=tmp_path, env=clean_environment(tmp_path), timeout=60,
        stdout=subprocess.DEVNULL, check=False,
    )
    assert killed.returncode == 9
    assert (tmp_path / "r.csv").exists()
    resumed = cli(*quick, "-o", "r.csv", "--resume")
    assert (resumed.status, len(resumed.complaints)) == (2, 1)
    assert "has ended" in resumed.err
    again = cli(*quick, "-o", "r.csv")
    assert (again.status, again.complaints) == (0, [])
    assert list((tmp_path / ".local/state/dnscertscan").iterdir()) == []


@pytest.mark.parametrize(("named", "status"), [(False, 0), (True, 3)])
def test_a_journal_whose_disk_is_full(cli, zones_file, tmp_path: Path, named: bool, status: int) -> None:
    """It is told once, the run goes on and its outputs are written; only one that was asked for makes the run incomplete."""
    zones_file({"a.example": [("A", f"n{at}", f"127.9.{at >> 8}.{at & 255}") for at in range(1, 1_201)]}, "z.json")
    args = ["--from-zones-json", "z.json", "--port", closed_port(), "--engine", "probe", "-o", "r.csv"]
    limit = 150_000  # more than any output has, less than the journal needs
    done = cli(
        *args, *(["--journal", "j"] if named else []),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert (done.status, len(done.complaints)) == (status, 1), done.err
    assert "the journal cannot be written any more (" in done.err
    assert "this run cannot be resumed; the scan goes on" in done.err
    assert "1200 targets: 0 scanned, 1200 unreachable" in done.out, done.out
    assert (tmp_path / "r.csv").exists()
    left = [path.name for path in (tmp_path / ".local/state/dnscertscan").glob("*")]
    assert (left, (tmp_path / "j").exists()) == ([], named)
