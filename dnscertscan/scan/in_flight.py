"""Which targets a worker process has in flight, written where it can be read after the process was killed."""

import mmap
import struct
from typing import IO

_NUMBER = struct.Struct("<I")


class InFlight:
    """A table in a file that both processes have open: one slot per place, the target's number (from 1) or 0."""

    def __init__(self, file: int, places: int) -> None:
        self._table = mmap.mmap(file, places * _NUMBER.size)
        self._free = list(range(0, places * _NUMBER.size, _NUMBER.size))

    def begin(self, number: int) -> int:
        """A target's slot."""
        slot = self._free.pop()
        _NUMBER.pack_into(self._table, slot, number)
        return slot

    def end(self, slot: int) -> None:
        """The target is done with."""
        _NUMBER.pack_into(self._table, slot, 0)
        self._free.append(slot)


def make_room(file: IO[bytes], places: int) -> None:
    """Give the file its size, before the worker starts."""
    file.truncate(places * _NUMBER.size)


def read(file: IO[bytes], places: int) -> frozenset[int]:
    """The numbers that are in flight, or were when the process ended; whatever that has made of the file."""
    file.seek(0)
    table = file.read(places * _NUMBER.size)
    return frozenset(number for (number,) in _NUMBER.iter_unpack(table[: len(table) // _NUMBER.size * _NUMBER.size])) - {0}
