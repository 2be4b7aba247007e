"""A log by static-ct-api: a checkpoint, and tiles from which proofs are put together here (C2SP static-ct-api, tlog-tiles)."""

import zlib
from collections import OrderedDict

from dnscertscan.ct.clients import Absent, Answer, Caller, Proof, Unavailable
from dnscertscan.model.ct import Log
from dnscertscan.pki.merkle import HASH
from dnscertscan.pki.tiles import (
    WIDTH,
    Tile,
    TileError,
    consistency_proof,
    consistency_tiles,
    hash_at,
    inclusion_proof,
    inclusion_tiles,
)
from dnscertscan.pki.tree_heads import TreeHead, parse_checkpoint

_MISSING = frozenset({403, 404, 410})
"""What stores of files answer for one they do not have."""
_KEPT = 256
_GZIP = 31


class StaticClient:
    """See :class:`~dnscertscan.ct.clients.LogClient`."""

    def __init__(self, log: Log, caller: Caller) -> None:
        self._log, self._caller, self._base = log, caller, log.monitoring_url.rstrip("/") + "/"
        self._tiles: OrderedDict[Tile, tuple[bytes, Answer]] = OrderedDict()

    async def head(self) -> tuple[TreeHead, Answer]:
        """The checkpoint."""
        answer = await self._caller.get(self._base + "checkpoint")
        if answer.status != 200:
            raise self._caller.unusable(f"checkpoint: the server answered {answer.status}")
        head = parse_checkpoint(answer.body, self._log)
        if isinstance(head, str):
            raise self._caller.unusable(head)
        return head, answer

    async def inclusion(self, leaf: bytes, index: int | None, head: TreeHead) -> Proof | Absent:  # noqa: ARG002 - the place is all that is asked for: the log does not learn which entry is meant
        """Put together from tiles; Absent when the tree does not reach as far as ``index``."""
        if index is None:
            raise Unavailable("the SCT has no leaf_index, without which a static-ct log cannot be asked")
        if index >= head.size:
            return Absent()
        tiles, answers = await self._fetch(inclusion_tiles(index, head.size))
        try:
            return Proof(inclusion_proof(index, head.size, tiles), answers, index, hash_at(index, head.size, tiles))
        except TileError as error:
            raise self._caller.unusable(str(error)) from error

    async def consistency(self, size: int, later: int) -> Proof:
        """Put together from tiles."""
        tiles, answers = await self._fetch(consistency_tiles(size, later))
        try:
            return Proof(consistency_proof(size, later, tiles), answers)
        except TileError as error:
            raise self._caller.unusable(str(error)) from error

    async def has_tree(self, head: TreeHead) -> None:
        """Nothing to show: that an index lies behind the tree follows from the tree head alone."""

    def forget(self) -> None:
        """Tiles are fetched anew."""
        self._tiles.clear()

    async def _fetch(self, wanted: tuple[Tile, ...]) -> tuple[dict[Tile, bytes], tuple[Answer, ...]]:
        found = {tile: await self._tile(tile) for tile in wanted}
        while len(self._tiles) > _KEPT:
            self._tiles.popitem(last=False)
        return {tile: octets for tile, (octets, _) in found.items()}, tuple(answer for _, answer in found.values())

    async def _tile(self, tile: Tile) -> tuple[bytes, Answer]:
        """One tile; the full one where a partial one is gone because the tree has grown over it."""
        if tile in self._tiles:
            self._tiles.move_to_end(tile)
            return self._tiles[tile]
        answer = await self._caller.get(self._base + tile.path)
        if answer.status in _MISSING and tile.width < WIDTH:
            answer = await self._caller.get(self._base + tile.full.path)
        if answer.status != 200:
            raise self._caller.unusable(f"{tile.path} is missing: the server answered {answer.status}")
        octets = _uncompressed(answer.body, tile.width * HASH)
        if len(octets) not in (tile.width * HASH, WIDTH * HASH):
            raise self._caller.unusable(f"{tile.path} has {len(octets)} octets, {tile.width * HASH} are due")
        self._tiles[tile] = octets, answer
        return self._tiles[tile]


def _uncompressed(body: bytes, due: int) -> bytes:
    """The octets of a tile that may be kept compressed and served without a word about it; unchanged when it is not."""
    if len(body) in (due, WIDTH * HASH) or not body.startswith(b"\x1f\x8b"):
        return body
    engine = zlib.decompressobj(_GZIP)
    try:
        octets = engine.decompress(body, WIDTH * HASH + 1)
    except zlib.error:
        return body
    return octets if engine.eof else body
