"""The Merkle tree of the test log, by the recursive definitions of RFC 6962 2.1; it shares no line with the code under test."""

from collections.abc import Iterator
from hashlib import sha256

TILE = 256


class Tree:
    """Leaf hashes that only ever grow in number. Roots of complete, aligned subtrees are remembered, all others computed."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._complete: dict[tuple[int, int], bytes] = {}

    def append(self, leaf: bytes) -> None:
        """One more leaf: the octets that are hashed, a MerkleTreeLeaf."""
        self.leaves.append(sha256(b"\x00" + leaf).digest())

    def root(self, size: int) -> bytes:
        """MTH(D[size])."""
        return self._range(0, size)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]) (RFC 6962 2.1.1)."""
        return list(self._path(index, 0, size))

    def consistency(self, first: int, second: int) -> list[bytes]:
        """PROOF(first, D[second]) (RFC 6962 2.1.2)."""
        return list(self._subproof(first, 0, second, True))

    def tile(self, level: int, index: int, size: int) -> list[bytes]:
        """The hashes of a tile in the tree of ``size`` leaves: all there are of at most 256 (static-ct-api)."""
        span = TILE**level
        whole = size // span
        return [self._range(at * span, (at + 1) * span) for at in range(index * TILE, min(whole, index * TILE + TILE))]

    def _range(self, start: int, stop: int) -> bytes:
        count = stop - start
        if count == 0:
            return sha256(b"").digest()
        if count == 1:
            return self.leaves[start]
        aligned = count & (count - 1) == 0 and start % count == 0
        if aligned and (start, stop) in self._complete:
            return self._complete[start, stop]
        middle = start + _split(count)
        node = sha256(b"\x01" + self._range(start, middle) + self._range(middle, stop)).digest()
        if aligned:
            self._complete[start, stop] = node
        return node

    def _path(self, index: int, start: int, stop: int) -> Iterator[bytes]:
        if stop - start > 1:
            middle = start + _split(stop - start)
            if index < middle:
                yield from self._path(index, start, middle)
                yield self._range(middle, stop)
            else:
                yield from self._path(index, middle, stop)
                yield self._range(start, middle)

    def _subproof(self, first: int, start: int, stop: int, whole: bool) -> Iterator[bytes]:
        if first == stop:
            if not whole:
                yield self._range(start, stop)
            return
        middle = start + _split(stop - start)
        if first <= middle:
            yield from self._subproof(first, start, middle, whole)
            yield self._range(middle, stop)
        else:
            yield from self._subproof(first, middle, stop, False)
            yield self._range(start, middle)


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power
