"""The reviewed file: what is learnt waits for a person, what he accepts counts until its end, and nothing else does."""

import threading
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnscertscan.ct.audit_report import Status
from dnscertscan.ct.inventory_review import learn, learnable, read_reviewed
from dnscertscan.ct.inventory_values import Item, Kind, State, end_of
from dnscertscan.errors import ConfigError, OutputError
from dnscertscan.model.ct import Issuance

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNTIL = NOW + timedelta(days=90)


def item(number: int, state: State = State.UNKNOWN, faults: frozenset[State] = frozenset(), **changed: object) -> Item:
    issuance = Issuance(
        f"{number:064x}", None, None, "CN=Issuer", "CN=www.watched.com", "0A", ("www.watched.com",), NOW, UNTIL, "ab" * 32,
        "crt.sh", None, None, True,
    )
    return Item(replace(issuance, **changed), ("crt.sh",), state, Status.CRITICAL, "why", faults)  # type: ignore[arg-type] - tests pass fields by name


def accept(path: Path, old: str = 'decision = "review"', new: str = 'decision = "accept"') -> None:
    path.write_text(path.read_text().replace(old, new))


def read(path: Path) -> tuple[list[tuple[str, Kind, datetime]], list[str]]:
    lines: list[str] = []
    found = read_reviewed(path, lines.append)
    return [(one.tbs_sha256, one.kind, one.until) for one in found], lines


def test_what_is_learnt_waits_for_a_person(tmp_path: Path) -> None:
    """Everything about it stands in the file; it counts after somebody has written "accept", until the day written there."""
    path = tmp_path / "review.toml"
    assert learn(path, [item(1), item(2)], UNTIL, NOW) == 2
    (first, second) = tomllib.loads(path.read_text())["issuance"]
    assert (first["decision"], first["names"], first["serial"]) == ("review", ["www.watched.com"], "0A")
    assert second["tbs_sha256"] == f"{2:064x}"
    assert read(path) == ([], [])
    text = path.read_text().replace('decision = "review"', 'decision = "accept"', 1)
    path.write_text(text)
    assert read(path) == ([(f"{1:064x}", Kind.ACCEPT, datetime(2027, 2, 18, 23, 59, 59, tzinfo=UTC))], [])


def test_alarms_are_never_learnt(tmp_path: Path) -> None:
    """Nothing but plain unknown issuances: no other CA, no serial number used twice, nothing rejected or undecided."""
    every = [item(number, state) for number, state in enumerate(State)]
    every += [item(50, faults=frozenset({State.WRONG_ISSUER})), item(51, State.ACKNOWLEDGED, frozenset({State.SERIAL_CONFLICT}))]
    assert [one.state for one in learnable(every)] == [State.UNKNOWN]
    assert learn(tmp_path / "review.toml", every, UNTIL, NOW) == 1


def test_learning_again_changes_nothing_that_is_there(tmp_path: Path) -> None:
    """What a person has written stays to the octet, comments too; only what is new is added, mode and link are kept."""
    path, link = tmp_path / "review.toml", tmp_path / "link.toml"
    learn(path, [item(1)], UNTIL, NOW)
    accept(path)
    path.write_text("# ours, says Anna\n" + path.read_text().rstrip("\n"))
    path.chmod(0o600)
    link.symlink_to(path)
    before = path.read_text()
    assert learn(link, [item(1), item(2)], UNTIL, NOW) == 1
    assert path.read_text().startswith(before)
    assert (link.is_symlink(), path.stat().st_mode & 0o777) == (True, 0o600)
    assert learn(path, [item(1), item(2)], UNTIL, NOW) == 0
    assert len(tomllib.loads(path.read_text())["issuance"]) == 2
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """Names with quotes, line ends, escapes and half characters cannot write entries of their own."""
    path = tmp_path / "review.toml"
    evil = 'x"\n[[issuance]]\ndecision = "accept"\n\\\x1b[31m\ud800\x7f\u202e'
    learn(path, [item(1, names=(evil, "b"), issuer=evil, serial="")], UNTIL, NOW)
    (entry,) = tomllib.loads(path.read_text())["issuance"]
    assert entry["decision"] == "review"
    assert entry["names"][0].startswith('x"\\x0a[[issuance]]')
    assert path.read_text().isprintable() is False  # it has line ends of its own
    assert "\x1b" not in path.read_text()
    assert read(path) == ([], [])


