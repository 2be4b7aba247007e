"""What a monitoring system gets of the commands made for it, whatever happens: a first line or JSON, and 0 to 3."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from servers.command import COMMAND, clean_environment

from dnscertscan.cli import ct_audit, main

COMMANDS = {"audit": ("--chain", "none.pem"), "inventory": ("none.pem",)}
NAMES = {"audit": "CT", "inventory": "CT INVENTORY"}


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dnscertscan", "ct", *args])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("problem", [ZeroDivisionError("x"), RuntimeError("x"), PermissionError(13, "Permission denied", "f")])
def test_internal_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    """A bug is UNKNOWN, with a first line; the traceback is in the log."""
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(ct_audit, "_place", fail)
    assert run(monkeypatch, "audit", "www.example.com") == 3
    out = capsys.readouterr().out
    said = "f: Permission denied" if isinstance(problem, OSError) else "internal error ("
    assert out.startswith(f"CT UNKNOWN - {said}")
    assert run(monkeypatch, "audit", "www.example.com", "--json") == 3
    assert json.loads(capsys.readouterr().out)["status"] == "UNKNOWN"


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("wrong", [(), ("--nonsense",), ("--timeout",), ("--config", "")])
def test_json_of_what_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, wrong: tuple[str, ...]
) -> None:
    """Who asks for JSON gets JSON, also where the call is wrong; who does not gets the line."""
    for style in (("-f", "json"), ("-fjson",), ("--format=json",), ("--format", "json")):
        assert run(monkeypatch, name, *style, *COMMANDS[name], *wrong) == 3
        found = json.loads(capsys.readouterr().out)
        assert (found["schema"], found["status"], found["exit_status"]) == (f"dnscertscan/ct-{name}/1", "UNKNOWN", 3)
        assert found["error"]
    assert run(monkeypatch, name, *COMMANDS[name], *wrong) == 3
    assert capsys.readouterr().out.startswith(f"{NAMES[name]} UNKNOWN - ")


@pytest.mark.parametrize(
    ("args", "option"),
    [
        (("audit", ""), "HOST"), (("audit", "--chain", ""), "--chain"), (("audit", "--chain", "x", "--at", ""), "--at"),
        (("audit", "x.test", "--sni", " "), "--sni"), (("audit", "x.test", "--ca-file="), "--ca-file"),
        (("inventory", "--accept-tbs", "", "--until", "2027-01-01"), "--accept-tbs"),
        (("inventory", "x", "--domain", ""), "--domain"),
        (("inventory", "x", ""), "PATH"), (("inventory", "x", "--learn", ""), "--learn"),
    ],
)
def test_empty_values(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], option: str
) -> None:
    """A variable that was never set is not the same as no option: the call is refused, by the name of the option."""
    assert run(monkeypatch, *args) == 3
    out = capsys.readouterr().out
    assert option in out
    assert "empty value" in out


@pytest.mark.parametrize("name", COMMANDS)
def test_closed_standard_streams(tmp_path: Path, name: str) -> None:
    """Whatever the caller closed: no bug report, 3, and the line where it can be seen."""
    chain = ("--chain", "-") if name == "audit" else COMMANDS[name]
    for closed in ("<&-", "<&- 2>&-", "<&- >&- 2>&-"):
        script = f'exec "$@" {closed}'
        done = subprocess.run(
            ["/bin/sh", "-c", script, "sh", *COMMAND, "ct", name, *chain], cwd=tmp_path, env=clean_environment(tmp_path),
            capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode == 3, done.stderr
        assert "internal error" not in done.stdout + done.stderr
        assert done.stdout.startswith(f"{NAMES[name]} UNKNOWN - ") is (" >&-" not in closed)
