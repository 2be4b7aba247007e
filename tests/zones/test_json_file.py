"""Zones JSON: what exports contain, and everything that can be wrong with a file."""

import json
import os
import pwd
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Zone, ZoneFault, ZoneProblem
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.json_file import JsonFileSource

A = {"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "zones.json"


def fetch(path: Path, document: Any) -> Fetched:
    """Write ``document`` (text, octets, or a value for JSON) and read it."""
    if isinstance(document, bytes):
        path.write_bytes(document)
    else:
        path.write_text(document if isinstance(document, str) else json.dumps(document))
    return JsonFileSource(path).fetch()


def content(zone: Zone) -> list[tuple[str, str, str, int | None]]:
    return [(record.name.text, record.type, record.data, record.ttl) for record in zone.records]


def failure(fetched: Fetched) -> str:
    """The one line of a file that cannot be used at all."""
    assert fetched.zones == ()
    (problem,) = fetched.problems
    assert problem.fault is ZoneFault.FAILED
    return checked(problem)


def checked(problem: ZoneProblem) -> str:
    assert problem.message.startswith(f"{problem.source}: ")
    assert problem.message.isprintable()
    assert len(problem.message) < 600
    return problem.message


def test_what_earlier_exports_contain_loads_unchanged(path: Path) -> None:
    """Relative and absolute names, @, *, targets with final dot, missing and null TTLs, other types, octal wildcards."""
    fetched = fetch(
        path,
        """{"example.com": [{"type": "A", "name": "www", "ttl": 300, "target": "192.0.2.10"},
            {"type": "CNAME", "name": "shop", "ttl": 300, "target": "shops.example.net."},
            {"type": "A", "name": "@", "ttl": null, "target": "192.0.2.1"},
            {"type": "A", "name": "*", "target": "192.0.2.2"},
            {"type": "A", "name": "\\\\052.dev", "ttl": 60, "target": "192.0.2.3"},
            {"type": "CNAME", "name": "ftp", "ttl": 300, "target": "www"},
            {"type": "CNAME", "name": "root", "ttl": 300, "target": "@"},
            {"type": "aaaa", "name": "Abs.Example.COM.", "ttl": 0, "target": "2001:DB8:0::1"},
            {"type": "DNAME", "name": "old", "ttl": 300, "target": "new"},
            {"type": "A", "name": "_srv._tcp", "ttl": 300, "target": "192.0.2.4"},
            {"type": "A", "name": "b\\u00fccher", "ttl": 300, "target": "192.0.2.5"},
            {"type": "MX", "name": "@", "ttl": 300, "target": "10 mail", "comment": "extra keys are ignored"},
            {"type": "TXT", "name": "@", "ttl": 300, "target": "\\"v=spf1 -all\\""},
            {"type": "Alias", "name": "@", "ttl": 300, "target": "lb"}]}""",
    )
    assert fetched.problems == ()
    (zone,) = fetched.zones
    assert (zone.name, zone.serial, zone.source, zone.view) == (DnsName("example.com"), None, str(path), "")
    assert content(zone) == [
        ("example.com", "A", "192.0.2.1", None),
        ("example.com", "ALIAS", "lb", 300),
        ("example.com", "MX", "10 mail", 300),
        ("example.com", "TXT", '"v=spf1 -all"', 300),
        ("*.example.com", "A", "192.0.2.2", None),
        ("_srv._tcp.example.com", "A", "192.0.2.4", 300),
        ("abs.example.com", "AAAA", "2001:db8::1", 0),
        ("*.dev.example.com", "A", "192.0.2.3", 60),
        ("ftp.example.com", "CNAME", "www.example.com.", 300),
        ("old.example.com", "DNAME", "new.example.com.", 300),
        ("root.example.com", "CNAME", "example.com.", 300),
        ("shop.example.com", "CNAME", "shops.example.net.", 300),
        ("www.example.com", "A", "192.0.2.10", 300),
        ("xn--bcher-kva.example.com", "A", "192.0.2.5", 300),
    ]


def test_records_know_where_they_came_from(path: Path) -> None:
    """File, record number and view travel with every record, whatever the order becomes."""
    path.write_text(json.dumps({"example.com": [A | {"name": "z"}, A | {"name": "a"}]}))
    (zone,) = JsonFileSource(path, "inside").fetch().zones
    assert [(record.name.text, record.origin) for record in zone.records] == [
        ("a.example.com", Origin(str(path), 2, "inside")),
        ("z.example.com", Origin(str(path), 1, "inside")),
    ]
    assert zone.view == "inside"
    assert JsonFileSource(path).name == str(path)


def test_the_serial_comes_from_the_soa(path: Path) -> None:
    """An exported SOA gives the zone its serial; one that is none is kept as a record."""
    soa = {"type": "SOA", "name": "@", "target": "ns. admin. 2024010101 1 1 1 1"}
    assert [zone.serial for zone in fetch(path, {"example.com": [soa]}).zones] == [2024010101]
    for target in ("", "x y", "ns. admin. z", "ns. admin. 99999999999", "ns. admin. ٣"):
        (zone,) = fetch(path, {"example.com": [soa | {"target": target}]}).zones
        assert (zone.serial, len(zone.records)) == (None, 1)


def test_a_zone_key_written_twice_loses_nothing(path: Path) -> None:
    """Two lists for one zone, also in two spellings, become one zone with the records of both, numbered on."""
    first, second, third = (json.dumps([A | {"name": name}]) for name in ("a", "b", "c"))
    fetched = fetch(path, f'{{"example.com": {first}, "Example.COM.": {second}, "example.com": {third}}}')
    assert fetched.problems == ()
    (zone,) = fetched.zones
    assert [(record.name.text, record.origin.index) for record in zone.records] == [
        ("a.example.com", 1),
        ("b.example.com", 2),
        ("c.example.com", 3),
    ]


def test_a_zone_without_records_is_a_zone(path: Path) -> None:
    """An empty list is an empty zone, not a failure, and not nothing."""
    (zone,) = fetch(path, {"example.com": []}).zones
    assert (zone.name.text, zone.records) == ("example.com", ())


def test_the_same_record_twice_is_kept_twice(path: Path) -> None:
    """Whoever counts records finds every line of the file."""
    (zone,) = fetch(path, {"example.com": [A, A]}).zones
    assert [record.origin.index for record in zone.records] == [1, 2]


@pytest.mark.parametrize("value", [None, {}, "A", 1, {"www": "192.0.2.1"}])
def test_a_zone_of_the_wrong_type_fails_alone(path: Path, value: Any) -> None:
    """It is no empty zone, and the other zones of the file are there."""
    fetched = fetch(path, {"bad.example": value, "example.com": [A]})
    assert [zone.name.text for zone in fetched.zones] == ["example.com"]
    (problem,) = fetched.problems
    assert (problem.fault, problem.zone) == (ZoneFault.FAILED, "bad.example")
    assert "zone bad.example: its value is" in checked(problem)


def test_half_a_zone_is_no_zone(path: Path) -> None:
    """A zone key that stands twice, once with a broken value, fails as a whole."""
    assert "its value is null" in failure(fetch(path, f'{{"example.com": [{json.dumps(A)}], "example.com": null}}'))


@pytest.mark.parametrize("key", ["", "@", " ", "a..b", "a\\", "x" * 1_000_000, "\x1b[2J."])
def test_keys_that_are_no_zone_names(path: Path, key: str) -> None:
    """A key no zone can have is reported, short and printable; the others are read."""
    fetched = fetch(path, {key: [A], "example.com": [A]})
    if key == "\x1b[2J.":  # odd, but a name: kept, and harmless where it is shown
        assert len(fetched.zones) == 2
        assert fetched.problems == ()
        return
    assert [zone.name.text for zone in fetched.zones] == ["example.com"]
    assert fetched.problems[0].fault is ZoneFault.FAILED
    checked(fetched.problems[0])


def test_names_no_server_can_have_are_kept(path: Path) -> None:
    """A million characters, long labels, odd characters and lone surrogates load; what to do with them others decide."""
    names = ["a" * 1_000_000, "ü" * 1_000_000, "x" * 64, "a b", "a..b", "\ud800", "\x1b[31m", "café\u202e"]
    start = time.monotonic()
    fetched = fetch(path, {"example.com": [A | {"name": name} for name in names]})
    assert time.monotonic() - start < 3
    assert fetched.problems == ()
    assert len(fetched.zones[0].records) == len(names)


def test_the_root_zone(path: Path) -> None:
    """The root is a zone like others."""
    (zone,) = fetch(path, {".": [A, A | {"name": "@"}]}).zones
    assert [record.name.text for record in zone.records] == ["", "www"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"example.com": [\n  {"type": "A",}\n]}', "line 2, column 16: not valid JSON"),
        ('{"example.com": [', "line 1, column 18: not valid JSON"),
        ('{"a": []} trailing', "line 1, column 11: not valid JSON: Extra data"),
        ("", "the file is empty"),
        (" \n\n", "the file is empty"),
        ("[]", "the document is a list, not an object"),
        ("null", "the document is null"),
        ('"zones"', "the document is the string 'zones'"),
        ("NaN", "the document is nan, not an object"),
        ("{}", "the file holds no zone at all"),
        ("[" * 200_000, "nested too deep"),
        ('{"a":' * 200_000, "nested too deep"),
        ('{"a": [{"ttl": ' + "9" * 5000 + "}]}", "a number in it cannot be read"),
        ("$ORIGIN example.com.\nwww A 192.0.2.1", "line 1, column 1: not valid JSON"),
        (b'{"example.com": []}\n\xff\xfe', "line 2: not UTF-8"),
        ('{"a": []}'.encode("utf-16"), "line 1: not UTF-8"),
        (b"\x00" * 1000, "not valid JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(path: Path, document: str | bytes, words: str) -> None:
    """File, line and column where there are some, and what was expected."""
    assert words in failure(fetch(path, document))


def test_a_byte_order_mark_is_no_reason_to_fail(path: Path) -> None:
    """Editors on Windows write one."""
    fetched = fetch(path, b"\xef\xbb\xbf" + json.dumps({"example.com": [A]}).encode())
    assert fetched.problems == ()
    assert len(fetched.zones) == 1


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """Missing, a directory, an impossible path: the system's reason, one line."""
    assert "No such file or directory" in failure(JsonFileSource(tmp_path / "missing.json").fetch())
    assert "Is a directory" in failure(JsonFileSource(tmp_path).fetch())
    assert "File name too long" in failure(JsonFileSource(tmp_path / ("x" * 300)).fetch())
    (problem,) = JsonFileSource(Path("a\0b")).fetch().problems
    assert "cannot read the zones file" in problem.message
    assert "\0" not in problem.message


def test_a_file_we_may_not_read(path: Path) -> None:
    """Permission denied is said as such (as root, another user looks)."""
    path.write_text("{}")
    path.chmod(0)
    if os.getuid() != 0:
        assert "Permission denied" in failure(JsonFileSource(path).fetch())
        return
    script = (
        "import os, sys; from pathlib import Path; from dnscertscan.zones.json_file import JsonFileSource\n"
        "source = JsonFileSource(Path(sys.argv[1])); os.setgid(int(sys.argv[2])); os.setuid(int(sys.argv[2]))\n"
        "print(source.fetch().problems[0].message)"
    )
    nobody = str(pwd.getpwnam("nobody").pw_uid)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(path), nobody], capture_output=True, text=True, check=True, timeout=30
    )
    assert "Permission denied" in ended.stdout


def test_a_large_file_is_quick(path: Path) -> None:
    """100,000 records in well under 3 s (measured about half of that on one busy core)."""
    names = (f"host-{number}" for number in range(100_000))
    path.write_text(json.dumps({"example.com": [A | {"name": name} for name in names]}))
    start = time.process_time()
    fetched = JsonFileSource(path).fetch()
    assert time.process_time() - start < 3
    assert len(fetched.zones[0].records) == 100_000
