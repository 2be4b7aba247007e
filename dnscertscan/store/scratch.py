"""Space for what need not outlive the run: a temporary file, and memory when there is no room for that."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dnscertscan.store.database import CLOSED_TO_US, FULL, Database, Row, Values, clear

_KIBIBYTES = 2048
"""Page cache of one scratch database."""
_BATCH = 100
"""Statements that are committed together."""
# What is needed for a rollback is kept in memory, so that a full disk takes back one batch and leaves the rest as it was.
# Nor does anybody read what was deleted: to overwrite it would keep all of a dropped table for the rollback, in memory.
_SETTINGS = (
    "locking_mode = EXCLUSIVE", "journal_mode = MEMORY", "synchronous = OFF", "secure_delete = OFF",
    f"cache_size = -{_KIBIBYTES}",
)
_LARGE = Path("/var/tmp")  # noqa: S108 - the folder, in which files get random names
_FAILS = {*FULL, *CLOSED_TO_US}


class Scratch(Database):
    """An empty database. When its file cannot be written (any more), all of it goes to memory, with no other sign of that."""

    def __init__(self) -> None:
        self._batch: list[tuple[str, Values]] = []
        self.in_memory = False
        try:
            file = _new_file()
        except OSError:
            self.in_memory = True
            super().__init__(Path(":memory:"))
        else:
            try:
                super().__init__(file, settings=_SETTINGS)
                self._connection.execute("BEGIN EXCLUSIVE")  # opens the file
            finally:
                file.unlink(missing_ok=True)
        self.place = None

    def write(self, statement: str, values: Values = ()) -> int:
        """Run one statement; the number of the row it added, if it did."""
        if self.in_memory:
            return super().write(statement, values)
        self._batch.append((statement, values))
        try:
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN")
            number = self._connection.execute(statement, values).lastrowid or 0
            if len(self._batch) >= _BATCH:
                self._connection.execute("COMMIT")
                self._batch.clear()
        except sqlite3.Error as problem:
            number = self._move(problem)
        return number

    def write_all(self, statement: str, values: Iterable[Values]) -> None:
        """Run one statement for each of ``values``."""
        for each in values:
            self.write(statement, each)

    def rows(self, query: str, values: Values = ()) -> list[Row]:
        """The whole answer; to make it may take room, too."""
        if not self.in_memory:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.Error as problem:
                self._move(problem)
        return super().rows(query, values)

    def _move(self, problem: sqlite3.Error) -> int:
        """Go to memory with what was committed, and do again what was not; the number of the last row that was added."""
        if getattr(problem, "sqlite_errorcode", 0) & 0xFF not in _FAILS:
            raise clear(None, problem) from problem
        file = self._connection
        self._connect(":memory:")
        self.in_memory = True
        try:
            if file.in_transaction:
                file.execute("ROLLBACK")
            file.backup(self._connection)
        except sqlite3.Error as worse:
            raise clear(None, worse) from problem
        finally:
            with suppress(sqlite3.Error):
                file.close()
        self.set(("temp_store = MEMORY",))
        numbers = [super(Scratch, self).write(*each) for each in self._batch]
        self._batch.clear()
        return numbers[-1] if numbers else 0


def _new_file() -> Path:
    """An empty file in the folder for temporary ones; not in /tmp, which may be memory, where there is another."""
    folder = tempfile.gettempdir()
    if folder == "/tmp" and _LARGE.is_dir() and os.access(_LARGE, os.W_OK):  # noqa: S108 - compared, not used
        folder = str(_LARGE)
    handle, name = tempfile.mkstemp(prefix="dnscertscan-", dir=folder)
    os.close(handle)
    return Path(name)
