"""Merging: one issuance is one TBS hash, whoever saw which form of it; conflicts are one issuer, one serial, two hashes."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

from cryptography import x509
from ct.searching import CA, DOMAIN, NOW, OTHER, certificate, identity

from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict

SERIAL = 0x1234_5678_9ABC_DEF0_1234
MORE = (x509.SubjectKeyIdentifier(b"1" * 20),)


def issuance(der: bytes, source: str, **changed: object) -> Issuance:
    found = read_certificate(der, source, None)
    assert found is not None
    return replace(found, **changed)  # type: ignore[arg-type] - tests pass fields by name


def found(source: str, *issuances: Issuance, domain: DnsName = DOMAIN, **changed: object) -> SearchResult:
    values = {"verdict": Verdict.FOUND if issuances else Verdict.ABSENT, "as_of": NOW, **changed}
    return SearchResult(source, domain, issuances=issuances, **values)  # type: ignore[arg-type] - tests pass fields by name


def test_one_issuance_of_two_forms_and_three_sources() -> None:
    """Precertificate here, certificate there, a bare hash elsewhere: one sighting with what all of them know, in any order."""
    precert, final = certificate("www.watched.com", serial=SERIAL, precert=True), certificate("www.watched.com", serial=SERIAL)
    bare = replace(issuance(final, "sslmate"), der=None, cert_sha256=None, issuer_spki_sha256="ab" * 32, serial="", subject="")
    results = [
        found("crt.sh", issuance(precert, "crt.sh", first_seen=NOW)), found("sslmate", bare),
        found("certspotter", issuance(final, "certspotter", first_seen=NOW - timedelta(days=1))),
    ]
    everything = [merge(order) for order in permutations(results)]
    assert all(one.issuances == everything[0].issuances for one in everything)
    ((key, sighting),) = everything[0].issuances.items()
    assert key == identity(final) == identity(precert)
    assert sighting.sources == ("certspotter", "crt.sh", "sslmate")
    assert sighting.forms == tuple(sorted(Certificate(der).sha256 for der in (precert, final)))
    merged = sighting.issuance
    assert (merged.der, merged.precert, merged.cert_sha256) == (final, False, Certificate(final).sha256)
    assert (merged.issuer_spki_sha256, merged.first_seen) == ("ab" * 32, NOW - timedelta(days=1))
    assert everything[0].conflicts == ()


def test_same_serial_of_two_issuers_is_nothing() -> None:
    """Serial numbers are only unique for one issuer."""
    one, two = certificate("www.watched.com", serial=SERIAL), certificate("www.watched.com", serial=SERIAL, ca=OTHER)
    merged = merge([found("crt.sh", issuance(one, "crt.sh"), issuance(two, "crt.sh"))])
    assert (len(merged.issuances), merged.conflicts) == (2, ())


def test_same_serial_with_another_tbs_is_a_conflict() -> None:
    """Certain with the key of the issuer; without it by name and key identifier, and not certain."""
    one, two = certificate("www.watched.com", serial=SERIAL), certificate("www.watched.com", serial=SERIAL, more=MORE)
    (conflict,) = merge([found("a", issuance(one, "a", issuer_spki_sha256="ab" * 32)),
                         found("b", issuance(two, "b", issuer_spki_sha256="ab" * 32))]).conflicts
    assert (conflict.certain, conflict.serial, conflict.issuer_spki_sha256) == (True, f"{SERIAL:X}", "ab" * 32)
    assert conflict.tbs == tuple(sorted((identity(one), identity(two))))
    (likely,) = merge([found("a", issuance(one, "a", issuer_spki_sha256="ab" * 32)), found("b", issuance(two, "b"))]).conflicts
    assert (likely.certain, likely.tbs) == (False, conflict.tbs)
    other = merge([found("a", issuance(one, "a", issuer_spki_sha256="ab" * 32)),
                   found("b", issuance(two, "b", issuer_spki_sha256="cd" * 32))])
    assert other.conflicts == ()
    assert CA.certificate.subject


def test_rows_without_identity_stay_apart() -> None:
    """They are never merged by serial or name, and never lost."""
    final = issuance(certificate("www.watched.com", serial=SERIAL), "sslmate")
    row = replace(final, tbs_sha256="", der=None, source="crt.sh", key_sha256=None)
    merged = merge([found("sslmate", final), found("crt.sh", row, row)])
    assert (len(merged.issuances), merged.unidentified) == (1, (row,))


def test_who_gave_no_answer_for_what() -> None:
    """By domain; what was kept of an earlier answer still counts."""
    old = issuance(certificate("www.watched.com"), "crt.sh")
    other = DnsName("other.com")
    merged = merge([
        found("crt.sh", old, verdict=Verdict.UNAVAILABLE, reason="502"), found("sslmate", complete=True),
        found("sslmate", domain=other, verdict=Verdict.UNAVAILABLE, reason="no", complete=True),
    ])
    assert {domain: [(one.source, one.reason) for one in lost] for domain, lost in merged.unavailable.items()} == {
        DOMAIN: [("crt.sh", "502")], other: [("sslmate", "no")],
    }
    assert set(merged.issuances) == {old.tbs_sha256}
    assert all(answer.issuances == () for answer in merged.answers)
    assert merged.complete_as_of(DnsName("a.watched.com")) == NOW
    assert merged.complete_as_of(other) is None


def test_nothing_follows_from_nothing() -> None:
    """No answers: no issuance, and nobody vouches for that."""
    assert merge([]) == Sightings()
    assert merge([found("crt.sh")]).complete_as_of(DOMAIN) is None
    assert merge([found("sslmate", complete=True)]).complete_as_of(DnsName("com")) is None
