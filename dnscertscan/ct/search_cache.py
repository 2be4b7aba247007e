"""What search services answered, kept from run to run in one SQLite file: bounded, private, never the reason of a failure."""

import json
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from dnscertscan.ct.aside import aside
from dnscertscan.ct.search_values import Note, Row
from dnscertscan.ct.shared_file import make_tables
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible

T = TypeVar("T")
MAX_BYTES = 256 << 20
UNUSED = timedelta(days=90)
"""What nobody asked for in that time goes."""
_VERSION, _PAGE, _FULL = 2, 4096, 13
_MAX_ROWS_TEXT = 128 << 20
_SCHEMA = """
CREATE TABLE answers (source TEXT, domain TEXT, as_of TEXT, complete INTEGER, truncated INTEGER, cursor TEXT, reason TEXT,
  problems TEXT, used TEXT, rows BLOB, PRIMARY KEY (source, domain));
CREATE TABLE tries (source TEXT, domain TEXT, at TEXT, PRIMARY KEY (source, domain));
CREATE TABLE certificates (source TEXT, id TEXT, used TEXT, der BLOB, PRIMARY KEY (source, id));
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept; ``cursor`` is where its source goes on. Fields are those of a SearchResult.

    ``ends``: until when each of the problems counts. ``began``: when the list was last read from its beginning.
    """

    as_of: datetime
    complete: bool = False
    truncated: bool = False
    cursor: str = ""
    reason: str = ""
    rows: tuple[Row, ...] = ()
    problems: tuple[str, ...] = ()
    ends: tuple[datetime, ...] = ()
    began: datetime | None = None


