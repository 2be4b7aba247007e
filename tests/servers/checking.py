"""`dnscertscan check` in this process, and its output read as Nagios and Icinga read it."""

import multiprocessing
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dnscertscan.cli import main

WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
_PERFDATA = re.compile(
    r"(?P<label>'[^'=]+'|[^'=\s]+)=(?P<value>-?\d+(?:\.\d+)?|U)(?P<uom>s|%|B|c)?"
    r"(?:;(?P<warn>[^;\s]*))?(?:;(?P<crit>[^;\s]*))?(?:;(?P<min>[^;\s]*))?(?:;(?P<max>[^;\s]*))?"
)
"""As the Monitoring Plugins Development Guidelines have it."""


@dataclass(frozen=True)
class Told:
    """One run: exit status, text of the first line, performance data as label -> (value, warn, crit), further lines."""

    status: int
    line: str
    perfdata: dict[str, tuple[float, str, str]]
    details: list[str]
    err: str

    def details_with(self, text: str) -> list[str]:
        """Further lines that have ``text``."""
        return [line for line in self.details if text in line]


Check = Callable[..., Told]


def read(status: int, out: str, err: str = "") -> Told:
    """What a monitoring system understands; anything it could not is an assertion error."""
    first, _, rest = out.partition("\n")
    line, bar, data = first.partition(" | ")
    assert line.startswith(f"CERT {WORDS[status]} - "), first
    found = {}
    for part in data.split() if bar else ():
        match = _PERFDATA.fullmatch(part)
        assert match, part
        found[match["label"]] = (float(match["value"]), match["warn"] or "", match["crit"] or "")
    assert "|" not in rest, "the rest would be taken for performance data"
    assert "\x1b" not in out
    return Told(status, line, found, rest.splitlines(), err)


def checker(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """What runs the command through its entry point, in ``folder``, without any configuration of the machine."""
    monkeypatch.chdir(folder)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))

    def command(*args: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["dnscertscan", "check", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not multiprocessing.active_children()
        shown = capsys.readouterr()
        return read(int(ended.value.code or 0), shown.out, shown.err)

    return command
