"""Fetching politely and within limits: each host one request at a time, everything within one budget of seconds."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dnscertscan.outside.cache import LONGEST, Cache
from dnscertscan.web.addresses import Resolve, addresses_of, system_addresses
from dnscertscan.web.exchange import Reply, Unreachable, ask, seconds_to_wait
from dnscertscan.web.places import NotFetched, Place, check_address, read_url

MAX_REDIRECTS = 3
_ATTEMPTS = 3
_PAUSE = 0.1
"""Seconds between two requests to one host."""
_GIVE_UP = 2
"""A host that could not be reached this often in a row is not asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one URL gave: ``body``, or None and in ``problem`` (raw) why not. ``cached``: it was kept from an earlier run."""

    url: str
    body: bytes | None = field(default=None, repr=False)
    problem: str = ""
    cached: bool = False


@dataclass(slots=True)
class _Host:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ready: float = 0.0
    failures: int = 0


class Fetcher:
    """Fetches http and https URLs. ``timeout`` seconds for each request, ``budget`` seconds for all, from the first one on.

    Addresses that are not public and ports other than 80 and 443 are refused unless ``allow_private``, at each redirect again.
    ``clock`` gives the aware time that the cache and Retry-After are judged by. No proxy is used. ``section`` of the
    configuration has these limits (empty: none has); messages name it.
    """

    def __init__(
        self, *, timeout: float, max_bytes: int, budget: float, cache: Cache | None, clock: Callable[[], datetime],
        allow_private: bool = False, resolve: Resolve = system_addresses, at_once: int = 4, section: str = "revocation",
    ) -> None:
        self._timeout, self._max_bytes, self._budget = timeout, max_bytes, budget
        self._cache, self._clock, self._allow_private, self._resolve = cache, clock, allow_private, resolve
        self.at_once, self._section = at_once, section
        self._slots = asyncio.Semaphore(at_once)
        self._hosts: dict[str, _Host] = {}
        self._failed: dict[str, Answer] = {}
        self._end: float | None = None

    async def get(self, url: str, *, fresh: bool = False) -> Answer:
        """What ``url`` gives; from the cache unless ``fresh``. Never raises for what the other side does.

        A URL that failed is not asked again. What a URL gave is not kept in memory: ask for each one once.
        """
        if not fresh and self._cache and (body := self._cache.load(url, self._clock(), self._max_bytes)) is not None:
            return Answer(url, body, cached=True)
        if url not in self._failed:
            try:
                return Answer(url, await self._within_budget(url))
            except NotFetched as reason:
                self._failed[url] = Answer(url, problem=str(reason))
        return self._failed[url]

    def keep(self, answer: Answer, until: datetime) -> str:
        """Keep an answer that proved usable until then, at most seven days; the words of the problem when that fails."""
        if self._cache is None or answer.body is None or answer.cached:
            return ""
        try:
            self._cache.store(answer.url, answer.body, min(until, self._clock() + LONGEST))
        except OSError as problem:
            return f"an answer could not be kept in the cache: {problem.strerror}"
        return ""

    async def _within_budget(self, url: str) -> bytes:
        if self._end is None:
            self._end = time.monotonic() + self._budget
        try:
            async with asyncio.timeout(self._left()):
                return await self._follow(url)
        except TimeoutError as error:
            where = f", budget in [{self._section}]" if self._section else ""
            raise NotFetched(f"the time for all fetching ({self._budget:g} s{where}) was used up") from error

    def _left(self) -> float:
        return max((self._end or 0.0) - time.monotonic(), 0.0)

    async def _follow(self, url: str) -> bytes:
        place = read_url(url, allow_private=self._allow_private)
        for _ in range(MAX_REDIRECTS + 1):
            reply = await self._politely(place)
            if not reply.location:
                return reply.body
            place = place.redirected(reply.location, allow_private=self._allow_private)
        raise NotFetched(f"more than {MAX_REDIRECTS} redirects")

    async def _politely(self, place: Place) -> Reply:
        """One answer of one host, which is asked by nobody else meanwhile; a host that asks for patience gets it."""
        host = self._hosts.setdefault(place.host, _Host())
        async with host.lock:
            for _ in range(_ATTEMPTS):
                if host.failures >= _GIVE_UP:
                    raise NotFetched(f"its host {place.authority} could not be reached before in this run")
                await asyncio.sleep(host.ready - time.monotonic())
                reply = await self._once(host, place)
                host.ready = time.monotonic() + _PAUSE
                if not reply.status:
                    return reply
                wait = seconds_to_wait(reply.retry_after, self._clock())
                if wait is None:
                    raise NotFetched(f"the server answered {reply.status}")
                if wait >= self._left():
                    raise NotFetched(f"the server answered {reply.status} and asks to come back in {wait:g} s, which is too late")
                host.ready = max(time.monotonic() + wait, host.ready)
        raise NotFetched(f"the server still answers {reply.status}")

    async def _once(self, host: _Host, place: Place) -> Reply:
        try:
            async with self._slots, asyncio.timeout(self._timeout):
                addresses = await addresses_of(place.host, place.port, self._resolve)
                for address in () if self._allow_private else addresses:
                    check_address(address)
                reply = await ask(
                    place, addresses, timeout=self._timeout, max_bytes=self._max_bytes, section=self._section
                )
        except TimeoutError as error:
            host.failures += 1
            raise NotFetched(f"no whole answer within {self._timeout:g} s") from error
        except Unreachable:
            host.failures += 1
            raise
        host.failures = 0
        return reply
