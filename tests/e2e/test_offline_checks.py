"""``zones check`` and ``config check``: any number of files, every problem one line, status 2, and no network."""

import json
from pathlib import Path

import pytest
from servers.loopback_only import Guard

_GOOD = {"type": "A", "name": "www", "target": "192.0.2.1"}


@pytest.fixture
def offline(cli, tmp_path: Path):
    """The command, held to what needs no network."""
    guard = Guard(tmp_path)

    def run(*args: object):
        done = cli(*args, env=guard.environment)
        assert guard.attempts == []
        assert "Traceback" not in done.err
        return done

    return run


def test_good_zones(offline, tmp_path: Path) -> None:
    """One line for each file, with what is in it; names that nobody could resolve are not looked up."""
    gone = {"type": "CNAME", "name": "b", "target": "gone.invalid."}
    (tmp_path / "a.json").write_text(json.dumps({"a.example": [_GOOD, gone]}))
    (tmp_path / "b.json").write_text(json.dumps({"b.example": [_GOOD], "c.example": []}))
    done = offline("zones", "check", "a.json", "b.json")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines() == ["a.json: ok (zones: 1, records: 2)", "b.json: ok (zones: 2, records: 1)"]


def test_bad_zones(offline, tmp_path: Path) -> None:
    """What cannot be read, and every zone and record that cannot be used; the good file is told as good."""
    hostile = {"type": "A\x1b[31m", "name": "\u202e", "target": "\n::error::"}
    bad = [_GOOD, "no object", {"type": "A", "name": "x"}, _GOOD, hostile]
    (tmp_path / "a.json").write_text(json.dumps({"a.example": bad, "a..example": [_GOOD]}))
    (tmp_path / "b.json").write_text(json.dumps({"b.example": [_GOOD]}))
    (tmp_path / "c.json").write_text("[]")
    (tmp_path / "folder").mkdir()
    done = offline("zones", "check", "missing.json", "a.json", "folder", "b.json", "c.json")
    assert done.status == 2
    assert done.out == "b.json: ok (zones: 1, records: 1)\n"
    assert done.err.isascii()
    assert all(line.isprintable() for line in done.err.splitlines())
    starts = (
        "missing.json: cannot read the zones file: ", "a.json: 'a..example' has an empty label",
        "a.json: zone a.example, record 2: ", 'a.json: zone a.example, record 3: has no "target"',
        "a.json: zone a.example, record 5: ", "folder: cannot read the zones file: Is a directory",
        "c.json: the document is a list",
    )
    for line, start in zip(done.complaints, starts, strict=True):
        assert line.startswith(f"dnscertscan: {start}")


def test_ten_thousand_bad_records(offline, tmp_path: Path) -> None:
    """Each is told."""
    (tmp_path / "a.json").write_text(json.dumps({"a.example": [{**_GOOD, "target": "x"}] * 10_000}))
    done = offline("zones", "check", "a.json")
    assert done.status == 2
    assert len(done.complaints) == 10_000
    assert done.complaints[-1].startswith("dnscertscan: a.json: zone a.example, record 10000: ")


def test_no_file_at_all(offline) -> None:
    """Nothing to check is a mistake in the call."""
    done = offline("zones", "check")
    assert done.status == 2
    assert "Missing argument 'FILE...'" in done.err


def test_good_configurations(offline, tmp_path: Path) -> None:
    """Files of any name; neither servers nor secrets that they name are asked for."""
    transfer = '[[zones]]\nkind = "axfr"\nzone = "a.example"\nservers = ["ns.a.example"]\n'
    key = '[zones.tsig]\nname = "key"\nalgorithm = "hmac-sha256"\nsecret = "env:NOT_SET"\n'
    (tmp_path / "a.toml").write_text(transfer + key)
    (tmp_path / "b.toml").write_text("")
    done = offline("config", "check", "a.toml", "b.toml")
    assert (done.status, done.err, done.out) == (0, "", "a.toml: ok\nb.toml: ok\n")


def test_bad_configurations(offline, tmp_path: Path) -> None:
    """All files are gone through; each problem is a line with its file."""
    (tmp_path / "a.toml").write_text('[scan]\nprots = [443]\ntimeout = "soon"\n')
    (tmp_path / "b.toml").write_text("[scan]\n")
    (tmp_path / "c.toml").write_text("scan = [\n")
    done = offline("config", "check", "a.toml", "missing.toml", "b.toml", "c.toml")
    assert done.status == 2
    assert done.out == "b.toml: ok\n"
    lines = [line.removeprefix("dnscertscan: ") for line in done.complaints]
    assert {line for line in lines if line.startswith("a.toml:2: scan.prots: unknown key; did you mean 'ports'?")}
    assert {line for line in lines if line.startswith("a.toml:3: scan.timeout: ")}
    assert {line for line in lines if line.startswith("missing.toml: cannot read the configuration")}
    assert {line for line in lines if line.startswith("c.toml: not valid TOML")}
    assert len(lines) == 4


def test_a_configuration_is_named_in_one_way(offline, tmp_path: Path) -> None:
    """Two ways at once would leave one unread."""
    (tmp_path / "a.toml").write_text("")
    done = offline("config", "check", "--config", "a.toml", "a.toml")
    assert done.status == 2
    assert "leave one of them out" in done.err
