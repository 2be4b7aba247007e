"""A read-only table of plugins by name that refuses duplicates and answers unknown names with a hint."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TypeVar

from dnscertscan.errors import UsageError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Plugins of one kind, in the order they were listed.

    ``kind`` is the word used in messages ("output format"). ``Registry("x", [("a", 1)])["b"]`` raises
    :class:`UsageError` that names the kind, the unknown name and the nearest known one.
    """

    def __init__(self, kind: str, entries: Iterable[tuple[str, T]]) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}
        for name, plugin in entries:
            if name in self._entries:
                raise ValueError(f"{kind} {name!r} is registered twice")
            self._entries[name] = plugin

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise UsageError(f"unknown {self.kind} {name!r}{self._hint(name)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def _hint(self, name: str) -> str:
        near = get_close_matches(name, self._entries, n=1)
        return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(self._entries)}"
