"""SQLite files that any number of runs may open, and make, at the same moment."""

import sqlite3
import time

_PAUSE = 0.02


def make_tables(base: sqlite3.Connection, tables: str, version: int) -> int:
    """Make the tables of a new file; the version (``PRAGMA user_version``) that the file then has.

    ``tables``: SQL statements, each ended by ``;``. Two runs that meet a new file both see that it is new: only who has the
    lock for writing may decide. Raises :class:`sqlite3.Error`.
    """
    if found := _version(base):
        return found
    base.execute("BEGIN IMMEDIATE")
    try:
        if not _version(base):
            for statement in tables.split(";"):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {version}")
        base.execute("COMMIT")
    finally:
        if base.in_transaction:
            base.execute("ROLLBACK")
    return _version(base)


def write_ahead(base: sqlite3.Connection, seconds: float) -> None:
    """Switch to a write-ahead log, within so many seconds: for this one lock SQLite does not wait by itself.

    Raises :class:`sqlite3.Error`.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            base.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _version(base: sqlite3.Connection) -> int:
    found: int = base.execute("PRAGMA user_version").fetchone()[0]
    return found
