"""The collections a report is made of: in memory (a tuple) or on disk. Both are read again and again, in one order."""

from collections.abc import Callable, Collection, Iterator
from typing import Generic, Protocol, TypeVar, runtime_checkable

T = TypeVar("T")
Key = tuple[object, ...]
"""Texts, integers and nested tuples of them; None where a part does not apply."""


class Groups(Protocol[T]):
    """The items of a collection by a key."""

    def take(self, key: Key) -> list[T]:
        """The items of one key in their order; they are given once, after that there are none."""

    def rest(self) -> Iterator[list[T]]:
        """Every group that was not taken, in the order of their first items; each counts as taken from then on."""

    def ordered(self) -> Iterator[T]:
        """All items, sorted by key; items of one key stay in their order. Can be asked for again."""


@runtime_checkable
class Regrouping(Protocol[T]):
    """A collection that can group itself better than a dictionary in memory could."""

    def grouped(self, key: Callable[[T], Key]) -> Groups[T]:
        """The items by a key."""


def grouped(items: Collection[T], key: Callable[[T], Key]) -> Groups[T]:
    """``items`` by a key, with what memory the collection itself needs for that."""
    return items.grouped(key) if isinstance(items, Regrouping) else _InMemory(items, key)


class _InMemory(Generic[T]):
    def __init__(self, items: Collection[T], key: Callable[[T], Key]) -> None:
        self._items = items
        self._key = key
        self._by_key: dict[Key, list[T]] | None = None

    def take(self, key: Key) -> list[T]:
        return self._groups().pop(key, [])

    def rest(self) -> Iterator[list[T]]:
        groups = self._groups()
        for key in tuple(groups):
            yield groups.pop(key)

    def ordered(self) -> Iterator[T]:
        return iter(sorted(self._items, key=self._key))

    def _groups(self) -> dict[Key, list[T]]:
        if self._by_key is None:
            self._by_key = {}
            for item in self._items:
                self._by_key.setdefault(self._key(item), []).append(item)
        return self._by_key
