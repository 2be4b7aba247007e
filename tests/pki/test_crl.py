"""What a revocation list says of a certificate: as OpenSSL says it, and never "good" from a list that proves nothing."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers.lists import Revoked, crl, der, names_lists, scope

from dnscertscan.demo.authority import Authority, Credential, pem
from dnscertscan.pki.crl import CrlStatus, judge_crl

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
YESTERDAY = NOW - timedelta(days=1)
URL, OTHER = "http://crl.example/1.crl", "http://crl.example/2.crl"
GOOD, REVOKED, UNUSABLE = CrlStatus
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\x05\x00")
HOLD, KEY = x509.ReasonFlags.certificate_hold, x509.ReasonFlags.key_compromise


@dataclass(frozen=True)
class World:
    """A root, an intermediate, its leaf that names URL, another leaf and another intermediate of the same name."""

    root: Authority
    issuer: Authority
    leaf: Credential
    neighbour: Credential
    impostor: Authority


@pytest.fixture(scope="module")
def world() -> World:
    root = Authority.root("CRL Root", now=NOW)
    issuer = root.intermediate("CRL Issuer", amend=names_lists("http://crl.example/root.crl"))
    leaf, neighbour = (issuer.leaf(name, amend=names_lists(URL)) for name in ("a.example", "b.example"))
    return World(root, issuer, leaf, neighbour, root.intermediate("CRL Issuer"))


def this(world: World, reason: x509.ReasonFlags | None = KEY, **more: object) -> Revoked:
    return Revoked(world.leaf.certificate, YESTERDAY, reason, **more)


def other(world: World, *more: tuple[x509.ExtensionType, bool]) -> Revoked:
    return Revoked(world.neighbour.certificate, YESTERDAY, more=more)


def spoilt(octets: bytes) -> bytes:
    return octets[:-1] + bytes([octets[-1] ^ 1])


CASES = {
    "empty": (lambda w: crl(w.issuer), GOOD, ""),
    "others only": (lambda w: crl(w.issuer, other(w)), GOOD, ""),
    "listed": (lambda w: crl(w.issuer, other(w), this(w)), REVOKED, "keyCompromise"),
    "no reason": (lambda w: crl(w.issuer, this(w, None)), REVOKED, "no reason given"),
    "hold": (lambda w: crl(w.issuer, this(w, HOLD)), REVOKED, "certificateHold"),
    "removed": (lambda w: crl(w.issuer, this(w, x509.ReasonFlags.remove_from_crl)), GOOD, ""),
    "invalidity date": (
        lambda w: crl(w.issuer, this(w, more=((x509.InvalidityDate(YESTERDAY.replace(tzinfo=None)), False),))),
        REVOKED, "keyCompromise",
    ),
    "user scope": (lambda w: crl(w.issuer, other(w), scope=scope(user=True)), GOOD, ""),
    "own part": (lambda w: crl(w.issuer, this(w), scope=scope(URL)), REVOKED, "keyCompromise"),
    "own part among two": (lambda w: crl(w.issuer, scope=scope(OTHER, URL, user=True)), GOOD, ""),
    "other part": (lambda w: crl(w.issuer, scope=scope(OTHER)), UNUSABLE, f"another part of the issuer's certificates ({OTHER})"),
    "ca scope": (lambda w: crl(w.issuer, scope=scope(ca=True)), UNUSABLE, "covers CA certificates only"),
    "attribute scope": (lambda w: crl(w.issuer, scope=scope(attribute=True)), UNUSABLE, "attribute certificates only"),
    "some reasons": (lambda w: crl(w.issuer, scope=scope(reasons=[KEY])), UNUSABLE, "some of the reasons"),
    "indirect": (lambda w: crl(w.issuer, scope=scope(indirect=True)), UNUSABLE, "indirect"),
    "delta": (
        lambda w: crl(w.issuer, change=lambda b: b.add_extension(x509.DeltaCRLIndicator(1), critical=True)),
        UNUSABLE, "delta list",
    ),
    "critical": (
        lambda w: crl(w.issuer, change=lambda b: b.add_extension(UNKNOWN, critical=True)), UNUSABLE, "1.3.6.1.4.1.55555.1",
    ),
    "not critical": (lambda w: crl(w.issuer, change=lambda b: b.add_extension(UNKNOWN, critical=False)), GOOD, ""),
    "critical entry": (lambda w: crl(w.issuer, other(w, (UNKNOWN, True))), UNUSABLE, "1.3.6.1.4.1.55555.1"),
    "outdated": (lambda w: crl(w.issuer, start=timedelta(days=-9), end=timedelta(days=-2)), UNUSABLE, "outdated"),
    "future": (lambda w: crl(w.issuer, start=timedelta(days=1)), UNUSABLE, "valid from 2026-06-02"),
    "other issuer": (lambda w: crl(w.root), UNUSABLE, 'a list of "CN=CRL Root'),
    "same name, other key": (lambda w: crl(w.impostor, this(w)), UNUSABLE, "not signed by the key"),
    "bad signature": (lambda w: spoilt(crl(w.issuer, this(w))), UNUSABLE, "not signed by the key"),
}
# RFC 5280 5.2.4: a delta list is not complete without its base. OpenSSL 3.0 takes it for a complete one.
OPENSSL_SAYS = {"delta": GOOD}


@pytest.mark.parametrize("case", CASES)
def test_like_openssl(case: str, world: World, tmp_path: Path) -> None:
    """Good, revoked or of no use, and why: the same verdict as `openssl verify -crl_check`."""
    make, status, words = CASES[case]
    octets = make(world)
    verdict = judge_crl(der(world.leaf.certificate), der(world.issuer.certificate), octets, NOW)
    assert (verdict.status, words in verdict.why + verdict.reason) == (status, True), verdict
    assert openssl(world, octets, tmp_path) is OPENSSL_SAYS.get(case, status)
    if status is REVOKED:
        assert verdict.revoked_at == YESTERDAY


def openssl(world: World, octets: bytes, folder: Path) -> CrlStatus:
    """What `openssl verify -crl_check` makes of the list."""
    text = subprocess.run(["openssl", "crl", "-inform", "DER"], input=octets, capture_output=True, check=True).stdout
    files = {"root": pem([world.root.certificate]), "issuer": pem([world.issuer.certificate]),
             "leaf": pem([world.leaf.certificate]), "crl": text}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = subprocess.run(
        ["openssl", "verify", "-no-CApath", "-no-CAstore", "-attime", str(int(NOW.timestamp())), "-crl_check",
         "-CRLfile", "crl", "-CAfile", "root", "-untrusted", "issuer", "leaf"],
        cwd=folder, capture_output=True, text=True, check=False,
    )
    said = done.stdout + done.stderr
    return GOOD if done.returncode == 0 else REVOKED if "error 23 " in said else UNUSABLE


def test_an_outdated_list_tells_what_it_knew(world: World) -> None:
    """Of no use as a proof, but the operator is told that the certificate was on it."""
    old = crl(world.issuer, this(world), start=timedelta(days=-9), end=timedelta(days=-2))
    verdict = judge_crl(der(world.leaf.certificate), der(world.issuer.certificate), old, NOW)
    assert verdict.status is UNUSABLE
    assert "2026-05-30T12:00:00+00:00 (it names this certificate as revoked at 2026-05-31" in verdict.why


def test_a_list_is_in_force_to_its_last_second(world: World) -> None:
    """thisUpdate and nextUpdate are inclusive."""
    octets = crl(world.issuer, start=timedelta(0), end=timedelta(hours=1))
    wanted = {-1: UNUSABLE, 0: GOOD, 3600: GOOD, 3601: UNUSABLE}
    pair = der(world.leaf.certificate), der(world.issuer.certificate)
    assert {after: judge_crl(*pair, octets, NOW + timedelta(seconds=after)).status for after in wanted} == wanted


def test_lists_of_ca_certificates(world: World) -> None:
    """An intermediate is judged by the list of the root; a list for end entities does not cover it."""
    pair = der(world.issuer.certificate), der(world.root.certificate)
    revoked = Revoked(world.issuer.certificate, YESTERDAY, x509.ReasonFlags.ca_compromise)
    verdict = judge_crl(*pair, crl(world.root, revoked, scope=scope(ca=True)), NOW)
    assert (verdict.status, verdict.reason) == (REVOKED, "cACompromise")
    assert "no CA certificates" in judge_crl(*pair, crl(world.root, scope=scope(user=True)), NOW).why


def test_a_point_for_some_reasons_proves_nothing_good(world: World) -> None:
    """A certificate whose only fitting distribution point is for some reasons is not cleared by that list."""
    leaf = world.issuer.leaf("c.example", amend=names_lists(URL, reasons=frozenset({KEY})))
    pair = der(leaf.certificate), der(world.issuer.certificate)
    assert judge_crl(*pair, crl(world.issuer, scope=scope(URL)), NOW).status is UNUSABLE
    listed = crl(world.issuer, Revoked(leaf.certificate, YESTERDAY), scope=scope(URL))
    assert judge_crl(*pair, listed, NOW).status is REVOKED


def test_a_ca_must_be_allowed_to_sign_lists(world: World) -> None:
    """RFC 5280 6.3.3 f: keyUsage without cRLSign is no authority on revocation."""
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=True, crl_sign=False, encipher_only=False, decipher_only=False,
    )
    plain = world.root.intermediate("CRL Issuer")
    key = plain.credential.key
    builder = x509.CertificateBuilder().subject_name(plain.certificate.subject).issuer_name(plain.certificate.issuer)
    builder = builder.public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(YESTERDAY).not_valid_after(NOW + timedelta(days=9))
    made = builder.add_extension(usage, critical=True).sign(world.root.credential.key, plain.certificate.signature_hash_algorithm)
    leaf = plain.leaf("d.example")
    assert "does not allow it to sign lists" in judge_crl(der(leaf.certificate), der(made), crl(plain), NOW).why
    assert judge_crl(der(leaf.certificate), der(plain.certificate), crl(plain), NOW).status is GOOD


def test_pem_and_what_is_no_list(world: World) -> None:
    """Some private CAs publish PEM; web pages, certificates and nothing at all are named as what they are."""
    pair = der(world.leaf.certificate), der(world.issuer.certificate)
    text = x509.load_der_x509_crl(crl(world.issuer, this(world))).public_bytes(Encoding.PEM)
    assert judge_crl(*pair, b"Comment\n" + text, NOW).status is REVOKED
    for octets, words in {
        b"<!DOCTYPE html><html>": "web page", b"": "data ends", pair[0].der: "cannot be read",
        b"-----BEGIN X509 CRL-----\n*\n-----END X509 CRL-----": "not base64",
    }.items():
        verdict = judge_crl(*pair, octets, NOW)
        assert (verdict.status, words in verdict.why) == (UNUSABLE, True), verdict


def test_certificates_of_others_are_not_cleared(world: World) -> None:
    """A certificate of another issuer is not cleared by a list that never was about it."""
    stranger = Authority.root("Another", now=NOW).leaf("e.example")
    assert judge_crl(der(stranger.certificate), der(world.issuer.certificate), crl(world.issuer), NOW).status is UNUSABLE
