"""What CT has and nobody serves: unknown keys, certificates never used, validity over the cap; and the silence of renewals."""

from dataclasses import replace
from datetime import timedelta

import pytest
from servers.ct_sighting import NOW, OTHER, SECOND, at, caa, codes, found, issuance, levels, made, published
from servers.judging import failed, target

from dnscertscan.demo.authority import new_key
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.model.transparency import Known

GOOD = made("www.example.com", ago=20)
ROGUE = made("www.example.com", ca=OTHER, ago=10)
LEFT, UNKNOWN = ("ct-unknown-key", "info"), ("ct-unknown-key", "warning")
ACCOUNT = "; accounturi=https://ca.example/acct/1"
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


def test_a_steady_rhythm_of_renewals_is_silent() -> None:
    """What an ACME client leaves behind, its key gone: the next one came when most of its life was over, and none in between."""
    older, old, new = (made("www.example.com", ago=ago) for ago in (85, 33, 3))
    assert found([at(1, new)], ct=[made("www.example.com", ago=63), new]) == []
    assert levels(found([at(1, new)], ct=[older, old, new])) == [LEFT]  # the first was well in its time, the second was not
    rogue = made("www.example.com", ago=50)
    findings = found([at(1, new)], ct=[made("www.example.com", ago=63), rogue, new])
    assert levels(findings) == [LEFT] * 2
    assert any(rogue.serial in one.message for one in findings)


def test_what_renewals_leave_behind_is_a_note() -> None:
    """Valid still, served no more, their keys gone, or somebody else's; nothing at all where the keys are at hand."""
    olds = [made("www.example.com", ago=ago) for ago in (80, 50, 21)]
    findings = found([at(1, GOOD)], ct=[*olds, GOOD])
    assert levels(findings) == [LEFT] * 3
    assert all("left by a renewal, or it is somebody else's: its CA made a later one" in one.message for one in findings)
    assert found([at(1, GOOD)], ct=[*olds, GOOD], known={old.key: "x" for old in olds}) == []


def test_a_rogue_of_the_same_ca_never_disappears() -> None:
    """Whenever it was made: before the renewal, a few hours before it, among daily renewals; at the least it is a note."""
    first, last = made("www.example.com", ago=70), made("www.example.com", ago=10)
    for ago in (60, 10.5):
        rogue = made("www.example.com", ago=ago)
        (told,) = [one for one in found([at(1, last)], ct=[first, rogue, last]) if rogue.serial in one.message]
        assert levels([told]) == [LEFT]
    daily = [made("www.example.com", ago=ago, days=6) for ago in (4, 3, 2, 1, 0.1)]
    rogue = made("www.example.com", ago=2.5, days=6)
    findings = found([at(1, daily[-1])], ct=[*daily, rogue], known={one.key: "x" for one in daily})
    assert levels(findings) == [LEFT]
    assert rogue.serial in findings[0].message


def test_a_wildcard_that_was_there_already_explains_no_narrower_one() -> None:
    """Who had the wildcard had no need of it; one that came before all wildcards was replaced by them."""
    before, wild = made("*.example.com", ago=70), made("*.example.com", ago=5)
    login, names = made("login.example.com", ago=30), published("login.example.com")
    seen, known = [at(1, wild, name="login.example.com")], {before.key: "x"}
    assert levels(found(seen, ct=[before, login, wild], names=names, known=known)) == [UNKNOWN]
    over = made("*.example.com", ago=70, days=60)
    assert levels(found(seen, ct=[over, login, wild], names=names)) == [UNKNOWN]
    assert levels(found(seen, ct=[login, wild], names=names)) == [LEFT]


def test_a_change_of_ca_leaves_a_note() -> None:
    """The old one is older than all that is served, and of a CA that may issue, as the configuration or CAA has it."""
    old = made("www.example.com", ca=OTHER, ago=50)
    pinned = frozenset({old.issuer, GOOD.issuer})
    assert levels(found([at(1, GOOD)], ct=[old, GOOD], issuers=pinned)) == [LEFT]
    domains = {old.issuer: ("old.example",), GOOD.issuer: ("new.example",)}
    for values, level in (
        ((f"issue old.example{ACCOUNT}", f"issue new.example{ACCOUNT}"), LEFT), (("iodef mailto:a@example.com",), UNKNOWN),
    ):
        answers = {"www.example.com": caa("example.com", *values)}
        assert levels(found([at(1, GOOD)], ct=[old, GOOD], caa_of=answers, ca_domains=domains)) == [level]
    assert levels(found([at(1, GOOD)], ct=[old, GOOD])) == [UNKNOWN]
    late = made("www.example.com", ca=OTHER, ago=19)
    assert levels(found([at(1, GOOD)], ct=[late, GOOD], issuers=pinned)) == [UNKNOWN]


def test_an_rsa_twin_is_of_the_same_renewal() -> None:
    """Made a quarter of an hour after the one that is served; one of a day later is not."""
    twin, later = made("www.example.com", ago=19.99, key="rsa"), made("www.example.com", ago=19, key="rsa")
    assert levels(found([at(1, GOOD)], ct=[GOOD, twin])) == [LEFT]
    assert levels(found([at(1, GOOD)], ct=[GOOD, later])) == [UNKNOWN]
    assert levels(found([at(1, GOOD)], ct=[GOOD, made("www.example.com", ca=OTHER, ago=19.99)])) == [UNKNOWN]


