"""Every rule about certificates, on real chains: one that it fires on, and a healthy one that it is silent about."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier
from servers.judging import NOW, certificate, deployment, observed, target

from dnscertscan.checks import RULES
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.demo import forged
from dnscertscan.demo.authority import Amend, Authority, Credential, self_signed
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.truststore import TrustStore

NAME = "www.example.com"
ROOT = Authority.root("Root", now=NOW)
OTHER_ROOT = Authority.root("Other Root", now=NOW)
ISSUING = ROOT.intermediate("Issuing")
GOOD = ISSUING.leaf(NAME)
DAY = timedelta(days=1)


def without(kind: type[x509.ExtensionType], *replaced: tuple[x509.ExtensionType, bool]) -> Amend:
    """Leave one extension out, or put others in its place."""

    def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder._extensions = [one for one in builder._extensions if not isinstance(one.value, kind)]
        return adding(*replaced)(builder)

    return amend


def adding(*extensions: tuple[x509.ExtensionType, bool]) -> Amend:
    """Add extensions, each with its criticality."""

    def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        for value, critical in extensions:
            builder = builder.add_extension(value, critical=critical)
        return builder

    return amend


def usage(*, cert_sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=cert_sign, crl_sign=cert_sign, encipher_only=False, decipher_only=False,
    )


def below(amend: Amend | None = None, **options) -> Credential:
    """A leaf below an intermediate with a fault."""
    return ROOT.intermediate("Amended", amend=amend, **options).leaf(NAME)


def constrained(**subtrees: list[x509.GeneralName]) -> Credential:
    return below(adding((x509.NameConstraints(subtrees.get("permitted"), subtrees.get("excluded")), True)))


def broken(old: bytes, new: bytes) -> Certificate:
    """The good leaf with some octets replaced by as many others."""
    data = GOOD.certificate.public_bytes(Encoding.DER)
    assert data.count(old) >= 1
    return Certificate(data.replace(old, new))


def foreign() -> x509.Certificate:
    return forged.with_foreign_signature(GOOD.certificate, ISSUING.leaf(NAME).certificate)


def sha1() -> x509.Certificate:
    assert isinstance(ISSUING.credential.key, ec.EllipticCurvePrivateKey)
    return forged.with_sha1(GOOD.certificate, ISSUING.credential.key)


def long_path(levels: int) -> Credential:
    authority = ROOT
    for level in range(levels):
        authority = authority.intermediate(f"Level {level}", path_length=None)
    return authority.leaf(NAME)


def issued_by_leaf() -> tuple[x509.Certificate, ...]:
    fake = Authority(GOOD, NOW, is_root=False)
    return fake.leaf(NAME).chain


Chain = tuple[x509.Certificate, ...]
ISSUER = ISSUING.certificate
TWO = long_path(2).chain

CASES: dict[str, Callable[[], Chain | Credential]] = {
    "cert-expired": lambda: ISSUING.leaf(NAME, not_after=NOW - DAY),
    "cert-not-yet-valid": lambda: ISSUING.leaf(NAME, not_before=NOW + DAY),
    "cert-expiring": lambda: ISSUING.leaf(NAME, not_after=NOW + 2 * DAY),
    "lifetime-too-long": lambda: ISSUING.leaf(NAME, not_before=NOW - DAY, not_after=NOW + 300 * DAY),
    "hostname-mismatch": lambda: ISSUING.leaf("other.example.com"),
    "no-san": lambda: ISSUING.leaf(NAME, amend=without(x509.SubjectAlternativeName)),
    "issuer-not-found": lambda: (GOOD.certificate,),
    "self-signed-leaf": lambda: self_signed(NAME, now=NOW),
    "self-signed-in-chain": lambda: (*OTHER_ROOT.leaf(NAME).chain, OTHER_ROOT.certificate),
    "chain-order": lambda: (TWO[0], TWO[2], TWO[1]),
    "chain-extra-cert": lambda: (*GOOD.chain, OTHER_ROOT.intermediate("Left over").certificate),
    "chain-duplicate": lambda: (GOOD.certificate, *GOOD.chain),
    "chain-includes-root": lambda: (*GOOD.chain, ROOT.certificate),
    "chain-too-long": lambda: long_path(14),
    "signature-failure": lambda: (foreign(), ISSUER),
    "invalid-ca": issued_by_leaf,
    "keyusage-no-certsign": lambda: below(without(x509.KeyUsage, (usage(cert_sign=False), True))),
    "pathlen-exceeded": lambda: ROOT.intermediate("No CA below", path_length=0).intermediate("Below").leaf(NAME),
    "nc-permitted": lambda: constrained(permitted=[x509.DNSName("example.org")]),
    "nc-excluded": lambda: constrained(excluded=[x509.DNSName("example.com")]),
    "wrong-eku": lambda: ISSUING.leaf(
        NAME, amend=without(x509.ExtendedKeyUsage, (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
    ),
    "ca-as-leaf": lambda: ROOT.intermediate(
        "Server", amend=adding((x509.SubjectAlternativeName([x509.DNSName(NAME)]), False))
    ).credential,
    "unknown-critical-ext": lambda: ISSUING.leaf(
        NAME, amend=adding((x509.UnrecognizedExtension(ObjectIdentifier("1.3.6.1.4.1.55555.1"), b"\5\0"), True))
    ),
    "missing-aki": lambda: ISSUING.leaf(NAME, amend=without(x509.AuthorityKeyIdentifier)),
    "weak-key": lambda: ISSUING.leaf(NAME, key="rsa1024"),
    "weak-signature": lambda: (sha1(), ISSUER),
    "unsupported-alg": lambda: ISSUING.leaf(NAME, key=ec.generate_private_key(ec.SECP256K1())),
    "must-staple-missing": lambda: ISSUING.leaf(
        NAME, amend=adding((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
    ),
}

CONSEQUENCES = {
    "invalid-ca": ("keyusage-no-certsign", "pathlen-exceeded"),
    "ca-as-leaf": ("lifetime-too-long",),
}
"""A server certificate that issues breaks three rules at once; CA certificates live longer than servers may."""


def judge(*roots: Authority) -> Judge:
    stores = [TrustStore(f"store {number}", certificate(root.certificate)) for number, root in enumerate(roots or (ROOT,), 1)]
    return Judge(CheckPolicy(), stores, (), NOW)


def found(chain, name: str = NAME, *, by: Judge | None = None, staple: bytes | None = None) -> dict[str, str]:
    """Slug -> message of every finding for a chain."""
    if isinstance(chain, Credential):
        chain = chain.chain
    octets = [one if isinstance(one, Certificate) else certificate(one)[0] for one in chain]
    findings = (by or judge()).endpoint(observed(target(name), deployment(*octets, staple=staple)))
    return {finding.rule.slug: finding.message for finding in findings}


def test_a_healthy_chain_fires_no_rule() -> None:
    """The one that every rule is silent about, with each store, name form and key type."""
    assert found(GOOD) == {}
    assert found(ISSUING.leaf(NAME, key="rsa2048")) == {}
    assert found(ISSUING.leaf("*.example.com")) == {}
    assert found(ISSUING.leaf("192.0.2.1"), "192.0.2.1") == {}
    assert found(constrained(permitted=[x509.DNSName("example.com")])) == {}


@pytest.mark.parametrize("slug", CASES)
def test_rule_fires(slug) -> None:
    """Exactly the one fault that was built in is found."""
    assert set(found(CASES[slug]())) == {slug, *CONSEQUENCES.get(slug, ())}


@pytest.mark.parametrize(
    ("slug", "chain"),
    [
        ("time-format", lambda: (broken(b"260820120000Z", b"26082012000ZZ"), ISSUER)),
        ("cert-unparseable", lambda: (GOOD.certificate, Certificate(b"\x30\x03abc"), ISSUER)),
        ("v1-cert", lambda: (broken(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x00"), ISSUER)),
    ],
)
def test_rule_fires_on_damaged_certificates(slug, chain) -> None:
    """Octets no library would make; other faults may follow from the damage."""
    assert slug in found(chain())


def test_a_serial_number_over_twenty_octets_is_an_encoding_fault() -> None:
    """OpenSSL takes it, strict clients do not."""

    def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder._serial_number = 1 << 180
        return builder

    assert set(found(ISSUING.leaf(NAME, amend=amend))) == {"cert-encoding"}


def test_an_address_asked_for_must_be_in_the_certificate() -> None:
    """Addresses are compared with addresses only."""
    assert set(found(ISSUING.leaf("192.0.2.2"), "192.0.2.1")) == {"ip-mismatch"}


def test_stores_that_disagree_are_named() -> None:
    """Trusted by the first store, unknown to the second."""
    messages = found(GOOD, by=judge(ROOT, OTHER_ROOT))
    assert "store-disagreement" in messages
    assert "store 1" in messages["store-disagreement"]
    assert "store 2" in messages["store-disagreement"]
    assert "store-disagreement" not in found(GOOD, by=judge(ROOT, ROOT))


def test_a_zone_for_private_cas_names_the_public_stores_that_trust_the_chain() -> None:
    """Not those that do not: with real stores that disagree."""
    public = [TrustStore(f"store {number}", certificate(root.certificate)) for number, root in enumerate((ROOT, OTHER_ROOT), 1)]
    private = [TrustStore("private bundle", certificate(Authority.root("Private", now=NOW).certificate))]
    messages = found(GOOD, by=Judge(CheckPolicy(), public, private, NOW))
    assert set(messages) == {"issuer-not-found", "trust-policy"}
    assert messages["trust-policy"].endswith(": trusted by store 1, no path to private bundle")
    accepted = Judge(CheckPolicy(), public, [TrustStore("private bundle", certificate(ROOT.certificate))], NOW)
    assert found(GOOD, by=accepted) == {}


def _staple(status: ocsp.OCSPCertStatus, *, subject: x509.Certificate = GOOD.certificate, age: timedelta = DAY) -> bytes:
    revoked = NOW - 9 * DAY if status is ocsp.OCSPCertStatus.REVOKED else None
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=subject, issuer=ISSUER, algorithm=hashes.SHA1(), cert_status=status, this_update=NOW - age,
        next_update=NOW - age + 7 * DAY, revocation_time=revoked, revocation_reason=None,
    ).responder_id(ocsp.OCSPResponderEncoding.NAME, ISSUER)
    return builder.sign(ISSUING.credential.key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("slug", "staple"),
    [
        (None, _staple(ocsp.OCSPCertStatus.GOOD)),
        ("ocsp-revoked", _staple(ocsp.OCSPCertStatus.REVOKED)),
        ("ocsp-unknown", _staple(ocsp.OCSPCertStatus.UNKNOWN)),
        ("ocsp-staple-expired", _staple(ocsp.OCSPCertStatus.GOOD, age=20 * DAY)),
        ("ocsp-staple-invalid", _staple(ocsp.OCSPCertStatus.GOOD, subject=ISSUING.leaf(NAME).certificate)),
        ("ocsp-staple-invalid", b"no OCSP response"),
    ],
)
def test_staples(slug, staple) -> None:
    """A good staple is silent, each kind of bad one has its rule."""
    assert set(found(GOOD, staple=staple)) == ({slug} if slug else set())


def test_every_rule_about_certificates_is_fired_by_a_test_of_this_module() -> None:
    """A new rule needs a chain here. Rules about handshakes, zones, fleets and policy have tests of their own."""
    here = {*CASES, "time-format", "cert-unparseable", "v1-cert", "cert-encoding", "ip-mismatch", "store-disagreement"}
    here |= {"ocsp-revoked", "ocsp-unknown", "ocsp-staple-expired", "ocsp-staple-invalid"}
    elsewhere = {"duplicate-serial", "trust-policy", "cert-varies", "default-certificate", "crl-revoked", "crl-unavailable"}
    elsewhere |= {"rotation-overdue", "validity-unexpected"}
    assert here | elsewhere == {slug for slug, rule in RULES.items() if rule.code < "DCS400"}


def test_faults_of_several_kinds_are_all_found() -> None:
    """Expired, for another name, and in the wrong order, on one chain."""
    leaf = ROOT.intermediate("A", path_length=None).intermediate("B").leaf("other.example.com", not_after=NOW - DAY).chain
    assert set(found((leaf[0], leaf[2], leaf[1]))) == {"cert-expired", "hostname-mismatch", "chain-order"}


def test_messages_do_not_tell_when_they_were_made() -> None:
    """Two runs over the same servers give the same rows, byte for byte."""
    chain = [certificate(one)[0] for one in ISSUING.leaf("other.example.com", not_after=NOW - DAY).chain]
    seen = observed(target(), deployment(*chain))
    stores = [TrustStore("store", certificate(ROOT.certificate))]
    runs = {Judge(CheckPolicy(), stores, (), NOW + timedelta(seconds=second)).endpoint(seen) for second in (0, 90)}
    assert len(runs) == 1


def test_a_missing_intermediate_seen_elsewhere_is_known_after_learning() -> None:
    """The chain is still bad, the message may say more, and the fingerprint is the same."""
    here = judge()
    complete = observed(target(address="192.0.2.1"), deployment(*certificate(*GOOD.chain)))
    lacking = observed(target(address="192.0.2.2"), deployment(*certificate(GOOD.certificate)))
    (before,) = here.endpoint(lacking)
    here.learn([complete, lacking])
    (after,) = here.endpoint(lacking)
    assert before.rule.slug == after.rule.slug == "issuer-not-found"
    assert before.fingerprint == after.fingerprint
    assert "Issuing" in after.message
