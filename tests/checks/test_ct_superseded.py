"""Renewed, but the old one is still served: found per address, and nothing else is taken for it."""

from datetime import timedelta
from itertools import permutations

import pytest
from servers.ct_sighting import NOW, OTHER, SECOND, WWW, at, codes, found, issuance, made, published, sightings
from servers.judging import deployment, failed, target

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.model.transparency import Known

OLD, NEW = made("www.example.com", ago=40), made("www.example.com", ago=5)
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
    (finding,) = found([at(3, old)], ct=[old, NEW])
    assert (finding.rule.slug, finding.severity) == ("ct-superseded", Severity.WARNING)
    assert "it is served nowhere that was looked at" in finding.message


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
    """Both valid, both in CT in both forms, the new one everywhere, whether or not the old key was kept."""
    assert found([at(1, NEW), at(2, NEW)], ct=[OLD, NEW]) == []


def test_a_new_certificate_has_time_to_be_installed() -> None:
    """Within the grace of a day nothing is said; a source that was set up today does not make old ones new."""
    fresh = made("www.example.com", ago=0.5)
    assert found([at(1, OLD)], ct=[OLD, fresh]) == []
    assert codes(found([at(1, OLD)], ct=[OLD, fresh], grace=timedelta(hours=1))) == ["ct-superseded"]
    backdated = issuance(made("www.example.com", ago=1.5).leaf, seen=NOW - timedelta(hours=1))
    assert found([at(1, OLD)], ct=[issuance(OLD.leaf), backdated]) == []
    assert codes(found([at(1, OLD)], ct=[issuance(NEW.leaf, seen=NOW)])) == ["ct-superseded"]


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
    assert codes(found([at(1, old)], ct=[old, new])) == ["ct-superseded"]


def test_certificates_without_names_are_not_of_one_kind() -> None:
    """Nothing in common is no set of names."""
    bare = issuance(NEW.leaf, names=())
    assert found([at(1, deployment(Certificate(b"octets")), deployment(made(ago=40).leaf))], ct=[bare]) == []


def test_what_was_not_seen_completely_is_no_proof() -> None:
    """The new one may be among what is missing; clients without SNI are another matter."""
    assert found([at(1, OLD, unanswered=("TLS 1.2 RSA",)), at(2, NEW)], ct=[OLD, NEW]) == []
    assert found([at(1, OLD, engine_failure=DEAD), at(2, NEW)], ct=[OLD, NEW]) == []
    assert found([failed(target(), DEAD), at(2, NEW)], ct=[OLD, NEW]) == []
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
    assert codes(found([at(1, OLD)], ct=[OLD, other], ca_domains=one_ca)) == ["ct-superseded"]
    assert codes(found([at(1, OLD)], ct=[OLD, other])) == ["ct-unknown-key"]


def test_of_several_renewals_one_is_told() -> None:
    """That which is in use, else the newest; the others are neither renewals nor unknown keys."""
    middle = made("www.example.com", ago=20)
    (finding,) = found([at(1, OLD), at(2, middle)], ct=[OLD, middle])
    assert middle.serial in finding.message
    (finding,) = found([at(1, OLD)], ct=[OLD, middle, NEW])
    assert NEW.serial in finding.message


def test_many_addresses_make_no_endless_message() -> None:
    """The first ones and how many there are, in any order."""
    seen = [at(number, NEW) for number in range(1, 200)]
    (one,), (other,) = found([at(200, OLD), *seen], ct=[OLD, NEW]), found([*seen[::-1], at(200, OLD)], ct=[OLD, NEW])
    assert one == other
    assert "192.0.2.8:443 and 191 more" in one.message
    assert len(one.message) < 1500


def test_everywhere_the_old_one() -> None:
    """One finding for each address, and none of an unknown key beside it."""
    assert codes(found([at(1, OLD), at(2, OLD)], ct=sightings(OLD, NEW), names=WWW)) == ["ct-superseded"] * 2
