"""What a log may cost a run: seconds, octets, patience, pace; and that others do not pay for it."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from servers.ct_log import CtLog
from servers.ct_log_http import (
    changed,
    drip,
    endless,
    first,
    hang,
    html,
    too_many,
)
from servers.ct_proving import QUICK, advance, ask, new_log, promised, run

from dnscertscan.ct.clients import Limits
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.model.ct import InclusionVerdict as Verdict

STH, PROOF = "ct/v1/get-sth", "ct/v1/get-proof-by-hash"


@pytest.fixture
def rfc() -> Iterator[CtLog]:
    with new_log() as running:
        yield running


def test_retry_after_is_honoured(rfc: CtLog, tmp_path: Path) -> None:
    """Seconds or a date, by the clock of the run: not a moment sooner."""
    question = promised(rfc)
    at = advance(rfc)
    for value in (1, format_datetime(at + timedelta(seconds=1), usegmt=True)):
        rfc.faults[STH] = first(1, too_many(value))
        started = time.monotonic()
        assert ask(tmp_path / str(value)[:3], question, at).verdict is Verdict.INCLUDED
        assert time.monotonic() - started >= 0.95


def test_a_dripping_log_costs_its_own_budget(rfc: CtLog, tmp_path: Path) -> None:
    """Its neighbours are proven meanwhile; all its other questions are answered at once, with one and the same reason."""
    with new_log("slow") as slow:
        questions = [promised(log, f"{number}.example.com") for number in range(6) for log in (rfc, slow)]
        slow.faults[PROOF] = drip(0.2)
        advance(slow)
        started = time.monotonic()
        found = run(tmp_path, questions, advance(rfc), replace(QUICK, timeout=30, seconds=1.5))
        assert 1.4 < time.monotonic() - started < 6
    assert {inclusion.verdict for inclusion in found[::2]} == {Verdict.INCLUDED}
    assert {inclusion.verdict for inclusion in found[1::2]} == {Verdict.UNKNOWN}
    assert {inclusion.reason for inclusion in found[1::2]} == {"the time for this log (1.5 s) was used up"}
    assert slow.asked[PROOF] == 1


def test_slow_answers_add_up(rfc: CtLog, tmp_path: Path) -> None:
    """The budget is for all requests to a log together."""
    questions = [promised(rfc, f"{number}.example.com") for number in range(8)]
    rfc.faults[PROOF] = lambda wire, answer: None if wire.pause(0.25) else wire.send(answer)
    found = run(tmp_path, questions, advance(rfc), replace(QUICK, seconds=0.9))
    verdicts = [inclusion.verdict for inclusion in found]
    assert verdicts[-3:] == [Verdict.UNKNOWN] * 3
    assert found[-1].reason == "the time for this log (0.9 s) was used up"
    assert rfc.asked[PROOF] <= 4


def test_answers_that_were_broken_off_count_in_full(rfc: CtLog, tmp_path: Path) -> None:
    """A body without end is charged with what was read of it at most."""
    question = promised(rfc)
    rfc.faults[STH] = first(1, endless)
    found = ask(tmp_path, question, advance(rfc), replace(QUICK, octets=60_000))
    assert (found.verdict, found.reason) == (
        Verdict.UNKNOWN, "65536 octets were received of this log, 60000 are allowed"
    )


def test_octets_are_counted(rfc: CtLog, tmp_path: Path) -> None:
    """A log may not send more than its share in a run."""
    questions = [promised(rfc, f"{number}.example.com") for number in range(4)]
    rfc.faults[PROOF] = changed(lambda body: body + b" " * 30_000)
    found = run(tmp_path, questions, advance(rfc), replace(QUICK, octets=50_000))
    assert [inclusion.verdict for inclusion in found] == [Verdict.INCLUDED] * 2 + [Verdict.UNKNOWN] * 2
    assert "octets were received of this log, 50000 are allowed" in found[2].reason


def test_a_log_of_pages_is_left_alone(rfc: CtLog, tmp_path: Path) -> None:
    """After five answers that are none."""
    questions = [promised(rfc, f"{number}.example.com") for number in range(9)]
    rfc.faults[PROOF] = html(200)
    found = run(tmp_path, questions, advance(rfc))
    assert {inclusion.verdict for inclusion in found} == {Verdict.UNKNOWN}
    assert rfc.asked[PROOF] == 5
    assert found[-1].reason.endswith("(as the 4 before)")


def test_the_pace(rfc: CtLog, tmp_path: Path) -> None:
    """Requests to one log are spread out."""
    questions = [promised(rfc, f"{number}.example.com") for number in range(6)]
    started = time.monotonic()
    found = run(tmp_path, questions, advance(rfc), Limits(per_minute=600, burst=2))
    assert {inclusion.verdict for inclusion in found} == {Verdict.INCLUDED}
    assert time.monotonic() - started >= 0.45


def test_a_run_that_is_cut_short(rfc: CtLog, tmp_path: Path) -> None:
    """Cancelling ends it at once, and what was proven is kept."""
    one, two = promised(rfc), promised(rfc, "two.example.com")
    at = advance(rfc)

    async def work() -> None:
        with TreeStore(tmp_path, at) as store:
            async with InclusionProver(store, clock=lambda: at, limits=replace(QUICK, timeout=30, seconds=60)) as prover:
                assert (await prover.prove(*one, at)).verdict is Verdict.INCLUDED
                rfc.faults[PROOF] = hang
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(prover.prove(*two, at), 0.3)
                rfc.faults.clear()
                assert (await prover.prove(*two, at)).verdict is Verdict.INCLUDED

    started = time.monotonic()
    asyncio.run(work())
    assert time.monotonic() - started < 5
    assert all(inclusion.cached for inclusion in run(tmp_path, [one, two], at))
