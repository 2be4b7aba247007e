"""`ct inventory --interactive` on a terminal: shows, asks, remembers at once, never takes an alarm for accepted."""

import errno
import os
import pty
import re
import select
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.command import COMMAND, clean_environment
from servers.ct_inventory import Company, Run, runner
from servers.ct_issue import issue

QUESTION = "[a]ccept, [r]eject (stays an alarm), [s]kip, [q]uit [s]: "
ALARM = "[k] acknowledge it for a while, [s]kip, [q]uit [s]: "


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    with Company(tmp_path) as running:
        running.deploy(issue(running.ca, "www.watched.com", logs=running.logs))
        yield running


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], company: Company) -> Run:
    return runner(company, tmp_path, monkeypatch, capsys)


class Terminal:
    """The command on a terminal of its own; ``say`` waits for a text and a question at its end, and answers that."""

    def __init__(self, company: Company, home: Path, *args: str) -> None:
        ours, theirs = pty.openpty()
        command = [*COMMAND, "ct", "inventory", str(company.folder), "--search", f"sslmate:{company.sslmate.url}", *args]
        environment = {**clean_environment(home), "TERM": "dumb"}
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *command, "--interactive"], stdin=theirs, stdout=theirs, stderr=theirs, cwd=home,
            env=environment,
        )
        os.close(theirs)
        self._terminal, self.shown, self._from = ours, "", 0

    def _read(self, limit: float) -> bool:
        """Whether there may be more."""
        if not select.select([self._terminal], [], [], limit)[0]:
            return True
        try:
            found = os.read(self._terminal, 65536)
        except OSError as problem:
            assert problem.errno == errno.EIO
            return False
        self.shown += found.decode().replace("\r\n", "\n")
        return bool(found)

    def say(self, question: str, answer: str) -> None:
        end = time.monotonic() + 60
        while question not in self.shown[self._from :] or not self.shown.endswith(": "):
            assert time.monotonic() < end, self.shown
            assert self._read(1.0), self.shown
        self._from = len(self.shown)
        if answer in ("\x03", "\x04"):
            time.sleep(0.5)  # nobody is as quick as to press Ctrl-C between a question and the reading of its answer
        os.write(self._terminal, answer.encode())

    def end(self) -> int:
        """Its exit status; everything it showed is in ``shown``."""
        end = time.monotonic() + 60
        while self._read(1.0):
            assert time.monotonic() < end, self.shown
        os.close(self._terminal)
        return self._process.wait(10)


def day(company: Company, days: int) -> str:
    return f"{company.now + timedelta(days=days):%Y-%m-%d}"


def test_show_ask_remember(company: Company, tmp_path: Path, run: Run) -> None:
    """One accepted, one rejected, one skipped; the report follows at once, and the next run asks nothing about the first."""
    hosts = {name: issue(company.ca, f"{name}.watched.com", logs=company.logs, not_before=company.now - timedelta(days=days))
             for name, days in (("a", 3), ("b", 4), ("c", 5))}
    terminal = Terminal(company, tmp_path)
    terminal.say(QUESTION, "x\n")
    terminal.say(QUESTION, "a\n")
    terminal.say("until (the last day that it counts) [", "someday\n")
    terminal.say("is no date", "2999-01-01\n")
    terminal.say("not within the next 400 days", "\n")
    terminal.say("reason: ", "our new shop\n")
    terminal.say(QUESTION, "r\n")
    terminal.say("reason: ", "\n")
    terminal.say(QUESTION, "\n")
    assert terminal.end() == 2
    for number, host in enumerate(hosts.values(), start=1):
        head = rf"\[{number} of 3\]\nUNKNOWN CERTIFICATE \(CRITICAL\): {host.names[0]}\n"
        assert re.search(rf"{head}(  .*\n)*?  TBS hash: {host.tbs_sha256}", terminal.shown)
    assert "\nCT INVENTORY CRITICAL - 1 rejected; 1 unknown; 1 accepted; 1 known; watched.com: sslmate | " in terminal.shown
    assert f"accept: until {day(company, 80)}" in terminal.shown  # the end of the certificate
    done = run()
    assert "1 rejected; 1 unknown; 1 accepted; 1 known" in done.out
    assert "a.watched.com" not in done.out


def test_an_alarm_is_acknowledged_for_a_while(company: Company, tmp_path: Path, run: Run) -> None:
    """Another CA: no [a], a reason and an end within 90 days are needed; it stays in every report, with both."""
    issue(company.other, "www.watched.com", logs=company.logs)
    terminal = Terminal(company, tmp_path, "--issuer", "issuer.pem")
    terminal.say(ALARM, "a\n")
    terminal.say(ALARM, "k\n")
    terminal.say("until (the last day that it counts) [", f"{day(company, 120)}\n")
    terminal.say("not within the next 90 days", f"{day(company, 10)}\n")
    terminal.say("reason: ", "\n")
    terminal.say("an alarm is not put off without a reason", "test of a new CA\n")
    assert terminal.end() == 0
    done = run("--issuer", company.issuer)
    assert (done.status, done.out.splitlines()[0].startswith("CT INVENTORY OK - 1 acknowledged; 1 known;")) == (0, True)
    assert f"acknowledged until {day(company, 10)} 23:59 UTC (test of a new CA)" in done.out
    issue(company.other, "www.watched.com", logs=company.logs)
    assert run("--issuer", company.issuer).status == 2  # another one is another one


@pytest.mark.parametrize("key", ["q\n", "\x04", "\x03"])
def test_ending_early(company: Company, tmp_path: Path, run: Run, key: str) -> None:
    """q, end of input and Ctrl-C end the questions; what was decided before is kept, and the report is made."""
    for name, days in (("a", 3), ("b", 4), ("c", 5)):
        issue(company.ca, f"{name}.watched.com", logs=company.logs, not_before=company.now - timedelta(days=days))
    terminal = Terminal(company, tmp_path)
    terminal.say(QUESTION, "a\n")
    terminal.say("until", "\n")
    terminal.say("reason", "\n")
    terminal.say(QUESTION, key)
    assert terminal.end() == 2
    assert "[3 of 3]" not in terminal.shown
    assert "2 unknown; 1 accepted; 1 known" in terminal.shown
    assert "2 unknown; 1 accepted; 1 known" in run().out


def test_nothing_to_ask(company: Company, tmp_path: Path) -> None:
    """All is known: no question."""
    terminal = Terminal(company, tmp_path)
    assert terminal.end() == 0
    assert "[s]" not in terminal.shown
