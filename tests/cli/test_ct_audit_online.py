"""`dnscertscan ct audit HOST` with --search and --inclusion: found, found nowhere, not known; proven, missing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers import nginx
from servers.ct_audited import CA, ISSUED, NAME, NOW, ROOT, two_logs
from servers.ct_auditing import Run, at_loopback, found_in, runner
from servers.ct_issue import Issued, issue, log_list
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock
from servers.fake_search import FAILURES, CrtSh, SslMate
from servers.nginx import Host


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


def searched(run: Run, good: Issued, *kinds: str, known: str = "logs.json") -> tuple[int, list[str]]:
    with nginx.serve([Host(NAME, [good.credential])]) as port:
        options = [option for kind in kinds for option in ("--search", kind)]
        status, found = audit(run, port, "--timeout", "25", "--log-list", known, *options)
    assert found["logged"] == "logged"
    return status, [point["text"] for point in found["certificates"][0]["points"]]


def test_search(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """Found by its TBS hash, whichever of precertificate and certificate the source has."""
    with CrtSh(*logs) as crtsh, SslMate(*logs) as sslmate:
        status, texts = searched(run, good, f"crtsh:{crtsh.url}", f"sslmate:{sslmate.url}")
    assert status == 0
    assert any(text.startswith("found by ") for text in texts)


def test_found_nowhere(run: Run, good: Issued) -> None:
    """Critical only where a source vouches that it has everything; crt.sh's empty list is no evidence."""
    with SslMate() as sslmate, CrtSh() as crtsh:
        status, texts = searched(run, good, f"sslmate:{sslmate.url}")
        assert (status, any(text.startswith("found nowhere: ") for text in texts)) == (2, True)
        status, texts = searched(run, good, f"crtsh:{crtsh.url}")
        assert (status, any("not decided" in text for text in texts)) == (1, True)


@pytest.mark.parametrize("mode", ["502", "truncated"])
def test_search_that_fails(run: Run, good: Issued, logs: tuple[CtLog, ...], mode: str) -> None:
    """No answer is never "not there": a warning that names the source."""
    with SslMate(*logs) as sslmate:
        sslmate.faults["v1/issuances"] = FAILURES[mode]
        status, texts = searched(run, good, f"sslmate:{sslmate.url}")
    assert status == 1
    assert any(text.startswith("whether sslmate has it is not known") for text in texts)
    assert not any("nowhere" in text for text in texts)


def test_a_young_certificate_is_not_missed(run: Run) -> None:
    """Issued just now: that nobody has it yet means nothing."""
    clock = HandClock(NOW - timedelta(hours=1))
    with (
        CtLog("young", [ROOT.certificate], clock=clock) as one,
        CtLog("younger", [ROOT.certificate], operator="Operator B", clock=clock) as two,
        SslMate() as sslmate,
    ):
        fresh = issue(CA, NAME, logs=[one, two])
        Path("young.json").write_bytes(log_list(one, two, now=NOW))
        status, texts = searched(run, fresh, f"sslmate:{sslmate.url}", known="young.json")
    assert status == 0
    assert any("which means nothing" in text for text in texts)


def test_inclusion(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """Proven by both kinds of logs; one that never took the entry is critical; one that cannot be asked beside it is a remark."""
    for log in logs:
        log.clock.now = NOW
    with nginx.serve([Host(NAME, [good.credential])]) as port:
        status, found = audit(run, port, "--inclusion")
    assert (status, [sct["inclusion"]["verdict"] for sct in found["scts"]]) == (0, ["included"] * 2)
    for log in logs:
        log.clock.now = ISSUED
    logs[0].switches.drop = True
    try:
        lost = issue(CA, NAME, logs=logs)
    finally:
        logs[0].switches.drop = False
        for log in logs:
            log.clock.now = NOW
    with nginx.serve([Host(NAME, [lost.credential])]) as port:
        status, found = audit(run, port, "--inclusion")
    assert (status, [sct["inclusion"]["verdict"] for sct in found["scts"]]) == (2, ["not-included", "included"])
    assert "log alpha does not have" in found["summary"]
