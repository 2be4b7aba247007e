"""A run that is killed, interrupted or out of time goes on with --resume, and its reports are those of the undisturbed run."""

import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers.command import COMMAND, clean_environment
from servers.https import HttpsServers

TARGETS = 80
RATE = 40


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpsServers, Path]]:
    """One server for each target, and the file that says who was visited."""
    visitors = tmp_path_factory.mktemp("fleet") / "visitors"
    visitors.touch()
    with HttpsServers(addresses=TARGETS, visitors=visitors) as servers:
        yield servers, visitors


class Run:
    """The command in a folder of its own."""

    def __init__(self, folder: Path, servers: HttpsServers) -> None:
        folder.mkdir()
        self.folder = folder
        records = [{"type": "A", "name": f"n{at}", "ttl": 1, "target": address} for at, address in enumerate(servers.addresses)]
        (folder / "z.json").write_text(json.dumps({"a.example": records}))
        (folder / "ca.pem").write_bytes(servers.ca_pem)
        self._args = [
            "--from-zones-json", "z.json", "--port", str(servers.port), "--ca-file", "ca.pem", "--rate", str(RATE), "--coverage",
            "c.csv", "-v", *(item for name in ("r.csv", "r.json", "r.jsonl", "r.txt") for item in ("-o", name)),
        ]

    def start(self, *more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*COMMAND, *self._args, *more], cwd=self.folder, env=clean_environment(self.folder), text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )

    def whole(self, *more: str) -> tuple[int, str]:
        """Status and log of a run that is left alone."""
        process = self.start(*more)
        _, log = process.communicate(timeout=60)
        return process.returncode, log

    def cut(self, how: signal.Signals, after: float, *more: str) -> tuple[int, str]:
        """Status and log of a run that gets a signal some seconds after its first target was seen."""
        process = self.start(*more)
        log = process.stderr.readline()
        while " - n" not in log and "observed before" not in log:
            log += process.stderr.readline()
        time.sleep(after)
        process.send_signal(how)
        _, rest = process.communicate(timeout=30)
        if how is signal.SIGKILL:
            _end_session(process.pid)
        return process.returncode, log + rest

    @property
    def journals(self) -> list[Path]:
        return sorted((self.folder / ".local/state/dnscertscan").glob("*"))

    def journaled(self) -> set[str]:
        """Addresses in the journal (a copy is read, so that the file stays as the killed process left it)."""
        copies = [self.folder / path.name for path in self.journals]
        for path, copy in zip(self.journals, copies, strict=True):
            copy.write_bytes(path.read_bytes())
        with sqlite3.connect(next(copy for copy in copies if copy.suffix == ".journal")) as database:
            keys = [row[0] for row in database.execute("SELECT key FROM observation WHERE final")]
        database.close()
        for copy in copies:
            copy.unlink(missing_ok=True)
        return {key[1:].split(b"\0")[0].decode() for key in keys}

    def results(self) -> dict[str, Any]:
        """Every output, without what tells two runs of the same thing apart: when it was, how long it took, the arguments."""
        report = json.loads((self.folder / "r.json").read_text())
        lines = [json.loads(line) for line in (self.folder / "r.jsonl").read_text().splitlines()]
        for name in ("started", "finished", "arguments"):
            del report["run"][name]
        for target in (*report["targets"], *lines):
            del target["at"], target["seconds"]
        with (self.folder / "c.csv").open(newline="") as handle:
            coverage = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(handle)]
        texts = {name: (self.folder / name).read_text() for name in ("r.csv", "r.txt")}
        return {"json": report, "jsonl": lines, "coverage": coverage, **texts}


def _end_session(leader: int) -> None:
    """End what a killed command has left behind, should it not end by itself."""
    for _ in range(50):
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    os.killpg(leader, signal.SIGKILL)


