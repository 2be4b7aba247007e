"""The journal of a run: what was asked for, and every observation made so far; a run that was killed goes on from it.

A row that has been committed survives the death of the process (not of the machine: nothing waits for the disk). Rows are
committed many at a time; those of the last moment are lost with the process, and their targets simply asked again.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Self

from dnscertscan.errors import OutputError, UsageError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.model.text import visible
from dnscertscan.store import header as head
from dnscertscan.store import observed, octets
from dnscertscan.store.codec import pack, pack_outcome
from dnscertscan.store.database import Database, damaged, remove
from dnscertscan.store.header import Header
from dnscertscan.store.keys import target_key
from dnscertscan.store.observed import Held, Observed
from dnscertscan.store.scratch import Scratch

BATCH = 200
INTERVAL = 0.25
"""Observations, and seconds, after which what was added is committed."""
_TABLES = {"meta": head.TABLE, "octets": octets.TABLE, "observation": observed.TABLE}
_ADD = "INSERT OR REPLACE INTO observation (key, outcome, engine, at, seconds, final) VALUES (?, ?, ?, ?, ?, ?)"
# The lock is ours until the file is closed, so that no second process can write to it, and no shared memory is needed.
_LOCK = ("locking_mode = EXCLUSIVE",)
# Only checkpoints wait for the disk; with 16 MiB between them they are few.
_MODE = ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 4000")


class Journal:
    """One run's observations, on disk or (``place`` is None) in temporary space."""

    def __init__(self, database: Database, header: Header) -> None:
        self.header = header
        self._held = Held(database, octets.Octets(database))
        self._engines: dict[str, bytes] = {}
        self._waiting: list[tuple[Observation | Target, bool]] = []
        self._since = 0.0
        self._made_at = database.place
        self._file = _file_at(database.place)
        self.lost = ""
        """Why the file cannot be written any more, if so: then all goes on in temporary space, and nobody can resume it."""
        self.resumed = len(self)
        """Observations that were there when it was opened."""

    @classmethod
    def create(cls, place: Path | None, header: Header) -> Self:
        """A new journal, where nothing is or an empty file. Raises UsageError or OutputError when it cannot be made."""
        database = Database(place, settings=_LOCK) if place else Scratch()
        with ExitStack() as on_failure:
            on_failure.callback(database.close)
            if place:
                # The marks have to be in the file itself from the start, not in a write-ahead log beside it.
                database.write("BEGIN EXCLUSIVE")
            database.write(f"PRAGMA application_id = {head.APPLICATION}")
            database.write(f"PRAGMA user_version = {head.SCHEMA}")
            for table in _TABLES.values():
                database.write(table)
            head.write_header(database, header)
            if place:
                database.write("COMMIT")
                database.set(_MODE)
            on_failure.pop_all()
        return cls(database, header)

    @classmethod
    def open(cls, place: Path) -> Self:
        """A journal that is there. Raises UsageError when it is missing, foreign, newer, damaged, or in use."""
        if not place.is_file():
            raise UsageError(f"{visible(str(place))}: there is no journal to resume; start without --resume")
        if not head.is_journal(place):
            raise UsageError(f"{visible(str(place))}: this is no journal of dnscertscan; name another file with --journal")
        database = Database(place, settings=_LOCK)
        with ExitStack() as on_failure:
            on_failure.callback(database.close)
            header = head.read_header(database, place)
            found = database.row("PRAGMA quick_check(1)")
            if found != ("ok",):
                raise damaged(place, str(found and found[0]))
            database.set(_MODE)
            database.write("DELETE FROM observation WHERE NOT final")  # which also takes the lock: whoever writes first has it
            on_failure.pop_all()
        return cls(database, header)

    @property
    def place(self) -> Path | None:
        """The file; None when it is temporary."""
        return self._held.database.place

    def __len__(self) -> int:
        return int(self._held.database.rows("SELECT count(*) FROM observation")[0][0])

    def __contains__(self, target: object) -> bool:
        """Whether a target has its observation."""
        if not isinstance(target, Target):
            return False
        return self._held.database.row("SELECT 1 FROM observation WHERE key = ?", (target_key(target),)) is not None

    def add(self, observation: Observation, *, final: bool = True) -> bool:
        """Put down an observation. Whether it waits to be committed, which :meth:`flush` does, or the next that comes late.

        One that is not ``final`` counts for this run, and is forgotten when the run is resumed: its target is asked again.
        """
        return self._do(observation, final=final)

    def forget(self, target: Target) -> bool:
        """Take a target's observation out: it is not known any more. Whether that waits to be committed, too."""
        return self._do(target, final=True)

    def flush(self) -> None:
        """Commit what was added."""
        try:
            if self.place and self._held.database.in_transaction:
                self._held.database.write("COMMIT")
        except OutputError as problem:
            self._move(problem)
        self._waiting.clear()

    def observed(self, targets: Sequence[Target]) -> Observed:
        """The observations of ``targets``, which are sorted."""
        return Observed(self._held, targets)

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
            self._held.database.close()

    def remove(self) -> None:
        """Remove the file of a journal that is closed, unless something else lies there by now."""
        if self._made_at and self._file == _file_at(self._made_at):
            remove(self._made_at)

    def _do(self, what: Observation | Target, *, final: bool) -> bool:
        if not self._waiting:
            self._since = monotonic()
        self._waiting.append((what, final))
        try:
            self._write(what, final=final)
        except OutputError as problem:
            self._move(problem)
        if len(self._waiting) >= BATCH or monotonic() - self._since >= INTERVAL:
            self.flush()
        return bool(self._waiting)

    def _write(self, what: Observation | Target, *, final: bool) -> None:
        """Add an observation, or forget one."""
        held = self._held
        self._begin()
        if isinstance(what, Target):
            held.database.write("DELETE FROM observation WHERE key = ?", (target_key(what),))
            return
        engine = self._engines.get(what.engine)
        if engine is None:
            engine = self._engines[what.engine] = pack(what.engine)
        key, outcome = target_key(what.target), pack_outcome(what.outcome, held.octets)
        held.database.write(_ADD, (key, outcome, engine, what.at.isoformat(), what.seconds, final))

    def _begin(self) -> None:
        if self.place and not self._held.database.in_transaction:
            self._held.database.write("BEGIN")

    def _note(self, header: Header) -> None:
        self.flush()
        self.header = header
        try:
            self._begin()
            head.write_header(self._held.database, header)
        except OutputError as problem:
            self._move(problem)
        self.flush()

    def _move(self, problem: OutputError) -> None:
        """The file cannot be written: go on in temporary space with all that was put down. Raises OutputError.

        SQLite has rolled back what was not committed, which is held here until then.
        """
        full = self._held.database
        if full.place is None:
            raise problem
        if full.in_transaction:
            full.write("ROLLBACK")
        self._held.database = _copied(full)
        self._held.octets = octets.Octets(self._held.database)
        self.lost = str(problem.__cause__ or problem)
        full.close()
        for what, final in self._waiting:
            self._write(what, final=final)
        head.write_header(self._held.database, self.header)


def _copied(full: Database) -> Scratch:
    """What can be read of a file that cannot be written."""
    copy = Scratch()
    for name, definition in _TABLES.items():
        copy.write(definition)
        for row in full.pages(f"SELECT rowid, * FROM {name} WHERE rowid > ? ORDER BY rowid", 0):  # noqa: S608 - a name of ours
            copy.write(f"INSERT INTO {name} VALUES ({', '.join('?' * (len(row) - 1))})", row[1:])  # noqa: S608 - a name of ours
    return copy


def _file_at(place: Path | None) -> tuple[int, int] | None:
    """Which file (device and inode) lies at a place; None when there is none."""
    try:
        found = place.stat(follow_symlinks=False) if place else None
    except OSError:
        found = None
    return found and (found.st_dev, found.st_ino)
