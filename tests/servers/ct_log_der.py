"""What the test log does with DER: take the poison or the SCT list out of a certificate. Its own code, an oracle for ours."""

from collections.abc import Iterator
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SCT_LIST = bytes.fromhex("060a2b06010401d679020402")
POISON = bytes.fromhex("060a2b06010401d679020403")
_EXTENSIONS = 0xA3


def element(octets: bytes, at: int = 0) -> tuple[int, bytes, int]:
    """Tag, content and end of the element at ``at``; definite lengths only."""
    tag, size, start = octets[at], octets[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(octets[start : start + count], "big"), start + count
    return tag, octets[start : start + size], start + size


def elements(octets: bytes) -> Iterator[bytes]:
    """The elements in ``octets``, each with its header."""
    at = 0
    while at < len(octets):
        end = element(octets, at)[2]
        yield octets[at:end]
        at = end


def wrap(tag: int, *content: bytes) -> bytes:
    """One element with the shortest length."""
    body = b"".join(content)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def stripped_tbs(certificate: bytes) -> bytes:
    """The TBSCertificate without SCT list and poison (RFC 6962 3.2). The certificate has extensions, as all of ours."""
    tbs = element(element(certificate)[1])[1]
    parts = []
    for part in elements(tbs):
        if part[0] != _EXTENSIONS:
            parts.append(part)
            continue
        listed = element(element(part)[1])[1]
        kept = [one for one in elements(listed) if not element(one)[1].startswith((SCT_LIST, POISON))]
        parts.append(wrap(_EXTENSIONS, wrap(0x30, *kept)))
    return wrap(0x30, *parts)


def tbs_sha256(certificate: x509.Certificate) -> str:
    """The identity of an issuance, hexadecimal: what certspotter calls TBS_SHA256."""
    return sha256(stripped_tbs(certificate.public_bytes(Encoding.DER))).hexdigest()


def spki(certificate: x509.Certificate) -> bytes:
    """Its SubjectPublicKeyInfo."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def der(certificate: x509.Certificate) -> bytes:
    """Its octets."""
    return certificate.public_bytes(Encoding.DER)
