"""Scratch space: a disk that is full costs memory, not results."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from servers.full_disk import on_a_full_disk

from dnscertscan.store.scratch import Scratch


def test_a_full_disk_moves_it_to_memory() -> None:
    """Everything put down before and after is there; sorting and regrouping need no file either."""
    assert on_a_full_disk(
        "from dnscertscan.store.shelf import Shelf\n"
        "shelf = Shelf(lambda n: b'%06d' % n + b'x' * 2000, lambda octets: int(octets[:6]), lambda n: (-n,))\n"
        "shelf.add(range(150))\nprint(shelf._database.in_memory)\n"
        "shelf.add(range(150, 3_000))\nprint(shelf._database.in_memory)\n"
        "print(list(shelf) == list(range(2_999, -1, -1)), len(shelf))\n"
        "groups = shelf.grouped(lambda n: (n % 3,))\nprint([len(groups.take((rest,))) for rest in range(3)])\n"
        "print([next(iter(groups.ordered())) for _ in range(2)])\n",
        500_000,
    ) == ["False", "True", "True 3000", "[1000, 1000, 1000]", "[2997, 2997]"]


def test_nothing_is_seen_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its file has no name, so that nothing is left behind even by a process that is killed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch = Scratch()
    scratch.write("CREATE TABLE t (x)")
    scratch.write_all("INSERT INTO t VALUES (?)", ((number,) for number in range(1_000)))
    assert list(tmp_path.iterdir()) == []
    assert (scratch.in_memory, scratch.row("SELECT count(*), sum(x) FROM t")) == (False, (1_000, 499_500))
    scratch.close()


def test_no_folder_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any place for files it is in memory from the start."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    scratch = Scratch()
    scratch.write("CREATE TABLE t (x)")
    assert scratch.in_memory
    scratch.close()


def test_what_is_dropped_is_not_held_in_memory() -> None:
    """A shelf of 60 MB that is sorted, and so has its unsorted rows dropped, takes a few of them in memory."""
    code = (
        "from pathlib import Path\n"
        "from dnscertscan.store.shelf import Shelf\n"
        "def peak():\n"
        "    lines = Path('/proc/self/status').read_text().splitlines()\n"
        "    return next(int(line.split()[1]) for line in lines if line.startswith('VmHWM:')) // 1024\n"
        "shelf = Shelf(lambda n: b'%06d' % n + b'x' * 2000, lambda octets: int(octets[:6]), lambda n: (-n,))\n"
        "shelf.add(range(30_000))\nbefore = peak()\n"
        "print(len(shelf), next(iter(shelf)), peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    size, first, megabytes = map(int, done.stdout.split())
    assert (size, first) == (30_000, 29_999)
    assert megabytes < 20