@pytest.mark.parametrize(("text", "words"), [
    ('tbs_sha256 = "short"\ndecision = "accept"\nuntil = 2027-01-01', "tbs_sha256 is not 64 hexadecimal digits"),
    (f'tbs_sha256 = "{1:064x}"\ndecision = "yes"\nuntil = 2027-01-01', "decision is 'yes', not review, accept or reject"),
    (f'tbs_sha256 = "{1:064x}"\ndecision = true\nuntil = 2027-01-01', "decision is 'True', not review, accept or reject"),
    (f'tbs_sha256 = "{1:064x}"\ndecision = "accept"', "accepted without an end"),
    (f'tbs_sha256 = "{1:064x}"\ndecision = "accept"\nuntil = "soon"', "accepted without an end"),
    (f'tbs_sha256 = "{1:064x}"\ndecision = "accept"\nuntil = 5', "accepted without an end"),
])
def test_entries_that_do_not_count(tmp_path: Path, text: str, words: str) -> None:
    """Each is said with its number; the others count."""
    path = tmp_path / "review.toml"
    good = f'tbs_sha256 = "{2:064X}"\ndecision = "accept"\nuntil = 2027-01-01T10:00:00+01:00\n'
    path.write_text(f"[[issuance]]\n{text}\n[[issuance]]\n{good}")
    found, lines = read(path)
    assert found == [(f"{2:064x}", Kind.ACCEPT, datetime(2027, 1, 1, 9, tzinfo=UTC))]
    assert len(lines) == 1
    assert lines[0].startswith(f"{path}: entry 1")
    assert words in lines[0]


def test_a_rejection_needs_no_end(tmp_path: Path) -> None:
    """It stays."""
    path = tmp_path / "review.toml"
    path.write_text(f'[[issuance]]\ntbs_sha256 = "{1:064x}"\ndecision = "reject"\nuntil = 2020-01-01\n')
    ((_, kind, until),), lines = read(path)
    assert (kind, until.year, lines) == (Kind.REJECT, 9999, [])


@pytest.mark.parametrize(("text", "words"), [
    (b"[[issuance]\n", "not TOML"), (b"\xff", "not UTF-8"), (b"issuence = 1", "has 'issuence'"), (b"issuance = 1", "is no list"),
    (b"a = " + b"[" * 100_000, "not TOML"),
])
def test_files_that_are_none(tmp_path: Path, text: bytes, words: str) -> None:
    """One line; and learning never overwrites them."""
    path = tmp_path / "review.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=words):
        read(path)
    with pytest.raises(ConfigError, match=words):
        learn(path, [item(1)], UNTIL, NOW)
    assert path.read_bytes() == text


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    """No file is an error, unless it is the one that learning makes; one that everybody may write to proves nothing."""
    with pytest.raises(ConfigError, match="no such file; make it with --learn"):
        read(tmp_path / "review.toml")
    assert read_reviewed(tmp_path / "review.toml", print, may_miss=True) == ()
    with pytest.raises(ConfigError, match="Is a directory"):
        read(tmp_path)
    path = tmp_path / "open.toml"
    path.write_text("")
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="everybody may write to it"):
        read(path)
    with pytest.raises(OutputError, match="name another file with --learn"):
        learn(tmp_path / "no" / "folder.toml", [item(1)], UNTIL, NOW)


def test_several_at_once(tmp_path: Path) -> None:
    """Ten that learn at the same time: every issuance is there once."""
    path = tmp_path / "review.toml"
    every = [threading.Thread(target=learn, args=(path, [item(n), item(n + 1)], UNTIL, NOW)) for n in range(10)]
    for one in every:
        one.start()
    for one in every:
        one.join()
    found = [entry["tbs_sha256"] for entry in tomllib.loads(path.read_text())["issuance"]]
    assert sorted(found) == [f"{number:064x}" for number in range(11)]


def test_a_day_counts_to_its_end() -> None:
    """Without an hour it is the last second of the day, UTC; with one it is that moment."""
    assert end_of("2026-12-24") == datetime(2026, 12, 24, 23, 59, 59, tzinfo=UTC)
    assert end_of("2026-12-24T10:00:00+02:00") == datetime(2026, 12, 24, 8, tzinfo=UTC)
    assert end_of("2026-12-24T10:00") == datetime(2026, 12, 24, 10, tzinfo=UTC)
    with pytest.raises(ValueError, match="soon"):
        end_of("soon")


def test_nothing_is_accepted_for_good(tmp_path: Path) -> None:
    """An end that is more than 400 days away does not count, and a line says what to write; 400 days do."""
    path, lines = tmp_path / "review.toml", list[str]()
    learn(path, [item(1)], UNTIL, NOW)
    accept(path)
    for days, number in ((400, 1), (402, 0), (100_000, 0)):
        accept(path, path.read_text().partition("until = ")[2].partition("\n")[0], f"{NOW + timedelta(days=days):%Y-%m-%d}")
        assert len(read_reviewed(path, lines.append, at=NOW)) == number
    assert len(lines) == 2
    assert "it does not count: write an end within the next 400 days" in lines[0]


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_the_calendar(text: str) -> None:
    """A time that its offset carries over them is no time."""
    with pytest.raises(ValueError, match=r".+"):
        end_of(text)
