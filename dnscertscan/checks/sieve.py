"""Which of very many keys have more than one value: 16 octets for each pair while collecting, exact but for chance.

Keys and values are hashes of 64 bits. Two of them may be equal by chance, or because Python's hash is guessed by somebody: then
a key is suspected that has one value only, which costs whoever looks at the suspects a little work; none with two is missed as
long as the hashes of its values differ.
"""

from array import array
from collections.abc import Iterator, Set
from itertools import pairwise

_RECENT = 1 << 16


class Sieve:
    """Pairs of key and value, added in any order and as often as one likes."""

    def __init__(self) -> None:
        self._keys, self._values = array("q"), array("q")
        self._recent: set[int] = set()

    def is_new(self, value: int) -> bool:
        """Whether ``value`` is not among those asked for lately: it need not be added again."""
        if value in self._recent:
            return False
        if len(self._recent) >= _RECENT:
            self._recent = set()
        self._recent.add(value)
        return True

    def add(self, key: int, value: int) -> None:
        """Take note of a pair."""
        self._keys.append(key)
        self._values.append(value)

    def keys(self) -> frozenset[int]:
        """Keys that have more than one value."""
        self._recent = set()
        repeated = {one for one, following in pairwise(sorted(self._keys)) if one == following}
        first: dict[int, int] = {}
        return frozenset(key for key, value in self._pairs(repeated) if first.setdefault(key, value) != value)

    def values(self) -> frozenset[int]:
        """All values of the keys that have more than one."""
        wanted = self.keys()
        return frozenset(value for _, value in self._pairs(wanted))

    def _pairs(self, wanted: Set[int]) -> Iterator[tuple[int, int]]:
        if wanted:
            yield from (pair for pair in zip(self._keys, self._values, strict=True) if pair[0] in wanted)
