"""What is known locally: the folders of ACME clients, keys in every form, and everything else that lies about in folders."""

import json
import os
import pickle
import socket
import time
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
from dnscertscan.ct.known_files import MAX_FILE, Limits
from dnscertscan.ct.known_reading import read_contents
from dnscertscan.demo.authority import Authority, Credential, pem
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


def certbot(folder: Path, credential: Credential, number: int = 1) -> None:
    """As certbot keeps a certificate: archive/NAME/*N.pem, live/NAME with links to the newest."""
    name = "www.watched.com"
    archive, live = folder / "archive" / name, folder / "live" / name
    archive.mkdir(parents=True, exist_ok=True)
    live.mkdir(parents=True, exist_ok=True)
    parts = {
        "cert": pem([credential.certificate]), "chain": pem(credential.intermediates), "fullchain": credential.chain_pem,
        "privkey": credential.key_pem,
    }
    for kind, octets in parts.items():
        (archive / f"{kind}{number}.pem").write_bytes(octets)
        (live / f"{kind}.pem").unlink(missing_ok=True)
        (live / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}{number}.pem")
    (folder / "live" / "README").write_text("This directory contains your keys and certificates.")
    (folder / "renewal").mkdir(exist_ok=True)
    (folder / "renewal" / f"{name}.conf").write_text("archive_dir = /etc/letsencrypt\n")
    (folder / "accounts").mkdir(exist_ok=True)
    (folder / "accounts" / "regr.json").write_text('{"body": {}, "uri": "https://ca.test/acme/1"}')


def test_a_folder_of_certbot(tmp_path: Path) -> None:
    """All generations, each file once though links lead to it, and not a word about what else lies there."""
    newer = CA.leaf("www.watched.com", "new.watched.com")
    certbot(tmp_path, SITE, 1)
    certbot(tmp_path, newer, 2)
    lines: list[str] = []
    local = read_local([tmp_path], lines.append)
    assert lines == []
    assert set(local.known.issuances) == {identity(SITE), identity(newer)}
    assert set(local.known.keys) == {key_digest(SITE.key), key_digest(newer.key)}
    assert local.known.issuances[identity(SITE)] == f"{tmp_path}/archive/www.watched.com/cert1.pem"
    assert set(local.names) == {"www.watched.com", "watched.com", "new.watched.com"}
    assert [one.der for one in local.issuers] == [CA.certificate.public_bytes(Encoding.DER)]
    assert (local.lost, local.cut) == ((), "")
    assert read_known([tmp_path], lines.append) == local.known


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


def test_things_that_are_no_files(tmp_path: Path) -> None:
    """FIFO, socket, device, dangling link, links in circles, an endless file: a line each, and what is good is still read."""
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "fifo.pem")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "a" / "socket.pem"))
    (tmp_path / "a" / "zero.pem").symlink_to("/dev/zero")
    (tmp_path / "a" / "gone.pem").symlink_to("nowhere")
    (tmp_path / "a" / "one.pem").symlink_to("two.pem")
    (tmp_path / "a" / "two.pem").symlink_to("one.pem")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "a" / "again").symlink_to("../z")
    with (tmp_path / "a" / "huge.pem").open("wb") as huge:
        huge.truncate(1 << 40)
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "good.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    started = time.monotonic()
    local = read_local([tmp_path], lines.append)
    assert time.monotonic() - started < 5
    assert set(local.known.issuances) == {identity(SITE)}
    told = {Path(line.partition(": ")[0]).name: line.partition(": ")[2] for line in lines}
    assert "is a FIFO" in told["fifo.pem"]
    assert "is a socket" in told["socket.pem"]
    assert "is a device" in told["zero.pem"]
    assert "No such file" in told["gone.pem"]
    assert "symbolic links" in told["one.pem"]
    assert "leads back" in told["up"]
    assert f"more than {MAX_FILE} octets" in told["huge.pem"]
    assert set(told) == {"fifo.pem", "socket.pem", "zero.pem", "gone.pem", "one.pem", "two.pem", "up", "huge.pem"}
    assert local.lost == ()


