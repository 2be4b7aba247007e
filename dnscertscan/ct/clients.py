"""Asking one log: politely, one request at a time, and never for more seconds and octets than it is given."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dnscertscan.ct.budget import Pace, backoff
from dnscertscan.ct.http import AddressError, Http, HttpError
from dnscertscan.pki.tree_heads import TreeHead
from dnscertscan.web.exchange import seconds_to_wait

MAX_ANSWER = 1 << 16
_TO_READ = frozenset({200, 400, 403, 404, 410})
"""Answers whose meaning the client of the interface knows."""
_LATER = frozenset({429, 500, 502, 503, 504})
_UNUSABLE = 5
"""A log that gave so many answers that are none is not asked any more."""


class Unavailable(Exception):  # noqa: N818 - it carries the reason in words to the verdict
    """A log did not give what it was asked for; the text is one line, safe to show. Nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What each log may cost in one run: ``seconds`` (waiting counts) and ``octets`` received. ``timeout`` is for one answer.

    ``per_minute`` and ``burst`` are its pace. A request has ``attempts`` where it may help to try again,
    the second one after about ``pause`` seconds. ``proofs`` of consistency between tree heads are asked for at most; what is left
    over is for the next run.
    """

    timeout: float = 10.0
    seconds: float = 180.0
    octets: int = 1 << 25
    per_minute: float = 240.0
    burst: int = 5
    attempts: int = 3
    pause: float = 1.0
    proofs: int = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """A request and what came back, as evidence has it."""

    url: str
    status: int
    body: bytes = field(repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """Hashes as the log gave them, not judged yet. Of inclusion: ``leaf`` is the hash that the log has at ``index``."""

    hashes: tuple[bytes, ...]
    answers: tuple[Answer, ...] = field(repr=False)
    index: int = 0
    leaf: bytes = b""


@dataclass(frozen=True, slots=True)
class Absent:
    """The log says that it does not have the leaf."""

    answers: tuple[Answer, ...] = field(default=(), repr=False)


class LogClient(Protocol):
    """One log by one of the two interfaces. Everything may raise :class:`Unavailable`."""

    async def head(self) -> tuple[TreeHead, Answer]:
        """The present tree head; its signature is not checked."""

    async def inclusion(self, leaf: bytes, index: int | None, head: TreeHead) -> Proof | Absent:
        """Proof that this leaf hash is in the tree of ``head``; ``index`` is what the SCT says of its place."""

    async def consistency(self, size: int, later: int) -> Proof:
        """Proof that the tree of ``later`` entries begins with that of ``size``; 0 < ``size`` < ``later``."""

    async def has_tree(self, head: TreeHead) -> None:
        """Raise :class:`Unavailable` unless the log shows that it answers for the tree of ``head``, so that its no is a no."""

    def forget(self) -> None:
        """Drop what was kept of its answers: they are to be fetched anew."""


class Caller:
    """GET requests to one log. ``clock`` is what a date in Retry-After is compared with."""

    def __init__(self, http: Http, limits: Limits, clock: Callable[[], datetime]) -> None:
        self._http, self._limits, self._clock = http, limits, clock
        self._pace = Pace(limits.per_minute, limits.burst)
        self._spent, self._octets, self._unusable, self._closed = 0.0, 0, 0, ""

    async def get(self, url: str, max_bytes: int = MAX_ANSWER) -> Answer:
        """An answer with one of the statuses that a client knows; :class:`Unavailable` otherwise."""
        if self._closed:
            raise Unavailable(self._closed)
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._left):
                return await self._get(url, max_bytes)
        except TimeoutError as error:
            raise self._close(f"the time for this log ({self._limits.seconds:g} s) was used up") from error
        finally:
            self._spent += time.monotonic() - started

    def unusable(self, problem: str) -> Unavailable:
        """The exception for an answer that cannot be used; a log that has only such ones is left alone."""
        self._unusable += 1
        return self._close(f"{problem} (as the {_UNUSABLE - 1} before)") if self._unusable == _UNUSABLE else Unavailable(problem)

    @property
    def _left(self) -> float:
        return max(self._limits.seconds - self._spent, 0.0)

    def _close(self, reason: str) -> Unavailable:
        """Nothing more is asked of this log: each further question gets the same reason."""
        self._closed = reason
        return Unavailable(reason)

    async def _get(self, url: str, max_bytes: int) -> Answer:
        problem, started = "", time.monotonic()
        for attempt in range(1, self._limits.attempts + 1):
            if self._octets >= self._limits.octets:
                raise self._close(f"{self._octets} octets were received of this log, {self._limits.octets} are allowed")
            await asyncio.sleep(self._pace.book())
            try:
                reply = await self._http.get(url, max_bytes=max_bytes)
            except AddressError as error:
                raise self._close(str(error)) from error
            except HttpError as error:
                self._octets += max_bytes  # how much it was nobody counted
                problem, wait = str(error), backoff(attempt, self._limits.pause)
            else:
                self._octets += len(reply.body)
                if reply.status in _TO_READ:
                    return Answer(url, reply.status, reply.body, reply.content_type)
                problem = f"the server answered {reply.status_text}"
                if reply.status not in _LATER:
                    raise self.unusable(problem)
                asked = seconds_to_wait(reply.retry_after, self._clock())
                wait = backoff(attempt, self._limits.pause) if asked is None else asked
                if wait >= self._left - (time.monotonic() - started):
                    raise self._close(f"{problem}, and to come back in {wait:.0f} s is too late for the time this log has")
            if attempt < self._limits.attempts:
                self._pace.hold(wait)
        raise self._close(f"{problem} (asked {self._limits.attempts} times)")