class Cache:
    """Answers by source and domain, certificates by source and id.

    ``note`` gets one line when the file cannot be used; everything is then as if it were empty. SQLite works in threads of its
    own, one at a time.
    """

    def __init__(
        self, path: Path, clock: Callable[[], datetime], note: Note, max_bytes: int = MAX_BYTES,
    ) -> None:
        self._path, self._clock, self._note, self._max_bytes = path, clock, note, max_bytes
        self._lock = threading.Lock()
        self._base: sqlite3.Connection | None = None
        self._given_up = False

    async def load(self, source: str, domain: DnsName) -> Kept | None:
        """The answer that is kept, with the certificates of its rows."""
        return await self._do(lambda base: self._load(base, source, domain.text))

    async def store(self, source: str, domain: DnsName, kept: Kept) -> None:
        """Keep an answer in place of the one before."""
        await self._do(lambda base: self._store(base, source, domain.text, kept))

    async def tried(self, source: str, domain: DnsName) -> None:
        """Remember that the source is asked for the domain now, whatever comes of it."""
        values = (source, domain.text, self._clock().isoformat())
        await self._do(lambda base: base.execute("INSERT OR REPLACE INTO tries VALUES (?, ?, ?)", values))

    async def tries(self, source: str) -> dict[str, str]:
        """When it was last asked for each domain (ISO 8601, UTC as the clock is)."""
        query = "SELECT domain, at FROM tries WHERE source = ?"
        return await self._do(lambda base: dict(base.execute(query, (source,)).fetchall())) or {}

    async def certificates(self, source: str, keys: Iterable[str]) -> dict[str, bytes]:
        """Those of the certificates that are there, by the id their source has for them."""
        wanted = tuple(keys)
        return await self._do(lambda base: dict(_certificates(base, source, wanted))) or {}

    async def keep_certificate(self, source: str, key: str, der: bytes) -> None:
        """A certificate never changes, so that it is fetched once."""
        await self._do(lambda base: self._keep(base, source, [(key, der)]))

    async def aclose(self) -> None:
        """Close the file."""
        await aside(self._close)

    def _close(self) -> None:
        with self._lock:
            base, self._base, self._given_up = self._base, None, True
            if base is not None:
                base.close()

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        problems: list[str] = []
        found = await aside(lambda: self._locked(work, problems))
        for problem in problems:
            self._note(problem)
        return found

    def _locked(self, work: Callable[[sqlite3.Connection], T], problems: list[str]) -> T | None:
        """In a thread: nothing that SQLite or the disk does comes out of here but words."""
        with self._lock:
            if self._given_up:
                return None
            try:
                return self._twice(work)
            except (sqlite3.Error, OSError, OverflowError) as problem:
                self._given_up = True
                words = visible(str(getattr(problem, "strerror", None) or problem), 200)
                place = visible(str(self._path))
                problems.append(f"{place}: answers of search services are not kept: {words}; delete the file if it stays so")
                return None

    def _twice(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A file that is none of ours or damaged is made anew, one that is full is thinned out; once."""
        try:
            return self._within(work)
        except sqlite3.DatabaseError as problem:
            code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
            if code == _FULL and self._base is not None:
                with self._base as base:
                    _thin(base)
            elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or isinstance(problem, _OtherVersionError):
                if self._base is not None:
                    self._base.close()
                    self._base = None
                self._path.unlink(missing_ok=True)
            else:
                raise
            return self._within(work)

    def _within(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._base is None:
            self._base = self._open()
        with self._base as base:  # one transaction
            return work(base)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        base = sqlite3.connect(self._path, timeout=2, check_same_thread=False)
        try:
            base.execute(f"PRAGMA max_page_count = {max(self._max_bytes // _PAGE, 32)}")
            if make_tables(base, _SCHEMA, _VERSION) != _VERSION:
                raise _OtherVersionError
            oldest = (self._clock() - UNUSED).isoformat()
            with base:
                base.execute("DELETE FROM answers WHERE used < ?", (oldest,))
                base.execute("DELETE FROM certificates WHERE used < ?", (oldest,))
                base.execute("DELETE FROM tries WHERE at < ?", (oldest,))
        except sqlite3.Error:
            base.close()
            raise
        return base

    def _load(self, base: sqlite3.Connection, source: str, domain: str) -> Kept | None:
        query = "SELECT as_of, complete, truncated, cursor, reason, rows, problems FROM answers WHERE source = ? AND domain = ?"
        found = base.execute(query, (source, domain)).fetchone()
        if found is None:
            return None
        try:
            kept = Kept(
                datetime.fromisoformat(found[0]), bool(found[1]), bool(found[2]), str(found[3]), str(found[4]),
                _unpacked(found[5]), *_told(found[6]),
            )
        except (ValueError, TypeError, IndexError, zlib.error, RecursionError):
            return None  # not ours, or cut off: it is asked again
        now = self._clock()
        if kept.as_of > now:
            return None
        base.execute("UPDATE answers SET used = ? WHERE source = ? AND domain = ?", (now.isoformat(), source, domain))
        ders = dict(_certificates(base, source, [row.key for row in kept.rows]))
        rows = tuple(replace(row, issuance=replace(row.issuance, der=ders.get(row.key))) for row in kept.rows)
        return replace(kept, rows=rows)

    def _store(self, base: sqlite3.Connection, source: str, domain: str, kept: Kept) -> None:
        base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (
            source, domain, kept.as_of.isoformat(), kept.complete, kept.truncated, kept.cursor, kept.reason,
            _telling(kept), self._clock().isoformat(), _packed(kept.rows),
        ))
        self._keep(base, source, [(row.key, row.issuance.der) for row in kept.rows if row.issuance.der is not None])

    def _keep(self, base: sqlite3.Connection, source: str, ders: Iterable[tuple[str, bytes]]) -> None:
        now = self._clock().isoformat()
        rows = ((source, key, now, der) for key, der in ders)
        base.executemany("INSERT OR REPLACE INTO certificates VALUES (?, ?, ?, ?)", rows)


class _OtherVersionError(sqlite3.DatabaseError):
    """The file was written by another version of this program."""


def _certificates(base: sqlite3.Connection, source: str, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for key in keys:
        found = base.execute("SELECT der FROM certificates WHERE source = ? AND id = ?", (source, key)).fetchone()
        if found and isinstance(found[0], bytes):
            yield key, found[0]


def _thin(base: sqlite3.Connection) -> None:
    """The half that was used longest ago goes."""
    for table in ("answers", "certificates"):
        base.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} ORDER BY used"  # noqa: S608 - two names from above
            f" LIMIT (SELECT (count(*) + 1) / 2 FROM {table}))"
        )


def _telling(kept: Kept) -> str:
    ends = [end.isoformat() for end in kept.ends]
    return json.dumps([kept.problems, ends, kept.began.isoformat() if kept.began else None])


def _told(text: str) -> tuple[tuple[str, ...], tuple[datetime, ...], datetime | None]:
    problems, ends, began = json.loads(text)
    moments = tuple(map(datetime.fromisoformat, ends))
    return tuple(map(str, problems)), moments, datetime.fromisoformat(began) if began is not None else None


def _packed(rows: Iterable[Row]) -> bytes:
    """Everything but the certificates, which have a table of their own."""
    return zlib.compress(json.dumps([_plain(row) for row in rows]).encode("ascii"))


def _plain(row: Row) -> list[object]:
    one = row.issuance
    times = [None if moment is None else moment.isoformat() for moment in (one.not_before, one.not_after, one.first_seen)]
    return [
        row.key, row.group, one.tbs_sha256, one.cert_sha256, one.issuer_spki_sha256, one.issuer, one.subject, one.serial,
        list(one.names), one.key_sha256, one.source, one.precert, one.revoked, *times,
    ]


def _unpacked(packed: bytes) -> tuple[Row, ...]:
    engine = zlib.decompressobj()
    text = engine.decompress(packed, _MAX_ROWS_TEXT)
    if not engine.eof:
        raise ValueError("cut off, or more than is kept")
    return tuple(map(_row, json.loads(text)))


def _row(plain: list[object]) -> Row:
    key, group, tbs, cert, spki, issuer, subject, serial, names, own_key, source, precert, revoked, start, end, seen = plain
    texts = (key, group, tbs, issuer, subject, serial, source)
    if not all(isinstance(text, str) for text in texts) or not isinstance(names, list):
        raise ValueError("not a row")
    optional = [text if isinstance(text, str) else None for text in (cert, spki, own_key)]
    times = [datetime.fromisoformat(text) if isinstance(text, str) else None for text in (start, end, seen)]
    return Row(str(key), Issuance(
        str(tbs), optional[0], optional[1], str(issuer), str(subject), str(serial), tuple(map(str, names)), times[0], times[1],
        optional[2], str(source), times[2], None, bool(precert), bool(revoked),
    ), str(group))
