"""The list that ships: what it is made of, what it knows of each day, and how a release refreshes it."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from hashlib import sha256
from importlib import resources
from pathlib import Path

import pytest
from servers import ct_data
from servers.log_lists import document, entry, log_id, moment

from dnscertscan.ct.loglist import SEED_FILE, seed
from dnscertscan.ct.loglist_formats import read
from dnscertscan.ct.make_seed import main
from dnscertscan.model.ct import LogKind, LogState

SHIPPED = resources.files("dnscertscan.ct").joinpath("data", SEED_FILE)


def real_lists() -> list[str]:
    return [str(path) for path in sorted(ct_data.path("loglists").glob("chrome_v3_*.json"))]


def test_shape() -> None:
    """Dated, with its sources; one line for each log; each id is the digest of the key; mmd, interval, states, operators."""
    text = SHIPPED.read_text()
    head = json.loads(text)
    assert head["timestamp"] == "2026-01-02T12:57:01Z"
    assert len(head["sources"]) == 8
    assert sum('"log_id"' in line for line in text.splitlines()) == len(head["logs"]) == len(seed().logs)
    for fields in head["logs"]:
        assert sha256(b64decode(fields["key"])).digest() == b64decode(fields["log_id"])
        assert fields["states"]
        assert fields["operators"][-1][1] is None
    assert (seed().name, seed().signed) == ("seed", False)


def test_the_seed_is_what_the_lists_say(tmp_path: Path) -> None:
    """The script makes the shipped file, octet by octet, out of the dated lists."""
    partial = str(ct_data.path("loglists/google_operator_2026-10_subset.json"))
    made = tmp_path / "seed.json"
    assert main([*real_lists(), "--partial", partial, "-o", str(made)]) == 0
    assert made.read_text() == SHIPPED.read_text()


def test_every_log_since_2023_is_in_it() -> None:
    """None of the 112 logs of three years is missing, nor the keys of 2026."""
    assert seed().logs.keys() >= ct_data.union().logs.keys()
    for log_id_, log in ct_data.union().logs.items():
        assert (seed().logs[log_id_].key, seed().logs[log_id_].kind) == (log.key, log.kind)
    found = read(ct_data.read("loglists/google_operator_2026-10_subset.json"))
    assert {log.log_id for log in found.logs} <= seed().logs.keys()


def test_the_list_of_each_day() -> None:
    """As of the day of a dated list the seed has the logs of that list and their states, besides those that are rejected.

    Placeholders are left aside: one came into the lists with a date from before. Two logs were usable some days before a list
    said so, by the date that a later list gives them.
    """
    late = set()
    for real in ct_data.dated_lists():
        day = seed().as_of(real.timestamp)
        listed = {key: log for key, log in day.logs.items() if log.url and log.state_at(real.timestamp) is not LogState.REJECTED}
        assert listed.keys() == {key for key, log in real.logs.items() if "Bogus" not in log.description}
        for key, log in listed.items():
            assert real.logs[key].states[-1] in log.states
            late |= {log.description} if log.states[-1] != real.logs[key].states[-1] else set()
            assert (log.interval, log.operators) == (real.logs[key].interval, real.logs[key].operators)
    assert late == {"Google 'Argon2027h1'", "Google 'Xenon2027h1'"}


def test_history_of_one_log() -> None:
    """Wyvern2025h1: unknown, qualified, usable, retired, gone; each from the date that the lists of those days name."""
    (log,) = (log for log in seed().logs.values() if log.description == "DigiCert 'Wyvern2025h1' Log")
    assert [(state.value, f"{since:%Y-%m-%d}") for state, since in log.states] == [
        ("qualified", "2024-06-16"), ("usable", "2024-08-29"), ("retired", "2025-04-14"), ("rejected", "2025-11-01"),
    ]
    assert log.state_at(datetime(2024, 6, 1, tzinfo=UTC)) is None
    assert log.state_at(datetime(2025, 1, 1, tzinfo=UTC)) is LogState.USABLE


def test_as_of_knows_nothing_later() -> None:
    """No state, and no age below zero, from after the day."""
    day = moment("2024-07-15")
    earlier = seed().as_of(day)
    assert earlier.timestamp == day
    assert all(since <= day for log in earlier.logs.values() for _, since in log.states)
    assert 0 < len(earlier.logs) < len(seed().logs)
    assert any(log.kind is LogKind.STATIC for log in seed().logs.values())
    assert all(log.kind is LogKind.RFC6962 for log in earlier.logs.values())


def test_a_release_refreshes_it(tmp_path: Path) -> None:
    """The shipped seed and one newer list make the next seed; its sources are not forgotten."""
    newer = tmp_path / "new.json"
    newer.write_bytes(document([entry(1)], timestamp="2027-02-20T12:00:00Z"))
    made = tmp_path / "seed.json"
    with resources.as_file(SHIPPED) as shipped:
        assert main([str(shipped), "--partial", str(newer), "-o", str(made)]) == 0
    head = json.loads(made.read_text())
    assert len(head["sources"]) == 8
    assert head["partial_sources"] == ["Chrome log list 1.2 of 2027-02-20"]
    assert len(head["logs"]) == len(seed().logs) + 1


def test_what_the_script_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A list without its signature, one with a bad one, one that is none: a line, status 2, and no file."""
    out, bad = tmp_path / "seed.json", tmp_path / "bad.json"
    bad.write_bytes(document([entry(1)]))
    assert main([str(bad), "-o", str(out)]) == 2
    assert "bad.sig: cannot be read" in capsys.readouterr().err
    bad.with_suffix(".sig").write_bytes(b"x" * 512)
    assert main([str(bad), "-o", str(out)]) == 2
    assert "Google's key" in capsys.readouterr().err
    bad.write_bytes(b"<html>")
    assert main([str(bad), "--partial", str(bad), "-o", str(out)]) == 2
    assert not out.exists()
    assert log_id(1) not in seed().logs
