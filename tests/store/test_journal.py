"""The journal: what is put down comes back, a killed process loses only its last batch, and bad files are one clear line."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store import values
from store.values import NOW

from dnscertscan.errors import UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation
from dnscertscan.store.database import Database, InUseError
from dnscertscan.store.header import Header
from dnscertscan.store.journal import BATCH, Journal

HEADER = Header("{}", NOW, "1.0")


def observed(number: int, *chain: bytes) -> Observation:
    """The observation of one of many targets; a failure without a chain."""
    target = Target(Endpoint(f"192.0.2.{number % 250}", 443), DnsName(f"n{number:06}.example"))
    outcome = Handshake((Deployment(tuple(map(Certificate, chain)), ("x",)),), "TLS 1.3", "c") if chain else None
    return Observation(target, outcome or Failure(FailureKind.REFUSED, "x"), "test", NOW, 0.5)


def written(place: Path, count: int = 3) -> list[Observation]:
    """A journal with some observations, closed."""
    journal = Journal.create(place, HEADER)
    made = [observed(number, b"leaf %d" % number, b"issuer") for number in range(count)]
    for one in made:
        journal.add(one)
    journal.planned(10)
    journal.close()
    return made


@given(st.lists(values.observations, max_size=6, unique_by=lambda one: one.target))
def test_observations_come_back(observations: list[Observation]) -> None:
    """In the order of their targets, whatever came first; those of other targets are left out."""
    journal = Journal.create(None, HEADER)
    for one in observations:
        journal.add(one)
    expected = sorted(observations, key=lambda one: one.target)
    seen = journal.observed([one.target for one in expected])
    assert list(seen) == list(seen) == expected
    assert (len(seen), len(journal)) == (len(expected), len(expected))
    assert list(journal.observed([one.target for one in expected[1:]])) == expected[1:]
    assert list(journal.observed([])) == []
    chains = (one.outcome.deployments for one in observations if isinstance(one.outcome, Handshake))
    shown = {held for deployments in chains for one in deployments for held in one.chain}
    assert list(seen.certificates()) == sorted(shown, key=lambda held: held.sha256)
    journal.close()


def test_targets_in_disorder_are_refused() -> None:
    """They are read beside the journal's rows; one out of order would be lost without a word."""
    journal = Journal.create(None, HEADER)
    made = [observed(number) for number in range(3)]
    for one in made:
        journal.add(one)
    with pytest.raises(ValueError, match="not sorted"):
        list(journal.observed([one.target for one in reversed(made)]))
    journal.close()


def test_a_closed_journal_is_opened_again(tmp_path: Path) -> None:
    """Header and observations are there; a target is known or not; nothing lies beside the file."""
    place = tmp_path / "j"
    made = written(place)
    assert [path.name for path in tmp_path.iterdir()] == ["j"]
    journal = Journal.open(place)
    assert (journal.header, journal.resumed) == (Header("{}", NOW, "1.0", targets=10), 3)
    assert list(journal.observed([one.target for one in made])) == made
    assert made[0].target in journal
    assert observed(77).target not in journal
    journal.end()
    journal.close()
    again = Journal.open(place)
    assert again.header.ended
    again.close()


def test_what_is_not_final_is_asked_again(tmp_path: Path) -> None:
    """It counts for the run that made it, and is forgotten by the run that goes on."""
    journal = Journal.create(tmp_path / "j", HEADER)
    journal.add(observed(1))
    journal.add(observed(2), final=False)
    assert len(journal) == 2
    journal.close()
    again = Journal.open(tmp_path / "j")
    assert (len(again), observed(2).target in again) == (1, False)
    again.close()


_WRITER = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from store.test_journal import HEADER, observed
from dnscertscan.store.journal import Journal
journal = Journal.create(Path({place!r}), HEADER)
for number in range({count}):
    journal.add(observed(number, b"leaf %d" % number))
