"""The Merkle tree of a log: leaf hashes, proofs that an entry is in it, and that it only grew (RFC 6962 2.1, RFC 9162 2.1)."""

from collections.abc import Sequence
from hashlib import sha256

from dnscertscan.model.ct import Sct
from dnscertscan.pki.sct import signed_data
from dnscertscan.pki.tbs import Entry

HASH = 32
MAX_SIZE = (1 << 63) - 1
EMPTY_ROOT = sha256().digest()
OTHER_ROOT = "the inclusion proof leads to another root"
NOT_GROWN = "the consistency proof does not lead to the root of the tree of "
"""How the problem of a proof begins that has the right form, but does not hold; any other one is of the form."""


def leaf_hash(sct: Sct, entry: Entry) -> bytes:
    """Hash of the log entry this SCT promises: each SCT has a time of its own, and so a leaf of its own in its log."""
    return hash_leaf(signed_data(sct, entry))


def hash_leaf(leaf: bytes) -> bytes:
    """Hash of a leaf's octets (a MerkleTreeLeaf, the ``leaf_input`` of get-entries)."""
    return sha256(b"\0" + leaf).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\1" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over these leaf hashes (or over the roots of equal, complete subtrees; the last one may be less complete)."""
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        pairs = [hash_children(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return level[0]


def inclusion_problem(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> str:
    """Why the proof does not show that the leaf with hash ``leaf`` is entry ``index`` of the tree; empty when it does."""
    if not 0 < size <= MAX_SIZE:
        return f"nothing can be in a tree of {size} entries"
    if not 0 <= index < size:
        return f"entry {index} is outside the tree of {size} entries"
    if wrong := _odd_hash((leaf, *proof), root):
        return wrong
    # Below this level the path has a sibling at each step, above it only where there is something to the right's left.
    inner = (index ^ (size - 1)).bit_length()
    due = inner + (index >> inner).bit_count()
    if len(proof) != due:
        return f"inclusion proof of {len(proof)} hashes, {due} are due"
    node = leaf
    for level, sibling in enumerate(proof):
        left = level >= inner or index >> level & 1
        node = hash_children(sibling, node) if left else hash_children(node, sibling)
    return "" if node == root else OTHER_ROOT


def consistency_problem(size: int, root: bytes, later: int, later_root: bytes, proof: Sequence[bytes]) -> str:
    """Why the proof does not show that the tree of ``later`` entries begins with that of ``size``; empty when it does.

    Nothing can be proven from an empty tree: size 0 is refused. Trees of one size must have one root, and need no proof.
    """
    if not 0 < size <= later <= MAX_SIZE:
        return f"there is no consistency proof from {size} to {later} entries"
    if wrong := _odd_hash((root, *proof), later_root):
        return wrong
    if size == later:
        differ = "" if root == later_root else f"two trees of {size} entries have different roots"
        return "no consistency proof is due for one size" if proof else differ
    old, new, problem = _grown(size, root, later, proof)
    if problem:
        return f"consistency proof of {len(proof)} hashes, {problem}"
    missed = size if old != root else later if new != later_root else 0
    return f"{NOT_GROWN}{missed} entries" if missed else ""


def _grown(size: int, root: bytes, later: int, proof: Sequence[bytes]) -> tuple[bytes, bytes, str]:
    """Both roots that the proof leads to, or what is wrong with its length (RFC 9162 2.1.4.2)."""
    # A complete first tree is its own first node.
    path = [root, *proof] if size & (size - 1) == 0 else list(proof)
    if not path:
        return b"", b"", "more are due"
    first, last = size - 1, later - 1
    shift = (~first & (first + 1)).bit_length() - 1
    first, last = first >> shift, last >> shift
    old = new = path[0]
    for node in path[1:]:
        if last == 0:
            return old, new, "fewer are due"
        if first & 1 or first == last:
            old, new = hash_children(node, old), hash_children(node, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = hash_children(new, node)
        first, last = first >> 1, last >> 1
    return old, new, "more are due" if last else ""


def _odd_hash(hashes: Sequence[bytes], root: bytes) -> str:
    if len(root) != HASH:
        return f"root of {len(root)} octets"
    if len(hashes) > MAX_SIZE.bit_length() + 2:
        return f"proof of {len(hashes) - 1} hashes, no tree needs that many"
    odd = next((node for node in hashes if len(node) != HASH), None)
    return "" if odd is None else f"hash of {len(odd)} octets where {HASH} are due"
