"""A small CT log without its HTTP side: it checks submissions, signs SCTs and tree heads, keeps entries and their Merkle tree.

Everything it signs is good by itself; what a test wants wrong is a switch (:class:`Switches`) or a :meth:`LogCore.fork`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from servers.ct_log_der import der, spki, stripped_tbs
from servers.ct_log_tree import Tree

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SIGNING_CA = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.4")
Clock = Callable[[], datetime]


def present() -> datetime:
    """The clock of a log that is not given one."""
    return datetime.now(UTC)


class HandClock:
    """A clock that a test moves: ``clock.now += timedelta(days=1)``."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class RefusedError(ValueError):
    """A submission the log does not take; the text says why."""


def vector(size: int, content: bytes) -> bytes:
    """A TLS vector (RFC 8446 3.4): its length in ``size`` octets in front."""
    return len(content).to_bytes(size, "big") + content


def milliseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its MerkleTreeLeaf, the certificate as submitted with its issuers, the root last; times in milliseconds."""

    timestamp: int
    merged: int
    leaf: bytes
    certificate: bytes
    chain: tuple[bytes, ...]
    precert: bool


@dataclass(frozen=True, slots=True)
class Head:
    """A tree head with its DigitallySigned."""

    size: int
    root: bytes
    timestamp: int
    signature: bytes


@dataclass(slots=True)
class Switches:
    """What the log does wrong, or differently from others.

    ``merge_delay``: so much later than its SCT an entry is in the tree. ``drop``: SCTs are signed, entries never merged.
    ``frozen``: the tree head that is given out from now on (:meth:`LogCore.freeze`). ``wrong_root``: tree heads have a root of
    nothing. ``signer``: a key that is not the log's signs everything. ``max_entries``: get-entries gives at most so many.
    ``partial_tiles``: False, and no partial tile is there any more. ``gzip_tiles``: data tiles come compressed, unasked; nothing
    says so without ``gzip_header``.
    ``grease``, ``witness``: checkpoints have a signature line of an unknown kind, of another key.
    """

    merge_delay: timedelta = timedelta()
    drop: bool = False
    frozen: Head | None = None
    wrong_root: bool = False
    signer: ec.EllipticCurvePrivateKey | None = None
    max_entries: int = 1000
    partial_tiles: bool = True
    gzip_tiles: bool = False
    gzip_header: bool = True
    grease: bool = False
    witness: bool = False


@dataclass(eq=False)
class LogCore:
    """``interval`` are the notAfter dates it takes; ``static_ext`` puts leaf_index into its SCTs; ``mmd`` is in seconds."""

    name: str
    roots: Sequence[x509.Certificate]
    operator: str = "Operator A"
    clock: Clock = present
    static_ext: bool = False
    interval: tuple[datetime, datetime] | None = None
    mmd: int = 86400
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)
    entries: list[Entry] = field(default_factory=list, repr=False)
    switches: Switches = field(default_factory=Switches, repr=False)
    issuers: dict[str, bytes] = field(default_factory=dict, repr=False)
    _given: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    _tree: Tree = field(default_factory=Tree, repr=False)

    @property
    def spki(self) -> bytes:
        """The public key, DER."""
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the key."""
        return sha256(self.spki).digest()

    def add_chain(self, chain: Sequence[x509.Certificate]) -> bytes:
        """The SerializedSCT for a final certificate; ``chain`` leads to an accepted root, which may be left out."""
        path = self._path(chain)
        leaf = der(path[0])
        return self._add(b"\x00\x00" + vector(3, leaf), leaf, path[1:], precert=False)

    def add_pre_chain(self, chain: Sequence[x509.Certificate]) -> bytes:
        """The SerializedSCT for a precertificate."""
        path = self._path(chain, precert=True)
        entry = b"\x00\x01" + sha256(spki(path[1])).digest() + vector(3, stripped_tbs(der(path[0])))
        return self._add(entry, der(path[0]), path[1:], precert=True)

    def _path(self, chain: Sequence[x509.Certificate], precert: bool = False) -> list[x509.Certificate]:
        if not chain:
            raise RefusedError("empty chain")
        path, roots = list(chain), [der(root) for root in self.roots]
        if der(path[-1]) not in roots:
            path += [root for root in self.roots if _issued(path[-1], root)][:1]
        if der(path[-1]) not in roots or len(path) < 2:
            raise RefusedError("the chain does not lead to an accepted root")
        if not all(_issued(one, by) for one, by in pairwise(path)):
            raise RefusedError("a certificate of the chain is not issued by the next one")
        poison = [one for one in path[0].extensions if isinstance(one.value, x509.PrecertPoison)]
        if precert != bool(poison) or not all(one.critical for one in poison):
            raise RefusedError("precertificates have a critical poison, certificates have none")
        if precert and _purposes(path[1]) and SIGNING_CA in _purposes(path[1]):
            raise RefusedError("precertificate signing CAs are not accepted")
        if self.interval and not self.interval[0] <= path[0].not_valid_after_utc < self.interval[1]:
            raise RefusedError(f"notAfter {path[0].not_valid_after_utc} is outside the log's interval")
        return path

    def _add(self, entry: bytes, certificate: bytes, issuers: Sequence[x509.Certificate], *, precert: bool) -> bytes:
        if entry in self._given:
            return self._given[entry]
        now = milliseconds(self.clock())
        extensions = b"\x00" + vector(2, len(self.entries).to_bytes(5, "big")) if self.static_ext else b""
        leaf = b"\x00\x00" + now.to_bytes(8, "big") + entry + vector(2, extensions)
        if not self.switches.drop:
            merged = milliseconds(self.clock() + self.switches.merge_delay)
            self._append(Entry(now, merged, leaf, certificate, tuple(map(der, issuers)), precert))
        sct = b"\x00" + self.log_id + now.to_bytes(8, "big") + vector(2, extensions) + self.signed(leaf)
        self._given[entry] = sct
        return sct

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._tree.append(entry.leaf)
        self.issuers.update((sha256(issuer).hexdigest(), issuer) for issuer in entry.chain)

    def fill(self, count: int) -> None:
        """``count`` entries more, copies of the last one at later times: a bigger tree, at once in it."""
        for _ in range(count):
            last = self.entries[-1]
            time = last.timestamp + 1
            leaf = last.leaf[:2] + time.to_bytes(8, "big") + last.leaf[10:]
            if self.static_ext:
                leaf = leaf[:-5] + len(self.entries).to_bytes(5, "big")
            self._append(replace(last, timestamp=time, merged=min(last.merged, milliseconds(self.clock())), leaf=leaf))

    def signed(self, data: bytes) -> bytes:
        """DigitallySigned: SHA-256 with ECDSA, the signature."""
        signer = self.switches.signer or self.key
        return b"\x04\x03" + vector(2, signer.sign(data, ec.ECDSA(hashes.SHA256())))

    @property
    def size(self) -> int:
        """How many entries are merged by now."""
        now = milliseconds(self.clock())
        return next((at for at, entry in enumerate(self.entries) if entry.merged > now), len(self.entries))

    def head(self) -> Head:
        """The tree head of now."""
        return self.switches.frozen or self._head(self.size, milliseconds(self.clock()))

    def freeze(self) -> None:
        """From now on this tree head, and no other (a stale one before long)."""
        self.switches.frozen = self.head()

    def _head(self, size: int, timestamp: int) -> Head:
        root = sha256(b"of nothing").digest() if self.switches.wrong_root else self.root(size)
        data = b"\x00\x01" + timestamp.to_bytes(8, "big") + size.to_bytes(8, "big") + root
        return Head(size, root, timestamp, self.signed(data))

    def root(self, size: int) -> bytes:
        """Root of the first ``size`` entries."""
        return self._tree.root(size)

    def leaf_hash(self, index: int) -> bytes:
        """Hash of one entry's leaf."""
        return self._tree.leaves[index]

    def index_of(self, leaf_hash: bytes, size: int) -> int | None:
        """Where a leaf is in the tree of that size."""
        found = self._tree.leaves[:size]
        return found.index(leaf_hash) if leaf_hash in found else None

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Audit path of an entry."""
        return self._tree.inclusion(index, size)

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Proof between two sizes, 0 < first <= second."""
        return self._tree.consistency(first, second)

    def tile(self, level: int, index: int, size: int) -> list[bytes]:
        """Hashes of a tile, at most 256."""
        return self._tree.tile(level, index, size)

    def take_history_of(self, other: "LogCore", keep: int) -> None:
        """The entries of ``other``; from ``keep`` on each is a millisecond younger, so that every hash from there differs."""
        for number, entry in enumerate(other.entries):
            time = entry.timestamp + (number >= keep)
            self._append(replace(entry, timestamp=time, leaf=entry.leaf[:2] + time.to_bytes(8, "big") + entry.leaf[10:]))


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return [purpose for one in certificate.extensions if isinstance(one.value, x509.ExtendedKeyUsage) for purpose in one.value]