@pytest.fixture(scope="module")
def undisturbed(fleet: tuple[HttpsServers, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    run = Run(tmp_path_factory.mktemp("undisturbed") / "run", fleet[0])
    status, log = run.whole()
    assert status == 1, log
    assert run.journals == []
    return run.results()


@pytest.fixture
def run(fleet: tuple[HttpsServers, Path], tmp_path: Path) -> Run:
    return Run(tmp_path / "run", fleet[0])


def test_killed_three_times(fleet, run: Run, undisturbed) -> None:
    """SIGKILL at three random moments: nobody in the journal is visited again, and all reports are the undisturbed run's."""
    visitors = fleet[1]
    moments = random.Random()  # a new moment each time the test is run
    known: set[str] = set()
    for number in range(4):
        seen = len(visitors.read_text().splitlines())
        more = ["--resume"] if number else []
        after = moments.uniform(0.3, 0.6)
        status, log = run.cut(signal.SIGKILL, after, *more) if number < 3 else run.whole(*more)
        visited = set(visitors.read_text().splitlines()[seen:])
        assert visited & known == set(), (number, after)
        if number < 3:
            assert status == -signal.SIGKILL, log
            known = run.journaled()
            assert known
    assert (status, visited | known) == (1, set(fleet[0].addresses)), log
    assert run.results() == undisturbed
    assert run.journals == []


@pytest.mark.parametrize("how", ["Ctrl-C", "deadline"])
def test_stopped_in_order(run: Run, undisturbed, how: str) -> None:
    """The log says how to go on; resumed, the run has the start of the first part and the undisturbed reports."""
    status, log = run.cut(signal.SIGINT, 0.2) if how == "Ctrl-C" else run.whole("--deadline", "6", "--rate", "10")
    assert status == 3
    assert "continues with --resume" in log
    started = json.loads((run.folder / "r.json").read_text())["run"]["started"]
    before = len(run.journaled())
    assert 0 < before < TARGETS
    status, log = run.whole("--resume")
    assert status == 1
    assert f"{before} of {TARGETS} targets were observed before" in log
    assert json.loads((run.folder / "r.json").read_text())["run"]["started"] == started
    assert run.results() == undisturbed


def test_unfinished_run_and_a_new_one(run: Run, undisturbed) -> None:
    """A new run without --resume says what lies there and keeps it until it ends itself; only one of two can have the journal."""
    run.cut(signal.SIGINT, 0.1)
    with run.start("--rate", "10") as running:
        log = running.stderr.readline()
        while " - n" not in log:
            log += running.stderr.readline()
        names = [path.suffix for path in run.journals if "-" not in path.suffix]
        second = run.whole("--resume")
        third = run.whole()
        running.communicate(timeout=60)
    assert "was not finished" in log
    assert f"of {TARGETS} targets were seen" in log
    assert names == [".journal", ".old"]
    assert (second[0], len(second[1].splitlines())) == (2, 1)
    assert "another run is using this journal" in second[1]
    assert third[0] == running.returncode == 1
    assert "this run cannot be resumed: " in third[1]
    assert run.journals == []
    results = run.results()
    results["json"]["config_digest"] = undisturbed["json"]["config_digest"]  # the pace is a setting, too
    assert results == undisturbed


def test_nothing_to_resume(cli, quick: list[str], tmp_path: Path) -> None:
    """Without a journal, with one that ended, with one of other settings: status 2 and one line with the next step."""
    for more, words in (
        ([], "no run with these settings waits to be continued"),
        (["--journal", "none"], "none: there is no journal to resume; start without --resume"),
        (["--journal", "z.json"], "z.json: this is no journal of dnscertscan"),
    ):
        done = cli(*quick, "--resume", *more)
        assert (done.status, len(done.complaints)) == (2, 1)
        assert words in done.err
    assert cli(*quick, "--journal", "kept").status == 0
    ended = cli(*quick, "--journal", "kept", "--resume")
    assert (ended.status, len(ended.complaints)) == (2, 1)
    assert "has ended; start without --resume" in ended.err
    others = cli(*quick, "--timeout", "3", "--name-filter", "x", "--journal", "kept", "--resume")
    assert (others.status, len(others.complaints)) == (2, 1)
    assert "other settings (names.include, scan.timeout)" in others.err
    assert cli(*quick, "--journal", "kept").status == 0  # what has ended makes room without a word
    assert (tmp_path / "kept").exists()


def test_journals_that_cannot_be(cli, quick: list[str], tmp_path: Path) -> None:
    """A place that was named must work; without one the scan goes on and says once that it cannot be resumed."""
    (tmp_path / "precious.txt").write_text("mine")
    for place in ("precious.txt", "no/folder/j", "."):
        done = cli(*quick, "--journal", place)
        assert (done.status, len(done.complaints)) == (2, 1), done.err
    assert (tmp_path / "precious.txt").read_text() == "mine"
    for home in ("/proc/nowhere", ""):
        done = cli(*quick, env={"HOME": home, "XDG_STATE_HOME": ""})
        assert (done.status, len(done.complaints)) == (0, 1)
        assert "this run cannot be resumed: " in done.err
        assert "3 unreachable" in done.out


def test_damaged_journal_is_moved_aside(cli, quick: list[str], tmp_path: Path) -> None:
    """In our own folder a damaged file is no reason not to scan."""
    state = tmp_path / "state" / "dnscertscan"
    cli(*quick, "--deadline", "0.001", env={"XDG_STATE_HOME": str(tmp_path / "state")})
    (journal,) = state.glob("*.journal")
    journal.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    done = cli(*quick, env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert (done.status, len(done.complaints)) == (0, 1)
    assert "it was moved to" in done.err


def test_output_that_failed_can_be_made_again(cli, quick: list[str], tmp_path: Path) -> None:
    """A report that could not be written is not lost with the run: --resume asks nobody and writes it."""
    done = cli(*quick, "-o", "missing/r.csv")
    assert done.status == 3
    assert "continues with --resume" in done.err
    again = cli(*quick, "-o", "r.csv", "--resume", "-v")
    assert again.status == 0
    assert "3 of 3 targets were observed before" in again.err
    assert (tmp_path / "r.csv").exists()
