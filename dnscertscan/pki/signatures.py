"""Checking who signed what, within a budget, each pair only once (RFC 5280 6.1.3 a 1)."""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from dnscertscan.pki import der
from dnscertscan.pki.keys import PublicKey, load_key
from dnscertscan.pki.parse import Facts

MAX_CHECKS = 100


class Algorithm(NamedTuple):
    """A signature algorithm: scheme, hash, whether browsers take it, and whether its hash is broken."""

    scheme: str
    digest: type[hashes.HashAlgorithm] | None
    label: str
    web: bool = False
    weak: bool = False


_RSA, _ECDSA, _DSA = "rsa", "ecdsa", "dsa"
_TABLE = {
    "1.2.840.113549.1.1.2": Algorithm(_RSA, None, "MD2 with RSA", weak=True),
    "1.2.840.113549.1.1.3": Algorithm(_RSA, None, "MD4 with RSA", weak=True),
    "1.2.840.113549.1.1.4": Algorithm(_RSA, hashes.MD5, "MD5 with RSA", weak=True),
    "1.2.840.113549.1.1.5": Algorithm(_RSA, hashes.SHA1, "SHA-1 with RSA", weak=True),
    "1.3.14.3.2.29": Algorithm(_RSA, hashes.SHA1, "SHA-1 with RSA", weak=True),
    "1.2.840.113549.1.1.14": Algorithm(_RSA, hashes.SHA224, "SHA-224 with RSA"),
    "1.2.840.113549.1.1.11": Algorithm(_RSA, hashes.SHA256, "SHA-256 with RSA", web=True),
    "1.2.840.113549.1.1.12": Algorithm(_RSA, hashes.SHA384, "SHA-384 with RSA", web=True),
    "1.2.840.113549.1.1.13": Algorithm(_RSA, hashes.SHA512, "SHA-512 with RSA", web=True),
    "1.2.840.113549.1.1.15": Algorithm(_RSA, hashes.SHA512_224, "SHA-512/224 with RSA"),
    "1.2.840.113549.1.1.16": Algorithm(_RSA, hashes.SHA512_256, "SHA-512/256 with RSA"),
    "2.16.840.1.101.3.4.3.13": Algorithm(_RSA, hashes.SHA3_224, "SHA3-224 with RSA"),
    "2.16.840.1.101.3.4.3.14": Algorithm(_RSA, hashes.SHA3_256, "SHA3-256 with RSA"),
    "2.16.840.1.101.3.4.3.15": Algorithm(_RSA, hashes.SHA3_384, "SHA3-384 with RSA"),
    "2.16.840.1.101.3.4.3.16": Algorithm(_RSA, hashes.SHA3_512, "SHA3-512 with RSA"),
    "1.2.840.10045.4.1": Algorithm(_ECDSA, hashes.SHA1, "ECDSA with SHA-1", weak=True),
    "1.2.840.10045.4.3.1": Algorithm(_ECDSA, hashes.SHA224, "ECDSA with SHA-224"),
    "1.2.840.10045.4.3.2": Algorithm(_ECDSA, hashes.SHA256, "ECDSA with SHA-256", web=True),
    "1.2.840.10045.4.3.3": Algorithm(_ECDSA, hashes.SHA384, "ECDSA with SHA-384", web=True),
    "1.2.840.10045.4.3.4": Algorithm(_ECDSA, hashes.SHA512, "ECDSA with SHA-512", web=True),
    "2.16.840.1.101.3.4.3.9": Algorithm(_ECDSA, hashes.SHA3_224, "ECDSA with SHA3-224"),
    "2.16.840.1.101.3.4.3.10": Algorithm(_ECDSA, hashes.SHA3_256, "ECDSA with SHA3-256"),
    "2.16.840.1.101.3.4.3.11": Algorithm(_ECDSA, hashes.SHA3_384, "ECDSA with SHA3-384"),
    "2.16.840.1.101.3.4.3.12": Algorithm(_ECDSA, hashes.SHA3_512, "ECDSA with SHA3-512"),
    "1.2.840.10040.4.3": Algorithm(_DSA, hashes.SHA1, "DSA with SHA-1", weak=True),
    "2.16.840.1.101.3.4.3.1": Algorithm(_DSA, hashes.SHA224, "DSA with SHA-224"),
    "2.16.840.1.101.3.4.3.2": Algorithm(_DSA, hashes.SHA256, "DSA with SHA-256"),
    "1.3.101.112": Algorithm("ed25519", None, "Ed25519"),
    "1.3.101.113": Algorithm("ed448", None, "Ed448"),
}
_PSS = "1.2.840.113549.1.1.10"
_PSS_HASHES: dict[str, tuple[type[hashes.HashAlgorithm], str]] = {
    "1.3.14.3.2.26": (hashes.SHA1, "SHA-1"), "2.16.840.1.101.3.4.2.4": (hashes.SHA224, "SHA-224"),
    "2.16.840.1.101.3.4.2.1": (hashes.SHA256, "SHA-256"), "2.16.840.1.101.3.4.2.2": (hashes.SHA384, "SHA-384"),
    "2.16.840.1.101.3.4.2.3": (hashes.SHA512, "SHA-512"),
}


