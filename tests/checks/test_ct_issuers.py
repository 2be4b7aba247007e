"""Who issued: CAs that may not, CAs that CAA does not allow, one serial number given twice; undecided stays undecided."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest
from servers.ct_sighting import HOUSE, OTHER, SECOND, at, caa, codes, found, issuance, made, published, sightings

from dnscertscan.checks import caa as rules
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.transparency import CaaAnswer, CaaRecord, Known
from dnscertscan.pki.parse import parse

GOOD = made("www.example.com", ago=20)
ROGUE = made("www.example.com", ca=OTHER, ago=10)
PINNED = frozenset({GOOD.issuer})
DOMAINS = {GOOD.issuer: ("house.example",), ROGUE.issuer: ("other.example",)}
BOTH = {GOOD.key: "x", ROGUE.key: "x"}


def test_a_ca_that_may_not_issue() -> None:
    """An error with the key of that CA; that the certificate is known changes nothing."""
    (finding,) = found([at(1, GOOD)], ct=[GOOD, ROGUE], known=BOTH, issuers=PINNED)
    assert (finding.rule.slug, finding.severity, finding.subject.fqdn) == ("ct-rogue-issuer", Severity.ERROR, "www.example.com")
    assert f"(key of the CA sha256:{ROGUE.issuer})" in finding.message
    assert ROGUE.serial in finding.message
    assert 'issued by "CN=Other,O=Example Trust"' in finding.message


def test_nothing_suppresses_it() -> None:
    """Neither that it is served, nor that it is of today, known, or replaced by one that is in order."""
    later = made("www.example.com", ago=5)
    fresh = made("www.example.com", ca=OTHER, ago=0.1)
    assert codes(found([at(1, later)], ct=[later, ROGUE], known=Known(issuances={ROGUE.tbs: "x"}), issuers=PINNED)) == [
        "ct-rogue-issuer"
    ]
    assert codes(found([at(1, later)], ct=[later, fresh], issuers=PINNED)) == ["ct-rogue-issuer"]
    assert "ct-rogue-issuer" in codes(found([at(1, ROGUE)], ct=[ROGUE], issuers=PINNED))
    lab = made("a.lab.example.com", ca=OTHER)
    delegated = published("lab.example.com", cuts=["lab.example.com"])
    assert codes(found(ct=[lab], names=delegated, issuers=PINNED)) == ["ct-rogue-issuer"]


def test_without_pins_and_for_expired_ones_it_is_nothing() -> None:
    """No CA is named, so all may; what has ended harms nobody."""
    assert found([at(1, GOOD)], ct=[GOOD, ROGUE], known=BOTH) == []
    over = made("www.example.com", ca=OTHER, ago=50, days=40)
    assert found([at(1, GOOD)], ct=[GOOD, over], issuers=PINNED) == []


def test_the_ca_is_found_by_its_signature() -> None:
    """A source that does not tell the key: the certificate of the CA is in a served chain, in whatever place."""
    rows = [issuance(GOOD.precert), issuance(ROGUE.precert)]
    (finding,) = found([at(1, GOOD)], ct=rows, known=BOTH, issuers=PINNED)
    assert finding.rule.slug == "ct-rogue-issuer"
    assert "(not signed by any CA that may)" in finding.message
    assert finding.certificate is not None
    assert finding.certificate.serial == ROGUE.serial


def test_a_name_alone_proves_nothing() -> None:
    """A CA that calls itself like ours is another one, by its key."""
    fake = made("www.example.com", ca=HOUSE.root("House Root", now=HOUSE.now).intermediate("House Issuer"), ago=30)
    assert codes(found([at(1, GOOD)], ct=[GOOD, issuance(fake.leaf)], issuers=PINNED)) == ["ct-rogue-issuer"]


def test_a_ca_that_is_not_known_is_undecided() -> None:
    """No certificate of those that may issue is at hand: said once, whatever the number."""
    rows = [issuance(made("www.example.com", ca=OTHER, ago=ago).leaf) for ago in (10, 11)]
    known = {row.key_sha256: "x" for row in rows}
    (finding,) = found([at(1, GOOD)], ct=rows, known=known, issuers=frozenset({"ab" * 32}))
    assert finding.rule.slug == "ct-search-incomplete"
    assert finding.message == (
        "what CT has is not known in full: whether these CAs may issue "
        "(their keys are not known; sslmate and certspotter tell them): CN=Other,O=Example Trust"
    )


def test_the_map_of_cas_helps_where_no_certificate_is_at_hand() -> None:
    """By the key identifier: another CA is another CA, the same one may be by a key that is named or by another."""
    key_id = parse(ROGUE.leaf).extensions.authority_key
    assert key_id is not None
    assert key_id.key_id is not None
    row, allowed = issuance(ROGUE.leaf), "ab" * 32
    domains = {f"name:keyid:{key_id.key_id.hex()}": ("Other",), f"name:{allowed}": ("House",)}
    wanted = {"known": BOTH, "issuers": frozenset({allowed})}
    assert codes(found([at(1, ROGUE)], ct=[row], ca_domains=domains, **wanted)) == ["ct-rogue-issuer"]
    same = {**domains, f"name:{allowed}": ("Other",)}
    assert codes(found([at(1, GOOD)], ct=[row], ca_domains=same, **wanted)) == ["ct-search-incomplete"]


def test_another_key_of_the_same_ca_weighs_less() -> None:
    """CAs change their keys; that wants a look, not an alarm."""
    other = made("www.example.com", ca=SECOND, ago=10)
    names = {f"name:{GOOD.issuer}": ("House",), f"name:{other.issuer}": ("House",)}
    (finding,) = found([at(1, other)], ct=[other], issuers=PINNED, ca_domains=names)
    assert (finding.rule.slug, finding.severity) == ("ct-rogue-issuer", Severity.WARNING)
    assert "add it to issuers in [ct]" in finding.message


def denied(
    *rows: object, caa_of: dict[str, CaaAnswer], domains: dict[str, tuple[str, ...]] | None = None, **more: object
) -> list[Finding]:
    options = {"known": BOTH, "ca_domains": DOMAINS if domains is None else domains, **more}
    return [one for one in found([at(1, GOOD)], ct=list(rows), caa_of=caa_of, **options) if one.rule.slug != "caa-no-account"]


def test_caa_does_not_allow_the_ca() -> None:
    """An error with the place of the records, what they allow, and that they are those of now."""
    stranger = made("www.example.com", ca=OTHER, ago=10)
    answer = {"www.example.com": caa("example.com", "issue house.example")}
    (finding,) = [one for one in denied(GOOD, stranger, caa_of=answer) if one.rule.slug == "ct-caa-denied"]
    assert finding.severity is Severity.ERROR
    assert stranger.serial in finding.message
    assert (
        'that CAA, as of now, does not allow: "CN=www.example.com,O=Example Trust"' in finding.message
        and 'for www.example.com the CAA RRset at example.com counts, and it allows only "house.example"' in finding.message
    )


def test_caa_of_what_is_in_use() -> None:
    """A certificate that is served or known was asked for: its renewal will fail, which is a warning."""
    answer = {"www.example.com": caa("example.com", "issue third.example")}
    findings = denied(GOOD, ROGUE, caa_of=answer)
    assert [(one.rule.slug, one.severity) for one in findings] == [("ct-caa-denied", Severity.WARNING)] * 2
    assert all("its renewal will be refused" in one.message for one in findings)


def test_caa_that_allows_is_nothing() -> None:
    """No records, records that restrict nobody, the right CA."""
    for answer in (CaaAnswer(), caa("example.com", "iodef mailto:x@y.example"), caa("example.com", "issue house.example")):
        assert denied(GOOD, caa_of={"www.example.com": answer}) == []
    assert denied(GOOD, caa_of={}) == []


def test_wildcards_have_a_property_of_their_own() -> None:
    """issuewild counts for the wildcard alone; records are those of the name behind it."""
    names = published("shop.example.com", "*.shop.example.com", "www.example.com")
    wild, plain = made("*.shop.example.com", ago=10), made("shop.example.com", ago=10)
    keys = {wild.key: "x", plain.key: "x"}
    for name in ("shop.example.com", "*.shop.example.com"):
        answer = {name: caa("shop.example.com", "issuewild ;"), "shop.example.com": caa("shop.example.com", "issuewild ;")}
        (finding,) = denied(wild, plain, caa_of=answer, names=names, known=keys)
        assert (finding.subject.fqdn, finding.subject.wildcard) == ("*.shop.example.com", "*.shop.example.com")
        assert "it allows no CA at all" in finding.message


def test_an_unknown_ca_cannot_be_decided() -> None:
    """Said once for the CA; unless nobody may issue."""
    rows = [made("www.example.com", ca=OTHER, ago=ago) for ago in (10, 11, 12)]
    known = {row.key: "x" for row in rows}
    (finding,) = denied(*rows, caa_of={"www.example.com": caa("example.com", "issue house.example")}, domains={}, known=known)
    assert finding.rule.slug == "ct-search-incomplete"
    assert "whether CAA allows these CAs (their CAA domains are not known): CN=Other" in finding.message
    closed = denied(*rows, caa_of={"www.example.com": caa("example.com", "issue ;")}, domains={}, known={})
    assert codes(closed).count("ct-caa-denied") == 3


def test_a_big_rrset_is_judged_once_for_each_ca(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not again for every name of every issuance; other records at the same place are judged by themselves."""
    asked: list[object] = []
    decide = rules.decide

    def counting(records: Sequence[CaaRecord], domains: Collection[str] | None, *, wildcard: bool) -> rules.Decision:
        asked.append((len(records), domains, wildcard))
        return decide(records, domains, wildcard=wildcard)

    monkeypatch.setattr(rules, "decide", counting)
    values = [f"issue ca{number}.example" for number in range(300)]
    rows = [made("www.example.com", "example.com", ago=ago) for ago in range(10, 20)]
    answers = {name: caa("example.com", *values) for name in ("www.example.com", "example.com")}
    assert codes(denied(*rows, caa_of=answers, known={})).count("ct-caa-denied") == 10
    assert asked == [(300, ("house.example",), False)]
    mixed = {**answers, "example.com": caa("example.com", *values, "issue house.example")}
    (one, *_) = (each for each in denied(*rows, caa_of=mixed, known={}) if each.rule.slug == "ct-caa-denied")
    assert one.subject.fqdn == "www.example.com"
    assert "for www.example.com the CAA RRset" in one.message


