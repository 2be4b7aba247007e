"""What CT has and nobody serves: unknown keys, certificates never used, validity over the cap; and the silence of renewals."""

from dataclasses import replace
from datetime import timedelta

import pytest
from servers.ct_sighting import NOW, OTHER, SECOND, at, codes, found, issuance, made, published
from servers.judging import failed, target

from dnscertscan.demo.authority import new_key
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.model.transparency import Known

GOOD = made("www.example.com", ago=20)
ROGUE = made("www.example.com", ca=OTHER, ago=10)
MAPPED = {"org:example trust": ("House",)}


def test_a_key_nobody_knows() -> None:
    """Another CA, served nowhere, key in no file: named with its CA, its key, and what to do."""
    (finding,) = found([at(1, GOOD)], ct=[GOOD, ROGUE])
    assert (finding.rule.slug, finding.severity) == ("ct-unknown-key", Severity.WARNING)
    assert (finding.subject.zone, finding.subject.fqdn) == ("example.com", "www.example.com")
    assert finding.certificate is not None
    assert (finding.certificate.sha256, finding.certificate.serial) == (ROGUE.leaf.sha256, ROGUE.serial)
    assert finding.message == (
        'certificate in CT has a key that is neither served nor known: "CN=www.example.com,O=Example Trust" '
        f"(serial {ROGUE.serial}, sha256 {ROGUE.leaf.sha256[:16]}, "
        "valid from 2026-05-22T12:00:00+00:00 to 2026-08-20T11:59:59+00:00) for www.example.com, "
        f'issued by "CN=Other,O=Example Trust", in CT as crt.sh, sslmate have it, key sha256 {ROGUE.key[:16]}; '
        "if it is yours, tell the scan of its key (--ct-known), else have it revoked and find out who asked the CA for it"
    )


@pytest.mark.parametrize("known", [Known({ROGUE.key: "key.pem"}), Known(issuances={ROGUE.tbs: "cert.pem"})])
def test_another_teams_certificate_is_known(known: Known) -> None:
    """By its key or as the certificate itself: nothing is said of it, however long nobody serves it."""
    assert found([at(1, GOOD)], ct=[GOOD, ROGUE], known=known) == []


def test_within_the_grace_nothing_is_said() -> None:
    """A certificate of today is not installed yet."""
    fresh = made("www.example.com", ca=OTHER, ago=0.9)
    assert found([at(1, GOOD)], ct=[GOOD, fresh]) == []
    assert codes(found([at(1, GOOD)], ct=[GOOD, fresh], when=NOW + timedelta(hours=3))) == ["ct-unknown-key"]


def test_served_anywhere_is_served() -> None:
    """On another port, for another name, to clients without SNI."""
    for where in (at(2, ROGUE, port=8443), at(2, ROGUE, name="mail.example.com")):
        assert "ct-unknown-key" not in codes(found([at(1, GOOD), where], ct=[GOOD, ROGUE]))


def test_what_renewals_leave_behind_is_nothing() -> None:
    """Valid still, served no more, their keys gone; also those of which nobody scans the server's port."""
    olds = [made("www.example.com", ago=ago) for ago in (80, 50, 21)]
    assert found([at(1, GOOD)], ct=[*olds, GOOD]) == []


def test_a_renewal_with_a_name_more_or_a_wildcard_is_a_renewal() -> None:
    """What is served has all the names of the old one, if need be by a wildcard and another certificate."""
    old = made("www.example.com", "example.com", ago=50)
    wild, apex = made("*.example.com", ago=20), made("example.com", ago=20)
    assert found([at(1, wild), at(2, apex, name="example.com")], ct=[old, wild, apex]) == []
    more = made("www.example.com", "example.com", "mail.example.com", ago=20)
    assert found([at(1, more)], ct=[old, more], names=published("www.example.com", "example.com", "mail.example.com")) == []


def test_a_wildcard_is_not_replaced_by_one_of_its_names() -> None:
    """Who has its key has all names."""
    wild = made("*.example.com", ago=50)
    assert codes(found([at(1, GOOD)], ct=[wild, GOOD])) == ["ct-unknown-key"]


def test_a_change_of_the_cas_key_is_still_a_renewal() -> None:
    """As the map of CAs tells by the organisation; of an unknown CA nobody can tell, so it is told."""
    old = made("www.example.com", ca=SECOND, ago=50)
    assert found([at(1, GOOD)], ct=[old, GOOD], ca_domains=MAPPED) == []
    assert codes(found([at(1, GOOD)], ct=[old, GOOD])) == ["ct-unknown-key"]


def test_of_servers_that_were_not_seen_nothing_follows() -> None:
    """Unreachable names, and names that are delegated: said once, as something that is not known."""
    refused = Failure(FailureKind.REFUSED, "x")
    mails = [made(f"mail{number}.example.com", ago=10) for number in (1, 2)]
    names = published("mail1.example.com", "mail2.example.com", "lab.example.com", cuts=["lab.example.com"])
    lab = made("a.lab.example.com", ago=10)
    (finding,) = found([failed(target("mail1.example.com"), refused)], ct=[*mails, lab], names=names)
    assert (finding.rule.slug, finding.severity) == ("ct-search-incomplete", Severity.INFO)
    assert "is served (no server was seen): mail1.example.com, mail2.example.com" in finding.message


