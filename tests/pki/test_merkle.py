"""Proofs of a Merkle tree, made by the recursive definitions of RFC 6962 and from tiles, and every way to spoil them."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pki import ct_forge

from dnscertscan.model.ct import Sct
from dnscertscan.pki.merkle import (
    EMPTY_ROOT,
    MAX_SIZE,
    consistency_problem,
    hash_leaf,
    inclusion_problem,
    leaf_hash,
    root_of,
)
from dnscertscan.pki.sct import parse_sct
from dnscertscan.pki.tbs import X509Entry
from dnscertscan.pki.tiles import (
    Tile,
    TileError,
    consistency_proof,
    consistency_tiles,
    data_path,
    hash_at,
    inclusion_proof,
    inclusion_tiles,
    width_of,
)

LEAVES = [sha256(b"\0" + number.to_bytes(4, "big")).digest() for number in range(66_000)]
# RFC 6962 trees over these inputs, as in the reference implementation's tests.
INPUTS = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def split(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 2.1, word by word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256().digest()
    k = split(len(leaves))
    return node(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 2.1.2."""
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = split(n)
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def tiles_of(size: int) -> dict[Tile, bytes]:
    """Every tile of the tree over the first ``size`` leaves."""
    tiles, level, hashes = {}, 0, LEAVES[:size]
    while hashes:
        for index in range(-(-len(hashes) // 256)):
            part = hashes[index * 256 : index * 256 + 256]
            tiles[Tile(level, index, len(part))] = b"".join(part)
        hashes = [mth(hashes[at : at + 256]) for at in range(0, len(hashes) - 255, 256)]
        level += 1
    return tiles


def test_known_roots() -> None:
    """The published roots of the published inputs."""
    hashes = [hash_leaf(octets) for octets in INPUTS]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert root_of(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(hashes[:2]).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root_of(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_roots_as_defined() -> None:
    """The iterative root is the recursive one."""
    for size in [*range(70), 255, 256, 257, 1000]:
        assert root_of(LEAVES[:size]) == mth(LEAVES[:size])


@given(st.integers(1, 300), st.data())
@settings(max_examples=120, deadline=None)
def test_inclusion(size: int, data: st.DataObject) -> None:
    """The right proof proves; one with a hash more, less, changed or moved, or for another place or size, does not."""
    index = data.draw(st.integers(0, size - 1))
    proof, root, leaf = path(index, LEAVES[:size]), mth(LEAVES[:size]), LEAVES[index]
    assert inclusion_problem(leaf, index, size, proof, root) == ""
    assert inclusion_problem(leaf, index, size, [*proof, root], root) == (
        f"inclusion proof of {len(proof) + 1} hashes, {len(proof)} are due"
    )
    assert inclusion_problem(LEAVES[size], index, size, proof, root)
    assert inclusion_problem(leaf, index, size, proof, sha256(root).digest())
    for other in {index - 1, index + 1, size, size - 1, 0} - {index}:
        assert inclusion_problem(leaf, other, size, proof, root)
    for number in range(len(proof)):
        assert inclusion_problem(leaf, index, size, proof[:number] + proof[number + 1 :], root)
        assert inclusion_problem(leaf, index, size, [*proof[:number], LEAVES[-1], *proof[number + 1 :]], root)


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=150, deadline=None)
def test_consistency(one: int, two: int) -> None:
    """The right proof proves; every spoilt one, and every other tree, is refused."""
    size, later = sorted((one, two))
    proof, root, end = subproof(size, LEAVES[:later], True), mth(LEAVES[:size]), mth(LEAVES[:later])
    assert consistency_problem(size, root, later, end, proof) == ""
    longer = consistency_problem(size, root, later, end, [*proof, root])
    assert longer == f"consistency proof of {len(proof) + 1} hashes, fewer are due" if size != later else "one size" in longer
    forked = sha256(root).digest()
    assert consistency_problem(size, forked, later, end, proof)
    assert consistency_problem(size, root, later, forked, proof)
    for number in range(len(proof)):
        assert consistency_problem(size, root, later, end, proof[:number] + proof[number + 1 :])
        assert consistency_problem(size, root, later, end, [*proof[:number], LEAVES[-1], *proof[number + 1 :]])
    if len(proof) > 1:
        assert consistency_problem(size, root, later, end, proof[:-1]).endswith("more are due")
    if size != later:
        assert consistency_problem(later, end, size, root, proof)


@pytest.mark.parametrize("size", [0, -1, MAX_SIZE + 1])
def test_impossible_sizes(size: int) -> None:
    """Nothing is proven about an empty tree, or one larger than trees can be."""
    leaf = LEAVES[0]
    assert inclusion_problem(leaf, 0, size, [], leaf) == f"nothing can be in a tree of {size} entries"
    assert "no consistency proof" in consistency_problem(size, EMPTY_ROOT, 5, mth(LEAVES[:5]), [])
    assert inclusion_problem(leaf, 5, 5, [], leaf)
    assert inclusion_problem(leaf, -1, 5, [], leaf)


@pytest.mark.parametrize("odd", [b"", b"x" * 31, b"x" * 33])
def test_hashes_of_other_lengths(odd: bytes) -> None:
    """Leaf, roots and proof have 32 octets each."""
    leaf, other = LEAVES[0], LEAVES[1]
    root = node(leaf, other)
    assert inclusion_problem(odd, 0, 2, [other], root)
    assert inclusion_problem(leaf, 0, 2, [odd], node(leaf, odd))
    assert inclusion_problem(odd, 0, 1, [], odd)
    assert inclusion_problem(leaf, 0, 2, [other], odd)
    assert consistency_problem(1, odd, 1, odd, [])
    assert consistency_problem(1, leaf, 2, node(leaf, odd), [odd])


def test_a_proof_of_a_million_hashes_costs_nothing() -> None:
    """It is refused before anything is hashed."""
    assert "no tree needs that many" in inclusion_problem(LEAVES[0], 0, 2, [LEAVES[1]] * 1_000_000, LEAVES[0])
    assert "no tree needs that many" in consistency_problem(1, LEAVES[0], 2, LEAVES[0], [LEAVES[1]] * 1_000_000)


@settings(deadline=None)
@given(st.integers(), st.integers(), st.lists(st.binary(max_size=40), max_size=5), st.binary(min_size=30, max_size=33))
def test_hostile_proofs(one: int, two: int, proof: list[bytes], root: bytes) -> None:
    """Any octets and numbers give a text; a random proof proves nothing unless there is nothing to prove."""
    assert inclusion_problem(root, one, two, proof, root) or (one, two) == (0, 1)
    assert consistency_problem(one, root, two, root, proof) or (one == two and not proof)


def test_leaf_hash_of_an_sct() -> None:
    """The leaf a log makes of an SCT: its own octets behind a zero."""
    at_log = ct_forge.x509_entry(b"leaf")
    sct = parse_sct(ct_forge.OwnLog().sct(at_log))
    assert isinstance(sct, Sct)
    leaf_input = b"\0\0" + sct.timestamp.to_bytes(8, "big") + at_log + b"\0\0"
    assert leaf_hash(sct, X509Entry(b"leaf")) == sha256(b"\0" + leaf_input).digest()


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        (Tile(0, 0, 256), "tile/0/000"), (Tile(1, 999, 256), "tile/1/999"), (Tile(0, 1000, 3), "tile/0/x001/000.p/3"),
        (Tile(0, 1234067, 256), "tile/0/x001/x234/067"), (Tile(2, 67, 1), "tile/2/067.p/1"),
    ],
)
def test_tile_paths(tile: Tile, expected: str) -> None:
    """Paths as the specification's examples have them."""
    assert tile.path == expected
    assert tile.full.path == expected.partition(".p")[0]
    assert data_path(1234067, 5) == "tile/data/x001/x234/067.p/5"


def test_tile_widths() -> None:
    """Partial widths at the right edge, as in the specification: floor(size / 256^level) mod 256."""
    assert [width_of(0, index, 70_000) for index in (0, 272, 273, 274)] == [256, 256, 112, 0]
    assert [width_of(1, index, 70_000) for index in (0, 1, 2)] == [256, 17, 0]
    assert (width_of(2, 0, 70_000), width_of(3, 0, 70_000)) == (1, 0)
    with pytest.raises(ValueError, match="1 to 256"):
        _ = Tile(0, 5, 0).path


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 306, 511, 512, 700, 65_535, 65_536, 65_537, 65_999])
def test_proofs_from_tiles(size: int) -> None:
    """From the tiles that were named, and from nothing else, comes the proof of the RFC."""
    every, root = tiles_of(size), root_of(LEAVES[:size])
    for index in {0, 1, size // 2, size - 2, size - 1, 254, 255, 256, 257, 65_535} & set(range(size)):
        wanted = inclusion_tiles(index, size)
        tiles = {tile: every[tile] for tile in wanted}
        assert hash_at(index, size, {wanted[0]: tiles[wanted[0]]}) == LEAVES[index]
        assert inclusion_problem(LEAVES[index], index, size, inclusion_proof(index, size, tiles), root) == ""
    for earlier in {1, 2, 3, 200, 256, 300, 512, size // 2, size - 1, size, 65_536} & set(range(1, size + 1)):
        tiles = {tile: every[tile] for tile in consistency_tiles(earlier, size)}
        proof = consistency_proof(earlier, size, tiles)
        assert consistency_problem(earlier, root_of(LEAVES[:earlier]), size, root, proof) == ""


def test_tiles_are_few() -> None:
    """A tree of 1.6 billion entries needs four levels of tiles, and no more than eight."""
    wanted = inclusion_tiles(851_041_080, 1_587_930_800)
    assert wanted[0] == Tile(0, 851_041_080 // 256, 256)
    assert {tile.level for tile in wanted} == {0, 1, 2, 3}
    assert len(wanted) <= 8


def test_full_tiles_in_place_of_partial_ones() -> None:
    """A tile that has grown since serves as well; one that is short, odd, or missing is an error with its path."""
    grown, size = tiles_of(512), 300
    tiles = {tile: grown[tile.full] if tile.level == 0 else tiles_of(size)[tile] for tile in inclusion_tiles(290, size)}
    assert inclusion_problem(LEAVES[290], 290, size, inclusion_proof(290, size, tiles), root_of(LEAVES[:size])) == ""
    tile = Tile(0, 1, 44)
    for octets in (b"", b"x" * 31, b"x" * 43 * 32, b"x" * 257 * 32):
        with pytest.raises(TileError, match=r"tile/0/001\.p/44 has"):
            hash_at(290, size, {tile: octets})
    with pytest.raises(TileError, match="is missing"):
        inclusion_proof(290, size, {})
    with pytest.raises(TileError, match="outside"):
        inclusion_tiles(5, 5)
    with pytest.raises(TileError, match="no consistency proof"):
        consistency_tiles(6, 5)
