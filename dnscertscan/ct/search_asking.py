"""Asking one search service: in its pace, again after a while where that may help, and never beyond the budget."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from dnscertscan.ct.budget import Budget, OutOfTimeError, Pace, backoff
from dnscertscan.ct.http import AddressError, Http, HttpError, seconds_to_wait
from dnscertscan.ct.search_cache import Cache
from dnscertscan.ct.search_reading import UnreadableError
from dnscertscan.ct.search_values import Note

T = TypeVar("T")
MAX_ANSWER = 16 << 20
_FINAL = frozenset({400, 401, 402, 403, 405, 406, 410, 414, 422})
"""Asking again gives the same. 404 is not among them: crt.sh answers so under load."""
_REDIRECTS = range(300, 400)


class NoAnswerError(Exception):
    """A service gave nothing that can be used; the text is one line, safe to show. ``ours``: our budget ended it."""

    def __init__(self, reason: str, *, ours: bool = False) -> None:
        super().__init__(reason)
        self.ours = ours


@dataclass(frozen=True, slots=True)
class Means:
    """What sources work with in one run.

    ``clock`` gives the aware time of answers; answers in ``cache`` younger than ``max_age`` are not asked for again.
    ``attempts`` are made for each request, ``pause`` seconds (twice as long each time) between them. ``note`` gets what is to
    be said once.
    """

    http: Http = field(repr=False)
    budget: Budget
    clock: Callable[[], datetime]
    note: Note
    cache: Cache | None = None
    max_age: timedelta = timedelta(hours=1)
    attempts: int = 3
    pause: float = 1.0


class Asker:
    """GET requests to one service that ``what`` names; ``fields`` go along with each."""

    def __init__(self, what: str, means: Means, pace: Pace, fields: Mapping[str, str] | None = None) -> None:
        self._what, self._means, self._pace, self._fields = what, means, pace, fields

    async def get(self, url: str, read: Callable[[bytes], T], max_bytes: int = MAX_ANSWER) -> T:
        """What ``read`` makes of the body; where it raises :class:`UnreadableError` that counts as no answer."""
        problem = ""
        for attempt in range(1, self._means.attempts + 1):
            wait = backoff(attempt, self._means.pause)
            try:
                await self._pace.turn(self._means.budget)
                async with asyncio.timeout(self._means.budget.left):
                    reply = await self._means.http.get(url, max_bytes=max_bytes, fields=self._fields)
                if reply.status == 200:
                    return read(reply.body)
            except AddressError as error:
                raise NoAnswerError(str(error)) from error
            except (HttpError, UnreadableError) as error:
                problem = str(error)
            except TimeoutError as error:
                raise NoAnswerError(f"{self._what} was still silent when {self._means.budget.end}", ours=True) from error
            except OutOfTimeError as error:
                raise NoAnswerError(f"{problem}; {error}" if problem else str(error), ours=not problem) from error
            else:
                problem = f"{self._what} answered {reply.status_text}"
                if reply.status in _FINAL or reply.status in _REDIRECTS:
                    raise NoAnswerError(problem)
                wait = self._patience(reply.retry_after, wait)
            if attempt < self._means.attempts:
                await self._pause(wait, problem)
        raise NoAnswerError(f"{problem} ({self._means.attempts} attempts)" if self._means.attempts > 1 else problem)

    def _patience(self, retry_after: str, wait: float) -> float:
        asked = seconds_to_wait(retry_after, self._means.clock())
        if asked is None:
            return wait
        self._pace.hold(asked)  # also for the next question
        return max(asked, wait)

    async def _pause(self, seconds: float, problem: str) -> None:
        try:
            await self._means.budget.wait(seconds, f"to ask again in {seconds:.0f} s")
        except OutOfTimeError as error:
            raise NoAnswerError(f"{problem}; {error}") from error