@lru_cache(maxsize=256)
def algorithm_of(identifier: bytes) -> Algorithm:
    """What an AlgorithmIdentifier (whole) stands for; an unknown one has the scheme ``""``."""
    try:
        start, stop = der.whole(identifier, der.SEQUENCE, "algorithm")
        oid_start, oid_stop = der.expect(identifier, start, stop, der.OID, "algorithm")
        name = der.oid(identifier[oid_start:oid_stop])
        if name == _PSS:
            return _pss(identifier, oid_stop, stop)
    except der.DerError:
        return Algorithm("", None, "an algorithm that cannot be read")
    return _TABLE.get(name) or Algorithm("", None, f"algorithm {name}")


def _pss(data: bytes, pos: int, end: int) -> Algorithm:
    """RSASSA-PSS: only its hash matters for strength; without parameters it is SHA-1 (RFC 4055 3.1)."""
    name = "1.3.14.3.2.26"
    if pos < end:
        start, stop = der.expect(data, pos, end, der.SEQUENCE, "PSS parameters")
        for tag, part_start, part_stop in der.children(data, start, stop):
            if tag == 0xA0:
                seq_start, seq_stop = der.expect(data, part_start, part_stop, der.SEQUENCE, "PSS hash")
                oid_start, oid_stop = der.expect(data, seq_start, seq_stop, der.OID, "PSS hash")
                name = der.oid(data[oid_start:oid_stop])
    if name not in _PSS_HASHES:
        return Algorithm("", None, f"PSS with hash {name}")
    digest, label = _PSS_HASHES[name]
    web = label in ("SHA-256", "SHA-384", "SHA-512")
    return Algorithm("pss", digest, f"RSA-PSS with {label}", web=web, weak=label == "SHA-1")


def verify(key: PublicKey, identifier: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether ``signature`` over ``signed`` is of this key. An algorithm nobody can check counts as not signed."""
    algorithm, loaded = algorithm_of(identifier), load_key(key.spki)
    try:
        match loaded:
            case rsa.RSAPublicKey() if algorithm.digest and algorithm.scheme in ("rsa", "pss"):
                digest = algorithm.digest()
                scheme = padding.PKCS1v15() if algorithm.scheme == "rsa" else padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
                loaded.verify(signature, signed, scheme, digest)
            case ec.EllipticCurvePublicKey() if algorithm.digest and algorithm.scheme == "ecdsa":
                loaded.verify(signature, signed, ec.ECDSA(algorithm.digest()))
            case dsa.DSAPublicKey() if algorithm.digest and algorithm.scheme == "dsa":
                loaded.verify(signature, signed, algorithm.digest())
            case ed25519.Ed25519PublicKey() if algorithm.scheme == "ed25519":
                loaded.verify(signature, signed)
            case ed448.Ed448PublicKey() if algorithm.scheme == "ed448":
                loaded.verify(signature, signed)
            case _:
                return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


class _Memory:
    """Verdicts by (SPKI digest of the issuer, digest of the certificate), the oldest forgotten first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._verdicts: OrderedDict[tuple[bytes, str], bool] = OrderedDict()

    def is_signed(self, issuer: PublicKey, child: Facts) -> bool:
        pair = (issuer.digest, child.sha256)
        known = self._verdicts.get(pair)
        if known is None:
            known = not child.algorithms_differ and verify(issuer, child.algorithm, child.signature, child.signed)
            self._verdicts[pair] = known
            if len(self._verdicts) > self._size:
                self._verdicts.popitem(last=False)
        return known


_MEMORY = _Memory(20_000)


@dataclass(slots=True)
class Budget:
    """How many different signatures one diagnosis may still check; counts remembered ones too, so that answers never vary."""

    left: int = MAX_CHECKS
    _asked: set[tuple[bytes, str]] = field(default_factory=set)

    def is_signed(self, issuer: Facts, child: Facts) -> bool | None:
        """Whether ``issuer``'s key signed ``child``; None when the budget is used up.

        A key of a form that clients refuse counts as the signer: that form is an error already, and the only one to report.
        """
        if issuer.key.refused:
            return True
        pair = (issuer.key.digest, child.sha256)
        if pair not in self._asked:
            if self.left <= 0:
                return None
            self.left -= 1
            self._asked.add(pair)
        return _MEMORY.is_signed(issuer.key, child)
