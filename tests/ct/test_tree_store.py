"""The store of tree heads: nothing is forgotten or overwritten, contradictions are found, damage is one clear error."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.ct.tree_store import FILE, LONGEST, Proven, TreeStore
from dnscertscan.errors import OutputError
from dnscertscan.pki.merkle import EMPTY_ROOT
from dnscertscan.pki.tree_heads import TreeHead

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LOG, OTHER = b"l" * 32, b"o" * 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[TreeStore]:
    with TreeStore(tmp_path, NOW) as opened:
        yield opened


def head(size: int, time: int, history: str = "") -> TreeHead:
    root = sha256(f"{history}{size}".encode()).digest() if size else EMPTY_ROOT
    return TreeHead(size, root, time, b"signature", "origin", b"as it came")


def add(store: TreeStore, *heads: TreeHead, log_id: bytes = LOG, problem: str = "") -> None:
    for one in heads:
        store.add(log_id, one, "https://log.test/", NOW, problem)


def test_tree_heads_come_back(store: TreeStore, tmp_path: Path) -> None:
    """Octet by octet, by time, each log's own, those with a bad signature not among them; kept from run to run."""
    add(store, head(3, 30), head(1, 10), head(3, 40), head(1, 10))
    add(store, head(2, 20), log_id=OTHER)
    add(store, head(9, 5), problem="not signed")
    with TreeStore(tmp_path, NOW) as again:
        assert again.heads(LOG) == (head(1, 10), head(3, 30), head(3, 40))
        assert [one.raw for one in again.heads(OTHER)] == [b"as it came"]


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        ((head(3, 10), head(3, 20)), None),
        ((head(0, 10), head(3, 20)), None),
        ((head(3, 10), head(5, 10)), None),
        ((head(3, 10), head(3, 20, "x")), (head(3, 10), head(3, 20, "x"))),
        ((head(3, 10, "x"), head(3, 10)), {head(3, 10), head(3, 10, "x")}),
        ((head(5, 10), head(3, 20), head(9, 30)), (head(5, 10), head(3, 20))),
        ((head(5, 20), head(9, 30), head(6, 10)), (head(6, 10), head(5, 20))),
        ((head(5, 20), head(0, 30)), (head(5, 20), head(0, 30))),
    ],
)
def test_contradictions(store: TreeStore, heads: tuple[TreeHead, ...], found: object) -> None:
    """One size with two roots, or a later head that is smaller; whatever order they came in."""
    add(store, *heads)
    conflict = store.conflict(LOG)
    assert (set(conflict) if conflict and isinstance(found, set) else conflict) == found
    assert store.conflict(OTHER) is None


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=12), st.randoms(use_true_random=False))
def test_honest_histories(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int]], random: object) -> None:
    """A tree that grows with time never contradicts itself; one head of another history at a size it has always does."""
    size, heads = 1, []
    for time, (growth, wait) in enumerate(steps):
        size += growth
        heads.append(head(size, 10 * time + wait))
    with TreeStore(tmp_path_factory.mktemp("store"), NOW) as store:
        random.shuffle(heads)  # type: ignore[attr-defined]  # hypothesis types its Random as object here
        add(store, *heads)
        assert store.conflict(LOG) is None
        if heads:
            add(store, head(heads[0].size, heads[0].timestamp + 1, "other"))
            assert store.conflict(LOG) is not None


def test_what_is_left_to_prove(store: TreeStore) -> None:
    """Neighbours by size, the largest first; a head that comes in between has to be connected on both sides."""
    assert store.unproved(LOG) == ()
    add(store, head(0, 1), head(2, 10), head(4, 20), head(4, 25), head(8, 30))
    pairs = store.unproved(LOG)
    assert [(one.size, two.size) for one, two in pairs] == [(4, 8), (2, 4)]
    for one, two in pairs:
        store.link(LOG, one, two, NOW)
        store.link(LOG, one, two, NOW)
    assert store.unproved(LOG) == ()
    add(store, head(6, 28))
    assert [(one.size, two.size) for one, two in store.unproved(LOG)] == [(6, 8), (4, 6)]
    assert store.unproved(OTHER) == ()


def test_inclusions_are_kept_for_long(tmp_path: Path) -> None:
    """By log and leaf; dropped when no certificate can be that old."""
    with TreeStore(tmp_path, NOW) as store:
        store.include(LOG, b"leaf", Proven(7, 9, 1000), NOW)
        assert store.included(LOG, b"leaf") == Proven(7, 9, 1000)
        assert store.included(OTHER, b"leaf") is None
        assert store.included(LOG, b"other") is None
    with TreeStore(tmp_path, NOW + LONGEST) as store:
        assert store.included(LOG, b"leaf") == Proven(7, 9, 1000)
    with TreeStore(tmp_path, NOW + LONGEST + timedelta(seconds=1)) as store:
        assert store.included(LOG, b"leaf") is None


def test_numbers_up_to_the_limit(store: TreeStore) -> None:
    """Sizes and times as large as they are read."""
    huge = head((1 << 63) - 1, (1 << 63) - 1)
    add(store, huge)
    assert store.heads(LOG) == (huge,)


def test_two_runs_at_once(store: TreeStore, tmp_path: Path) -> None:
    """They see what the other writes."""
    with TreeStore(tmp_path, NOW) as other:
        add(store, head(1, 10))
        add(other, head(2, 20))
        assert store.heads(LOG) == other.heads(LOG) == (head(1, 10), head(2, 20))


def test_what_cannot_be_used(tmp_path: Path) -> None:
    """A damaged file, one of a later version, a folder that is a file, a closed store: one line that names the place."""
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(OutputError, match=r"tree-heads.sqlite: cannot be used .*: file is not a database; move it away"):
        TreeStore(damaged, NOW)
    assert (damaged / FILE).read_bytes() == b"no database" * 1000
    later = tmp_path / "later"
    later.mkdir()
    base = sqlite3.connect(later / FILE)
    base.execute("PRAGMA user_version = 7")
    base.close()
    with pytest.raises(OutputError, match="is of another version of dnscertscan"):
        TreeStore(later, NOW)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file: cannot be used to keep tree heads"):
        TreeStore(tmp_path / "file", NOW)
    store = TreeStore(tmp_path / "closed", NOW)
    store.close()
    with pytest.raises(OutputError, match="closed database"):
        store.heads(LOG)
