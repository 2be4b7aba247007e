"""Renewed, but the old one is still served: found per address, and nothing else is taken for it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from servers.ct_sighting import NOW, OTHER, SECOND, WWW, at, codes, found, issuance, levels, made, published, sightings
from servers.judging import deployment, failed, target

from dnscertscan.checks import ct_ca
from dnscertscan.checks.ct_rows import Row
from dnscertscan.checks.ct_seen import Seen
from dnscertscan.demo.authority import new_key
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.model.transparency import Known

OLD, NEW = made("www.example.com", ago=40), made("www.example.com", ago=5)
BEHIND, UNKNOWN, LEFT = ("ct-superseded", "warning"), ("ct-unknown-key", "warning"), ("ct-unknown-key", "info")
DEAD = Failure(FailureKind.ENGINE, "x")


def test_one_of_three_addresses_serves_the_old_one() -> None:
    """It is named, with both certificates and their dates, and where the new one is; whatever the order."""
    seen = [at(1, NEW), at(2, NEW), at(3, OLD)]
    results = {tuple(found(order, ct=[OLD, NEW])) for order in permutations(seen)}
    assert len(results) == 1
    ((finding,),) = results
    assert (finding.rule.slug, finding.severity) == ("ct-superseded", Severity.WARNING)
    place = finding.subject
    assert (place.fqdn, place.ip_address, place.port, place.zone) == ("www.example.com", "192.0.2.3", 443, "example.com")
    assert finding.certificate is not None
    assert finding.certificate.sha256 == OLD.leaf.sha256
    subject = '"CN=www.example.com,O=Example Trust"'
    assert finding.message == (
        f"certificate was renewed, but the old one is still served: 192.0.2.3:443 serves {subject} (serial {OLD.serial}, "
        f"sha256 {OLD.leaf.sha256[:16]}, valid from 2026-04-22T12:00:00+00:00 to 2026-07-21T11:59:59+00:00); CT has {subject} "
        f"(serial {NEW.serial}, sha256 {NEW.leaf.sha256[:16]}, "
        "valid from 2026-05-27T12:00:00+00:00 to 2026-08-25T11:59:59+00:00) "
        'for the same names, issued by "CN=House Issuer,O=Example Trust", in CT as crt.sh, sslmate have it; '
        "it is served for this name at 192.0.2.1:443, 192.0.2.2:443; install it here as well and reload the server"
    )


def test_little_time_left_makes_it_an_error() -> None:
    """When the new one is in use elsewhere: then nobody is still at work on it."""
    old = made("www.example.com", ago=65)
    (finding,) = found([at(1, NEW), at(3, old)], ct=[old, NEW])
    assert finding.severity is Severity.ERROR
    finding, unknown = found([at(3, old)], ct=[old, NEW])
    assert (finding.rule.slug, finding.severity) == ("ct-superseded", Severity.WARNING)
    assert "it is served nowhere that was looked at" in finding.message
    assert (unknown.rule.slug, unknown.severity) == ("ct-unknown-key", Severity.WARNING)


def test_where_the_new_one_is() -> None:
    """For another name, or in a file: the next step is another one each time."""
    both = [made("a.example.com", "www.example.com", ago=ago) for ago in (40, 5)]
    names = published("a.example.com", "www.example.com")
    (finding,) = found([at(1, both[0]), at(2, both[1], name="a.example.com")], ct=both, names=names)
    assert "it is served for a.example.com; install it here" in finding.message
    (finding,) = found([at(1, OLD)], ct=[OLD, NEW], known={NEW.key: "/etc/acme/www.pem"})
    assert "it is known here (/etc/acme/www.pem), but served nowhere" in finding.message
    (finding,) = found([at(1, OLD)], ct=[OLD, NEW], known=Known(issuances={NEW.tbs: "/etc/acme/www.pem"}))
    assert "it is known here (/etc/acme/www.pem)" in finding.message


@pytest.mark.parametrize(("port", "number"), [(443, 3), (8443, 1)])
def test_ports_and_addresses_are_places(port: int, number: int) -> None:
    """Each is told for itself."""
    (finding,) = found([at(1, NEW), at(number, OLD, port=port)], ct=[OLD, NEW])
    assert (finding.subject.ip_address, finding.subject.port) == (f"192.0.2.{number}", port)


def test_a_normal_renewal_is_nothing() -> None:
    """Both valid, both in CT in both forms, the new one everywhere: silence where the old key is at hand, else one note."""
    key = new_key()
    kept = made("www.example.com", ago=5, key=key)
    assert found([at(1, kept), at(2, kept)], ct=[made("www.example.com", ago=40, key=key), kept]) == []
    assert found([at(1, NEW), at(2, NEW)], ct=[OLD, NEW], known={OLD.key: "archive/www.pem"}) == []
    assert levels(found([at(1, NEW), at(2, NEW)], ct=[OLD, NEW])) == [LEFT]


def test_a_new_certificate_has_time_to_be_installed() -> None:
    """Within the grace of a day nothing is said; a source that was set up today does not make old ones new."""
    fresh = made("www.example.com", ago=0.5)
    assert found([at(1, OLD)], ct=[OLD, fresh]) == []
    assert levels(found([at(1, OLD)], ct=[OLD, fresh], grace=timedelta(hours=1))) == [BEHIND, UNKNOWN]
    backdated = issuance(made("www.example.com", ago=1.5).leaf, seen=NOW - timedelta(hours=1))
    assert found([at(1, OLD)], ct=[issuance(OLD.leaf), backdated]) == []
    assert levels(found([at(1, OLD)], ct=[issuance(NEW.leaf, seen=NOW)])) == [BEHIND, UNKNOWN]


def test_a_pair_of_keys_is_no_renewal() -> None:
    """RSA and ECDSA side by side, made a month apart; also where a server has only one of them."""
    rsa = made("www.example.com", ago=40, key="rsa")
    assert found([at(1, rsa, NEW), at(2, NEW, rsa)], ct=[rsa, NEW]) == []
    assert found([at(1, rsa), at(2, NEW)], ct=[rsa, NEW]) == []
    unread = issuance(NEW.leaf, der=None)
    assert found([at(1, rsa, NEW), at(2, rsa, OLD)], ct=[unread]) == []


def test_half_a_renewal_of_a_pair_shows() -> None:
    """The RSA half was renewed, and is served at one of two addresses."""
    old, new = made("www.example.com", ago=41, key="rsa"), made("www.example.com", ago=4, key="rsa")
    (finding,) = found([at(1, new, NEW), at(2, old, NEW)], ct=[old, new, NEW])
    assert finding.subject.ip_address == "192.0.2.2"
    assert new.serial in finding.message


def test_other_names_are_another_certificate() -> None:
    """A wildcard beside a certificate for one name, one with a name more: neither replaces the other."""
    wild = made("*.example.com", "example.com", ago=5)
    more = made("www.example.com", "example.com", ago=5)
    seen = [at(1, OLD), at(2, wild, name="example.com"), at(3, more, name="example.com")]
    assert found(seen, ct=[OLD, wild, more]) == []


def test_the_order_and_the_case_of_names_do_not_matter() -> None:
    """They are a set."""
    old, new = made("www.example.com", "example.com", ago=40), made("EXAMPLE.com", "www.example.com", ago=5)
    assert levels(found([at(1, old)], ct=[old, new])) == [BEHIND, UNKNOWN]


def test_certificates_without_names_are_not_of_one_kind() -> None:
    """Nothing in common is no set of names."""
    bare = issuance(NEW.leaf, names=())
    assert found([at(1, deployment(Certificate(b"octets")), deployment(made(ago=40).leaf))], ct=[bare]) == []


def test_what_was_not_seen_completely_is_no_proof() -> None:
    """The new one may be among what is missing; clients without SNI are another matter."""
    assert found([at(1, OLD, unanswered=("TLS 1.2 RSA",)), at(2, NEW)], ct=[OLD, NEW]) == []
    assert found([at(1, OLD, engine_failure=DEAD), at(2, NEW)], ct=[OLD, NEW]) == []
    assert found([failed(target(), DEAD), at(2, NEW)], ct=[OLD, NEW], known={OLD.key: "x"}) == []
    assert found([at(1, NEW, deployment(*OLD.chain, sni=False))], ct=[OLD, NEW]) == []


def test_expired_and_future_ones_replace_nothing() -> None:
    """What CT has must be valid now."""
    over, coming = made("www.example.com", ago=39, days=10), made("www.example.com", ago=-1)
    assert found([at(1, OLD)], ct=[OLD, over, coming]) == []


def test_a_stranger_is_no_renewal() -> None:
    """A newer one of another CA is told as an unknown key, with a known key it is another team's; in use it is a renewal."""
    other = made("www.example.com", ca=OTHER, ago=5)
    assert codes(found([at(1, OLD)], ct=[OLD, other])) == ["ct-unknown-key"]
    assert found([at(1, OLD)], ct=[OLD, other], known={other.key: "new.key"}) == []
    assert codes(found([at(1, OLD), at(2, other)], ct=[OLD, other])) == ["ct-superseded"]


