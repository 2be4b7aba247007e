"""A sorted collection on disk: filled once, then read and regrouped as often as anybody likes."""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from typing import Generic, TypeVar

from dnscertscan.model.collected import Key
from dnscertscan.store.database import PAGE
from dnscertscan.store.keys import key_octets
from dnscertscan.store.scratch import Scratch

T = TypeVar("T")


class Shelf(Collection[T]):
    """Items in the order of a key, and in the order they came where keys are equal.

    ``pack`` and ``unpack`` turn an item into octets and back. What is added after the first reading is not read any more.
    """

    def __init__(self, pack: Callable[[T], bytes], unpack: Callable[[bytes], T], order: Callable[[T], Key]) -> None:
        self._pack = pack
        self._unpack = unpack
        self._order = order
        self._database = Scratch()
        self._database.write("CREATE TABLE unsorted (key BLOB, body BLOB)")
        self._size = -1

    def add(self, items: Iterable[T]) -> None:
        """Put items on the shelf."""
        values = ((key_octets(self._order(item)), self._pack(item)) for item in items)
        self._database.write_all("INSERT INTO unsorted VALUES (?, ?)", values)

    def __len__(self) -> int:
        return self._sealed()

    def __iter__(self) -> Iterator[T]:
        self._sealed()
        for _, body in self._database.pages("SELECT number, body FROM item WHERE number > ? ORDER BY number", 0):
            yield self._unpack(body)

    def __contains__(self, item: object) -> bool:
        return any(item == one for one in self)

    def at(self, numbers: Iterable[int]) -> list[T]:
        """The items with these numbers, which count from 1."""
        found: list[T] = []
        left = iter(numbers)
        while some := list(islice(left, PAGE)):
            marks = ",".join("?" * len(some))
            rows = self._database.rows(f"SELECT number, body FROM item WHERE number IN ({marks})", some)  # noqa: S608 - marks alone
            bodies: dict[int, bytes] = dict(rows)
            found += (self._unpack(bodies[number]) for number in some if number in bodies)
        return found

    def grouped(self, key: Callable[[T], Key]) -> "Regrouped[T]":
        """The items by a key, kept on disk too."""
        return Regrouped(self, key)

    def close(self) -> None:
        """Clear the shelf away."""
        self._database.close()

    def _sealed(self) -> int:
        if self._size < 0:
            self._database.write("CREATE TABLE item (number INTEGER PRIMARY KEY, body BLOB)")
            self._database.write("INSERT INTO item (body) SELECT body FROM unsorted ORDER BY key, rowid")
            self._database.write("DROP TABLE unsorted")
            self._size = self._database.rows("SELECT count(*) FROM item")[0][0]
        return self._size


class Regrouped(Generic[T]):
    """A shelf by another key: the numbers of its items on disk, one octet for each in memory."""

    def __init__(self, shelf: Shelf[T], key: Callable[[T], Key]) -> None:
        self._shelf = shelf
        self._key = key
        self._taken = bytearray(len(shelf) + 1)
        self._database = Scratch()
        self._database.write("CREATE TABLE entry (key BLOB, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID")
        self._database.write("CREATE TABLE unsorted (key BLOB, number INTEGER)")
        keys = ((key_octets(key(item)), number) for number, item in enumerate(shelf, 1))
        self._database.write_all("INSERT INTO unsorted VALUES (?, ?)", keys)
        self._database.write("INSERT INTO entry SELECT key, number FROM unsorted ORDER BY key, number")
        self._database.write("DROP TABLE unsorted")

    def take(self, key: Key) -> list[T]:
        """The items of one key in their order; they are given once, after that there are none."""
        rows = self._database.rows("SELECT number FROM entry WHERE key = ? ORDER BY number", (key_octets(key),))
        numbers = [row[0] for row in rows if not self._taken[row[0]]]
        for number in numbers:
            self._taken[number] = True
        return self._shelf.at(numbers)

    def rest(self) -> Iterator[list[T]]:
        """Every group that was not taken, in the order of their first items; each counts as taken from then on."""
        for number, item in enumerate(self._shelf, 1):
            if not self._taken[number]:
                yield self.take(self._key(item))

    def ordered(self) -> Iterator[T]:
        """All items, sorted by key; items of one key stay in their order. Can be asked for again."""
        last, number = b"", 0
        query = "SELECT key, number FROM entry WHERE (key, number) > (?, ?) ORDER BY key, number LIMIT 500"
        while page := self._database.rows(query, (last, number)):
            yield from self._shelf.at(row[1] for row in page)
            last, number = page[-1]
