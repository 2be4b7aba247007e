"""Zones JSON: every way a single record can be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.json_file import JsonFileSource

A = {"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zones.json"


def fetch(path: Path, document: Any) -> Fetched:
    """Write ``document`` (text, or a value for JSON) and read it."""
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return JsonFileSource(path).fetch()


def checked(problem: ZoneProblem) -> str:
    assert problem.message.startswith(f"{problem.source}: ")
    assert problem.message.isprintable()
    assert len(problem.message) < 600
    return problem.message


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (None, "is null, not an object"),
        (7, "is a number, not an object"),
        (True, "is true, not an object"),
        ("www A 192.0.2.1", "is the string 'www A 192.0.2.1', not an object"),
        ([A], "is a list, not an object"),
        ({}, 'has no "name"'),
        ({"name": "www", "target": "192.0.2.1"}, 'has no "type"'),
        ({"name": "www", "type": "A"}, 'has no "target"'),
        (A | {"name": None}, '"name" is null, not a string'),
        (A | {"name": 5}, '"name" is a number, not a string'),
        (A | {"type": ["A"]}, '"type" is a list, not a string'),
        (A | {"target": {"ip": "192.0.2.1"}}, '"target" is an object, not a string'),
        (A | {"type": ""}, "type '' is no record type"),
        (A | {"type": "A\x1b[31m"}, "type 'A\\\\x1b[31m' is no record type"),
        (A | {"type": "Route53Provider/ALIAS"}, "is no record type"),
        (A | {"type": "A" * 1_000_000}, "is no record type"),
        (A | {"type": "\u017foa"}, "is no record type"),
        (A | {"ttl": "300"}, "\"ttl\" is the string '300', not a whole number of seconds or null"),
        (A | {"ttl": 1.5}, '"ttl" is a number, not a whole number'),
        (A | {"ttl": True}, '"ttl" is true, not a whole number'),
        (A | {"ttl": float("nan")}, '"ttl" is nan, not a whole number'),
        (A | {"ttl": float("inf")}, '"ttl" is inf, not a whole number'),
        (A | {"ttl": -1}, '"ttl" -1 is outside 0..2147483647'),
        (A | {"ttl": 2**31}, '"ttl" 2147483648 is outside'),
        (A | {"ttl": 10**3000}, '"ttl" of many digits is outside'),
        (A | {"target": ""}, "target '' is not an IPv4 address"),
        (A | {"target": "192.0.2.256"}, "target '192.0.2.256' is not an IPv4 address"),
        (A | {"target": "192.0.2.01"}, "is not an IPv4 address"),
        (A | {"target": "2001:db8::1"}, "is not an IPv4 address"),
        (A | {"target": "9" * 1_000_000}, "is not an IPv4 address"),
        (A | {"type": "AAAA"}, "target '192.0.2.1' is not an IPv6 address"),
        (A | {"type": "AAAA", "target": "fe80::1%eth0"}, "has a scope"),
        (A | {"type": "AAAA", "target": "::1::"}, "is not an IPv6 address"),
        (A | {"type": "CNAME", "target": " "}, "target is empty"),
        (A | {"name": "www.example.org."}, "name 'www.example.org.' is outside the zone example.com"),
        (A | {"name": "wwwexample.com."}, "is outside the zone example.com"),
        (A | {"name": "."}, "is outside the zone"),
        (A | {"name": "www\\"}, "ends in a backslash"),
        (A | {"type": "CNAME", "target": "www\\."}, "ends in a backslash"),
    ],
)
def test_a_bad_record_is_named_and_the_others_are_kept(path: Path, record: Any, words: str) -> None:
    """File, zone, record number and reason; the records before and after it are there."""
    fetched = fetch(path, {"example.com": [A, record, A | {"name": "after"}]})
    (zone,) = fetched.zones
    assert [item.name.text for item in zone.records] == ["after.example.com", "www.example.com"]
    (problem,) = fetched.problems
    assert (problem.fault, problem.zone, problem.source) == (ZoneFault.BAD_RECORD, "example.com", str(path))
    assert f"{path}: zone example.com, record 2: " in checked(problem)
    assert words in problem.message


def test_a_record_with_a_key_written_twice_is_not_guessed(path: Path) -> None:
    """Which of two targets is meant nobody knows."""
    text = '{"example.com": [{"type": "A", "name": "w", "target": "192.0.2.1", "target": "192.0.2.2"}]}'
    (problem,) = fetch(path, text).problems
    assert "record 1: has 'target' twice" in checked(problem)


def test_every_bad_record_is_reported(path: Path) -> None:
    """A thousand bad records are a thousand lines."""
    fetched = fetch(path, {"example.com": [A | {"target": "x"}] * 1000 + [A]})
    assert len(fetched.problems) == 1000
    assert len(fetched.zones[0].records) == 1