def test_two_keys_of_one_ca_are_one_ca() -> None:
    """As the map of CAs has it by the organisation; without the map they are strangers."""
    other = made("www.example.com", ca=SECOND, ago=5)
    one_ca = {"org:example trust": ("House",)}
    assert levels(found([at(1, OLD)], ct=[OLD, other], ca_domains=one_ca)) == [BEHIND, UNKNOWN]
    assert codes(found([at(1, OLD)], ct=[OLD, other])) == ["ct-unknown-key"]


def test_of_several_renewals_one_is_told() -> None:
    """That which is in use, else the newest; the others are notes."""
    middle = made("www.example.com", ago=20)
    (finding,) = found([at(1, OLD), at(2, middle)], ct=[OLD, middle])
    assert middle.serial in finding.message
    finding, *others = found([at(1, OLD)], ct=[OLD, middle, NEW])
    assert NEW.serial in finding.message
    assert sorted(levels(others)) == [LEFT, UNKNOWN]
    assert all((middle.serial in one.message) == (one.severity is Severity.INFO) for one in others)


def test_many_addresses_make_no_endless_message() -> None:
    """The first ones and how many there are, in any order."""
    seen = [at(number, NEW) for number in range(1, 200)]
    (one,), (other,) = found([at(200, OLD), *seen], ct=[OLD, NEW]), found([*seen[::-1], at(200, OLD)], ct=[OLD, NEW])
    assert one == other
    assert "192.0.2.8:443 and 191 more" in one.message
    assert len(one.message) < 1500


