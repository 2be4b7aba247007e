"""Where the hashes of a static-ct log lie: tile coordinates, paths, and proofs put together from tiles (C2SP tlog-tiles)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dnscertscan.pki.merkle import HASH, root_of

WIDTH = 256
_HEIGHT = 8


class TileError(ValueError):
    """The tiles at hand do not hold the hashes that are needed; the text names the tile and what is wrong."""


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile of hashes. ``level`` counts from 0, the leaves; ``width`` is the number of hashes, 256 in a full one."""

    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Path below the monitoring prefix, without a slash in front."""
        return f"tile/{self.level}/{_number(self.index)}{_partial(self.width)}"

    @property
    def full(self) -> "Tile":
        """The same tile when the tree has grown over it: to be asked for when the partial one is gone."""
        return replace(self, width=WIDTH)


def data_path(index: int, width: int = WIDTH) -> str:
    """Path of the tile with the entries 256 * ``index`` and on."""
    return f"tile/data/{_number(index)}{_partial(width)}"


def _number(index: int) -> str:
    """Groups of three digits, all but the last with ``x`` in front: 1234067 is x001/x234/067."""
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


def _partial(width: int) -> str:
    if not 0 < width <= WIDTH:
        raise ValueError(f"a tile has 1 to {WIDTH} hashes, not {width}")
    return "" if width == WIDTH else f".p/{width}"


def width_of(level: int, index: int, size: int) -> int:
    """How many hashes this tile has in the tree of ``size`` entries; 0 when it is not there yet."""
    return max(0, min(WIDTH, (size >> _HEIGHT * level) - index * WIDTH))


def inclusion_tiles(index: int, size: int) -> tuple[Tile, ...]:
    """The tiles that :func:`inclusion_proof` needs, and the one with the leaf itself, first."""
    nodes = [node for part in _inclusion(index, size) for node in part]
    return _tiles([(0, index), *nodes], size)


def consistency_tiles(size: int, later: int) -> tuple[Tile, ...]:
    """The tiles that :func:`consistency_proof` needs."""
    return _tiles([node for part in _consistency(size, later) for node in part], later)


def inclusion_proof(index: int, size: int, tiles: Mapping[Tile, bytes]) -> tuple[bytes, ...]:
    """The proof for :func:`~dnscertscan.pki.merkle.inclusion_problem`, from tiles by the coordinates asked for.

    A tile may hold more hashes than asked for (the full one in place of a partial one). Raises :class:`TileError`.
    """
    return tuple(_hash(part, size, tiles) for part in _inclusion(index, size))


def consistency_proof(size: int, later: int, tiles: Mapping[Tile, bytes]) -> tuple[bytes, ...]:
    """The proof for :func:`~dnscertscan.pki.merkle.consistency_problem`. Raises :class:`TileError`."""
    return tuple(_hash(part, later, tiles) for part in _consistency(size, later))


def hash_at(index: int, size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    """The leaf hash the log has at ``index``. Raises :class:`TileError`."""
    return _node((0, index), size, tiles)


_Node = tuple[int, int]
"""A complete subtree: height, and its number among those of that height."""


def _range(start: int, stop: int) -> list[_Node]:
    """The complete subtrees, left to right, that make up the tree over the entries ``start`` to ``stop``."""
    nodes = []
    while start < stop:
        height = min((start & -start).bit_length() - 1 if start else 63, (stop - start).bit_length() - 1)
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def _inclusion(index: int, size: int) -> list[list[_Node]]:
    """PATH of RFC 6962 2.1.1: the siblings from the leaf to the root."""
    if not 0 <= index < size:
        raise TileError(f"entry {index} is outside the tree of {size} entries")
    parts, start, stop = [], 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            parts.append(_range(middle, stop))
            stop = middle
        else:
            parts.append(_range(start, middle))
            start = middle
    return parts[::-1]


def _consistency(size: int, later: int) -> list[list[_Node]]:
    """PROOF of RFC 6962 2.1.2."""
    if not 0 < size <= later:
        raise TileError(f"there is no consistency proof from {size} to {later} entries")
    parts, start, stop, whole = [], 0, later, True
    while size != stop:
        middle = start + _split(stop - start)
        if size <= middle:
            parts.append(_range(middle, stop))
            stop = middle
        else:
            parts.append(_range(start, middle))
            start, whole = middle, False
    if not whole:
        parts.append(_range(start, stop))
    return parts[::-1]


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _place(node: _Node, size: int) -> tuple[Tile, int, int]:
    """The tile a subtree's hash is made from, and which of its hashes."""
    height, number = node
    level, above = divmod(height, _HEIGHT)
    first = number << above
    index = first >> _HEIGHT
    return Tile(level, index, width_of(level, index, size)), first % WIDTH, (first % WIDTH) + (1 << above)


def _tiles(nodes: list[_Node], size: int) -> tuple[Tile, ...]:
    return tuple(dict.fromkeys(_place(node, size)[0] for node in nodes))


def _hash(part: list[_Node], size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    """Root over subtrees of falling height."""
    hashes = [_node(node, size, tiles) for node in part]
    while len(hashes) > 1:
        hashes[-2:] = [root_of(hashes[-2:])]
    return hashes[0]


def _node(node: _Node, size: int, tiles: Mapping[Tile, bytes]) -> bytes:
    tile, first, stop = _place(node, size)
    octets = tiles.get(tile)
    if octets is None:
        raise TileError(f"{tile.path} is missing")
    if len(octets) % HASH or not tile.width * HASH <= len(octets) <= WIDTH * HASH:
        raise TileError(f"{tile.path} has {len(octets)} octets, {tile.width * HASH} are due")
    return root_of(tuple(_hashes(octets, first, stop)))


def _hashes(octets: bytes, first: int, stop: int) -> Iterator[bytes]:
    for number in range(first, stop):
        yield octets[number * HASH : number * HASH + HASH]
