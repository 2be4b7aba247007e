"""The cache of answers: what was kept comes back, within bounds; a file that cannot be used costs a line, never the run."""

import asyncio
import sqlite3
import stat
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from ct.searching import DOMAIN, NOW, certificate
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.ct.search_cache import UNUSED, Cache, Kept, _packed, _unpacked
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.ct.search_values import Row
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName

T = TypeVar("T")
DER = certificate("www.watched.com")


def row(key: str = "1", der: bytes = DER) -> Row:
    found = read_certificate(der, "crt.sh", NOW)
    assert found is not None
    return Row(key, found, f"7:{key}")


ROWS = (row("1"), row("2", certificate("b.watched.com", precert=True)))
KEPT = Kept(NOW, True, False, "17", "unexpired only", ROWS, ("one\x1b",))


def using(
    path: Path, work: Callable[[Cache], Awaitable[T]], now: datetime = NOW, size: int = 1 << 20
) -> tuple[T, list[str]]:
    notes: list[str] = []

    async def main() -> T:
        cache = Cache(path, lambda: now, notes.append, size)
        try:
            return await work(cache)
        finally:
            await cache.aclose()

    return asyncio.run(main()), notes


def load(path: Path, now: datetime = NOW, domain: DnsName = DOMAIN) -> tuple[Kept | None, list[str]]:
    return using(path, lambda cache: cache.load("s", domain), now)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """For its source and domain, with certificates, private to the owner; not when it claims to be from the future."""
    path = tmp_path / "deep" / "search.sqlite"
    assert using(path, lambda cache: cache.store("s", DOMAIN, KEPT))[1] == []
    assert load(path) == (KEPT, [])
    assert load(path, domain=DnsName("other.com")) == (None, [])
    assert using(path, lambda cache: cache.load("t", DOMAIN))[0] is None
    assert load(path, NOW - timedelta(seconds=1)) == (None, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_certificates_are_kept_by_their_id(tmp_path: Path) -> None:
    """One by one, so that what was fetched before a run ended is not fetched again."""
    path = tmp_path / "search.sqlite"
    using(path, lambda cache: cache.keep_certificate("s", "5", DER))
    assert using(path, lambda cache: cache.certificates("s", ["4", "5"]))[0] == {"5": DER}
    assert using(path, lambda cache: cache.certificates("t", ["5"]))[0] == {}


def test_damaged_files_are_made_anew(tmp_path: Path) -> None:
    """No SQLite, another version, cut in half: an empty cache that works."""
    path = tmp_path / "search.sqlite"
    using(path, lambda cache: cache.store("s", DOMAIN, KEPT))
    whole = path.read_bytes()
    with closing(sqlite3.connect(path)) as base:
        base.execute("PRAGMA user_version = 99")
    for content in (b"not a database at all" * 100, whole[: len(whole) // 2], path.read_bytes()):
        path.write_bytes(content)
        assert load(path)[0] is None
        using(path, lambda cache: cache.store("s", DOMAIN, KEPT))
        assert load(path) == (KEPT, [])


def test_rows_that_are_not_ours(tmp_path: Path) -> None:
    """A damaged answer is as good as none."""
    path = tmp_path / "search.sqlite"
    for column, value in (("rows", b"\0"), ("rows", "x"), ("rows", None), ("as_of", "soon"), ("as_of", 5), ("problems", "{")):
        using(path, lambda cache: cache.store("s", DOMAIN, KEPT))
        with closing(sqlite3.connect(path)) as base, base:
            base.execute(f"UPDATE answers SET {column} = ?", (value,))
        assert load(path) == (None, [])


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """One line, and everything is as if nothing were kept."""
    path = tmp_path / "file"
    path.write_text("x")

    async def work(cache: Cache) -> list[object]:
        await cache.store("s", DOMAIN, KEPT)
        return [await cache.load("s", DOMAIN), await cache.certificates("s", ["1"])]

    found, notes = using(path / "search.sqlite", work)
    assert found == [None, {}]
    assert len(notes) == 1
    assert "answers of search services are not kept" in notes[0]


def test_a_file_that_another_run_holds(tmp_path: Path) -> None:
    """A lock is waited for two seconds, then nothing is kept."""
    path = tmp_path / "search.sqlite"
    using(path, lambda cache: cache.store("s", DOMAIN, KEPT))
    with closing(sqlite3.connect(path)) as base:
        base.execute("BEGIN EXCLUSIVE")
        found, notes = load(path)
    assert found is None
    assert "locked" in notes[0]


def test_the_file_stays_within_its_size(tmp_path: Path) -> None:
    """What was used longest ago makes room; the newest is there."""
    path = tmp_path / "search.sqlite"
    size = 400_000

    async def work(cache: Cache) -> Kept | None:
        for number in range(300):
            name = DnsName(f"d{number}.com")
            big = Row("1", replace(row().issuance, der=bytes([number % 256]) * 20_000))
            await cache.store(f"s{number}", name, replace(KEPT, rows=(big,)))
        return await cache.load("s299", DnsName("d299.com"))

    found, notes = using(path, work, size=size)
    assert found is not None
    assert found.rows[0].issuance.der == bytes([299 % 256]) * 20_000
    assert notes == []
    assert path.stat().st_size <= size


def test_what_nobody_asks_for_goes(tmp_path: Path) -> None:
    """After three months; what is used stays."""
    path = tmp_path / "search.sqlite"
    using(path, lambda cache: cache.store("s", DOMAIN, KEPT))
    using(path, lambda cache: cache.store("s", DnsName("other.com"), KEPT))
    assert load(path, NOW + UNUSED)[0] is not None
    assert load(path, NOW + UNUSED + timedelta(days=1))[0] is not None
    assert load(path, NOW + UNUSED + timedelta(days=1), DnsName("other.com"))[0] is None


def test_many_at_once(tmp_path: Path) -> None:
    """Sources that work at the same time share one file; no thread stays behind."""
    path = tmp_path / "search.sqlite"
    before = threading.active_count()

    async def work(cache: Cache) -> list[Kept | None]:
        names = [DnsName(f"d{number}.com") for number in range(40)]
        await asyncio.gather(*(cache.store("s", name, KEPT) for name in names))
        return await asyncio.gather(*(cache.load("s", name) for name in names))

    found, notes = using(path, work)
    assert (found, notes) == ([KEPT] * 40, [])
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert threading.active_count() <= before


TEXT = st.text(max_size=20)
MOMENT = st.none() | st.datetimes(timezones=st.just(NOW.tzinfo))
ISSUANCES = st.builds(
    Issuance, TEXT, st.none() | TEXT, st.none() | TEXT, TEXT, TEXT, TEXT, st.lists(TEXT, max_size=3).map(tuple), MOMENT, MOMENT,
    st.none() | TEXT, TEXT, MOMENT, st.none(), st.booleans(),
)


@given(st.lists(st.builds(Row, TEXT, ISSUANCES, TEXT), max_size=4).map(tuple))
def test_rows_survive_packing(rows: tuple[Row, ...]) -> None:
    """Whatever texts they have."""
    assert _unpacked(_packed(rows)) == rows
