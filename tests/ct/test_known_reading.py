"""Keys, CSRs and certificates in every form: only the public half of a private key comes out, whatever is in a file."""

import json
import pickle
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.ct.known import read_known, read_local
from dnscertscan.ct.known_reading import read_contents
from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.tbs import tbs_sha256

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CA = Authority.root("Known Root", now=NOW).intermediate("Known Issuer")
SITE = CA.leaf("www.watched.com", "watched.com")
SECRET = b"open sesame"


def key_digest(key: object) -> str:
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined] - any private key
    return sha256(spki).hexdigest()


def identity(credential: Credential) -> str:
    return tbs_sha256(Certificate(credential.certificate.public_bytes(Encoding.DER)))


def private(
    key: object, form: PrivateFormat = PrivateFormat.PKCS8, encoding: Encoding = Encoding.PEM, secret: bytes = b""
) -> bytes:
    how = BestAvailableEncryption(secret) if secret else NoEncryption()
    return bytes(key.private_bytes(encoding, form, how))  # type: ignore[attr-defined] - any private key


def request(key: ec.EllipticCurvePrivateKey, *names: str) -> x509.CertificateSigningRequest:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    asked = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).add_extension(asked, False).sign(key, hashes.SHA256())


KEYS = {
    "rsa": rsa.generate_private_key(65537, 2048), "ec": ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate(), "dsa": dsa.generate_private_key(1024),
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_every_form_of_a_key(tmp_path: Path, kind: str, form: PrivateFormat, encoding: Encoding) -> None:
    """PKCS #8, PKCS #1, SEC 1 as PEM or DER: the digest of the public half, as certificates have it."""
    key = KEYS[kind]
    if kind == "ed25519":
        form = PrivateFormat.PKCS8
    (tmp_path / "x.key").write_bytes(private(key, form, encoding))
    lines: list[str] = []
    assert set(read_known([tmp_path], lines.append).keys) == {key_digest(key)}
    assert lines == []


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_public_keys_requests_and_certificates_alone(tmp_path: Path, encoding: Encoding) -> None:
    """A public key, a CSR with its names, a certificate: PEM or DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "a.pub").write_bytes(KEYS["rsa"].public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "b.csr").write_bytes(request(key, "soon.watched.com", "*.watched.com").public_bytes(encoding))
    (tmp_path / "c.crt").write_bytes(SITE.certificate.public_bytes(encoding))
    lines: list[str] = []
    local = read_local([tmp_path], lines.append)
    assert lines == []
    assert set(local.known.keys) == {key_digest(KEYS["rsa"]), key_digest(key), key_digest(SITE.key)}
    assert set(local.names) == {"soon.watched.com", "*.watched.com", "www.watched.com", "watched.com"}
    assert set(local.known.issuances) == {identity(SITE)}


def test_traefik_keeps_json(tmp_path: Path) -> None:
    """Base64 of PEM inside JSON; other JSON, cut off or deep, is none of our business."""
    stored = {"main": {"Certificates": [{
        "domain": {"main": "www.watched.com"}, "certificate": b64encode(SITE.chain_pem).decode(),
        "key": b64encode(SITE.key_pem).decode(),
    }]}}
    (tmp_path / "acme.json").write_text(json.dumps(stored))
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "cut.json").write_text('{"certificate": "LS0tLS1CRUdJTi')
    (tmp_path / "odd.json").write_text('["LS0tLS1CRUdJTi!", "-----BEGIN \\ud800"]')
    lines: list[str] = []
    known = read_known([tmp_path], lines.append)
    assert (set(known.issuances), set(known.keys), lines) == ({identity(SITE)}, {key_digest(SITE.key)}, [])


def test_keys_that_cannot_be_read(tmp_path: Path) -> None:
    """Encrypted ones (new and old form, PEM and DER), OpenSSH's, broken ones: a line each, never with what is in them."""
    key = KEYS["rsa"]
    files = {
        "a.key": private(key, secret=SECRET), "b.key": private(key, PrivateFormat.TraditionalOpenSSL, secret=SECRET),
        "c.key": private(key, encoding=Encoding.DER, secret=SECRET), "d.key": private(KEYS["ed25519"], PrivateFormat.OpenSSH),
        "e.key": b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        "f.key": b"-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE", "g.pem": SITE.chain_pem,
    }
    for name, octets in files.items():
        (tmp_path / name).write_bytes(octets)
    lines: list[str] = []
    local = read_local([tmp_path], lines.append)
    assert set(local.known.issuances) == {identity(SITE)}
    assert set(local.known.keys) == {key_digest(SITE.key)} | {key_digest(KEYS["ed25519"])} & set(local.known.keys)
    told = {Path(line.partition(": ")[0]).name: line for line in lines}
    assert len(lines) == len(told)
    assert all("is encrypted" in told[name] for name in ("a.key", "b.key", "c.key"))
    assert "cannot be read" in told["e.key"]
    assert "no matching END line" in told["f.key"]
    assert not any("c2VjcmV0" in line or "MHcCAQEE" in line for line in lines)


def test_nothing_of_a_private_key_is_kept(tmp_path: Path) -> None:
    """Neither its octets nor its text are in what comes out."""
    key = ec.generate_private_key(ec.SECP256R1())
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    (tmp_path / "k.pem").write_bytes(private(key))
    local = read_local([tmp_path], lambda _: None)
    kept = pickle.dumps(local) + repr(local).encode()
    assert local.known.keys
    assert scalar not in kept
    assert scalar.hex().encode() not in kept
    assert b64encode(scalar)[:20] not in kept


@given(st.binary(max_size=300), st.sampled_from([
    b"", b"-----BEGIN CERTIFICATE-----\n", b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN CERTIFICATE REQUEST-----\n",
    b"\x30\x82", b'{"certificate": "LS0tLS1CRUdJTi',
]), st.sampled_from([".pem", ".json", ".key", ".der", ""]))
def test_any_octets(octets: bytes, start: bytes, kind: str) -> None:
    """Whatever is in a file, reading it gives values and lines, never an error."""
    blocks = (b"CERTIFICATE", b"PRIVATE KEY", b"CERTIFICATE REQUEST")
    for end in (b"", b'"}', *(b"\n-----END " + one + b"-----\n" for one in blocks)):
        found = read_contents(Path(f"x{kind}"), start + octets + end, named=True)
        assert found.is_useful or found.problems
