"""The journal of a run: what was asked for, and every observation made so far; a run that was killed goes on from it.

A row that has been committed survives the death of the process (not of the machine: nothing waits for the disk). Rows are
committed many at a time; those of the last moment are lost with the process, and their targets simply asked again.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Self

from dnscertscan.errors import UsageError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.model.text import visible
from dnscertscan.store import header as head
from dnscertscan.store import octets
from dnscertscan.store.codec import pack, pack_outcome
from dnscertscan.store.database import Database, damaged, remove
from dnscertscan.store.header import Header
from dnscertscan.store.keys import target_key
from dnscertscan.store.observed import Observed

BATCH = 200
INTERVAL = 0.25
"""Observations, and seconds, after which what was added is committed."""
_OBSERVATION = (
    "CREATE TABLE observation (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, outcome BLOB NOT NULL, engine BLOB NOT NULL, "
    "at TEXT NOT NULL, seconds REAL NOT NULL, final INTEGER NOT NULL)"
)
_ADD = "INSERT OR REPLACE INTO observation (key, outcome, engine, at, seconds, final) VALUES (?, ?, ?, ?, ?, ?)"
# The lock is ours until the file is closed, so that no second process can write to it, and no shared memory is needed.
_LOCK = ("locking_mode = EXCLUSIVE",)
# Only checkpoints wait for the disk; with 16 MiB between them they are few.
_MODE = ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 4000")


class Journal:
    """One run's observations, on disk or (``place`` is None) in temporary space."""

    def __init__(self, database: Database, header: Header) -> None:
        self.header = header
        self._database = database
        self._octets = octets.Octets(database)
        self._engines: dict[str, bytes] = {}
        self._uncommitted = 0
        self._since = 0.0
        self._file = _file_at(database.place)
        self.resumed = len(self)
        """Observations that were there when it was opened."""

    @classmethod
    def create(cls, place: Path | None, header: Header) -> Self:
        """A new journal, where nothing is or an empty file. Raises UsageError or OutputError when it cannot be made."""
        database = Database(place, settings=_LOCK) if place else Database.scratch()
        try:
            if place:
                # The marks have to be in the file itself from the start, not in a write-ahead log beside it.
                database.write("BEGIN EXCLUSIVE")
            database.write(f"PRAGMA application_id = {head.APPLICATION}")
            database.write(f"PRAGMA user_version = {head.SCHEMA}")
            for table in (head.TABLE, octets.TABLE, _OBSERVATION):
                database.write(table)
            head.write_header(database, header)
            if place:
                database.write("COMMIT")
                database.set(_MODE)
            return cls(database, header)
        except BaseException:
            database.close()
            raise

    @classmethod
    def open(cls, place: Path) -> Self:
        """A journal that is there. Raises UsageError when it is missing, foreign, newer, damaged, or in use."""
        if not place.is_file():
            raise UsageError(f"{visible(str(place))}: there is no journal to resume; start without --resume")
        if not head.is_journal(place):
            raise UsageError(f"{visible(str(place))}: this is no journal of dnscertscan; name another file with --journal")
        database = Database(place, settings=_LOCK)
        try:
            header = head.read_header(database, place)
            found = database.row("PRAGMA quick_check(1)")
            if found != ("ok",):
                raise damaged(place, str(found and found[0]))
            database.set(_MODE)
            database.write("DELETE FROM observation WHERE NOT final")  # which also takes the lock: whoever writes first has it
            return cls(database, header)
        except BaseException:
            database.close()
            raise

    @property
    def place(self) -> Path | None:
        """The file; None when it is temporary."""
        return self._database.place

    def __len__(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM observation")[0][0])

    def __contains__(self, target: object) -> bool:
        """Whether a target has its observation."""
        if not isinstance(target, Target):
            return False
        return self._database.row("SELECT 1 FROM observation WHERE key = ?", (target_key(target),)) is not None

    def add(self, observation: Observation, *, final: bool = True) -> bool:
        """Put down an observation. Whether it waits to be committed, which :meth:`flush` does, or the next that comes late.

        One that is not ``final`` counts for this run, and is forgotten when the run is resumed: its target is asked again.
        """
        if not self._uncommitted:
            self._since = monotonic()
            if self.place:
                self._database.write("BEGIN")
        self._uncommitted += 1
        engine = self._engines.get(observation.engine)
        if engine is None:
            engine = self._engines[observation.engine] = pack(observation.engine)
        key, outcome = target_key(observation.target), pack_outcome(observation.outcome, self._octets)
        at = observation.at.isoformat()
        self._database.write(_ADD, (key, outcome, engine, at, observation.seconds, final))
        if self._uncommitted >= BATCH or monotonic() - self._since >= INTERVAL:
            self.flush()
        return self._uncommitted > 0

    def forget(self, target: Target) -> None:
        """Take a target's observation out, with the next :meth:`flush`: it is not known any more."""
        if self.place and not self._uncommitted:
            self._database.write("BEGIN")
        self._uncommitted += 1
        self._database.write("DELETE FROM observation WHERE key = ?", (target_key(target),))

    def flush(self) -> None:
        """Commit what was added."""
        self._uncommitted = 0
        if self.place and self._database.in_transaction:
            self._database.write("COMMIT")

    def observed(self, targets: Sequence[Target]) -> Observed:
        """The observations of ``targets``, which are sorted."""
        return Observed(self._database, self._octets, targets)

    def planned(self, targets: int) -> None:
        """Note how many targets the run has."""
        self._note(replace(self.header, targets=targets))

    def end(self) -> None:
        """Note that there is nothing left to continue."""
        self._note(replace(self.header, ended=True))

    def close(self) -> None:
        """Commit and let go of the file."""
        try:
            self.flush()
        finally:
            self._database.close()

    def remove(self) -> None:
        """Remove the file of a journal that is closed, unless something else lies there by now."""
        if self.place and self._file == _file_at(self.place):
            remove(self.place)

    def _note(self, header: Header) -> None:
        self.flush()
        self.header = header
        if self.place:
            self._database.write("BEGIN")
        head.write_header(self._database, header)
        self.flush()


def _file_at(place: Path | None) -> tuple[int, int] | None:
    """Which file (device and inode) lies at a place; None when there is none."""
    try:
        found = place.stat(follow_symlinks=False) if place else None
    except OSError:
        found = None
    return found and (found.st_dev, found.st_ino)