def test_paths_that_were_named(tmp_path: Path) -> None:
    """What the user himself named and cannot be used is lost, and said; a file of no use is, too."""
    (tmp_path / "notes.txt").write_text("buy milk")
    (tmp_path / "good.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    local = read_local([tmp_path / "none", tmp_path / "notes.txt", tmp_path / "good.pem", Path("nul\0")], lines.append)
    assert set(local.known.issuances) == {identity(SITE)}
    assert local.lost == local.missing
    assert {line.partition(": ")[2].partition(";")[0] for line in local.lost} == {
        "cannot be read: No such file or directory", "no certificate, key or CSR in it",
        "cannot be read: its name is no name of a file",
    }
    assert sorted(lines) == sorted(local.lost)


def test_names_of_files_are_made_safe(tmp_path: Path) -> None:
    """Escape sequences and octets that are no UTF-8 in the name of a file."""
    (tmp_path / "\x1b[31mred.pem").write_bytes(SITE.chain_pem)
    Path(os.fsdecode(bytes(tmp_path) + b"/\xff.pem")).write_bytes(b"x")
    lines: list[str] = []
    known = read_known([tmp_path], lines.append)
    assert list(known.issuances.values()) == [f"{tmp_path}/\\x1b[31mred.pem"]
    assert lines == [f"{tmp_path}/\\udcff.pem: no certificate, key or CSR in it"]


@pytest.mark.parametrize(("limits", "words"), [
    (Limits(entries=50), "more than 50 files and folders"), (Limits(octets=0), "more than 0 MiB of files"),
    (Limits(seconds=0.0), "took more than 0 s"),
])
def test_limits_end_the_reading(tmp_path: Path, limits: Limits, words: str) -> None:
    """Time, memory and number are bounded; it is said what was not looked at."""
    for number in range(100):
        (tmp_path / f"{number:03}.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    local = read_local([tmp_path], lines.append, limits)
    assert words in local.cut
    assert local.missing == (local.cut,)
    assert len(lines) == 1
    assert "name fewer or smaller folders" in lines[0]


def test_folders_within_each_other(tmp_path: Path) -> None:
    """A nest of folders ends somewhere; the folders beside it are read."""
    deep = tmp_path / "a"
    for _ in range(60):
        deep /= "d"
    deep.mkdir(parents=True)
    (tmp_path / "z.pem").write_bytes(SITE.chain_pem)
    lines: list[str] = []
    assert read_known([tmp_path], lines.append).issuances
    assert len(lines) == 1
    assert "more than 40 folders within each other" in lines[0]


def test_many_lines_are_counted(tmp_path: Path) -> None:
    """A folder of rubbish fills no screen."""
    for number in range(300):
        (tmp_path / f"{number}.pem").write_bytes(b"rubbish")
    lines: list[str] = []
    read_known([tmp_path], lines.append)
    assert len(lines) == 101
    assert lines[-1] == "and 200 more lines like that about local files"


def test_hostile_octets_take_no_time(tmp_path: Path) -> None:
    """Markers without end, blocks without number, a long private key: read in one pass."""
    for name, octets in {
        "begins.pem": b"-----BEGIN CERTIFICATE-----\n" * 140_000, "ends.pem": b"-----END CERTIFICATE-----\n" * 150_000,
        "blocks.pem": b"-----BEGIN X-----\n-----END X-----\n" * 110_000,
        "key.pem": b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 3_000_000 + b"\n-----END PRIVATE KEY-----\n",
        "der.der": b"\x30\x83\x3f\xff\xf0" + b"\x30\x80" * 2_000_000,
    }.items():
        (tmp_path / name).write_bytes(octets[:MAX_FILE])
    lines: list[str] = []
    started = time.monotonic()
    assert read_known([tmp_path], lines.append).keys == {}
    assert time.monotonic() - started < 10
    assert len(lines) <= 101


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
