"""What the inventory remembers from run to run: which issuances it has met, which were known once, what a person decided."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from dnscertscan.ct.inventory_values import Decision, Item, Kind, State
from dnscertscan.ct.shared_file import make_tables, write_ahead
from dnscertscan.errors import OutputError
from dnscertscan.model.text import visible

FILE = "ct-inventory.sqlite"
UNSEEN = timedelta(days=800)
"""An issuance that no run has met for so long is forgotten: nothing is valid that long."""
_VERSION = 1
_BUSY = 10.0
"""Seconds to wait for another run that is writing."""
_TABLES = """
CREATE TABLE issuances (
    tbs TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, known TEXT NOT NULL, names TEXT NOT NULL, issuer TEXT NOT NULL,
    serial TEXT NOT NULL, not_after TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE decisions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, tbs TEXT NOT NULL, kind TEXT NOT NULL, faults TEXT NOT NULL, reason TEXT NOT NULL,
    until TEXT NOT NULL, made TEXT NOT NULL
);
"""
_NOTE = """
INSERT INTO issuances VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tbs) DO UPDATE SET
    state = excluded.state, last = excluded.last, known = CASE known WHEN '' THEN excluded.known ELSE known END
"""
_KNOWN = (State.KNOWN, State.KNOWN_KEY)
_DAMAGED = "move it away, for it is damaged, "
_STEPS = {
    sqlite3.SQLITE_FULL: "make room on its disk, ", sqlite3.SQLITE_READONLY: "let the user who runs this write to it, ",
    sqlite3.SQLITE_IOERR: "see whether its disk is full or fails, ", sqlite3.SQLITE_BUSY: "try again later, ",
    sqlite3.SQLITE_CORRUPT: _DAMAGED, sqlite3.SQLITE_NOTADB: _DAMAGED, sqlite3.SQLITE_ERROR: _DAMAGED,
}
"""What to do, by primary error code; what is not here says nothing of its own."""


@dataclass(frozen=True, slots=True)
class Met:
    """An issuance of an earlier run, in the state it was in last."""

    state: State
    names: tuple[str, ...]
    not_after: datetime | None


class InventoryStore:
    """A database; one object for one thread, any number of processes. Times are aware.

    Every method raises :class:`~dnscertscan.errors.OutputError` when the file cannot be used.
    """

    def __init__(self, path: Path, now: datetime) -> None:
        """Make folder and tables where they are missing; forget what nobody has met for long."""
        self.path, self._place = path, visible(str(path), 300)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or str(problem)
            said = f"{self._place}: cannot be used for decisions: {why}"
            raise OutputError(f"{said}; name another file with --database") from problem
        with self._guard():
            self._base = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
        try:
            self._prepare(now)
        except OutputError:
            self._base.close()
            raise

    def _prepare(self, now: datetime) -> None:
        with self._guard():
            version = make_tables(self._base, _TABLES, _VERSION)
            if version != _VERSION:
                said = f"{self._place}: is of another version of dnscertscan ({version})"
                raise OutputError(f"{said}; update, or name another file with --database")
            write_ahead(self._base, _BUSY)
            self._base.execute("DELETE FROM issuances WHERE last < ?", ((now - UNSEEN).isoformat(),))

    def close(self) -> None:
        """Close the database."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def remembered(self) -> dict[str, str]:
        """TBS hash -> from where it was known once, one line."""
        with self._guard():
            return dict(self._base.execute("SELECT tbs, known FROM issuances WHERE known <> ''"))

    def first_met(self) -> dict[str, datetime]:
        """TBS hash -> when a run met it first."""
        with self._guard():
            rows = self._base.execute("SELECT tbs, first FROM issuances").fetchall()
        try:
            return {tbs: datetime.fromisoformat(first) for tbs, first in rows}
        except (ValueError, TypeError) as problem:
            raise OutputError(f"{self._place}: is damaged (table of issuances); move it away") from problem

    def forget(self, tbs: str | None) -> int:
        """No longer take this issuance (None: any) for known because an earlier run knew it; how many there were."""
        with self._guard():
            if tbs is None:
                return self._base.execute("UPDATE issuances SET known = '' WHERE known <> ''").rowcount
            return self._base.execute("UPDATE issuances SET known = '' WHERE known <> '' AND tbs = ?", (tbs,)).rowcount

    def note(self, items: Iterable[Item], at: datetime) -> None:
        """Remember what this run has met; what was known once stays known, also when its files are gone. All or nothing."""
        rows = [_row(item, at) for item in items]
        with self._guard():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany(_NOTE, rows)
                self._base.execute("COMMIT")
            except sqlite3.Error:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    def met(self, tbs: str) -> Met | None:
        """What an earlier run has seen of it."""
        with self._guard():
            row = self._base.execute("SELECT state, names, not_after FROM issuances WHERE tbs = ?", (tbs,)).fetchone()
            if row is None:
                return None
            try:
                end = datetime.fromisoformat(row[2]) if row[2] else None
                return Met(State(row[0]), tuple(map(str, json.loads(row[1]))), end)
            except (ValueError, TypeError) as problem:
                raise OutputError(f"{self._place}: is damaged ({tbs}); move it away") from problem

    def decide(self, decision: Decision, at: datetime) -> None:
        """Keep a decision; it takes the place of those before about the same issuance, which stay as history."""
        faults = " ".join(sorted(decision.faults))
        row = (decision.tbs_sha256, decision.kind, faults, decision.reason, decision.until.isoformat(), at.isoformat())
        with self._guard():
            self._base.execute("INSERT INTO decisions (tbs, kind, faults, reason, until, made) VALUES (?, ?, ?, ?, ?, ?)", row)

    def decisions(self) -> tuple[Decision, ...]:
        """The last one about each issuance."""
        last = "SELECT max(number) FROM decisions GROUP BY tbs"
        query = f"SELECT tbs, kind, until, reason, made, faults FROM decisions WHERE number IN ({last}) ORDER BY number"  # noqa: S608 - a constant from the line above
        with self._guard():
            rows = self._base.execute(query).fetchall()
        try:
            return tuple(
                Decision(
                    tbs, Kind(kind), datetime.fromisoformat(until), reason, self._place, datetime.fromisoformat(made),
                    frozenset(map(State, faults.split())),
                ) for tbs, kind, until, reason, made, faults in rows
            )
        except (ValueError, TypeError, AttributeError) as problem:
            raise OutputError(f"{self._place}: is damaged (table of decisions); move it away") from problem

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            said = f"{self._place}: cannot be used for decisions: {visible(str(problem), 200)}"
            code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
            raise OutputError(f"{said}; {_STEPS.get(code, '')}or name another file with --database".strip()) from problem


def _row(item: Item, at: datetime) -> tuple[str, ...]:
    one = item.issuance
    known = f"{item.reason}, on {at:%Y-%m-%d}" if item.state in _KNOWN and not item.remembered else ""
    return (
        one.tbs_sha256, item.state, known, json.dumps(one.names[:100]), visible(one.issuer, 500), one.serial,
        one.not_after.isoformat() if one.not_after else "", at.isoformat(), at.isoformat(),
    )
