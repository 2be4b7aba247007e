"""Certificates with forged signatures: well formed, and wrong in exactly the way they say."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.demo.forged import der, with_foreign_signature, with_sha1

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def verify(certificate: x509.Certificate, issuer: Credential, digest: hashes.HashAlgorithm) -> None:
    key = issuer.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(digest))


def test_sha1_verifies_and_changes_nothing_else() -> None:
    """The issuer's key verifies it as ecdsa-with-SHA1; names, key, dates and extensions are those of the original."""
    root = Authority.root("Root", now=NOW)
    before = root.leaf("a.test").certificate
    assert isinstance(root.credential.key, ec.EllipticCurvePrivateKey)
    after = with_sha1(before, root.credential.key)
    verify(after, root.credential, hashes.SHA1())
    assert after.signature_algorithm_oid == x509.SignatureAlgorithmOID.ECDSA_WITH_SHA1
    for what in ("subject", "issuer", "serial_number", "not_valid_before_utc", "not_valid_after_utc"):
        assert getattr(after, what) == getattr(before, what)
    assert list(after.extensions) == list(before.extensions)
    assert after.public_key() == before.public_key()
    assert x509.load_der_x509_certificate(after.public_bytes(Encoding.DER)) == after


def test_sha1_needs_a_sha256_original() -> None:
    """A certificate signed in another way is refused, not damaged."""
    root = Authority.root("Root", now=NOW)
    assert isinstance(root.credential.key, ec.EllipticCurvePrivateKey)
    with pytest.raises(ValueError, match="ecdsa-with-SHA256"):
        with_sha1(root.leaf("a.test", digest=hashes.SHA384()).certificate, root.credential.key)


def test_foreign_signature_does_not_verify() -> None:
    """The content is the original's, the signature fits somebody else's content."""
    root = Authority.root("Root", now=NOW)
    first, second = root.leaf("a.test").certificate, root.leaf("b.test").certificate
    forged = with_foreign_signature(first, second)
    assert forged.tbs_certificate_bytes == first.tbs_certificate_bytes
    verify(first, root.credential, hashes.SHA256())
    with pytest.raises(InvalidSignature):
        verify(forged, root.credential, hashes.SHA256())


@given(st.binary(max_size=70000))
def test_der_lengths(content: bytes) -> None:
    """A length is written in its shortest form and covers the content (X.690 10.1)."""
    element = der(0x30, content)
    assert element.endswith(content)
    header = element[:len(element) - len(content)]
    if len(content) < 128:
        assert header == bytes((0x30, len(content)))
    else:
        assert header[1] == 0x80 | (len(header) - 2)
        assert header[2] != 0
        assert int.from_bytes(header[2:], "big") == len(content)
