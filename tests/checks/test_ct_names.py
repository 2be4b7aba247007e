"""Names that CT has and the zones do not: forgotten ones, dangling ones, those under a wildcard; and where names stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers.ct_sighting import OTHER, at, codes, found, made, published

from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.model.ct import Issuance
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.transparency import Published

PLACES = Places(Published(
    zones=frozenset(map(DnsName, ["example.com", "lab.example.com", "wild.test"])),
    names=frozenset(map(DnsName, [
        "www.example.com", "a.b.example.com", "gone.example.com", "lab.example.com", "sub.example.com", "*.wild.test",
        "host.wild.test", "x.y.wild.test", "*.w.example.com",
    ])),
    cuts=frozenset(map(DnsName, ["lab.example.com", "sub.example.com"])),
    dangling=frozenset({DnsName("gone.example.com")}),
))


@pytest.mark.parametrize(
    ("name", "standing"),
    [
        ("example.com", "published"), ("www.example.com", "published"), ("WWW.example.org", "abroad"), ("", "abroad"),
        ("notexample.com", "abroad"), ("com", "abroad"), ("old.example.com", "orphan"), ("b.example.com", "orphan"),
        ("gone.example.com", "dangling"), ("sub.example.com", "delegated"), ("a.sub.example.com", "delegated"),
        ("lab.example.com", "published"), ("a.lab.example.com", "orphan"), ("*.sub.example.com", "delegated"),
        ("a.wild.test", "wildcard"), ("a.b.wild.test", "wildcard"), ("host.wild.test", "published"),
        ("a.host.wild.test", "orphan"), ("y.wild.test", "orphan"), ("z.y.wild.test", "orphan"), ("*.wild.test", "published"),
        ("*.example.com", "published"), ("*.b.example.com", "published"), ("*.www.example.com", "published"),
        ("*.old.example.com", "orphan"), ("*.a.wild.test", "published"), ("w.example.com", "orphan"),
    ],
)
def test_where_a_name_stands(name: str, standing: str) -> None:
    """Wildcards stand for what the closest encloser has no record for (RFC 4592); a zone of the run is no delegation."""
    assert PLACES.standing(name) == standing


@given(st.text(alphabet="ab.*\0\\", max_size=12))
def test_every_name_stands_somewhere(name: str) -> None:
    """Whatever is in a certificate."""
    assert PLACES.standing(name) is Standing.ABROAD
    assert PLACES.standing(f"{name}.example.com") in Standing


def test_a_name_the_zone_does_not_have() -> None:
    """One finding for each name, with the certificate that lasts longest; stable when that is renewed."""
    old, new = made("old.example.com", "www.example.com", ago=40), made("old.example.com", "www.example.com", ago=20)
    (finding,) = found([at(1, new)], ct=[old, new], known={old.key: "old.pem"})
    assert (finding.rule.slug, finding.severity) == ("ct-orphan-name", Severity.WARNING)
    assert (finding.subject.zone, finding.subject.fqdn, finding.certificate) == ("example.com", "old.example.com", None)
    assert "the zone does not have: old.example.com: " in finding.message
    assert new.serial in finding.message
    assert " and 1 more, issued by" in finding.message
    (later,) = found([at(1, new)], ct=[new])
    assert later.fingerprint == finding.fingerprint


def test_an_alias_that_leads_nowhere_is_told_in_stronger_words() -> None:
    """Somebody may take over what it leads to."""
    gone = made("gone.example.com", ago=5)
    findings = found(ct=[gone], names=published("gone.example.com", dangling=["gone.example.com"]), known={gone.key: "x"})
    (finding,) = [one for one in findings if one.rule.slug == "ct-orphan-name"]
    assert "whose alias leads nowhere, which others may be able to take over: gone.example.com" in finding.message


@pytest.mark.parametrize(
    "names",
    [
        published("old.example.com"), published("*.example.com"), published("example.com", cuts=["old.example.com"]),
        published(zone="example.org"),
    ],
)
def test_names_that_are_no_orphans(names: Published) -> None:
    """Published, under a wildcard, delegated, of another zone."""
    one = made("old.example.com", ago=5)
    assert "ct-orphan-name" not in codes(found(ct=[one], names=names, known={one.key: "x"}))


def test_a_name_that_only_has_names_below_it_is_an_orphan() -> None:
    """It has no record, and no wildcard stands for it."""
    one, names = made("old.example.com", ago=5), published("www.old.example.com", "*.old.example.com", "*.example.com")
    assert codes(found(ct=[one], names=names, known={one.key: "x"})) == ["ct-orphan-name"]


def test_expired_certificates_make_no_orphans() -> None:
    """The name may have gone with them."""
    assert found(ct=[made("old.example.com", ago=50, days=49)]) == []


def test_an_unknown_key_for_an_orphan_is_said_once() -> None:
    """No server can be seen for a name that is not there: the name is what is told."""
    assert codes(found(ct=[made("old.example.com", ca=OTHER, ago=5)])) == ["ct-orphan-name"]


def test_names_under_a_wildcard() -> None:
    """One note for each wildcard with those that nobody looked at."""
    names = published("*.example.com", "example.com")
    certificates = [made(f"{letter}.example.com", ago=5) for letter in "abc"]
    keys = {one.key: "x" for one in certificates}
    (finding,) = found(ct=certificates, names=names, known=keys)
    assert (finding.rule.slug, finding.severity) == ("ct-wildcard-name", Severity.INFO)
    assert (finding.subject.fqdn, finding.subject.wildcard) == ("*.example.com", "*.example.com")
    assert finding.message == (
        "names under the wildcard *.example.com that only CT knows were not scanned: "
        "a.example.com, b.example.com, c.example.com; scan them with --ct-names"
    )
    seen = [at(1, one, name=f"{letter}.example.com") for letter, one in zip("abc", certificates, strict=True)]
    (finding,) = found(seen[:2], ct=certificates, names=names, known=keys)
    assert "that only CT knows were not scanned: c.example.com; scan" in finding.message
    assert found(seen, ct=certificates, names=names) == []
    assert found(ct=[made("*.example.com", "exa_mple.example.com\\")], names=published("*.example.com"), known=keys) != []


def test_hostile_names_are_made_visible() -> None:
    """What is in a certificate does not reach a terminal raw; a name up to a NUL is one of ours."""
    odd = made("www.example.com", ago=5).issuance
    assert codes(found(ct=[_named(odd, "old.example.com\0.evil.test")])) == ["ct-orphan-name"]
    (finding,) = found(ct=[_named(odd, "\x1b[2J\u202e.example.com")])
    assert finding.message.isprintable()
    assert finding.subject.fqdn.isprintable()


def _named(issuance: Issuance, *names: str) -> Issuance:
    return replace(issuance, names=names)
