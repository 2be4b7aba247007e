"""Bad input gets one clear line naming the thing, the place and the next step, and the right exit status."""

import json
from pathlib import Path

import pytest
from servers.command import closed_port


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "no zones to work on"),
        (("--from-zones-json", "z.json", "--port", "0"), "is no port"),
        (("--from-zones-json", "z.json", "--port", "70000"), "is no port"),
        (("--from-zones-json", "z.json", "--port", "gopher:70"), "unknown service"),
        (("--from-zones-json", "z.json", "--nameserver", "dns.example.com"), "is no IP address"),
        (("--from-zones-json", "z.json", "--ca-file", "none.pem"), "none.pem"),
        (("--from-zones-json", "z.json", "--ca-file", "."), "cannot read the CA file"),
        (("--from-zones-json", "z.json", "--engine", "sslyse"), "did you mean 'sslyze'"),
        (("--from-zones-json", "z.json", "--timeout", "soon"), "is no duration"),
        (("--from-zones-json", "z.json", "--name-filter", "("), "no regular expression"),
        (("--from-zones-json", "z.json", "-f", "tabel"), "did you mean 'table'"),
        (("--from-zones-json", "z.json", "--expiring-within", "120%"), "whole lifetime"),
        (("--axfr", "example.com"), "names no transfer"),
        (("--axfr", "example.com@127.0.0.1", "--tsig", "key"), "NAME:ALGORITHM:REF"),
        (("--axfr", "example.com@127.0.0.1", "--tsig", "key:hmac-sha256:env:NOT_SET"), "NOT_SET"),
        (("--axfr", "example.com@127.0.0.1", "--tsig", "key:hmac-md5:file:k"), "hmac-md5"),
        (("--config", "none.toml"), "cannot read the configuration"),
        (("--from-zones-json", "z.json", "--nonsense"), "No such option"),
        (("explain", "DCS999"), "unknown"),
        (("explain", "cert-expird"), "did you mean 'cert-expired'"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else None,
)
def test_usage_errors(cli, zones_file, tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    """A wrong call ends with status 2 before anything is scanned, and says what to change."""
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    (tmp_path / "k").write_text("c2VjcmV0")
    done = cli(*args)
    assert done.status == 2
    assert words in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"{", "line 1"),
        (b'{"a.example": [\n{"type": "A",\n]}', "line 3"),
        (b"[]", "object"),
        (b'{"a.example": 5}', "a.example"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[" * 100_000, "nest"),
    ],
)
def test_unusable_zones_json(cli, tmp_path: Path, content: bytes, words: str) -> None:
    """A zones JSON that cannot be read is named; alone, nothing was scanned: status 2, and outputs are still written."""
    (tmp_path / "z.json").write_bytes(content)
    done = cli("--from-zones-json", "z.json", "-o", "r.csv", "--coverage", "c.csv")
    assert done.status == 2
    lines = [line for line in done.complaints if "z.json" in line]
    assert len(lines) == 1
    assert words in lines[0]
    assert (tmp_path / "r.csv").read_text().startswith("ip_address,port,fqdn,status,message,")


@pytest.mark.parametrize("name", ["missing.json", "folder"])
def test_missing_zones_json_beside_a_good_one(cli, rows_of, zones_file, tmp_path: Path, name: str) -> None:
    """The other zones go on; the run is incomplete: status 3."""
    (tmp_path / "folder").mkdir()
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    done = cli("--from-zones-json", name, "--from-zones-json", "z.json", "--port", closed_port(), "--coverage", "c.csv")
    assert done.status == 3
    assert name in done.err
    rows = rows_of("c.csv")
    scanned = {(row["fqdn"], row["state"], row["reason"]) for row in rows if row["ip_address"]}
    assert scanned == {("www.a.example", "failed", "refused")}


def test_bad_records_hide_no_others(cli, rows_of, tmp_path: Path) -> None:
    """Wrong types, unknown types, impossible addresses and endless names are reported one by one; the rest is scanned."""
    records = [
        {"type": "A", "name": "good", "ttl": None, "target": "127.0.0.1"},
        {"type": "A", "name": "bad-address", "target": "127.0.0.300"},
        {"type": "A", "name": 5, "target": "127.0.0.1"},
        {"type": "TYPE65280", "name": "private", "target": "\\# 0"},
        {"type": "A", "name": "x" * 1_000_000, "target": "127.0.0.1"},
        {"type": "A", "name": "a..b", "target": "127.0.0.1"},
        "no object",
        {"type": "A", "name": "no-target"},
    ]
    (tmp_path / "z.json").write_text(json.dumps({"a.example": records}))
    done = cli("--from-zones-json", "z.json", "--port", closed_port(), "-o", "r.csv", "--coverage", "c.csv")
    assert done.status == 3
    assert max(map(len, done.complaints)) < 2000
    rows = rows_of("c.csv")
    assert [row["fqdn"] for row in rows if row["reason"] == "refused"] == ["good.a.example"]
    assert sum(row["reason"] == "unscannable-name" for row in rows) == 2
    bad = [row for row in rows_of("r.csv") if row["code"] == "DCS508"]
    assert len(bad) == 4


