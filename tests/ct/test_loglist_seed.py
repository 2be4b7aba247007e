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
FACTS = Path(__file__).with_name("loglist_facts")
LATE = {"Google 'Argon2027h1'", "Google 'Xenon2027h1'", "TrustAsia 'HETU2027'", "IPng Networks 'Halloumi2026h2a'"}
"""Logs that were usable some days before a signed list said so, by the date that a later list gives them."""


def real_lists() -> list[str]:
    return [str(path) for path in sorted(ct_data.path("loglists").glob("chrome_v3_*.json"))]


def facts() -> list[str]:
    """Facts of lists whose signatures nobody kept: the arguments that name them, those of a part of a list as such."""
    parts = [str(path) for path in sorted(FACTS.glob("*-part.json"))]
    whole = [str(path) for path in sorted(FACTS.glob("*.json")) if str(path) not in parts]
    return [*whole, *(word for path in parts for word in ("--partial", path))]


def test_shape() -> None:
    """Dated, with its sources; one line for each log, which says where it is from; each id is the digest of the key."""
    text = SHIPPED.read_text()
    head = json.loads(text)
    assert head["timestamp"] == "2026-08-29T13:39:10Z"
    assert len(head["sources"]) == 9
    assert len(head["partial_sources"]) == 4
    assert sum('"log_id"' in line for line in text.splitlines()) == len(head["logs"]) == len(seed().logs)
    for fields in head["logs"]:
        assert sha256(b64decode(fields["key"])).digest() == b64decode(fields["log_id"])
        assert fields["states"]
        assert fields["operators"][-1][1] is None
        assert fields["source"] in [*head["sources"], *head["partial_sources"]]
    assert (seed().name, seed().signed) == ("seed", False)


def test_the_seed_is_what_the_lists_say(tmp_path: Path) -> None:
    """The script makes the shipped file, octet by octet, out of the dated lists."""
    partial = str(ct_data.path("loglists/google_operator_2026-10_subset.json"))
    made = tmp_path / "seed.json"
    assert main([*real_lists(), *facts(), "--partial", partial, "-o", str(made)]) == 0
    assert made.read_text() == SHIPPED.read_text()


def test_every_log_since_2023_is_in_it() -> None:
    """None of the 112 logs of three years is missing, nor the keys of 2026."""
    assert seed().logs.keys() >= ct_data.union().logs.keys()
    for log_id_, log in ct_data.union().logs.items():
        assert (seed().logs[log_id_].key, seed().logs[log_id_].kind) == (log.key, log.kind)
    found = read(ct_data.read("loglists/google_operator_2026-10_subset.json"))
    assert {log.log_id for log in found.logs} <= seed().logs.keys()


def test_facts_say_no_other_than_the_signed_lists(tmp_path: Path) -> None:
    """Without the lists of which only copies are at hand, all states up to the last signed list are the same."""
    made = tmp_path / "signed.json"
    assert main([*real_lists(), "-o", str(made)]) == 0
    signed = read(made.read_bytes())
    assert len(signed.logs) == 112
    last = datetime(2026, 1, 2, 12, 57, 1, tzinfo=UTC)
    for log in signed.logs:
        known = seed().logs[log.log_id]
        before = tuple(one for one in known.states if one[1] <= last)
        assert before == log.states or log.description in LATE
        assert before[: len(log.states)] == log.states
        assert (known.key, known.kind, known.url, known.monitoring_url, known.mmd, known.interval, known.operators) == (
            log.key, log.kind, log.url, log.monitoring_url, log.mmd, log.interval, log.operators,
        )


