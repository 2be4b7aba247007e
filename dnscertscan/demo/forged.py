"""Certificates that the library refuses to make: signed with SHA-1, or with a signature that does not fit."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# AlgorithmIdentifier in DER (RFC 5758 3.2, RFC 3279 2.2.3): ecdsa-with-SHA256 and ecdsa-with-SHA1, both without parameters.
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
_SEQUENCE, _BIT_STRING = 0x30, 0x03


def with_sha1(certificate: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """``certificate`` (signed with ecdsa-with-SHA256) as its issuer would have signed it with ecdsa-with-SHA1."""
    tbs = certificate.tbs_certificate_bytes
    if tbs.count(_ECDSA_SHA256) != 1:
        raise ValueError("only certificates signed with ecdsa-with-SHA256 can be signed again with SHA-1")
    tbs = der(_SEQUENCE, _content(tbs).replace(_ECDSA_SHA256, _ECDSA_SHA1))
    # The weak digest is the point of this certificate: it is the fault that the scan has to find.
    signature = issuer_key.sign(tbs, ec.ECDSA(hashes.SHA1()))  # noqa: S303 - see the line above
    return _assemble(tbs, _ECDSA_SHA1, signature)


def with_foreign_signature(certificate: x509.Certificate, other: x509.Certificate) -> x509.Certificate:
    """``certificate`` under the signature of ``other``: well formed, and no issuer's key verifies it. Both ecdsa-with-SHA256."""
    return _assemble(certificate.tbs_certificate_bytes, _ECDSA_SHA256, other.signature)


def der(tag: int, content: bytes) -> bytes:
    """One DER element with a definite length (X.690 8.1.3)."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _content(element: bytes) -> bytes:
    first = element[1]
    return element[2:] if first < 0x80 else element[2 + (first & 0x7F):]


def _assemble(tbs: bytes, algorithm: bytes, signature: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der(_SEQUENCE, tbs + algorithm + der(_BIT_STRING, b"\0" + signature)))