print("written", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_loses_its_last_batch_at_most(tmp_path: Path) -> None:
    """SIGKILL in the middle of everything: every full batch is there, and the file is in order."""
    place, count = tmp_path / "j", 3 * BATCH + BATCH // 2
    tests = str(Path(__file__).parents[1])
    code = _WRITER.format(tests=tests, place=str(place), count=count)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        with pytest.raises(InUseError, match="another run is using this journal"):
            Journal.open(place)
        os.kill(process.pid, signal.SIGKILL)
    journal = Journal.open(place)
    assert 3 * BATCH <= len(journal) <= count
    assert len(list(journal.observed(sorted(observed(number).target for number in range(250))))) == 250
    journal.close()


def test_two_writers(tmp_path: Path) -> None:
    """Of two journals on one file the second is refused, also within one process, and also when it would make a new one."""
    first = Journal.create(tmp_path / "j", HEADER)
    for make in (Journal.open, lambda place: Journal.create(place, HEADER)):
        with pytest.raises(InUseError, match="wait for its end"):
            make(tmp_path / "j")
    first.add(observed(1))
    first.close()


def test_a_journal_that_is_just_being_made(tmp_path: Path) -> None:
    """Its file is still empty: whoever else makes one there is refused, and the first one's is not touched."""
    making = Database(tmp_path / "j", settings=("locking_mode = EXCLUSIVE",))
    making.write("BEGIN EXCLUSIVE")
    before = (tmp_path / "j").stat()
    assert before.st_size == 0
    with pytest.raises(InUseError):
        Journal.create(tmp_path / "j", HEADER)
    assert (tmp_path / "j").stat().st_ino == before.st_ino
    making.write("CREATE TABLE t (x)")
    making.write("COMMIT")
    making.close()


def test_an_empty_file_is_room_for_a_journal(tmp_path: Path) -> None:
    """Also when something is left beside it."""
    (tmp_path / "j").touch()
    (tmp_path / "j-wal").write_bytes(b"x" * 5000)
    written(tmp_path / "j")
    journal = Journal.open(tmp_path / "j")
    assert journal.resumed == 3
    journal.close()


def test_only_our_own_file_is_removed(tmp_path: Path) -> None:
    """Another one that lies at its place by now stays."""
    for moved in (False, True):
        journal = Journal.create(tmp_path / "j", HEADER)
        journal.close()
        if moved:
            (tmp_path / "j").rename(tmp_path / "mine")
            (tmp_path / "j").write_text("another's")
        journal.remove()
        assert [path.name for path in sorted(tmp_path.iterdir())] == (["j", "mine"] if moved else [])


def test_foreign_files(tmp_path: Path) -> None:
    """A file that is no journal is named, and left as it is."""
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE t (x)")
    database.close()
    for name, content in (("t.csv", b"a,b\n"), ("empty", b""), ("s", b"SQLite format 3\0" + b"\0" * 20), ("other.db", None)):
        place = tmp_path / name
        if content is not None:
            place.write_bytes(content)
        before = place.read_bytes()
        with pytest.raises(UsageError, match=rf"{name}: this is no journal of dnscertscan"):
            Journal.open(place)
        assert place.read_bytes() == before
    with pytest.raises(UsageError, match="there is no journal"):
        Journal.open(tmp_path / "none")


def test_newer_files(tmp_path: Path) -> None:
    """A journal of a later version is left to it."""
    written(tmp_path / "j")
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UsageError, match=r"newer dnscertscan \(format 99, this one reads 1\)"):
        Journal.open(tmp_path / "j")


@pytest.mark.parametrize("at", [0.02, 0.3, 0.6, 0.9])
def test_damaged_files(tmp_path: Path, at: float) -> None:
    """Pages overwritten anywhere: found when the journal is opened, or when it is read; always one clear line."""
    place = tmp_path / "j"
    made = written(place, 2000)
    data = bytearray(place.read_bytes())
    start = max(200, int(len(data) * at))
    data[start : start + 9000] = os.urandom(9000)
    place.write_bytes(data)
    with pytest.raises(UsageError, match=r"(damaged|no journal)"):
        journal = Journal.open(place)
        try:
            list(journal.observed([one.target for one in made]))
        finally:
            journal.close()


def test_truncated_file(tmp_path: Path) -> None:
    """A copy that broke off is damaged."""
    place = tmp_path / "j"
    written(place, 2000)
    place.write_bytes(place.read_bytes()[:50_000])
    with pytest.raises(UsageError, match="damaged"):
        Journal.open(place)


@pytest.mark.parametrize(
    ("change", "values_"),
    [
        ("UPDATE octets SET data = ? WHERE id = 1", (b"forged",)), ("DELETE FROM octets WHERE id = 1", ()),
        ("UPDATE observation SET outcome = ?", (b"[null]",)), ("UPDATE observation SET outcome = ?", (b"\x80\x04cos\nsystem\n",)),
        ("UPDATE observation SET at = 'soon'", ()), ("UPDATE observation SET seconds = 'x'", ()),
        ("UPDATE meta SET value = ? WHERE name = 'started'", (b"1",)), ("DELETE FROM meta", ()), ("DROP TABLE meta", ()),
        ("DROP TABLE observation", ()),
    ],
)
def test_tampered_content(tmp_path: Path, change: str, values_: tuple) -> None:
    """What is not as we wrote it is never believed, and never run."""
    made = written(tmp_path / "j")
    with sqlite3.connect(tmp_path / "j") as database:
        database.execute(change, values_)
    database.close()
    with pytest.raises(UsageError, match="this journal is damaged"):
        journal = Journal.open(tmp_path / "j")
        try:
            list(journal.observed([one.target for one in made]))
        finally:
            journal.close()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    """A missing folder and a folder in the way are one line with the next step."""
    for place in (tmp_path / "none" / "j", tmp_path):
        with pytest.raises(UsageError, match=r"cannot be opened for writing: .*; name another place with --journal"):
            Journal.create(place, HEADER)
