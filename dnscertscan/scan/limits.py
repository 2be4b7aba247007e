"""Who may be asked next: a cap per address that never lets one silent address keep the others waiting.

Targets of a busy address are put aside (a bounded number) and the next ones are taken instead. A peer that says nothing costs
its address no load, so after a moment of silence it stops counting against the cap of talkers and counts against a wider cap of
silent connections: five hundred names on one dead address then take turns quickly, yet never fill all of the scan's places.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from dnscertscan.model.endpoints import Target
from dnscertscan.scan.base import ScanSettings

_QUIET_AFTER = 0.5
_QUIET_AFTER_OTHERS = 0.1  # where the address has silent connections already
_PUT_ASIDE_PER_PLACE = 50


@dataclass(slots=True)
class Place:
    """One target's place in flight; give it back with :meth:`Lanes.release`."""

    target: Target
    quiet: bool = False
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    def heard(self) -> None:
        """The peer has said something: it stays counted as it is."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Lanes:
    """Hands out targets of an iterable, lazily, under the per-address caps. For use inside one event loop."""

    def __init__(self, targets: Iterable[Target], settings: ScanSettings) -> None:
        self._targets = iter(targets)
        self._exhausted = False
        self._per_address = max(1, settings.per_address)
        self._quiet_per_address = max(self._per_address, settings.concurrency // 4)
        self._room = settings.concurrency * _PUT_ASIDE_PER_PLACE
        self._talking: Counter[str] = Counter()
        self._quiet: Counter[str] = Counter()
        self._aside: dict[str, deque[Target]] = {}
        self._aside_count = 0
        self._ready: deque[str] = deque()
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> Place | None:
        """The next target that may be asked now; None when there is none left."""
        while True:
            if (target := self._next()) is not None:
                return self._start(target)
            if self._exhausted and not self._aside_count:
                self._wake(len(self._waiting))
                return None
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            await waiter

    def release(self, place: Place) -> None:
        """The target is done with."""
        place.heard()
        counter = self._quiet if place.quiet else self._talking
        address = place.target.endpoint.address
        counter[address] -= 1
        if not counter[address]:
            del counter[address]
        self._freed(address)

    def _next(self) -> Target | None:
        while self._ready:
            address = self._ready.popleft()
            if address in self._aside and self._may_start(address):
                return self._from_aside(address)
        while not self._exhausted and self._aside_count < self._room:
            target = next(self._targets, None)
            if target is None:
                self._exhausted = True
                return None
            address = target.endpoint.address
            if address not in self._aside and self._may_start(address):
                return target
            self._aside.setdefault(address, deque()).append(target)
            self._aside_count += 1
        return None

    def _from_aside(self, address: str) -> Target:
        waiting = self._aside[address]
        target = waiting.popleft()
        self._aside_count -= 1
        if not waiting:
            del self._aside[address]
        return target

    def _may_start(self, address: str) -> bool:
        return self._talking[address] < self._per_address

    def _start(self, target: Target) -> Place:
        address = target.endpoint.address
        self._talking[address] += 1
        place = Place(target)
        patience = _QUIET_AFTER_OTHERS if self._quiet[address] else _QUIET_AFTER
        place.timer = asyncio.get_running_loop().call_later(patience, self._went_quiet, place)
        if address in self._aside and self._may_start(address):
            self._freed(address)
        return place

    def _went_quiet(self, place: Place) -> None:
        address = place.target.endpoint.address
        place.timer = None
        if self._quiet[address] < self._quiet_per_address:
            place.quiet = True
            self._quiet[address] += 1
            self._talking[address] -= 1
            self._freed(address)

    def _freed(self, address: str) -> None:
        if address in self._aside:
            self._ready.append(address)
        self._wake(1)

    def _wake(self, count: int) -> None:
        while count and self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
