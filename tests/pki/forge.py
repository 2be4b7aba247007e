"""Certificates octet by octet: any field, any fault, real signatures. Nothing here uses the package under test."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha1
from ipaddress import ip_address

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def tlv(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    size = len(body)
    if size < 0x80:
        return bytes([tag, size]) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def seq(*content: bytes) -> bytes:
    return tlv(0x30, *content)


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(arc & 0x7F | 0x80)
        out += bytes(reversed(octets))
    return tlv(6, bytes(out))


def bits(octets: bytes, unused: int = 0) -> bytes:
    return tlv(3, bytes([unused]), octets)


def octets(content: bytes) -> bytes:
    return tlv(4, content)


def boolean(value: bool) -> bytes:
    return tlv(1, b"\xff" if value else b"\0")


def utc_time(moment: datetime) -> bytes:
    return tlv(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def generalized_time(moment: datetime) -> bytes:
    return tlv(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def time(moment: datetime) -> bytes:
    return utc_time(moment) if 1950 <= moment.year < 2050 else generalized_time(moment)


_TYPES = {"CN": "2.5.4.3", "O": "2.5.4.10", "C": "2.5.4.6", "OU": "2.5.4.11", "E": "1.2.840.113549.1.9.1"}


def attribute(kind: str, value: str | bytes, tag: int = 0x0C) -> bytes:
    return tlv(0x31, seq(oid(_TYPES.get(kind, kind)), tlv(tag, value.encode() if isinstance(value, str) else value)))


def name(common: str, organisation: str = "Forge") -> bytes:
    return seq(attribute("O", organisation), *([attribute("CN", common)] if common else []))


SHA256_EC, SHA1_EC = "1.2.840.10045.4.3.2", "1.2.840.10045.4.1"
_RSA_SIGNATURES = {"sha256": "1.2.840.113549.1.1.11", "sha1": "1.2.840.113549.1.1.5", "md5": "1.2.840.113549.1.1.4"}
_HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1(), "md5": hashes.MD5()}


@cache
def key(label: str, kind: str = "P-256") -> PrivateKeyTypes:
    """One key per label and kind for the whole run: making keys is what costs time."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "DSA":
        return dsa.generate_private_key(2048)
    curves: dict[str, ec.EllipticCurve] = {
        "P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-224": ec.SECP224R1(), "P-192": ec.SECP192R1(),
        "P-521": ec.SECP521R1(),
        "secp256k1": ec.SECP256K1(),
    }
    return ec.generate_private_key(curves[kind])


def spki(private: PrivateKeyTypes) -> bytes:
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_octets(private: PrivateKeyTypes) -> bytes:
    """Content of the subjectPublicKey BIT STRING."""
    if isinstance(private, rsa.RSAPrivateKey):
        return private.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return spki(private)[-32:]


def key_id(private: PrivateKeyTypes) -> bytes:
    return sha1(key_octets(private), usedforsecurity=False).digest()


def sign(private: PrivateKeyTypes, signed: bytes, digest: str = "sha256") -> bytes:
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(signed, padding.PKCS1v15(), _HASHES[digest])
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(signed, ec.ECDSA(_HASHES[digest]))
    if isinstance(private, dsa.DSAPrivateKey):
        return private.sign(signed, _HASHES[digest])
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    return private.sign(signed)


def algorithm(private: PrivateKeyTypes, digest: str = "sha256") -> bytes:
    if isinstance(private, rsa.RSAPrivateKey):
        return seq(oid(_RSA_SIGNATURES[digest]), tlv(5))
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return seq(oid(SHA1_EC if digest == "sha1" else SHA256_EC))
    if isinstance(private, dsa.DSAPrivateKey):
        return seq(oid("2.16.840.1.101.3.4.3.2"))
    return seq(oid("1.3.101.112"))


BASIC, USAGE, EKU, SAN, AKI, SKI, NC = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17", "2.5.29.35", "2.5.29.14", "2.5.29.30"
FEATURE, POLICY_CONSTRAINTS = "1.3.6.1.5.5.7.1.24", "2.5.29.36"
NETSCAPE, UNKNOWN = "2.16.840.1.113730.1.1", "1.3.6.1.4.1.55555.1.1"
SERVER, CLIENT, ANY, OCSP_SIGNING, SGC = (
    "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0", "1.3.6.1.5.5.7.3.9", "1.3.6.1.4.1.311.10.3.3",
)


@dataclass(frozen=True)
class Extension:
    kind: str
    value: bytes
    critical: bool = False

    @property
    def der(self) -> bytes:
        return seq(oid(self.kind), *([boolean(True)] if self.critical else []), octets(self.value))


def basic(ca: bool, path_length: int | None = None) -> Extension:
    return Extension(BASIC, seq(*([boolean(True)] if ca else []), *([] if path_length is None else [integer(path_length)])), True)


def usage(octet: int) -> Extension:
    unused = next((bit for bit in range(8) if octet >> bit & 1), 0)
    return Extension(USAGE, bits(bytes([octet]), unused), True)


def eku(*purposes: str) -> Extension:
    return Extension(EKU, seq(*map(oid, purposes)))


def general(value: str | bytes, tag: int | None = None) -> bytes:
    """dNSName, iPAddress, rfc822Name by look; or any tag."""
    if tag is not None:
        return tlv(tag, value.encode() if isinstance(value, str) else value)
    assert isinstance(value, str)
    try:
        return tlv(0x87, ip_address(value).packed)
    except ValueError:
        return tlv(0x81 if "@" in value else 0x82, value.encode())


