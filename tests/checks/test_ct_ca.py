"""Whose an issuance is, whatever hosts serve: namesakes, certificates named by file, CAs below a root, signing CAs."""

from collections.abc import Iterator, Sequence

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers.ct_sighting import HOUSE, OTHER, ROOT, at, caa, codes, found, issuance, made
from servers.judging import NOW, deployment

from dnscertscan.checks import ct_ca
from dnscertscan.demo.authority import Authority, new_key
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import Observation
from dnscertscan.pki.parse import parse
from dnscertscan.pki.tbs import SIGNING_CA

DCS623 = "ct-rogue-issuer"


def certificate(ca: Authority) -> Certificate:
    return Certificate(ca.certificate.public_bytes(Encoding.DER))


def key(ca: Authority) -> str:
    return parse(certificate(ca)).key.digest.hex()


def serving(*cas: Certificate, number: int = 9) -> Observation:
    """A host of somebody that sends whatever it likes behind its certificate."""
    return at(number, deployment(made("odd.example.com", ca=Authority.root("Odd", now=NOW)).leaf, *cas), name="odd.example.com")


def rogues(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.rule.slug == DCS623]


def _late() -> Authority:
    """A CA whose certificate has a high digest: nearly all others come before it."""
    return next(ca for ca in iter(lambda: ROOT.intermediate("Late Issuer"), None) if certificate(ca).sha256 > "f8")


def _namesakes(ca: Authority, number: int) -> Iterator[Certificate]:
    """CAs that anybody can make: of that name, with its key identifier, before it by their digest."""
    real = parse(certificate(ca))
    while number:
        builder = (
            x509.CertificateBuilder().subject_name(ca.certificate.subject).issuer_name(ca.certificate.subject)
            .not_valid_before(ca.certificate.not_valid_before_utc).not_valid_after(ca.certificate.not_valid_after_utc)
            .serial_number(x509.random_serial_number()).public_key((fresh := new_key("ec")).public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier(real.extensions.subject_key or b""), critical=False)
        )
        fake = Certificate(builder.sign(fresh, ca.certificate.signature_hash_algorithm).public_bytes(Encoding.DER))
        if fake.sha256 < certificate(ca).sha256:
            number -= 1
            yield fake


@pytest.mark.parametrize("most", [2048, 8])
def test_namesakes_of_our_ca_change_nothing(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """One host sends more of them than are tried and kept: what our CA made is ours, what another made is not."""
    monkeypatch.setattr(ct_ca, "MOST", most)
    ours, bad = _late(), made("www.example.com", ca=OTHER)
    good, flood = made("www.example.com", ca=ours), list(_namesakes(ours, 120))
    known = {good.key: "x", bad.key: "x"}
    rows = [issuance(good.leaf), issuance(bad.leaf)]
    for named in ((), (certificate(ours),)):
        for seen in ([serving(*flood), at(1, good)], [at(1, good), serving(*flood)]):
            pins = {"issuers": frozenset({key(ours)}), "issuer_certificates": named}
            (finding,) = rogues(found(seen, ct=rows, known=known, **pins))
            assert bad.serial in finding.message
    (open_,) = found([serving(*flood)], ct=rows[:1], known=known, issuers=frozenset({key(ours)}))
    assert open_.rule.slug == "ct-search-incomplete"


def test_what_too_many_namesakes_hide_is_undecided() -> None:
    """The certificates of those that may are not all at hand, and the maker cannot be found: nobody says rogue."""
    ours, flood = _late(), list(_namesakes(OTHER, 120))
    bad = made("www.example.com", ca=OTHER)
    findings = found([serving(*flood)], ct=[issuance(bad.leaf)], known={bad.key: "x"}, issuers=frozenset({key(ours)}))
    assert codes(findings) == ["ct-search-incomplete"]


def test_certificates_named_by_file_decide_without_being_served() -> None:
    """Nobody serves anything of the CA: with its certificate another one's work is an error, and its own is nothing."""
    good, bad = made("www.example.com"), made("www.example.com", ca=OTHER)
    known, pins = {good.key: "x", bad.key: "x"}, frozenset({good.issuer})
    rows = [issuance(good.leaf), issuance(bad.leaf)]
    (finding,) = found(ct=rows, known=known, issuers=pins, issuer_certificates=(certificate(HOUSE),))
    assert (finding.rule.slug, finding.severity) == (DCS623, Severity.ERROR)
    assert bad.serial in finding.message
    assert codes(found(ct=rows, known=known, issuers=pins)) == ["ct-search-incomplete"]


@pytest.mark.parametrize("deep", [False, True])
def test_a_root_counts_for_the_cas_below_it(deep: bool) -> None:
    """By signatures of what is at hand, in whatever order it comes: named by file, or by its key and served somewhere."""
    middle = ROOT.intermediate("Middle", path_length=1)
    issuer = middle.intermediate("Low") if deep else HOUSE
    good = made("www.example.com", ca=issuer)
    known, root = {good.key: "x"}, frozenset({key(ROOT)})
    for row in (issuance(good.leaf), issuance(good.leaf, issuer_spki_sha256=good.issuer)):
        assert found([at(1, good)], ct=[row], known=known, issuers=root, issuer_certificates=(certificate(ROOT),)) == []
        seen = [serving(certificate(ROOT)), at(1, good)]
        assert found(seen, ct=[row], known=known, issuers=root) == found(seen[::-1], ct=[row], known=known, issuers=root) == []


def test_below_a_root_is_who_it_signed() -> None:
    """A CA with the root's name above it but without its signature is another; one that is not at hand may be below."""
    twin = Authority.root("House Root", now=NOW)
    bad = made("www.example.com", ca=twin.intermediate("House Issuer"))
    pins = {"issuers": frozenset({key(ROOT)}), "issuer_certificates": (certificate(ROOT),), "known": {bad.key: "x"}}
    for row in (issuance(bad.leaf), issuance(bad.leaf, issuer_spki_sha256=bad.issuer)):
        (finding,) = rogues(found([serving(*bad.chain[1:], certificate(twin))], ct=[row], **pins))
        assert f"(key of the CA sha256:{bad.issuer})" in finding.message
        (finding,) = found(ct=[row], **pins)
        assert finding.rule.slug == "ct-search-incomplete"
        assert "it may be below a root in issuers: add its certificate" in finding.message


def _signing(ca: Authority) -> Authority:
    """A Precertificate Signing Certificate (RFC 6962 3.1)."""
    usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(SIGNING_CA)])
    return ca.intermediate("Precert Signing", amend=lambda builder: builder.add_extension(usage, critical=True))


