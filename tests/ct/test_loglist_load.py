"""The list a run judges by: seed, kept lists and the operator's own; what is damaged is passed over and said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from servers import ct_data
from servers.log_lists import NOW, document, entry, key_pem, log_id, moment, sign

from dnscertscan.ct import loglist_update
from dnscertscan.ct.loglist import load, load_apple, newest_kept, seed
from dnscertscan.ct.loglist_guards import Seal
from dnscertscan.ct.loglist_store import MONTHS, RECENT, Store
from dnscertscan.ct.loglist_update import take
from dnscertscan.errors import ConfigError, OutputError
from dnscertscan.model.ct import LogList, LogState
from dnscertscan.settings.models import Ct

MINE = Seal(waived=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "lists")


def real(day: str) -> tuple[bytes, Seal]:
    """One of Google's lists with its signature."""
    return ct_data.read(f"loglists/chrome_v3_{day}.json"), Seal(ct_data.read(f"loglists/chrome_v3_{day}.sig"))


def keep_real(store: Store, day: str) -> Path:
    raw, seal = real(day)
    found = ct_data.log_list(f"chrome_v3_{day}.json")
    return store.keep("google", found.timestamp, raw, seal)


def loaded(store: Store | None, at: datetime = NOW, base: LogList | None = None, **settings: Path) -> tuple[LogList, list[str]]:
    told: list[str] = []
    return load(Ct(**settings), store.folder if store else None, at, told.append, base=base), told


def old_base(day: str) -> LogList:
    return ct_data.log_list(f"chrome_v3_{day}.json")


def quiet(line: str) -> None:
    raise AssertionError(line)


def test_nothing_kept(store: Store) -> None:
    """The seed as it is; from its seventy-first day on with one warning."""
    assert loaded(None, seed().timestamp) == (seed(), [])
    assert loaded(store, seed().timestamp + timedelta(days=70)) == (seed(), [])
    found, told = loaded(store)
    assert found == seed()
    assert len(told) == 1
    assert "dnscertscan ct loglist update" in told[0]
    assert not store.folder.exists()


def test_kept_lists_are_history(store: Store) -> None:
    """Three kept lists over an old base: version, date and signature of the newest, and the states of all."""
    for day in ("2025-11-01", "2024-07-01", "2025-01-02"):
        keep_real(store, day)
    found, told = loaded(store, moment("2025-11-02"), old_base("2024-01-02"))
    assert told == []
    assert (found.name, found.version, found.signed) == ("google", "74.12", True)
    (log,) = (log for log in found.logs.values() if log.description == "DigiCert 'Sphinx2024h2' Log")
    assert [state for state, _ in log.states] == [LogState.QUALIFIED, LogState.USABLE, LogState.REJECTED]
    day = found.as_of(moment("2024-01-15"))
    assert sum(log.state_at(moment("2024-01-15")) is not LogState.REJECTED for log in day.logs.values()) == 35


def test_lists_older_than_the_seed_change_nothing(store: Store) -> None:
    """The seed of a new release has their history in it."""
    keep_real(store, "2025-07-01")
    assert loaded(store, seed().timestamp)[0] == seed()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "changed": lambda path: path.write_bytes(path.read_bytes().replace(b"usable", b"USABLE", 1)),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "empty": lambda path: path.write_bytes(b""),
    "no signature": lambda path: path.with_suffix(".sig").unlink(),
    "another list's name": lambda path: path.rename(path.with_name("google-20251102T000000Z.json"))
    and path.with_suffix(".sig").rename(path.with_name("google-20251102T000000Z.sig")),
    "a folder": lambda path: path.unlink() or path.mkdir(),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_kept_list_is_passed_over(store: Store, case: str) -> None:
    """The one before it is used, and one line says why."""
    keep_real(store, "2025-01-02")
    DAMAGES[case](keep_real(store, "2025-11-01"))
    found, told = loaded(store, moment("2025-02-01"), old_base("2024-07-01"))
    assert found.version == "50.57"
    assert len(told) == 1
    assert "passed over" in told[0]
    newest = newest_kept(store, "google", moment("2025-12-01"), lambda _: None)
    assert newest
    assert newest.version == "50.57"


def test_foreign_files_in_the_folder(store: Store) -> None:
    """What is not named like a list is left alone."""
    path = keep_real(store, "2025-01-02")
    for name in ("google-20250230T000000Z.json", "google-x.json", "notes.txt", "other-20250101T000000Z.json"):
        (store.folder / name).write_text("x")
    assert [one.path for one in store.kept("google")] == [path]


def test_a_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """A file in its place: the seed is used, and that is said."""
    (tmp_path / "lists").write_text("x")
    found, told = loaded(Store(tmp_path / "lists"), seed().timestamp)
    assert found == seed()
    assert all("cannot be read" in line for line in told)
    assert told


def test_own_list_from_the_settings(tmp_path: Path, store: Store) -> None:
    """Beside the other: its logs are added, no log is lost; not signed, and the date stays that of the public list."""
    mine = tmp_path / "mine.json"
    mine.write_bytes(document([entry(1)]))
    found, _ = loaded(store, log_list=mine)
    assert found.logs.keys() == seed().logs.keys() | {log_id(1)}
    assert (found.name, found.timestamp, found.signed) == ("seed+own", seed().timestamp, False)


