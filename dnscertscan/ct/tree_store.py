"""What was ever learnt of logs' trees: every tree head seen, which were proven consistent, which entries were proven included."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

from dnscertscan.ct.shared_file import make_tables, write_ahead
from dnscertscan.errors import OutputError
from dnscertscan.pki.tree_heads import TreeHead

FILE, EVIDENCE = "tree-heads.sqlite", "evidence"
LONGEST = timedelta(days=800)
"""An inclusion proven longer ago is forgotten: no certificate of that time is valid any more."""
MAX_NUMBER = (1 << 63) - 1
_VERSION = 1
_BUSY = 10.0
"""Seconds to wait for another run that is writing."""
_TABLES = """
CREATE TABLE heads (
    log_id BLOB NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, timestamp INTEGER NOT NULL, signature BLOB NOT NULL,
    origin TEXT NOT NULL, raw BLOB NOT NULL, source TEXT NOT NULL, seen TEXT NOT NULL, problem TEXT NOT NULL,
    PRIMARY KEY (log_id, timestamp, size, root, problem)
);
CREATE TABLE links (
    log_id BLOB NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, later INTEGER NOT NULL, later_root BLOB NOT NULL,
    seen TEXT NOT NULL, PRIMARY KEY (log_id, size, root, later, later_root)
) WITHOUT ROWID;
CREATE TABLE included (
    log_id BLOB NOT NULL, leaf BLOB NOT NULL, position INTEGER NOT NULL, size INTEGER NOT NULL, timestamp INTEGER NOT NULL,
    seen TEXT NOT NULL, PRIMARY KEY (log_id, leaf)
) WITHOUT ROWID;
"""
_HEADS = (
    "SELECT size, root, timestamp, signature, origin, raw FROM heads WHERE log_id = ? AND problem = ''"
    " ORDER BY timestamp, size, root"
)


@dataclass(frozen=True, slots=True)
class Proven:
    """An inclusion proven before: where the entry is, and by which tree head (``timestamp`` in ms)."""

    index: int
    size: int
    timestamp: int


class TreeStore:
    """A database in ``folder``; one object for one thread, any number of processes. Evidence lies in :attr:`evidence`.

    Every method raises :class:`~dnscertscan.errors.OutputError` when the file cannot be used. Times are aware.
    """

    def __init__(self, folder: Path, now: datetime) -> None:
        """Make folder and tables where they are missing; forget inclusions of very old proofs."""
        self.path, self.evidence = folder / FILE, folder / EVIDENCE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise OutputError(f"{folder}: cannot be used to keep tree heads of CT logs: {problem.strerror}") from problem
        with self._guard():
            self._base = sqlite3.connect(self.path, timeout=_BUSY, isolation_level=None)
        try:
            self._prepare(now)
        except OutputError:
            self._base.close()
            raise

    def _prepare(self, now: datetime) -> None:
        with self._guard():
            version = make_tables(self._base, _TABLES, _VERSION)
            if version != _VERSION:
                raise OutputError(f"{self.path}: is of another version of dnscertscan ({version}); update, or move it away")
            write_ahead(self._base, _BUSY)
            self._base.execute("PRAGMA synchronous = NORMAL")
            self._base.execute("DELETE FROM included WHERE seen < ?", ((now - LONGEST).isoformat(),))

    def close(self) -> None:
        """Close the database."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, log_id: bytes, head: TreeHead, source: str, seen: datetime, problem: str = "") -> None:
        """Keep a tree head seen at the URL ``source``; ``problem`` is why its signature is not good. Known ones stay."""
        values = (head.size, head.root, head.timestamp, head.signature, head.origin, head.raw)
        with self._guard():
            row = (log_id, *values, source, seen.isoformat(), problem)
            self._base.execute("INSERT OR IGNORE INTO heads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def heads(self, log_id: bytes) -> tuple[TreeHead, ...]:
        """The tree heads with a good signature, by time."""
        with self._guard():
            return tuple(self._signed(log_id))

    def _signed(self, log_id: bytes) -> Iterator[TreeHead]:
        for row in self._base.execute(_HEADS, (log_id,)):
            yield TreeHead(*row)

    def conflict(self, log_id: bytes) -> tuple[TreeHead, TreeHead] | None:
        """Two signed tree heads that no honest log has, by time: of one size with two roots, or the later one smaller."""
        with self._guard():
            # By time, sizes only grow; then heads of one size are neighbours, too.
            for one, two in pairwise(self._signed(log_id)):
                if two.size < one.size or (two.size == one.size and two.root != one.root):
                    return one, two
        return None

    def unproved(self, log_id: bytes) -> tuple[tuple[TreeHead, TreeHead], ...]:
        """Neighbours by size among the signed tree heads whose consistency is not proven yet, the largest first."""
        with self._guard():
            by_size = {head.size: head for head in self._signed(log_id) if head.size}
            proven = {
                ((size, root), (later, later_root)) for size, root, later, later_root in
                self._base.execute("SELECT size, root, later, later_root FROM links WHERE log_id = ?", (log_id,))
            }
        pairs = pairwise(by_size[size] for size in sorted(by_size))
        return tuple((one, two) for one, two in pairs if ((one.size, one.root), (two.size, two.root)) not in proven)[::-1]

    def link(self, log_id: bytes, one: TreeHead, two: TreeHead, seen: datetime) -> None:
        """Their consistency is proven."""
        with self._guard():
            row = (log_id, one.size, one.root, two.size, two.root, seen.isoformat())
            self._base.execute("INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?, ?, ?)", row)

    def included(self, log_id: bytes, leaf: bytes) -> Proven | None:
        """The earlier proof for this leaf hash."""
        with self._guard():
            query = "SELECT position, size, timestamp FROM included WHERE log_id = ? AND leaf = ?"
            row = self._base.execute(query, (log_id, leaf)).fetchone()
        return Proven(*row) if row else None

    def include(self, log_id: bytes, leaf: bytes, proven: Proven, seen: datetime) -> None:
        """Keep that this leaf hash was proven to be in the log."""
        with self._guard():
            row = (log_id, leaf, proven.index, proven.size, proven.timestamp, seen.isoformat())
            self._base.execute("INSERT OR REPLACE INTO included VALUES (?, ?, ?, ?, ?, ?)", row)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            said = f"{self.path}: cannot be used to keep tree heads of CT logs: {problem}"
            raise OutputError(f"{said}; move it away if it is damaged") from problem