def test_a_precertificate_of_a_signing_ca_is_its_certificate() -> None:
    """Same serial number, key, names and dates: one issuance, judged once; CAA is about its certificate alone, too."""
    private, ca = new_key("ec"), ROOT.intermediate("With Signer", path_length=1)
    final = made("www.example.com", ca=ca, serial=77, key=private)
    early = made("www.example.com", ca=_signing(ca), serial=77, key=private)
    other = made("www.example.com", ca=_signing(ca), serial=78, key=private)
    pins = {"issuers": frozenset({final.issuer}), "known": {final.key: "x"}}
    for mine in (pins, {"issuers": pins["issuers"]}):
        assert found([at(1, final)], ct=[issuance(final.leaf), issuance(early.precert)], **mine) == []
    assert len(rogues(found([at(1, final)], ct=[issuance(final.leaf), issuance(other.precert)], **pins))) == 1
    bad = made("www.example.com", ca=OTHER, serial=77, key=private)
    assert len(rogues(found([at(1, final)], ct=[issuance(final.leaf), issuance(bad.leaf)], **pins))) == 1
    rules = {"caa_of": {"www.example.com": caa("example.com", "issue house.example;accounturi=https://house.example/1")}}
    names = {"ca_domains": {final.issuer: ("house.example",)}, "known": {final.key: "x"}, "accounts": ("https://house.example/1",)}
    assert found([at(1, final)], ct=[issuance(final.leaf), issuance(early.precert)], **rules, **names) == []


def test_a_precertificate_alone_may_be_by_a_signing_ca() -> None:
    """Of a CA that nobody knows it is no error, and the reason is told; with the signing CA at hand it is decided."""
    signing = _signing(HOUSE)
    early, final = made("www.example.com", ca=signing), made("www.example.com")
    pins = {"issuers": frozenset({final.issuer}), "known": {early.key: "x"}}
    (finding,) = rogues(found([at(1, final)], ct=[issuance(early.precert)], **pins))
    assert finding.severity is Severity.WARNING
    assert "unless its issuer, which nobody here knows, is a Precertificate Signing Certificate" in finding.message
    assert found([at(1, final), serving(certificate(signing))], ct=[issuance(early.precert)], **pins) == []
    theirs = _signing(OTHER)
    bad = made("www.example.com", ca=theirs)
    (finding,) = rogues(found([at(1, final), serving(certificate(theirs))], ct=[issuance(bad.precert)], **pins))
    assert finding.severity is Severity.ERROR
    unserved = {"issuers": frozenset({"ab" * 32}), "known": {bad.key: "x"}}
    assert codes(found([serving(certificate(theirs))], ct=[issuance(bad.precert)], **unserved)) == ["ct-search-incomplete"]