def test_googles_list_from_the_settings(store: Store) -> None:
    """With Google's signature it is laid over the seed: what it does not name is gone."""
    place = ct_data.path("loglists/chrome_v3_2025-11-01.json")
    settings = {"log_list": place, "log_list_signature": place.with_suffix(".sig")}
    found, _ = loaded(store, moment("2025-11-02"), old_base("2025-01-02"), **settings)
    assert (found.name, found.version, found.signed) == ("google", "74.12", True)
    assert any(log.states[-1][0] is LogState.REJECTED for log in found.logs.values())


def test_unusable_settings_are_errors(tmp_path: Path, store: Store) -> None:
    """A list the configuration names is never silently done without."""
    mine, bad = tmp_path / "mine.json", tmp_path / "bad.sig"
    mine.write_bytes(document([entry(1), entry(1)]))
    bad.write_bytes(b"x")
    for settings, words in (
        ({"log_list": tmp_path / "none.json"}, "cannot read"), ({"log_list": tmp_path}, "cannot read"),
        ({"log_list": mine}, "2 times"), ({"log_list": mine, "log_list_signature": bad}, "is not by this key"),
    ):
        with pytest.raises(ConfigError, match=words):
            loaded(store, **settings)


def test_taken_and_kept(store: Store) -> None:
    """An own list is kept beside; a signed one keeps its signature and key, and is signed when it is loaded again."""
    raw = document([entry(1)])
    taken = take(raw, "somewhere", Seal(sign(raw), key_pem()), NOW, store, quiet)
    assert taken.path
    assert taken.path.name == "own-20270220T120000Z.json"
    assert (taken.path.stat().st_mode & 0o077, store.folder.stat().st_mode & 0o077) == (0, 0)
    found = newest_kept(store, "own", NOW, quiet)
    assert found
    assert found.signed
    assert log_id(1) in loaded(store)[0].logs
    taken.path.with_suffix(".pem").write_bytes(key_pem(1))
    assert newest_kept(store, "own", NOW, lambda _: None) is None


@pytest.mark.parametrize(
    ("raw", "words"),
    [(document([entry(1)], timestamp="2027-02-19T00:00:00Z"), "older than the one in use"),
     (document([entry(0)]), "less than half"),
     (document([entry(1), entry(1)]), "2 times"), (b"<html>", "HTML"), (b"", "empty"),
     (document([entry(1, log_id=entry(2)["log_id"])]), "SHA-256"), (document([]), "no log")],
)
def test_what_is_refused_replaces_nothing(store: Store, raw: bytes, words: str) -> None:
    """The last good list is there, octet by octet, and nothing beside it."""
    good = document([entry(number) for number in range(6)])
    path = take(good, "x", MINE, NOW, store, quiet).path
    assert path
    refused = take(raw, "x", MINE, NOW, store, quiet)
    assert refused.path is None
    assert any(words in one.problem for one in refused.examined.objections)
    assert [(one.name, one.read_bytes()) for one in store.folder.iterdir()] == [(path.name, good)]


def test_googles_list_is_measured_by_the_seed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any kept list an old one with a good signature is a rollback all the same; one newer than the seed is taken."""
    for day in ("2025-07-01", "2026-01-03"):
        raw, seal = real(day)
        taken = take(raw, "x", seal, NOW, store, quiet)
        assert taken.before == seed()
        assert taken.path is None
    shipped_then = seed().as_of(moment("2025-12-01"))
    monkeypatch.setattr(loglist_update, "seed", lambda: shipped_then)
    assert take(raw, "x", seal, NOW, store, quiet).path


def test_apple_is_kept_apart(store: Store) -> None:
    """Its states are those of another program: it is not mixed in."""
    raw = document([entry(1)], assetVersion=7)
    assert load_apple(store.folder, NOW, quiet) is None
    assert take(raw, "x", MINE, NOW, store, quiet).path
    found = load_apple(store.folder, NOW, quiet)
    assert found
    assert (found.name, set(found.logs)) == ("apple", {log_id(1)})
    assert log_id(1) not in loaded(store)[0].logs


def test_history_is_bounded(store: Store) -> None:
    """Of many lists the newest stay, and one for each month before."""
    day = moment("2019-01-05")
    while day < moment("2027-01-01"):
        store.keep("own", day, b"{}", Seal(b"s", b"k"))
        day += timedelta(days=11)
    kept = store.kept("own")
    assert len(kept) == RECENT + MONTHS
    assert {later.timestamp - one.timestamp for one, later in pairwise(kept[-RECENT:])} == {timedelta(days=11)}
    older = [(one.timestamp.year, one.timestamp.month) for one in kept[:-RECENT]]
    assert len(set(older)) == MONTHS
    assert len(list(store.folder.iterdir())) == 3 * len(kept)


def test_a_full_disk_leaves_the_last_list(store: Store) -> None:
    """What cannot be written is one error, and no half file."""
    store.folder.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="the last good one stays in use"):
        take(document([entry(1)]), "x", MINE, NOW, store, lambda _: None)
    assert list(store.folder.parent.iterdir()) == [store.folder]
