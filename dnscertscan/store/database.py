"""SQLite as the store uses it: one owner, whole errors, results in pages so that no reading holds up a checkpoint."""

import sqlite3
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dnscertscan.errors import DnsCertScanError, OutputError, UsageError
from dnscertscan.model.text import visible

Row = tuple[Any, ...]
Values = Sequence[str | bytes | int | float | None]
PAGE = 500
"""Rows read at a time."""
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM)
CLOSED_TO_US = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)


class InUseError(UsageError):
    """Another run has the journal."""


class Database:
    """One connection, used by one thread at a time. Every error is one line with the place and the next step.

    Raises :class:`UsageError` for a file that cannot be used, :class:`OutputError` for one that cannot be written any further.
    """

    def __init__(self, place: Path | None, *, settings: Iterable[str] = ()) -> None:
        """Open (or make) the file; None is an unnamed one, which goes when it is closed, collected or the process dies."""
        self.place = place
        self._connect(str(place or ""))
        self.set(settings)

    def _connect(self, name: str) -> None:
        try:
            # Another thread only ever closes it, when it collects garbage.
            self._connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=1.0)
        except (sqlite3.Error, ValueError) as problem:
            raise clear(self.place, problem) from problem
        self._closing = weakref.finalize(self, self._connection.close)

    def set(self, settings: Iterable[str]) -> None:
        """Set each of SQLite's ``name = value``."""
        for setting in settings:
            Database.write(self, f"PRAGMA {setting}")  # outside of any transaction

    @property
    def in_transaction(self) -> bool:
        """Whether something is waiting to be committed."""
        return self._connection.in_transaction

    def write(self, statement: str, values: Values = ()) -> int:
        """Run one statement; the number of the row it added, if it did."""
        try:
            return self._connection.execute(statement, values).lastrowid or 0
        except sqlite3.Error as problem:
            raise clear(self.place, problem) from problem

    def write_all(self, statement: str, values: Iterable[Values]) -> None:
        """Run one statement for each of ``values``."""
        try:
            self._connection.executemany(statement, values)
        except sqlite3.Error as problem:
            raise clear(self.place, problem) from problem

    def rows(self, query: str, values: Values = ()) -> list[Row]:
        """The whole answer."""
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as problem:
            raise clear(self.place, problem) from problem

    def row(self, query: str, values: Values = ()) -> Row | None:
        """The first row of the answer, if there is one."""
        return next(iter(self.rows(query, values)), None)

    def pages(self, query: str, start: bytes | int) -> Iterator[Row]:
        """A long answer, read piecemeal: ``query`` gives rows by their first column, from beyond its first value on, in order."""
        limited = f"{query} LIMIT {PAGE}"
        while page := self.rows(limited, (start,)):
            yield from page
            start = page[-1][0]

    def close(self) -> None:
        """Let go of the file; scratch space is gone."""
        try:
            self._closing()
        except sqlite3.Error as problem:
            raise clear(self.place, problem) from problem


def clear(place: Path | None, problem: sqlite3.Error | ValueError) -> DnsCertScanError:
    """What to tell the user about an error of SQLite's."""
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    if place is None:
        step = "free some space, or name another folder in TMPDIR"
        return OutputError(f"the temporary file of this run cannot be used: {problem}; {step}")
    shown = visible(str(place))
    if code in _BUSY:
        return in_use(place)
    if code in FULL:
        return OutputError(f"{shown}: the journal cannot be written: {problem}; free some space and continue with --resume")
    if code in CLOSED_TO_US:
        return UsageError(f"{shown}: the journal cannot be opened for writing: {problem}; name another place with --journal")
    if code == sqlite3.SQLITE_NOTADB:
        return UsageError(f"{shown}: this is no journal of dnscertscan; name another file with --journal")
    return damaged(place, str(problem))


def in_use(place: Path) -> InUseError:
    """The line for a journal that another run has."""
    return InUseError(
        f"{visible(str(place))}: another run is using this journal; wait for its end, or name another with --journal"
    )


def damaged(place: Path | None, what: str) -> UsageError:
    """The line for a journal whose content cannot be used."""
    shown = "the journal" if place is None else visible(str(place))
    return UsageError(f"{shown}: this journal is damaged ({visible(what, 200)}); remove it and start without --resume")


def remove(place: Path) -> None:
    """Remove a database that nobody has open, and what lies beside it. Raises OutputError."""
    try:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{place}{ending}").unlink(missing_ok=True)
    except OSError as problem:
        raise OutputError(f"cannot remove {visible(str(place))}: {problem.strerror}; remove it by hand") from problem