def test_zone_without_records(cli, zones_file) -> None:
    """A zone of no records is nothing to be silent about: a warning, and status 0 unless warnings count."""
    zones_file({"a.example": []}, "z.json")
    done = cli("--from-zones-json", "z.json")
    assert done.status == 0
    assert "a.example" in done.out
    assert "DCS506" in done.out
    assert cli("--from-zones-json", "z.json", "--fail-on", "warning").status == 1


def test_dead_nameserver_is_an_incomplete_run(cli, zones_file) -> None:
    """When no nameserver answers at all, nothing can be said about the names it was asked for."""
    zones_file({"a.example": [("CNAME", "www", "elsewhere.example.")]}, "z.json")
    config = "[resolve]\ntimeout = 0.2\nretries = 0\n"
    zones_file({}, "unused.json").with_name("c.toml").write_text(config)
    done = cli("--config", "c.toml", "--from-zones-json", "z.json", "--nameserver", f"127.0.0.1:{closed_port()}")
    assert done.status == 3
    assert "DCS504" in done.out


def test_unwritable_outputs(cli, zones_file, tmp_path: Path) -> None:
    """One line for each output that cannot be written; the others are written, the status says incomplete."""
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    (tmp_path / "folder.csv").mkdir()
    done = cli(
        "--from-zones-json", "z.json", "--port", closed_port(), "-o", "none/r.csv", "-o", "folder.csv", "-o", "r.cvs",
        "-o", "/dev/full", "-o", "good.csv", "--coverage", "c.csv",
    )
    assert done.status == 3
    for words in ("none/r.csv", "folder.csv", "r.cvs", "/dev/full"):
        assert any(words in line for line in done.complaints), words
    assert (tmp_path / "good.csv").read_text().startswith("ip_address,")
    assert "refused" in (tmp_path / "c.csv").read_text()
    assert "Traceback" not in done.err


def test_outputs_are_written_when_there_is_nothing_to_report(cli, zones_file, tmp_path: Path) -> None:
    """A clean run replaces yesterday's findings: header only, never a stale file."""
    zones_file({"a.example": [("TXT", "@", '"hello"')]}, "z.json")
    (tmp_path / "r.csv").write_text("stale")
    done = cli("--from-zones-json", "z.json", "-o", "r.csv", "-o", "r.json", "-o", "r.jsonl")
    assert done.status == 0
    assert (tmp_path / "r.csv").read_text().splitlines()[1:] == []
    notes = json.loads((tmp_path / "r.json").read_text())["findings"]
    assert [(note["slug"], note["severity"]) for note in notes] == [("empty-zone", "info")]


def test_concurrency_of_zero_is_refused(cli, zones_file) -> None:
    """Zero is a value, and a wrong one: it is not taken for "not given"."""
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    for option in ("--concurrency", "--per-address"):
        done = cli("--from-zones-json", "z.json", option, "0")
        assert (done.status, done.out) == (2, "")


def test_two_outputs_in_one_file_are_refused(cli, zones_file) -> None:
    """The coverage does not overwrite the findings."""
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    done = cli("--from-zones-json", "z.json", "-o", "same.csv", "--coverage", "./same.csv")
    assert done.status == 2
    assert "same.csv" in done.err


def test_an_impossible_file_name_stops_no_other_output(cli, zones_file, tmp_path: Path) -> None:
    """A name longer than file systems take is one line; the other output is written."""
    zones_file({"a.example": [("A", "www", "127.0.0.1")]}, "z.json")
    done = cli("--from-zones-json", "z.json", "--port", closed_port(), "-o", "x" * 300 + ".csv", "-o", "good.csv")
    assert done.status == 3
    assert (tmp_path / "good.csv").exists()
    assert "Traceback" not in done.err


@pytest.mark.parametrize("args", [("zones", "export", "-o", "kept.json"), ("zones", "list"), ("targets",)])
def test_commands_without_any_usable_zone(cli, tmp_path: Path, args: tuple[str, ...]) -> None:
    """A missing file is a wrong call for every command, and an earlier export is not replaced by an empty one."""
    (tmp_path / "kept.json").write_text("{}")
    done = cli(*args, "--from-zones-json", "missing.json")
    assert done.status == 2
    assert "missing.json" in done.err
    assert (tmp_path / "kept.json").read_text() == "{}"


def test_coverage_reconciles_with_bad_records_and_failed_zones(cli, rows_of, tmp_path: Path) -> None:
    """The summary's numbers are those of the coverage file, whatever could not be read; each bad record is its own finding."""
    records = [{"type": "A", "name": "www", "target": "127.0.0.1"}, {"type": "A", "name": "x"}, {"type": "A", "name": "y"}]
    (tmp_path / "z.json").write_text(json.dumps({"a.example": records}))
    args = ["--from-zones-json", "z.json", "--from-zones-json", "missing.json", "--port", closed_port()]
    done = cli(*args, "-o", "r.csv", "--coverage", "c.csv")
    rows = rows_of("c.csv")
    assert f"3 records -> {len(rows)} targets: 0 scanned, {len(rows)} unreachable, 0 skipped" in done.out
    bad = [row for row in rows_of("r.csv") if row["code"] == "DCS508"]
    assert len({row["fingerprint"] for row in bad}) == len(bad) == 2
    totals = [line for line in done.out.splitlines() if line.startswith(("a.example:", "missing.json:"))]
    assert [line.rpartition("; ")[2] for line in totals] == ["2 errors, 0 warnings", "1 errors, 0 warnings"]
