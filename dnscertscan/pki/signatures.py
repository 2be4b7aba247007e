"""Checking who signed what, within a budget, each pair only once (RFC 5280 6.1.3 a 1)."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa

from dnscertscan.pki import der
from dnscertscan.pki.keys import PublicKey, load_key
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import Facts

MAX_CHECKS = 100
_CACHED_SIZE = 128


class Algorithm(NamedTuple):
    """A signature algorithm: scheme, hash, whether browsers take it, and whether its hash is broken.

    ``mask`` and ``salt`` (octets) are the hash of MGF1 and the salt length of RSASSA-PSS.
    """

    scheme: str
    digest: type[hashes.HashAlgorithm] | None
    label: str
    web: bool = False
    weak: bool = False
    mask: type[hashes.HashAlgorithm] | None = None
    salt: int = 0


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
_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
_PSS_HASHES: dict[str, tuple[type[hashes.HashAlgorithm], str]] = {
    "1.3.14.3.2.26": (hashes.SHA1, "SHA-1"), "2.16.840.1.101.3.4.2.4": (hashes.SHA224, "SHA-224"),
    "2.16.840.1.101.3.4.2.1": (hashes.SHA256, "SHA-256"), "2.16.840.1.101.3.4.2.2": (hashes.SHA384, "SHA-384"),
    "2.16.840.1.101.3.4.2.3": (hashes.SHA512, "SHA-512"),
}


def algorithm_of(identifier: bytes) -> Algorithm:
    """What an AlgorithmIdentifier (whole) stands for; an unknown one has the scheme ``""``."""
    return _small_algorithm(identifier) if len(identifier) <= _CACHED_SIZE else _algorithm(identifier)


@lru_cache(maxsize=256)
def _small_algorithm(identifier: bytes) -> Algorithm:
    return _algorithm(identifier)


def _algorithm(identifier: bytes) -> Algorithm:
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
    """RSASSA-PSS as declared (RFC 4055 3.1): SHA-1, MGF1 with SHA-1 and a salt of 20 octets where nothing is said."""
    start, stop = der.expect(data, pos, end, der.SEQUENCE, "PSS parameters")
    der.ends(stop, end, "PSS algorithm")
    name = mask = "1.3.14.3.2.26"
    salt, trailer, last = 20, 1, 0
    for tag, first, after in der.children(data, start, stop):
        if tag <= last:
            raise der.DerError(f"PSS parameter with tag 0x{tag:02x} out of order")
        last = tag
        if tag == 0xA0:
            name, _ = _hash(data, first, after)
        elif tag == 0xA1:
            function, rest = _hash(data, first, after)
            mask, _ = _hash(data, *rest)
            if function != _MGF1:
                return Algorithm("", None, f"PSS with mask function {function}")
        elif tag in (0xA2, 0xA3):
            number, number_stop = der.expect(data, first, after, der.INTEGER, "PSS parameter")
            der.ends(number_stop, after, "PSS parameter")
            value = der.integer(data[number:number_stop])
            salt, trailer = (value, trailer) if tag == 0xA2 else (salt, value)
        else:
            raise der.DerError(f"PSS parameter with tag 0x{tag:02x}")
    if name not in _PSS_HASHES or mask not in _PSS_HASHES or salt < 0 or trailer != 1:
        return Algorithm("", None, f"PSS with hash {name}, mask hash {mask}, salt of {salt} octets and trailer {trailer}")
    digest, label = _PSS_HASHES[name]
    # What BR 7.1.3.2.1 allows, and all that browsers and TLS have.
    web = label in ("SHA-256", "SHA-384", "SHA-512") and mask == name and salt == digest().digest_size
    return Algorithm("pss", digest, f"RSA-PSS with {label}", web, label == "SHA-1", _PSS_HASHES[mask][0], salt)


def _hash(data: bytes, pos: int, end: int) -> tuple[str, tuple[int, int]]:
    """The OID of the AlgorithmIdentifier that fills the range, and the range of its parameters."""
    start, stop = der.expect(data, pos, end, der.SEQUENCE, "PSS parameter")
    der.ends(stop, end, "PSS parameter")
    oid_start, oid_stop = der.expect(data, start, stop, der.OID, "PSS parameter")
    return der.oid(data[oid_start:oid_stop]), (oid_stop, stop)


def verify(key: PublicKey, identifier: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether ``signature`` over ``signed`` is of this key. An algorithm nobody can check counts as not signed."""
    algorithm, loaded = algorithm_of(identifier), load_key(key.spki)
    try:
        match loaded:
            case rsa.RSAPublicKey() if algorithm.digest and algorithm.scheme == "rsa" and not key.pss_only:
                loaded.verify(signature, signed, padding.PKCS1v15(), algorithm.digest())
            case rsa.RSAPublicKey() if algorithm.digest and algorithm.mask and algorithm.scheme == "pss":
                loaded.verify(signature, signed, padding.PSS(padding.MGF1(algorithm.mask()), algorithm.salt), algorithm.digest())
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


_MEMORY: Kept[bytes, bool] = Kept(20_000)
"""Whether a key signed a certificate, by 16 octets of the digest of each: 3 MB when full."""


def _is_signed(issuer: PublicKey, child: Facts) -> bool:
    pair = issuer.digest[:16] + bytes.fromhex(child.sha256[:32])
    known = _MEMORY.get(pair)
    if known is None:
        known = not child.algorithms_differ and verify(issuer, child.algorithm, child.signature, child.signed)
        _MEMORY.put(pair, known)
    return known


def signed_itself(facts: Facts) -> bool:
    """Whether the signature is its own key's; remembered, for many paths may lead over one certificate."""
    if facts.algorithms_differ:
        return verify(facts.key, facts.algorithm, facts.signature, facts.signed)
    return _is_signed(facts.key, facts)


@dataclass(slots=True)
class Budget:
    """How many different signatures one diagnosis may still check; counts remembered ones too, so that answers never vary.

    One by a key that is slow to check counts as many (:attr:`~dnscertscan.pki.keys.PublicKey.effort`): a list of a hundred such
    keys would else hold up everything for half a second, again for each leaf.
    """

    left: int = MAX_CHECKS
    _asked: set[tuple[bytes, str]] = field(default_factory=set)

    @property
    def is_ample(self) -> bool:
        """More than half is left: enough to look at issuers that only serve to explain."""
        return self.left > MAX_CHECKS // 2

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
            self.left -= issuer.key.effort
            self._asked.add(pair)
        return _is_signed(issuer.key, child)
