"""Who may be asked next, for tasks of an event loop that wait their turn; the rules are in :mod:`dnscertscan.scan.lanebook`."""

import asyncio
from collections import deque
from collections.abc import Iterable

from dnscertscan.model.endpoints import Target
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.lanebook import LaneBook, Place, gentle

__all__ = ["LaneBook", "Lanes", "Place", "gentle"]


class Lanes:
    """A :class:`LaneBook` with a clock. For use inside one event loop. ``places`` is ``settings.concurrency`` unless given."""

    def __init__(self, targets: Iterable[Target], settings: ScanSettings, places: int | None = None) -> None:
        self._book = LaneBook(targets, settings, settings.concurrency if places is None else places)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def take(self) -> Place | None:
        """The next target that may be asked now; None when there is none left."""
        loop = asyncio.get_running_loop()
        while True:
            if (place := self._book.next(loop.time())) is not None:
                self._wake(1)  # where there was one, there may be another
                return place
            if self._book.exhausted:
                self._wake(len(self._waiting))
                return None
            self._set_alarm(loop)
            waiter = loop.create_future()
            self._waiting.append(waiter)
            await waiter

    def release(self, place: Place) -> None:
        """The target is done with."""
        self._book.release(place, asyncio.get_running_loop().time())
        self._wake(1)

    def _set_alarm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        at = self._book.wake_at(loop.time())
        self._alarm = loop.call_at(at, self._wake, 1) if at is not None else None

    def _wake(self, count: int) -> None:
        while count and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