def test_everywhere_the_old_one() -> None:
    """One finding for each address, and that the key is unknown; it is not, where the file lies here."""
    seen = [at(1, OLD), at(2, OLD)]
    assert levels(found(seen, ct=sightings(OLD, NEW), names=WWW)) == [BEHIND, BEHIND, UNKNOWN]
    assert levels(found(seen, ct=sightings(OLD, NEW), names=WWW, known={NEW.key: "x"})) == [BEHIND, BEHIND]


def test_nobody_is_told_to_install_what_nobody_here_ordered() -> None:
    """Newer, of the same CA, in nobody's hands: it may be somebody else's, and is told as an unknown key as well."""
    behind, unknown = found([at(1, OLD)], ct=[OLD, NEW])
    assert behind.message.endswith(
        "it is served nowhere that was looked at, and its key is not known here; find out who ordered it before anything else: "
        "if it is yours, roll it out to the server, else have it revoked, as somebody else can pose as the name"
    )
    assert "install" not in behind.message
    assert (unknown.rule.slug, unknown.severity, NEW.serial in unknown.message) == ("ct-unknown-key", Severity.WARNING, True)


@pytest.mark.parametrize(
    ("old", "new", "level"), [(40, 11, "info"), (65, 36, "info"), (65, 34, "warning"), (65, 21, "warning"), (65, 19, "error")],
)
def test_servers_with_certificates_of_their_own(old: int, new: int, level: str) -> None:
    """A successor begins late in the life of its predecessor: one that begins early, with its own key, stands beside it."""
    before, after = made("www.example.com", ago=old), made("www.example.com", ago=new)
    (finding,) = found([at(1, before), at(2, after)], ct=[before, after])
    assert levels([finding]) == [("ct-superseded", level)]
    assert ("servers that get certificates of their own are like that" in finding.message) == (level == "info")


def test_the_same_key_is_the_same_line() -> None:
    """However early it was renewed."""
    key = new_key()
    before, after = (made("www.example.com", ago=ago, key=key) for ago in (65, 60))
    assert levels(found([at(1, before), at(2, after)], ct=[before, after])) == [("ct-superseded", "error")]


def test_a_retry_within_a_day_is_the_same_renewal() -> None:
    """Two of them a quarter of an hour apart, one in use; another one a day later is another renewal."""
    again, later = (made("www.example.com", ago=40 - days) for days in (0.01, 1))
    assert levels(found([at(1, OLD)], ct=[OLD, again])) == [LEFT]
    assert levels(found([at(1, OLD)], ct=[OLD, later])) == [BEHIND, UNKNOWN]


def test_what_is_revoked_is_no_renewal() -> None:
    """Nobody is to install it."""
    assert levels(found([at(1, OLD)], ct=[issuance(OLD.leaf), issuance(NEW.leaf, revoked=True)])) == [LEFT]


def test_thousands_of_renewals_and_places_take_no_time_for_each_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is newest is found once for all places; the CA of an issuer is told once for each name of one."""
    asked, start = Counter[str](), NOW - timedelta(days=30)
    digests = [f"{number:064x}" for number in range(500)]
    rows = [replace(OLD.issuance, tbs_sha256=one, der=None, key_sha256=one, not_before=start) for one in digests]
    plain_family, plain_kind = ct_ca.family, Seen._kind

    def family(issuer: str, known: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
        asked["family"] += 1
        return plain_family(issuer, known)

    def kind(self: Seen, row: Row) -> str:
        asked["kind"] += 1
        return plain_kind(self, row)

    monkeypatch.setattr("dnscertscan.checks.ct_seen.family", family)
    monkeypatch.setattr(Seen, "_kind", kind)
    findings = found([at(number % 250, OLD, port=1000 + number) for number in range(200)], ct=[OLD.issuance, *rows])
    assert codes(findings).count("ct-superseded") == 200
    assert asked["family"] == 1
    assert asked["kind"] <= 3 * (len(rows) + 1)
