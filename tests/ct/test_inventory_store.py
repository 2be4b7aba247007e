"""What the inventory remembers: known ones stay known, the last decision counts, several processes at once, damaged files."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnscertscan.ct.audit_report import Status
from dnscertscan.ct.inventory_store import FILE, UNSEEN, InventoryStore, Met
from dnscertscan.ct.inventory_values import Decision, Item, Kind, State
from dnscertscan.errors import OutputError
from dnscertscan.model.ct import Issuance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
END = NOW + timedelta(days=60)


def item(number: int, state: State, reason: str = "it is in /x.pem", **changed: object) -> Item:
    names = ("www.watched.com",)
    issuance = Issuance(f"{number:064x}", None, None, "CN=Issuer", "", "0A", names, NOW, END, None, "x", None, None, False)
    return Item(replace(issuance, **changed), ("x",), state, Status.OK, reason)  # type: ignore[arg-type] - tests pass fields by name


@pytest.fixture
def store(tmp_path: Path) -> Iterator[InventoryStore]:
    with InventoryStore(tmp_path / "new" / FILE, NOW) as found:
        yield found


def test_known_once_is_known(store: InventoryStore) -> None:
    """From the first run that knew it, whatever it is to later ones; unknown ones are met, not known."""
    store.note([item(1, State.UNKNOWN), item(2, State.KNOWN_KEY), item(3, State.ACCEPTED)], NOW)
    store.note([item(1, State.KNOWN), item(2, State.UNKNOWN, "gone")], NOW + timedelta(days=1))
    store.note([item(1, State.KNOWN, "it is elsewhere")], NOW + timedelta(days=2))
    assert store.remembered() == {f"{1:064x}": "it is in /x.pem, on 2026-11-21", f"{2:064x}": "it is in /x.pem, on 2026-11-20"}
    assert store.met(f"{2:064x}") == Met(State.UNKNOWN, ("www.watched.com",), END)
    assert store.met(f"{9:064x}") is None


def test_odd_text(store: InventoryStore) -> None:
    """Half characters and NUL from a search service are kept as escapes."""
    store.note([item(1, State.UNKNOWN, issuer="\ud800\0", names=("\ud800",), not_after=None)], NOW)
    assert store.met(f"{1:064x}") == Met(State.UNKNOWN, ("\ud800",), None)


def test_the_last_decision_counts(store: InventoryStore) -> None:
    """The others are history; alarms that were acknowledged are kept with it."""
    faults = frozenset({State.WRONG_ISSUER, State.SERIAL_CONFLICT})
    store.decide(Decision("a" * 64, Kind.ACCEPT, END, "first"), NOW)
    store.decide(Decision("b" * 64, Kind.ACKNOWLEDGE, END, "known", faults=faults), NOW)
    store.decide(Decision("a" * 64, Kind.REJECT, END, "second"), NOW + timedelta(hours=1))
    place = str(store.path)
    assert store.decisions() == (
        Decision("b" * 64, Kind.ACKNOWLEDGE, END, "known", place, NOW, faults),
        Decision("a" * 64, Kind.REJECT, END, "second", place, NOW + timedelta(hours=1)),
    )


def test_kept_in_private_and_not_for_ever(store: InventoryStore) -> None:
    """The file is its owner's; what nobody has met for two years goes, decisions stay."""
    store.note([item(1, State.KNOWN)], NOW)
    store.decide(Decision("a" * 64, Kind.ACCEPT, END), NOW)
    assert store.path.stat().st_mode & 0o077 == 0
    with InventoryStore(store.path, NOW + UNSEEN - timedelta(days=1)) as later:
        assert later.remembered()
    with InventoryStore(store.path, NOW + UNSEEN + timedelta(days=1)) as later:
        assert (later.remembered(), len(later.decisions())) == ({}, 1)


_WRITE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
sys.path.insert(0, {tests!r})
from dnscertscan.ct.inventory_store import InventoryStore
from dnscertscan.ct.inventory_values import Decision, Kind, State
from ct.test_inventory_store import item
now = datetime(2026, 11, 20, tzinfo=UTC)
with InventoryStore(Path({path!r}), now) as store:
    for number in range({start}, {start} + 40):
        store.note([item(number, State.KNOWN), item(7, State.KNOWN)], now)
        store.decide(Decision(f"{{number:064x}}", Kind.ACCEPT, now), now)
"""


def test_several_processes(tmp_path: Path) -> None:
    """Four that begin with an empty file at the same time: nothing is lost."""
    tests, path = str(Path(__file__).parents[1]), tmp_path / FILE
    code = [_WRITE.format(tests=tests, path=str(path), start=100 * number) for number in range(4)]
    every = [subprocess.Popen([sys.executable, "-c", one], stderr=subprocess.PIPE, text=True) for one in code]
    for one in every:
        _, err = one.communicate(timeout=60)
        assert (one.returncode, err) == (0, "")
    with InventoryStore(path, NOW) as store:
        assert len(store.remembered()) == 160
        assert len(store.decisions()) == 160


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """Not ours, of another version, a folder, below a file: one line with the place and the next step; nothing is overwritten."""
    (tmp_path / "text").write_text("decisions, decisions " * 100)
    with sqlite3.connect(tmp_path / "later") as base:
        base.execute("PRAGMA user_version = 99")
    base.close()
    (tmp_path / "odd").touch()
    for name, words in (
        ("text", "not a database; move it away"), ("later", r"of another version of dnscertscan \(99\)"), ("", "cannot be used"),
        ("text/x", "cannot be used for decisions: (File exists|Not a directory)"),
    ):
        with pytest.raises(OutputError, match=words) as told:
            InventoryStore(tmp_path / name, NOW)
        assert "--database" in str(told.value)
        assert len(str(told.value).splitlines()) == 1
    assert (tmp_path / "text").read_text().startswith("decisions")


def test_a_damaged_row(store: InventoryStore) -> None:
    """A kind of decision nobody knows is an error, not a decision."""
    store.decide(Decision("a" * 64, Kind.ACCEPT, END), NOW)
    store._base.execute("UPDATE decisions SET kind = 'whatever'")
    with pytest.raises(OutputError, match="is damaged"):
        store.decisions()


def test_a_full_disk_is_not_called_damage(tmp_path: Path) -> None:
    """There is nothing to move away when there is only no room; what is damaged is told apart."""
    with InventoryStore(tmp_path / "state.sqlite", NOW) as store:
        store._base.execute("PRAGMA max_page_count = 1")  # no more room
        with pytest.raises(OutputError, match="is full; make room on its disk, or name another file") as told:
            store.note([item(number, State.KNOWN) for number in range(2000)], NOW)
        assert "damaged" not in str(told.value)


def test_when_a_run_met_it_first(tmp_path: Path) -> None:
    """The first time stays; what is forgotten is known no more, and met all the same."""
    later = NOW + timedelta(days=3)
    with InventoryStore(tmp_path / "state.sqlite", NOW) as store:
        for at in (NOW, later):
            store.note([item(1, State.KNOWN), item(2, State.KNOWN)], at)
        assert store.first_met() == {f"{number:064x}": NOW for number in (1, 2)}
        assert (store.forget("ab" * 32), store.forget(f"{1:064x}"), store.forget(f"{1:064x}")) == (0, 1, 0)
        assert list(store.remembered()) == [f"{2:064x}"]
        assert (store.forget(None), store.remembered(), len(store.first_met())) == (1, {}, 2)