def test_what_is_revoked_is_a_note() -> None:
    """Of an unknown key, or never served; of a CA that may not issue it stays an error. All of them say that it is revoked."""
    gone = issuance(ROGUE.leaf, revoked=True)
    bare = replace(gone, der=None, key_sha256=None)
    for row, slug in ((gone, "ct-unknown-key"), (bare, "ct-never-served")):
        (finding,) = found([at(1, GOOD)], ct=[GOOD, row])
        assert levels([finding]) == [(slug, "info")]
        assert ", revoked)" in finding.message
        assert "it is revoked already" in finding.message
    findings = found([at(1, GOOD)], ct=[GOOD, replace(gone, issuer_spki_sha256=ROGUE.issuer)], issuers=frozenset({GOOD.issuer}))
    (rogue,) = [one for one in findings if one.rule.slug == "ct-rogue-issuer"]
    assert (rogue.severity, ", revoked)" in rogue.message) == (Severity.ERROR, True)


def test_one_that_is_revoked_replaces_nothing() -> None:
    """What is before it is the newest."""
    newer = issuance(made("www.example.com", ca=OTHER, ago=5).leaf, revoked=True)
    assert sorted(levels(found([at(1, GOOD)], ct=[GOOD, ROGUE, newer]))) == [LEFT, UNKNOWN]


def test_one_that_begins_tomorrow_is_judged_by_who_made_it() -> None:
    """CA, CAA and validity: those need no clock. It replaces nothing, and nobody expects it to be served."""
    coming = made("www.example.com", ca=OTHER, ago=-1, days=201)
    answers = {"www.example.com": caa("example.com", f"issue house.example{ACCOUNT}")}
    findings = found(
        [at(1, GOOD)], ct=[GOOD, coming], issuers=frozenset({GOOD.issuer}), caa_of=answers, log_private=True,
        ca_domains={coming.issuer: ("other.example",), GOOD.issuer: ("house.example",)},
    )
    assert sorted(codes(findings)) == ["ct-caa-denied", "ct-rogue-issuer", "ct-validity-over-cap"]
    assert all(coming.serial in one.message for one in findings)
    assert found([at(1, GOOD)], ct=[GOOD, made("www.example.com", ago=-1)]) == []
    assert levels(found([at(1, GOOD)], ct=[GOOD, ROGUE, made("www.example.com", ca=OTHER, ago=-1)])) == [UNKNOWN]


def test_names_that_are_too_long_for_any_host() -> None:
    """They are not used, and that is said; other names of the same certificate are, and what ends at a NUL is short."""
    longest = f"{'a.' * 120}b.example.com"
    assert len(longest) == 253
    huge = "a." * 50_000 + "example.com"
    for name, told in ((longest, 0), (f"a{longest}", 1), (huge, 1), (f"www.example.com\0{huge}", 1)):
        row = issuance(ROGUE.leaf, names=(name, "www.example.com"))
        findings = found([at(1, GOOD)], ct=[GOOD, row], names=published("www.example.com", longest))
        assert codes(findings) == ["ct-unknown-key", *["ct-search-incomplete"] * told]
        if told:
            assert f"longer than the 253 octets of a domain name): serial {ROGUE.serial}" in findings[-1].message
    assert codes(found([at(1, GOOD)], ct=[GOOD, issuance(ROGUE.leaf, names=(huge,))])) == ["ct-search-incomplete"]


def test_a_renewal_with_a_name_more_or_a_wildcard_is_a_renewal() -> None:
    """What is served has all the names of the old one, if need be by a wildcard and another certificate."""
    old = made("www.example.com", "example.com", ago=50)
    wild, apex = made("*.example.com", ago=20), made("example.com", ago=20)
    findings = found([at(1, wild), at(2, apex, name="example.com")], ct=[old, wild, apex])
    assert levels(findings) == [LEFT]
    assert "what is served has all its names, is of the same CA and not older" in findings[0].message
    more = made("www.example.com", "example.com", "mail.example.com", ago=20)
    names = published("www.example.com", "example.com", "mail.example.com")
    assert levels(found([at(1, more)], ct=[old, more], names=names)) == [LEFT]


def test_a_wildcard_is_not_replaced_by_one_of_its_names() -> None:
    """Who has its key has all names."""
    wild = made("*.example.com", ago=50)
    assert codes(found([at(1, GOOD)], ct=[wild, GOOD])) == ["ct-unknown-key"]


def test_a_change_of_the_cas_key_is_still_a_renewal() -> None:
    """As the map of CAs tells by the organisation; of an unknown CA nobody can tell, so it is told."""
    old = made("www.example.com", ca=SECOND, ago=50)
    assert levels(found([at(1, GOOD)], ct=[old, GOOD], ca_domains=MAPPED)) == [LEFT]
    assert levels(found([at(1, GOOD)], ct=[old, GOOD])) == [UNKNOWN]


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