def test_records_that_were_not_learnt() -> None:
    """Nothing follows from them; the reason is told."""
    answer = {"www.example.com": CaaAnswer(problem="SERVFAIL")}
    (finding,) = denied(GOOD, caa_of=answer)
    assert finding.rule.slug == "ct-search-incomplete"
    assert "(their records were not learnt): www.example.com (SERVFAIL)" in finding.message


def test_one_serial_number_twice_in_ct() -> None:
    """Both certificates are told, whatever else is known of them."""
    one, two = made("www.example.com", serial=0x1234), made("www.example.com", serial=0x1234, ago=19)
    known = {one.key: "x", two.key: "x"}
    findings = found([at(1, one), at(1, two, port=8443)], ct=[one, two], known=known)
    (finding,) = [each for each in findings if each.rule.slug == "ct-serial-conflict"]
    assert finding.severity is Severity.ERROR
    assert all(each.leaf.sha256[:16] in finding.message and each.tbs[:16] in finding.message for each in (one, two))


def test_one_serial_number_in_ct_and_served() -> None:
    """The served one is in no log: found by the key of the CA, or by its name and key identifier."""
    one, two = made("www.example.com", serial=0x1234), made("www.example.com", serial=0x1234, ago=19)
    for row in (one, issuance(one.leaf), issuance(one.leaf, der=None, issuer_spki_sha256=one.issuer)):
        findings = found([at(number, two) for number in (3, 2)], ct=[row], known={one.key: "x"})
        (finding,) = [each for each in findings if each.rule.slug == "ct-serial-conflict"]
        assert "served at 192.0.2.2:443" in finding.message
        assert two.leaf.sha256[:16] in finding.message


def test_serial_numbers_of_different_cas_are_their_own() -> None:
    """And a certificate is no conflict with its precertificate."""
    one, other = made("www.example.com", serial=0x1234), made("www.example.com", serial=0x1234, ca=OTHER)
    known = {one.key: "x", other.key: "x"}
    for row in (other, issuance(other.leaf), issuance(other.leaf, der=None, issuer_spki_sha256=other.issuer)):
        assert found([at(1, one)], ct=[row, issuance(one.precert)], known=known) == []
    bare = replace(issuance(other.leaf), der=None)
    assert found([at(1, one)], ct=[bare], known=known) == []


def test_a_conflict_outside_the_zones_is_still_told() -> None:
    """It is a fault of the CA."""
    one, two = made("www.example.org", serial=0x1234), made("www.example.org", serial=0x1234, ago=19)
    (finding,) = found(ct=sightings(one, two))
    assert (finding.rule.slug, finding.subject.fqdn, finding.subject.zone) == ("ct-serial-conflict", "www.example.org", "")
    assert DnsName(finding.subject.fqdn).problem is None