def test_places_that_gave_no_certificate_are_counted() -> None:
    """It may be there."""
    refused = Failure(FailureKind.REFUSED, "x")
    (finding,) = found([at(1, GOOD), failed(target(address="192.0.2.2"), refused)], ct=[GOOD, ROGUE])
    assert "(places for its names that gave no certificate: 1)" in finding.message


def test_a_key_that_no_source_tells() -> None:
    """Only after the idle time, as a certificate that nobody serves."""
    bare = replace(ROGUE.issuance, der=None, key_sha256=None)
    assert found([at(1, GOOD)], ct=[GOOD, replace(bare, not_before=NOW - timedelta(days=3))]) == []
    (finding,) = found([at(1, GOOD)], ct=[GOOD, bare])
    assert (finding.rule.slug, finding.severity) == ("ct-never-served", Severity.WARNING)
    assert "was not seen served since 2026-05-22T12:00:00+00:00" in finding.message
    assert "its key is not told by the source" in finding.message


def test_a_served_key_with_a_certificate_that_is_not() -> None:
    """A name was added and the key kept, but the new certificate is nowhere after the idle time: a note."""
    key = new_key()
    old, more = made("www.example.com", key=key, ago=20), made("www.example.com", "example.com", key=key, ago=9)
    (finding,) = found([at(1, old)], ct=[old, more])
    assert (finding.rule.slug, finding.severity) == ("ct-never-served", Severity.INFO)
    assert "its key is served with another certificate" in finding.message
    assert found([at(1, old)], ct=[old, made("www.example.com", "example.com", key=key, ago=5)]) == []


def test_certificates_of_others_are_none_of_ours() -> None:
    """Search services are asked for whole domains, of which the run may have a part."""
    assert found([at(1, GOOD)], ct=[GOOD, made("www.example.org", ago=10)]) == []


def test_expired_ones_are_left_out() -> None:
    """Nobody can use them any more."""
    assert found([at(1, GOOD)], ct=[GOOD, made("www.example.com", ca=OTHER, ago=50, days=49)]) == []


def test_validity_over_the_cap() -> None:
    """Both ends count; what is served is judged at its address, a private CA by nobody."""
    long, fits = made("www.example.com", ago=20, days=200.1), made("www.example.com", ago=20, days=200)
    keys = {long.key: "x", fits.key: "x"}
    (finding,) = found([at(1, GOOD)], ct=[GOOD, long, fits], known=keys, log_private=True)
    assert (finding.rule.slug, finding.severity) == ("ct-validity-over-cap", Severity.ERROR)
    assert finding.certificate is not None
    assert finding.certificate.serial == long.serial
    assert "valid for 201 days, at most 200 are allowed from 2026-03-15 on" in finding.message
    assert found([at(1, GOOD)], ct=[GOOD, long], known=keys, public=False) == []
    assert found([at(1, GOOD), at(2, long)], ct=[GOOD, long], known=keys) == []


def test_validity_of_a_ca_nobody_knows() -> None:
    """Whether it is a public one is then said to be unknown, and it weighs less; served chains and the map decide it."""
    long = made("www.example.com", ca=OTHER, ago=20, days=201)
    known = {long.key: "x"}
    (finding,) = found([at(1, GOOD)], ct=[GOOD, long], known=known)
    assert finding.severity is Severity.WARNING
    assert "whether its CA is a public one is not known" in finding.message
    (finding,) = found([at(1, GOOD)], ct=[GOOD, long], known=known, ca_domains={long.issuer: ("ca.example",)})
    assert finding.severity is Severity.ERROR
    ours = made("www.example.com", "example.com", ago=20, days=201)
    (finding,) = found([at(1, GOOD)], ct=[GOOD, ours], known={ours.key: "x"})
    assert (finding.rule.slug, finding.severity) == ("ct-validity-over-cap", Severity.ERROR)


def test_an_issuer_that_no_source_tells_is_like_no_other() -> None:
    """Certificates of nobody knows whom are no renewals of each other."""
    old, new = (replace(made("www.example.com", ca=OTHER, ago=ago).issuance, der=None, issuer="") for ago in (20, 10))
    assert codes(found([at(1, GOOD)], ct=[old, new])) == ["ct-unknown-key"] * 2


def test_precertificates_alone_are_certificates() -> None:
    """Whoever has the precertificate may have the certificate."""
    (finding,) = found([at(1, GOOD)], ct=[GOOD, issuance(ROGUE.precert)])
    assert finding.certificate is not None
    assert (finding.rule.slug, finding.certificate.sha256) == ("ct-unknown-key", ROGUE.precert.sha256)
