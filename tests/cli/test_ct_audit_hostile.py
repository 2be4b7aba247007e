"""`dnscertscan ct audit HOST` behind STARTTLS, and against hosts that do anything but answer: bounded, and never a guess."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import hostile
from servers.command import COMMAND, clean_environment, closed_port
from servers.ct_audited import CA, NAME, NOW, two_logs
from servers.ct_auditing import Run, at_loopback, found_in, runner
from servers.ct_issue import Issued, issue
from servers.ct_log import CtLog
from servers.hostile import Behaviour
from servers.scanning import der

LIST = ("--log-list", "logs.json")


@pytest.fixture(scope="module")
def logs() -> Iterator[tuple[CtLog, CtLog]]:
    with two_logs() as both:
        yield both


@pytest.fixture(scope="module")
def good(logs: tuple[CtLog, CtLog]) -> Issued:
    return issue(CA, NAME, logs=logs)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: tuple[CtLog, ...]) -> Run:
    return runner(tmp_path, monkeypatch, capsys, logs, NOW)


def audit(run: Run, port: int, *more: object) -> tuple[int, dict[str, Any]]:
    return found_in(run(*at_loopback(NAME, port, *more)))


def starttls(*turns: bytes, speaks_first: bool = True, then: Behaviour) -> Behaviour:
    def behave(visit: hostile.Visit) -> None:
        for number, turn in enumerate(turns):
            heard = visit.hello() if number or not speaks_first else b""
            visit.send(turn % heard.split()[0] if b"%b" in turn else turn)
        then(visit)

    return behave


@pytest.mark.parametrize(
    ("service", "turns", "first"),
    [
        ("smtp", [b"220 ready\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go ahead\r\n"], True),
        ("imap", [b"* OK ready\r\n", b"%b OK begin\r\n"], True),
        ("pop3", [b"+OK ready\r\n", b"+OK begin\r\n"], True),
        ("postgres", [b"S"], False),
    ],
)
def test_starttls(run: Run, good: Issued, service: str, turns: list[bytes], first: bool) -> None:
    """Behind the dialogue the certificate is audited; both ways to ask for it; without it the advice is to."""
    secure = hostile.tls(der(good.credential), good.credential.key_pem)
    with hostile.serve(starttls(*turns, speaks_first=first, then=secure)) as port:
        status, found = audit(run, port, "--starttls", service)
        assert (status, found["logged"], found["target"]) == (0, "logged", f"{NAME}:{port} ({service})")
        assert run(f"{service}:{NAME}:{port}", *LIST, "--address", "127.0.0.1").status == 0


def test_starttls_forgotten_or_refused(run: Run) -> None:
    """A server that speaks first: unknown, and --starttls is named. One that does not offer it: unknown, with its word."""
    with hostile.serve(hostile.smtp_banner) as port:
        status, found = audit(run, port)
        assert status == 3
        assert "--starttls" in found["summary"]
    with hostile.serve(hostile.smtp_dialogue(b"220 ready\r\n", b"250 mail\r\n")) as port:
        status, found = audit(run, port, "--starttls", "smtp")
        assert (status, found["unanswered"][0]["reason"]) == (3, "starttls-unsupported")


@pytest.mark.parametrize("behaviour", hostile.NO_CERTIFICATE, ids=hostile.name)
def test_hostile_hosts(run: Run, behaviour: Behaviour) -> None:
    """Unknown, with the reason, in the time that is allowed."""
    begun = time.monotonic()
    with hostile.serve(behaviour) as port:
        done = run(f"{NAME}:{port}", "--address", "127.0.0.1", "--timeout", "4")
    assert time.monotonic() - begun < 8
    assert (done.status, done.out.splitlines()[0][: len("CT UNKNOWN - ")]) == (3, "CT UNKNOWN - ")
    assert f"127.0.0.1:{port}: no certificate: " in done.out


def test_the_hard_time_limit(run: Run) -> None:
    """Many silent addresses: ended at the limit, and what was not looked at is told."""
    addresses = [option for number in range(1, 41) for option in ("--address", f"127.0.1.{number}")]
    with hostile.serve(hostile.silent, "0.0.0.0") as port:
        begun = time.monotonic()
        done = run(f"{NAME}:{port}", *addresses, "--timeout", "3", "--json")
    assert time.monotonic() - begun < 7
    assert (done.status, len(json.loads(done.out)["unanswered"])) == (3, 40)


def test_good_at_first(run: Run, good: Issued) -> None:
    """A server that shows its certificate once and then falls silent: audited, and it is said that there may be more."""
    well = hostile.tls(der(good.credential), good.credential.key_pem)
    with hostile.serve(hostile.first_good(well, hostile.close_on_hello)) as port:
        status, found = audit(run, port, "--timeout", "8")
    assert (status, found["logged"]) == (0, "logged")
    assert any("may serve more certificates" in point["text"] for point in found["points"])


def test_no_such_host(run: Run) -> None:
    """No address, or nobody there: unknown."""
    done = run("www.no-such-host.invalid", "--timeout", "10")
    assert (done.status, done.out.startswith("CT UNKNOWN - www.no-such-host.invalid:443: ")) == (3, True)
    assert run(f"127.0.0.1:{closed_port()}").status == 3




@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_interrupted(tmp_path: Path, how: signal.Signals) -> None:
    """Ends at once with what it knows, status 3 and a whole first line, and leaves no process behind."""
    with hostile.watched(hostile.silent) as server:
        command = [*COMMAND, "ct", "audit", f"127.0.0.1:{server.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment(tmp_path)) as process:
            while not server.visits:
                time.sleep(0.05)
            process.send_signal(how)
            out, _ = process.communicate(timeout=15)
    assert process.returncode == 3
    assert out.startswith(f"CT UNKNOWN - 127.0.0.1:{server.port}: not everything was looked at: interrupted ({how.name})")
