"""What is the same for all names of an endpoint, found out once."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from dnscertscan.scan.loop import Signal

_T = TypeVar("_T")
_MOST = 16_384
_TRIES = 3


class NoAnswerError(Exception):
    """Raised by a question to which nobody has answered: the next one who wants to know asks again."""


class _Fact(Generic[_T]):
    __slots__ = ("asking", "tries", "value")

    def __init__(self) -> None:
        self.asking: Signal | None = None
        """Tells those who wait while somebody asks."""
        self.tries = _TRIES
        """How often it may still be asked; none when there is an answer."""
        self.value: _T | None = None


class Once(Generic[_T]):
    """Answers by key, a bounded number (the ones not wanted for longest go). For conversations of one loop."""

    def __init__(self, most: int = _MOST) -> None:
        self._facts: OrderedDict[Hashable, _Fact[_T]] = OrderedDict()
        self._most = most

    async def get(self, key: Hashable, until: float, ask: Callable[[], Awaitable[_T]]) -> _T | None:
        """The first who comes asks; the others wait for his answer, until ``until`` at the latest: None if it has not come.

        Where ``ask`` raises NoAnswerError, its caller gets None, and one of the others asks; after three such tries nobody does.
        """
        if (fact := self._facts.get(key)) is None:
            fact = self._facts[key] = _Fact()
            if len(self._facts) > self._most:
                self._facts.popitem(last=False)
        self._facts.move_to_end(key)
        while fact.asking is not None:
            try:
                await fact.asking.heard(until)
            except TimeoutError:
                return None
        return fact.value if fact.tries == 0 else await self._ask(fact, ask)

    @staticmethod
    async def _ask(fact: _Fact[_T], ask: Callable[[], Awaitable[_T]]) -> _T | None:
        fact.asking = signal = Signal()
        fact.tries -= 1
        try:
            fact.value = await ask()
            fact.tries = 0
        except NoAnswerError:
            return None
        finally:
            fact.asking = None
            signal.fire()
        return fact.value
