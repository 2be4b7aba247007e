"""A memory with bounds: the work of one certificate or chain is kept while it is in use, whatever else passes by."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Values by key, at most ``number`` of them and at most ``octets`` by what ``weigh`` says of each.

    There are two generations. New and used values are in the young one; when that holds half of what is allowed it becomes the
    old one, and what nobody asked for meanwhile is forgotten. So the ``number`` / 2 values used last are there, at a cost that
    does not depend on how many there are. A value heavier than half of ``octets`` is not kept. None cannot be kept.
    """

    __slots__ = ("_most", "_number", "_old", "_weigh", "_weight", "_young")

    def __init__(self, number: int, octets: int = 0, weigh: Callable[[V], int] | None = None) -> None:
        self._number, self._most, self._weigh = max(number // 2, 1), octets // 2, weigh
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}
        self._weight = 0

    def get(self, key: K) -> V | None:
        """What is kept under ``key``."""
        value = self._young.get(key)
        if value is None:
            value = self._old.get(key)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: K, value: V) -> None:
        """Keep ``value`` in place of what was there."""
        weight = self._weigh(value) if self._weigh else 0
        if weight > self._most:
            return
        if len(self._young) >= self._number or self._weight + weight > self._most:
            self._old, self._young, self._weight = self._young, {}, 0
        self._young[key] = value
        self._weight += weight

    def __len__(self) -> int:
        return len(self._young) + sum(key not in self._young for key in self._old)
