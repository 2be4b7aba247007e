"""What is the same for all names of an endpoint, found out once."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from dnscertscan.scan.loop import Signal

_T = TypeVar("_T")
_MOST = 16_384


class _Fact(Generic[_T]):
    __slots__ = ("known", "value")

    def __init__(self) -> None:
        self.known: Signal | None = Signal()
        """Tells those who wait; None when there is nothing to wait for."""
        self.value: _T | None = None


class Once(Generic[_T]):
    """Answers by key, a bounded number (the ones not wanted for longest go). For conversations of one loop."""

    def __init__(self, most: int = _MOST) -> None:
        self._facts: OrderedDict[Hashable, _Fact[_T]] = OrderedDict()
        self._most = most

    async def get(self, key: Hashable, until: float, ask: Callable[[], Awaitable[_T]]) -> _T | None:
        """The first who comes asks; the others wait for his answer, until ``until`` at the latest: None if it has not come."""
        fact = self._facts.get(key)
        if fact is not None:
            self._facts.move_to_end(key)
            if fact.known is not None:
                with suppress(TimeoutError):
                    await fact.known.heard(until)
            return fact.value
        fact = self._facts[key] = _Fact()
        if len(self._facts) > self._most:
            self._facts.popitem(last=False)
        try:
            fact.value = await ask()
        finally:
            if fact.known is not None:
                fact.known.fire()
            fact.known = None
        return fact.value
