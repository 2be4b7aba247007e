"""Files that several runs open at the same moment, when they are still to be made."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dnscertscan.ct.inventory_store import InventoryStore
from dnscertscan.ct.search_cache import Cache
from dnscertscan.ct.shared_file import make_tables, write_ahead
from dnscertscan.ct.tree_store import TreeStore

NOW = datetime(2026, 7, 1, tzinfo=UTC)
TABLES = "CREATE TABLE one (a TEXT);\nCREATE TABLE two (b TEXT);"


def open_cache(place: Path) -> str:
    """Open the cache of answers; what it notes."""
    notes: list[str] = []

    async def ask() -> None:
        cache = Cache(place / "answers.sqlite", lambda: NOW, notes.append)
        assert await cache.tries("crtsh") == {}
        await cache.aclose()

    asyncio.run(ask())
    return "".join(notes)


def open_trees(place: Path) -> str:
    TreeStore(place, NOW).close()
    return ""


def open_inventory(place: Path) -> str:
    InventoryStore(place / "inventory.sqlite", NOW).close()
    return ""


@pytest.mark.parametrize("opening", [open_cache, open_trees, open_inventory])
def test_many_runs_make_one_file(tmp_path: Path, opening: Callable[[Path], str]) -> None:
    """Eight that begin at once, with a file that is not there yet, all get it, and none has anything to say."""
    said: list[str] = []
    for turn in range(25):
        place = tmp_path / str(turn)
        place.mkdir()
        start = threading.Barrier(8)

        def run(place: Path = place, start: threading.Barrier = start) -> None:
            start.wait()
            said.append(opening(place))

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert said == [""] * 200


def test_tables_are_made_once(tmp_path: Path) -> None:
    """A file that has them is left as it is, whatever its version."""
    with sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None) as base:
        assert make_tables(base, TABLES, 7) == 7
        base.execute("INSERT INTO one VALUES ('x')")
        assert make_tables(base, TABLES, 8) == 7
        assert base.execute("SELECT a FROM one").fetchall() == [("x",)]
    base.close()


def test_tables_are_made_whole_or_not_at_all(tmp_path: Path) -> None:
    """A statement that fails leaves a new file new, and no lock."""
    with sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None) as base:
        with pytest.raises(sqlite3.OperationalError):
            make_tables(base, f"{TABLES} CREATE TABLE one (again TEXT);", 7)
        assert make_tables(base, TABLES, 7) == 7
    base.close()


def test_a_lock_that_is_not_given_up(tmp_path: Path) -> None:
    """Waiting for the write-ahead log ends when its time is over."""
    holder = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None)
    other = sqlite3.connect(tmp_path / "a.sqlite", isolation_level=None, timeout=0)
    try:
        holder.execute("CREATE TABLE t (a TEXT)")
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(other, 0.1)
        holder.execute("COMMIT")
        write_ahead(other, 0.1)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        other.close()
        holder.close()
