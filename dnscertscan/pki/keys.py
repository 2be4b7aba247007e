"""Public keys: what kind, how strong, and loading them for checking signatures (RFC 3279, 5480, 8410)."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from dnscertscan.pki import der

CURVES = {
    "1.2.840.10045.3.1.7": ("P-256", 256), "1.3.132.0.34": ("P-384", 384), "1.3.132.0.35": ("P-521", 521),
    "1.2.840.10045.3.1.1": ("P-192", 192), "1.3.132.0.33": ("P-224", 224), "1.3.132.0.10": ("secp256k1", 256),
    "1.3.36.3.3.2.8.1.1.7": ("brainpoolP256r1", 256), "1.3.36.3.3.2.8.1.1.11": ("brainpoolP384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("brainpoolP512r1", 512), "1.3.132.0.6": ("secp112r1", 112), "1.3.132.0.28": ("secp128r1", 128),
    "1.3.132.0.9": ("secp160k1", 160), "1.3.132.0.8": ("secp160r1", 160), "1.3.132.0.30": ("secp160r2", 160),
    "1.3.132.0.31": ("secp192k1", 192), "1.3.132.0.1": ("sect163k1", 163), "1.3.132.0.15": ("sect163r2", 163),
    "1.3.132.0.2": ("sect163r1", 163), "1.3.132.0.24": ("sect193r1", 193), "1.3.132.0.25": ("sect193r2", 193),
    "1.3.132.0.26": ("sect233k1", 233), "1.3.132.0.27": ("sect233r1", 233), "1.3.132.0.3": ("sect239k1", 239),
    "1.3.132.0.16": ("sect283k1", 283), "1.3.132.0.17": ("sect283r1", 283), "1.3.132.0.36": ("sect409k1", 409),
    "1.3.132.0.37": ("sect409r1", 409), "1.3.132.0.38": ("sect571k1", 571), "1.3.132.0.39": ("sect571r1", 571),
    "1.3.132.0.32": ("secp224k1", 224),
}
"""Every curve TLS ever had a number for (RFC 4492 5.1.1, RFC 7027), and three that are only weak: no client knows more."""
WEB_CURVES = frozenset({"P-256", "P-384", "P-521"})
_RSA, _RSA_PSS, _EC, _DSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_EDWARDS = {
    "1.3.101.112": ("Ed25519", 256), "1.3.101.113": ("Ed448", 456), "1.3.101.110": ("X25519", 253), "1.3.101.111": ("X448", 448),
}
_EDWARDS_OCTETS = {"Ed25519": 32, "Ed448": 57, "X25519": 32, "X448": 56}
MIN_RSA = 2048
MIN_CURVE = 224
MAX_RSA = 16384
_CACHED_SIZE = 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One SubjectPublicKeyInfo. ``weakness`` is empty, or why the key is too weak; ``off_web`` why browsers do not take it.

    ``refused`` says why even OpenSSL takes no chain with it (explicit curve parameters, a curve or algorithm nobody knows).
    ``pss_only``: signatures by it are RSASSA-PSS and nothing else (RFC 4055 1.2).
    """

    spki: bytes
    digest: bytes
    octets: bytes
    """Content of the BIT STRING: what key identifiers and OCSP hash."""
    label: str
    bits: int = 0
    weakness: str = ""
    off_web: str = ""
    refused: str = ""
    pss_only: bool = False

    @property
    def effort(self) -> int:
        """What checking one signature costs, in quarters of a millisecond: 1 for every key in common use, 16 for RSA 16384."""
        if self.label == "RSA":
            return (-(-self.bits // 4096)) ** 2 or 1
        if self.label == "DSA":
            return max(self.bits // 2048, 1) ** 2
        if self.bits <= 256 or self.label.removeprefix("EC ") in WEB_CURVES:
            return 1
        return 8 if self.label.startswith("EC sect") else 3


NO_KEY = PublicKey(b"", b"", b"", "")


def parse_key(spki: bytes) -> PublicKey:
    """Facts of a SubjectPublicKeyInfo; raises :class:`~dnscertscan.pki.der.DerError` for a key that clients cannot load."""
    start, stop = der.whole(spki, der.SEQUENCE, "public key")
    alg_start, alg_stop = der.expect(spki, start, stop, der.SEQUENCE, "key algorithm")
    oid_start, oid_stop = der.expect(spki, alg_start, alg_stop, der.OID, "key algorithm")
    algorithm = der.oid(spki[oid_start:oid_stop])
    bits_start, bits_stop = der.expect(spki, alg_stop, stop, der.BIT_STRING, "public key bits")
    der.ends(bits_stop, stop, "public key")
    if oid_stop < alg_stop:
        der.ends(der.read(spki, oid_stop, alg_stop)[2], alg_stop, "key algorithm")
    octets = der.bits(spki[bits_start:bits_stop])
    digest = sha256(spki).digest()
    if algorithm in (_RSA, _RSA_PSS):
        return _rsa(spki, digest, octets, pss=algorithm == _RSA_PSS)
    if algorithm == _EC:
        return _curve(spki, digest, octets, spki[oid_stop:alg_stop])
    if algorithm == _DSA:
        return _dsa(spki, digest, octets, spki[oid_stop:alg_stop])
    if algorithm not in _EDWARDS:
        return PublicKey(spki, digest, octets, f"algorithm {algorithm}", refused=f"key of the unknown algorithm {algorithm}")
    label, size = _EDWARDS[algorithm]
    if oid_stop < alg_stop:
        raise der.DerError(f"{label} key with parameters")
    if len(octets) != _EDWARDS_OCTETS[label]:
        raise der.DerError(f"{label} key of {len(octets)} octets, {_EDWARDS_OCTETS[label]} are due")
    return PublicKey(spki, digest, octets, label, size, off_web=f"{label} key")


def _rsa(spki: bytes, digest: bytes, octets: bytes, *, pss: bool) -> PublicKey:
    start, stop = der.whole(octets, der.SEQUENCE, "RSA key")
    n_start, n_stop = der.expect(octets, start, stop, der.INTEGER, "RSA modulus")
    e_start, e_stop = der.expect(octets, n_stop, stop, der.INTEGER, "RSA exponent")
    der.ends(e_stop, stop, "RSA key")
    # OpenSSL reads the numbers of a key as plain big numbers, padded or not.
    modulus, exponent = der.integer(octets[n_start:n_stop], padded=True), der.integer(octets[e_start:e_stop], padded=True)
    size = max(modulus, 0).bit_length()
    weakness = ""
    if modulus <= 0 or size < MIN_RSA:
        weakness = f"RSA key of {size} bits, at least {MIN_RSA} are needed"
    elif exponent < 3 or not exponent & 1:
        weakness = f"RSA public exponent {exponent if abs(exponent) < 1 << 64 else 'negative'} gives no security"
    off_web = "RSA key restricted to PSS" if pss else ""
    if not off_web and size > MAX_RSA:
        off_web = f"RSA key of {size} bits"
    elif not off_web and size % 8:
        off_web = f"RSA key of {size} bits, not a multiple of 8"
    return PublicKey(spki, digest, octets, "RSA", size, weakness, "" if weakness else off_web, pss_only=pss)


def _curve(spki: bytes, digest: bytes, octets: bytes, parameters: bytes) -> PublicKey:
    tag, start, stop = der.read(parameters, 0, len(parameters))
    if tag != der.OID:
        reason = "EC key with explicit curve parameters" if tag == der.SEQUENCE else "EC key without a named curve"
        return PublicKey(spki, digest, octets, "EC", refused=reason)
    identifier = der.oid(parameters[start:stop])
    if identifier not in CURVES:
        return PublicKey(spki, digest, octets, "EC", refused=f"EC key on the unknown curve {identifier}")
    name, size = CURVES[identifier]
    _check_point(spki, octets, name, size)
    weakness = f"EC key on {name}, at least {MIN_CURVE} bits are needed" if size < MIN_CURVE else ""
    off_web = "" if name in WEB_CURVES else f"EC key on {name}"
    return PublicKey(spki, digest, octets, f"EC {name}", size, weakness, "" if weakness else off_web)


def _check_point(spki: bytes, octets: bytes, name: str, size: int) -> None:
    """Refuse what is no point of the curve (SEC 1 2.3.4); about 10 microseconds for P-256."""
    try:
        load_der_public_key(spki)
    except UnsupportedAlgorithm:  # a curve the library does not have: the form is all there is to look at
        width = (size + 7) // 8
        if len(octets) != 1 + (2 * width if octets[:1] in (b"\x04", b"\x06", b"\x07") else width):
            raise der.DerError(f"EC point of {len(octets)} octets on {name}") from None
    except (ValueError, TypeError):
        raise der.DerError(f"its EC point of {len(octets)} octets is not on {name}") from None


def _dsa(spki: bytes, digest: bytes, octets: bytes, parameters: bytes) -> PublicKey:
    size = 0
    if parameters[:1] == b"\x30":
        start, stop = der.whole(parameters, der.SEQUENCE, "DSA parameters")
        p_start, p_stop = der.expect(parameters, start, stop, der.INTEGER, "DSA modulus")
        size = max(der.integer(parameters[p_start:p_stop], padded=True), 0).bit_length()
    weakness = f"DSA key of {size} bits, at least {MIN_RSA} are needed" if 0 < size < MIN_RSA else ""
    return PublicKey(spki, digest, octets, "DSA", size, weakness, "" if weakness else "DSA key")


def load_key(spki: bytes) -> PublicKeyTypes | None:
    """The key ready for checking signatures; None when it is of no use for that."""
    return _load_small(spki) if len(spki) <= _CACHED_SIZE else _load(spki)


@lru_cache(maxsize=256)
def _load_small(spki: bytes) -> PublicKeyTypes | None:
    return _load(spki)


def _load(spki: bytes) -> PublicKeyTypes | None:
    try:
        return load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
