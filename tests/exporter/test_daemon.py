"""The schedule: from start to start, never two at a time, and nothing that goes wrong with a scan ends it."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from dnscertscan.errors import UsageError
from dnscertscan.exporter import Moment, NoResultsError, Results, State, keep_scanning


class World:
    """A clock that goes on only while somebody waits or scans; ``script`` is what the scans do, in turn; then it ends."""

    def __init__(self, *script: tuple[float, object]) -> None:
        self.now = 0.0
        self.left = list(script)
        self.began: list[float] = []
        self.seen: list[tuple[bytes, bool]] = []
        self.state = State("1.2.3", 100.0, self.clock())

    def clock(self) -> Moment:
        return Moment(self.now, self.now)

    async def scan(self) -> Results | None:
        self.began.append(self.now)
        if not self.left:
            return None
        seconds, end = self.left.pop(0)
        self.now += seconds
        if isinstance(end, BaseException):
            raise end
        assert isinstance(end, Results)
        return end

    async def pause(self, seconds: float) -> bool:
        self.seen.append((self.state.page.plain, self.state.health(self.clock())[0]))
        self.now += seconds
        return False

    def run(self) -> "World":
        asyncio.run(keep_scanning(self.scan, self.state, self.pause, self.clock))
        return self


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="dnscertscan")


def test_from_start_to_start_it_is_the_interval() -> None:
    """However long scans take, as long as it is less."""
    assert World((10, Results(b"a")), (60, Results(b"b"))).run().began == [0, 100, 200]


def test_a_scan_longer_than_the_interval(caplog: pytest.LogCaptureFixture) -> None:
    """The next one begins at once, after it and not beside it; the log says that the interval is too short."""
    assert World((250, Results(b"a"))).run().began == [0, 250]
    assert "a scan took 250 s, the interval is 100 s" in caplog.text


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (NoResultsError("inconclusive: our own network"), "inconclusive: our own network"),
        (UsageError("ca.pem: gone"), "ca.pem: gone"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (ZeroDivisionError("a bug"), "internal error (ZeroDivisionError: a bug)"),
        (UsageError("x\x1b[2Jy\nz"), r"x\x1b[2Jy\x0az"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_scan_that_fails(problem: Exception, said: str, caplog: pytest.LogCaptureFixture) -> None:
    """The results of the one before stay, health says why, and it is tried again after a tenth of the interval."""
    world = World((10, Results(b"old")), (5, problem), (10, Results(b"new"))).run()
    assert world.seen == [(b"old", True), (b"old", False), (b"new", True)]
    assert world.began == [0, 100, 115, 215]
    assert f"the scan failed: {said}; the last results are kept" in caplog.text
    assert ("Traceback" in caplog.text) is isinstance(problem, ZeroDivisionError)


def test_a_scan_that_is_told_to_end_replaces_nothing() -> None:
    """What is half done is no result, and the schedule ends with it."""
    world = World((10, Results(b"old"))).run()
    assert world.state.page.plain == b"old"
    assert world.state.reason == ""


def test_what_is_missing_is_kept() -> None:
    """An incomplete scan has results, and its reason stays with them."""
    assert World((1, Results(b"x", "zone a.test"))).run().state.reason == "zone a.test"


def test_results_are_served_before_they_go_anywhere_else() -> None:
    """However long that takes; which outputs failed is known when all are done."""
    world = World()
    seen: list[tuple[bytes, bool]] = []

    async def deliver() -> list[str]:
        seen.append((world.state.page.plain, world.state.health(world.clock())[0]))
        world.now += 30
        return ["cannot write x"]

    world.left = [(10, Results(b"a", deliver=deliver)), (10, Results(b"b"))]
    world.run()
    assert seen == [(b"a", True)]
    assert world.seen == [(b"a", False), (b"b", True)]
    assert world.began == [0, 100, 200]


def test_it_ends_while_it_waits() -> None:
    """A pause that says so is the end."""
    began: list[float] = []

    async def scan() -> Results:
        began.append(0)
        return Results(b"")

    async def ended(_: float) -> bool:
        return True

    clock: Callable[[], Moment] = lambda: Moment(0, 0)  # noqa: E731 - a clock that stands
    asyncio.run(keep_scanning(scan, State("1", 10, clock()), ended, clock))
    assert began == [0]


@pytest.mark.parametrize("problem", [UsageError("no room"), OSError(28, "no room"), KeyError("no room")])
def test_an_error_of_the_outputs_does_not_end_it(problem: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """The results are served, the outputs count as failed, the next scan comes and makes it good."""
    async def deliver() -> list[str]:
        raise problem

    world = World((1, Results(b"a 1\n", "", deliver)), (1, Results(b"a 2\n"))).run()
    assert world.seen == [(b"a 1\n", False), (b"a 2\n", True)]
    assert "no room" in caplog.text
