"""The cache on disk: whole files, private, short-lived, and never the reason of a crash."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnscertscan.outside import Answer, Cache, Fetcher

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
URL = "http://crl.example/1.crl"
LATER = NOW + timedelta(days=1)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Until its time, for its URL, up to the size that is allowed today."""
    cache = Cache(tmp_path / "deep" / "cache", NOW)
    cache.store(URL, b"one\ntwo", LATER)
    assert cache.load(URL, NOW, 100) == b"one\ntwo"
    assert cache.load(URL + "x", NOW, 100) is None
    assert cache.load(URL, LATER, 100) is None
    assert cache.load(URL, NOW, 3) is None
    cache.store(URL, b"three", LATER)
    assert cache.load(URL, NOW, 100) == b"three"


def test_files_are_private_and_nothing_is_left_over(tmp_path: Path) -> None:
    """One file per URL, readable by its owner only; no temporary file stays."""
    cache = Cache(tmp_path / "cache", NOW)
    cache.store(URL, b"x", LATER)
    (file,) = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\xfe\n", b"2026-06-02T00:00:00 " + URL.encode() + b"\nx", b"never"])
def test_broken_files_are_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    """Cut off, foreign, without a time zone: it is fetched again."""
    cache = Cache(tmp_path, NOW)
    cache.store(URL, b"x", LATER)
    (file,) = tmp_path.iterdir()
    file.write_bytes(content)
    assert cache.load(URL, NOW, 100) is None


def test_a_time_too_far_ahead_is_not_believed(tmp_path: Path) -> None:
    """No file makes itself last longer than a week."""
    cache = Cache(tmp_path, NOW)
    cache.store(URL, b"x", NOW + timedelta(days=400))
    assert cache.load(URL, NOW, 100) is None


def test_old_files_go(tmp_path: Path) -> None:
    """What was written more than a week ago is dropped; files of others stay."""
    cache = Cache(tmp_path, NOW)
    cache.store(URL, b"x", LATER)
    (file,) = tmp_path.iterdir()
    other = tmp_path / "README"
    other.write_text("mine")
    for path in (file, other):
        os.utime(path, (0, (NOW - timedelta(days=8)).timestamp()))
    Cache(tmp_path, NOW)
    assert list(tmp_path.iterdir()) == [other]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """The answer is used all the same; the problem is in words."""
    cache = Cache(tmp_path / "cache", NOW)
    (tmp_path / "cache").rmdir()
    fetcher = Fetcher(timeout=1, max_bytes=10, budget=1, cache=cache, clock=lambda: NOW)
    assert fetcher.keep(Answer(URL, b"x"), LATER) == "an answer could not be kept in the cache: No such file or directory"
    assert fetcher.keep(Answer(URL, problem="no"), LATER) == ""
