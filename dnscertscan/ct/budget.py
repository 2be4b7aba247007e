"""How much may be asked of others: seconds for a run, requests a minute, patience with those that fail."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

Tick = Callable[[], float]
"""A clock in seconds that never goes back."""
Sleep = Callable[[float], Awaitable[None]]
_RANDOM = secrets.SystemRandom()


class OutOfTimeError(Exception):
    """The budget is used up, or would be before the next request may go out; the text is one line."""


class Budget:
    """Seconds for everything that shares it, from the first use on."""

    def __init__(self, seconds: float, tick: Tick = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.seconds, self.tick, self._sleep = seconds, tick, sleep
        self._end: float | None = None

    def start(self) -> None:
        """The time runs from here on, unless it runs already."""
        if self._end is None:
            self._end = self.tick() + self.seconds

    @property
    def left(self) -> float:
        """Seconds that are left, never less than 0; all of them before the start."""
        return self.seconds if self._end is None else max(self._end - self.tick(), 0.0)

    @property
    def end(self) -> str:
        """Words for what happens when nothing is left."""
        return f"the time for all searches ({self.seconds:g} s) was used up"

    async def wait(self, seconds: float, why: str) -> None:
        """Wait, or raise :class:`OutOfTimeError` at once when that would take longer than what is left."""
        self.start()
        if self.left <= seconds:
            raise OutOfTimeError(f"the time for all searches ({self.seconds:g} s) does not allow {why}")
        await self._sleep(max(seconds, 0.0))


class Pace:
    """At most ``per_minute`` requests a minute on average, ``burst`` of them without a pause (a leaky bucket as a meter)."""

    def __init__(self, per_minute: float, burst: int, tick: Tick = time.monotonic) -> None:
        self._interval = 60.0 / per_minute
        self._slack = self._interval * (burst - 1)
        self._tick, self._due = tick, 0.0

    def book(self) -> float:
        """Take the next turn: seconds until it comes."""
        now = self._tick()
        self._due = max(self._due, now)
        wait = max(self._due - self._slack - now, 0.0)
        self._due += self._interval
        return wait

    def hold(self, seconds: float) -> None:
        """No turn before that (a server asked for patience)."""
        self._due = max(self._due, self._tick() + seconds + self._slack)

    async def turn(self, budget: Budget) -> None:
        """Wait for a turn; :class:`OutOfTimeError` when it comes too late."""
        await budget.wait(self.book(), "the next request, which has to wait its turn")


class Breaker:
    """Leaves somebody alone who failed ``limit`` times in a row."""

    def __init__(self, limit: int = 3) -> None:
        self._limit, self._failures, self._last = limit, 0, ""

    def failed(self, reason: str) -> bool:
        """Count a failure; whether it is the one that opens the breaker."""
        self._failures, self._last = self._failures + 1, reason
        return self._failures == self._limit

    def succeeded(self) -> None:
        """All is forgiven."""
        self._failures = 0

    @property
    def tripped(self) -> str:
        """Why it is left alone; empty while it is not."""
        if self._failures < self._limit:
            return ""
        return f"left alone for the rest of the run after {self._limit} failures in a row, the last: {self._last}"


def backoff(attempt: int, first: float = 1.0, most: float = 30.0, draw: Callable[[], float] = _RANDOM.random) -> float:
    """Seconds before attempt number ``attempt`` (from 1): doubling from ``first``, half of it by chance, at most ``most``."""
    return min(first * 2.0 ** min(attempt - 1, 20), most) * (0.5 + draw() / 2)