def test_the_list_of_each_day() -> None:
    """As of the day of a dated list the seed has the logs of that list and their states, besides those that are rejected.

    Placeholders are left aside: one came into the lists with a date from before.
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
    assert late == LATE


def test_history_of_one_log() -> None:
    """Wyvern2025h1: unknown, qualified, usable, retired, gone; each from the date that the lists of those days name."""
    (log,) = (log for log in seed().logs.values() if log.description == "DigiCert 'Wyvern2025h1' Log")
    assert [(state.value, f"{since:%Y-%m-%d}") for state, since in log.states] == [
        ("qualified", "2024-06-16"), ("usable", "2024-08-29"), ("retired", "2025-04-14"), ("rejected", "2025-11-01"),
    ]
    assert log.state_at(datetime(2024, 6, 1, tzinfo=UTC)) is None
    assert log.state_at(datetime(2025, 1, 1, tzinfo=UTC)) is LogState.USABLE


@pytest.mark.parametrize(("name", "history"), [
    ("Google 'ParcelYard2026h2' log", "pending 2026-04-21, qualified 2026-06-19, usable 2026-08-31"),
    ("Google 'PlumbersArms2026h2' log", "pending 2026-04-21, qualified 2026-06-19"),
    ("TrustAsia Luoshu2027", "qualified 2025-12-02, usable 2026-02-11"),
    ("Let's Encrypt 'Oak2026h2'", "usable 2024-11-04, readonly 2025-12-12, retired 2026-02-28"),
    ("Google 'Argon2026h1' log", "usable 2024-09-30, rejected 2026-07-09"),
    ("Google 'Argon2025h2' log", "usable 2023-11-26, rejected 2026-01-08"),
    ("Cloudflare 'Nimbus2026'", "usable 2024-11-08"),
    ("Geomys Tuscolo2028h2", "qualified 2026-09-09"),
])
def test_what_happened_in_2026(name: str, history: str) -> None:
    """States of that year, out of lists that speak of all logs and of some, in the order of their dates."""
    (log,) = (log for log in seed().logs.values() if log.description == name)
    assert ", ".join(f"{state} {since:%Y-%m-%d}" for state, since in log.states) == history


def test_the_logs_of_autumn_2026() -> None:
    """As of the newest complete list: the 48 logs it has are there and not rejected, and nothing else is, but what came later."""
    whole = read((FACTS / "chrome-89.34-2026-08-29.json").read_bytes())
    day = datetime(2026, 10, 3, tzinfo=UTC)
    standing = {key for key, log in seed().logs.items() if log.state_at(day) is not LogState.REJECTED}
    names = {seed().logs[key].description for key in standing - {log.log_id for log in whole.logs}}
    assert len(whole.logs) == 48
    assert {log.log_id for log in whole.logs} <= standing
    assert names == {"Geomys Tuscolo2028h2"}


def test_each_log_says_where_it_is_from() -> None:
    """The newest list that speaks of a log, with its date; facts without a signature are told as such."""
    told = {log["description"]: log["source"] for log in json.loads(SHIPPED.read_text())["logs"]}
    assert told["Google 'ParcelYard2027h1' log"] == "Chrome log list 93.3-subset of 2026-10-03"
    assert told["Cloudflare 'Nimbus2026'"] == "Chrome log list 89.34 of 2026-08-29 (copy without signature)"
    assert told["Google 'Argon2025h2' log"] == "Chrome log list 85.52 of 2026-04-21 (copy without signature)"
    assert told["Cloudflare 'Nimbus2024' Log"] == "Chrome log list 50.57 of 2025-01-02"


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
    head, before = json.loads(made.read_text()), json.loads(SHIPPED.read_text())
    assert head["sources"] == before["sources"]
    assert head["partial_sources"] == [*before["partial_sources"], "Chrome log list 1.2 of 2027-02-20"]
    assert len(head["logs"]) == len(seed().logs) + 1
    sources = {log["log_id"]: log["source"] for log in head["logs"]}
    assert sources | {log["log_id"]: log["source"] for log in before["logs"]} == sources
    (added,) = sources.keys() - {log["log_id"] for log in before["logs"]}
    assert sources[added] == "Chrome log list 1.2 of 2027-02-20"


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