def san(*names: str | bytes, critical: bool = False) -> Extension:
    return Extension(SAN, seq(*(entry if isinstance(entry, bytes) else general(entry) for entry in names)), critical)


def constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> Extension:
    sides = [tlv(tag, *(seq(base) for base in bases)) for tag, bases in ((0xA0, permitted), (0xA1, excluded)) if bases]
    return Extension(NC, seq(*sides), True)


@dataclass(frozen=True)
class Spec:
    """Everything in one certificate. None for ``aki``/``ski`` leaves the extension out; ``b""`` means the right one."""

    subject: bytes
    private: PrivateKeyTypes
    extensions: tuple[Extension, ...]
    not_before: bytes = time(NOW - 30 * DAY)
    not_after: bytes = time(NOW + 60 * DAY)
    version: int = 3
    serial: bytes = b"\x11\x22\x33"
    digest: str = "sha256"
    aki: bytes | None = b""
    ski: bytes | None = b""
    public: bytes = b""
    inner_algorithm: bytes = b""
    tail: bytes = b""
    spoil: bool = False
    issuer: bytes = b""

    def without(self, *kinds: str) -> "Spec":
        return replace(self, extensions=tuple(extension for extension in self.extensions if extension.kind not in kinds))

    def with_(self, *extensions: Extension) -> "Spec":
        """Extensions in place of those of the same kind."""
        base = self.without(*(extension.kind for extension in extensions))
        return replace(base, extensions=(*base.extensions, *extensions))

    def signed_by(self, parent: "Spec") -> bytes:
        """The certificate, DER."""
        extra = []
        if self.ski is not None:
            extra.append(Extension(SKI, octets(self.ski or key_id(self.private))))
        if self.aki is not None:
            extra.append(Extension(AKI, self.aki or seq(tlv(0x80, parent.ski or key_id(parent.private)))))
        outer = algorithm(parent.private, self.digest)
        parts = [
            *([tlv(0xA0, integer(self.version - 1))] if self.version != 1 else []), tlv(2, self.serial),
            self.inner_algorithm or outer,
            self.issuer or parent.subject, seq(self.not_before, self.not_after), self.subject, self.public or spki(self.private),
        ]
        if self.version != 1:
            parts.append(tlv(0xA3, seq(*(extension.der for extension in (*self.extensions, *extra)))))
        signed = seq(*parts)
        signature = bytearray(sign(parent.private, signed, self.digest))
        if self.spoil:
            signature[-1] ^= 1
        return seq(signed, outer, bits(bytes(signature))) + self.tail


def root_spec(label: str = "Root", kind: str = "P-256") -> Spec:
    return Spec(
        name(f"Forge {label}"), key(label, kind), (basic(True), usage(0x06)), time(NOW - 1000 * DAY), time(NOW + 3000 * DAY),
        serial=b"\x01",
    )


def ca_spec(label: str = "Int", kind: str = "P-256") -> Spec:
    return Spec(
        name(f"Forge {label}"), key(label, kind), (basic(True), usage(0x86)), time(NOW - 500 * DAY), time(NOW + 1000 * DAY),
        serial=b"\x02",
    )


def leaf_spec(host: str = "www.example.com", kind: str = "P-256") -> Spec:
    return Spec(name(host), key("leaf", kind), (basic(False), usage(0x80), eku(SERVER), san(host)))


@dataclass(frozen=True)
class OcspSpec:
    """A stapled response: what it says, about which serial, signed by whom."""

    issuer: Spec
    serial: bytes
    status: bytes = tlv(0x80)
    this_update: datetime = NOW - DAY
    next_update: datetime | None = NOW + 3 * DAY
    signer: Spec | None = None
    certificates: tuple[bytes, ...] = ()
    spoil: bool = False
    outer: int = 0
    extra: tuple[bytes, ...] = field(default=())

    @property
    def der(self) -> bytes:
        if self.outer:
            return seq(tlv(0x0A, bytes([self.outer])))
        certificate_id = seq(
            seq(oid("1.3.14.3.2.26"), tlv(5)), octets(sha1(self.issuer.subject, usedforsecurity=False).digest()),
            octets(key_id(self.issuer.private)), tlv(2, self.serial),
        )
        following = [tlv(0xA0, generalized_time(self.next_update))] if self.next_update else []
        single = seq(certificate_id, self.status, generalized_time(self.this_update), *following)
        signer = self.signer or self.issuer
        data = seq(tlv(0xA2, octets(key_id(signer.private))), generalized_time(self.this_update), seq(*self.extra, single))
        signature = bytearray(sign(signer.private, data))
        if self.spoil:
            signature[-1] ^= 1
        certificates = [tlv(0xA0, seq(*self.certificates))] if self.certificates else []
        body = seq(data, algorithm(signer.private), bits(bytes(signature)), *certificates)
        return seq(tlv(0x0A, b"\0"), tlv(0xA0, seq(oid("1.3.6.1.5.5.7.48.1.1"), octets(body))))


def revoked(when: datetime, reason: int | None = 1) -> bytes:
    return tlv(0xA1, generalized_time(when), *([] if reason is None else [tlv(0xA0, tlv(0x0A, bytes([reason])))]))
