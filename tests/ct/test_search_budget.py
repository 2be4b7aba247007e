"""Budgets, pace and patience: never more than allowed, never longer than allowed."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.ct.budget import Breaker, Budget, OutOfTimeError, Pace, backoff


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def tick(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_crt_sh_pace() -> None:
    """Five at once, then one a second: in any minute at most 60 and the burst."""
    time = Time()
    budget, pace = Budget(1000, time.tick, time.sleep), Pace(60, 5, time.tick)
    sent = []

    async def run() -> None:
        for _ in range(130):
            await pace.turn(budget)
            sent.append(time.now)

    asyncio.run(run())
    assert sent[4] == sent[0]
    assert sent[5] == pytest.approx(sent[0] + 1)
    assert all(sum(start <= moment < start + 60 for moment in sent) <= 64 for start in sent)


def test_a_pause_gives_the_burst_back() -> None:
    """Who was quiet for long enough may send a burst again, and not more."""
    time = Time()
    pace = Pace(60, 3, time.tick)
    assert [pace.book() for _ in range(4)] == pytest.approx([0, 0, 0, 1])
    time.now += 1000
    assert [pace.book() for _ in range(4)] == pytest.approx([0, 0, 0, 1])


def test_patience_is_kept() -> None:
    """After a Retry-After nothing goes out before its time."""
    time = Time()
    pace = Pace(60, 5, time.tick)
    pace.hold(30)
    assert pace.book() == pytest.approx(30)


def test_no_wait_that_is_in_vain() -> None:
    """A wait longer than what is left is refused at once, and says so."""
    time = Time()
    budget = Budget(10, time.tick, time.sleep)
    assert budget.left == 10
    asyncio.run(budget.wait(4, "this"))
    assert budget.left == pytest.approx(6)
    with pytest.raises(OutOfTimeError, match=r"the time for all searches \(10 s\) does not allow that"):
        asyncio.run(budget.wait(7, "that"))
    assert budget.left == pytest.approx(6)


def test_breaker() -> None:
    """Only failures in a row count; it opens once and tells why."""
    breaker = Breaker(3)
    assert not breaker.failed("a")
    assert not breaker.failed("b")
    breaker.succeeded()
    assert [breaker.failed(reason) for reason in "cdef"] == [False, False, True, False]
    assert breaker.tripped == "left alone for the rest of the run after 3 failures in a row, the last: f"


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_grows_within_bounds(attempt: int, chance: float) -> None:
    """Never under half a step, never over the most."""
    assert 0.5 <= backoff(attempt, 1.0, 30.0, lambda: chance) <= 30.0
