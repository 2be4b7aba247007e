"""`dnscertscan ct audit` in this process: an empty folder, a home of its own, and a list of the test's logs."""

import json
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from servers.command import Done
from servers.ct_issue import log_list
from servers.ct_log import CtLog

from dnscertscan.cli import main

Run = Callable[..., Done]


def runner(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: Sequence[CtLog], made: datetime
) -> Run:
    """What runs the command through its entry point; ``logs.json`` in ``folder`` is a list of ``logs`` of the time ``made``."""
    monkeypatch.chdir(folder)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    (folder / "logs.json").write_bytes(log_list(*logs, now=made))

    def command(*args: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["dnscertscan", "ct", "audit", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not multiprocessing.active_children()
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return command


def found_in(done: Done) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON object, which agree."""
    assert done.out, done.err
    found = json.loads(done.out)
    assert found["exit_status"] == done.status
    return done.status, found


def at_loopback(name: str, port: int, *more: object) -> tuple[object, ...]:
    """Arguments for a server of that name at 127.0.0.1, with the list of the test's logs and JSON."""
    return (f"{name}:{port}", "--address", "127.0.0.1", "--log-list", "logs.json", "--json", *more)
