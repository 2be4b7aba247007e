"""Which issuances are ours: known, known by their key, accepted, unknown; alarms first, and none hides another."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers.ct_issue import Issued, issue, renew, serial_twin
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock

from dnscertscan.ct.audit_issuers import Pins
from dnscertscan.ct.audit_report import Status
from dnscertscan.ct.inventory_judge import Expected, concerned, judge
from dnscertscan.ct.inventory_values import Decision, Item, Kind, State
from dnscertscan.ct.known import Local, read_local
from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.demo.authority import Authority, pem
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.pki.parse import parse

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT, STRANGER = Authority.root("Inventory Root", now=NOW), Authority.root("Stranger Root", now=NOW)
CA, OTHER = ROOT.intermediate("Inventory Issuer"), STRANGER.intermediate("Stranger Issuer")
DOMAIN = DnsName("watched.com")
LOG = CtLog("alpha", [ROOT.certificate, STRANGER.certificate], clock=HandClock(NOW))
SITE = issue(CA, "www.watched.com", "watched.com", logs=[LOG])


def certificate(found: x509.Certificate) -> Certificate:
    return Certificate(found.public_bytes(Encoding.DER))


def key_of(authority: Authority) -> str:
    return parse(certificate(authority.certificate)).key.digest.hex()


def seen(issued: Issued, source: str = "sslmate", *, precert: bool = False, **changed: Any) -> Issuance:
    found = read_certificate(certificate(issued.precert if precert else issued.certificate).der, source, None)
    assert found is not None
    return replace(found, **changed)


def sighted(*issuances: Issuance) -> Sightings:
    return merge([SearchResult("sslmate", DOMAIN, Verdict.FOUND, issuances, NOW)])


def local(tmp_path: Path, *octets: bytes) -> Local:
    for number, one in enumerate(octets):
        (tmp_path / f"{number}.pem").write_bytes(one)
    return read_local([tmp_path], pytest.fail)


def states(items: tuple[Item, ...]) -> dict[str, State]:
    return {item.issuance.tbs_sha256: item.state for item in items}


def one(sightings: Sightings, expected: Expected, at: datetime = NOW) -> Item:
    (item,) = judge(sightings, [DOMAIN], expected, at)
    return item


PINNED = Pins(frozenset({key_of(CA)}), (certificate(CA.certificate),))


def test_known_by_certificate_or_key(tmp_path: Path) -> None:
    """The certificate itself, its precertificate alone, a renewal with the same key before it was deployed: all fine."""
    here = local(tmp_path, SITE.credential.chain_pem)
    again = renew(SITE, logs=[LOG], key=SITE.credential.key)
    items = judge(sighted(seen(SITE), seen(SITE, precert=True), seen(again, precert=True)), [DOMAIN], Expected(here, PINNED), NOW)
    assert states(items) == {SITE.tbs_sha256: State.KNOWN, again.tbs_sha256: State.KNOWN_KEY}
    assert {item.status for item in items} == {Status.OK}
    assert {item.reason for item in items} == {f"it is in {tmp_path}/0.pem", f"its key is in {tmp_path}/0.pem"}


def test_no_unknown_one_hides_another(tmp_path: Path) -> None:
    """Five unknown issuances, two known: five to look at, those that need a person first."""
    here = local(tmp_path, SITE.credential.chain_pem)
    others = [issue(CA, f"{number}.watched.com", logs=[LOG]) for number in range(5)]
    items = judge(sighted(*map(seen, [SITE, *others])), [DOMAIN], Expected(here, PINNED), NOW)
    assert [item.state for item in items] == [State.UNKNOWN] * 5 + [State.KNOWN]
    assert {item.status for item in items[:5]} == {Status.CRITICAL}


def test_an_unknown_one_is_a_warning_at_first() -> None:
    """Issuance precedes deployment: critical only after the grace, by when it was logged, or else made."""
    expected = Expected(grace=timedelta(hours=24))
    fresh = seen(SITE, first_seen=NOW - timedelta(hours=23))
    item = one(sighted(fresh), expected)
    assert (item.state, item.status) == (State.UNKNOWN, Status.WARNING)
    assert "from 2026-11-20 13:00 UTC on critical" in item.reason
    assert one(sighted(fresh), expected, NOW + timedelta(hours=2)).status is Status.CRITICAL
    new = issue(CA, "new.watched.com", logs=[LOG], not_before=NOW - timedelta(hours=1))
    assert one(sighted(seen(new)), expected).status is Status.WARNING


def test_another_ca(tmp_path: Path) -> None:
    """Signed by a key that is not pinned: critical, also when somebody has put the certificate into the folder."""
    rogue = issue(OTHER, "www.watched.com", logs=[LOG])
    here = local(tmp_path, SITE.credential.chain_pem, rogue.credential.chain_pem)
    items = judge(sighted(seen(SITE), seen(rogue)), [DOMAIN], Expected(here, PINNED), NOW)
    assert states(items) == {SITE.tbs_sha256: State.KNOWN, rogue.tbs_sha256: State.WRONG_ISSUER}
    assert (items[0].status, items[0].issuer_key) == (Status.CRITICAL, key_of(OTHER))
    assert f"signed by the key {key_of(OTHER)} of a CA that is not among --issuer" in items[0].reason


def test_another_ca_that_nobody_here_has(tmp_path: Path) -> None:
    """No certificate of that CA is at hand: the signature is by none of the pinned keys, and that decides it."""
    rogue = seen(issue(OTHER, "www.watched.com", logs=[LOG]))
    here = local(tmp_path, SITE.credential.chain_pem)
    assert one(sighted(rogue), Expected(here, PINNED)).state is State.WRONG_ISSUER
    lied = replace(rogue, issuer_spki_sha256=key_of(CA))
    item = one(sighted(lied), Expected(here, PINNED))
    assert (item.state, item.reason) == (State.WRONG_ISSUER, "its signature is by none of the keys of --issuer")
    assert one(sighted(rogue), Expected(here)).state is State.UNKNOWN  # without --issuer any CA may


def test_a_pinned_root(tmp_path: Path) -> None:
    """A CA above the issuer counts where the certificates between them are at hand; where they are not, it is not decided."""
    here = local(tmp_path, SITE.credential.chain_pem)
    pins = Pins(frozenset({key_of(ROOT)}), (certificate(ROOT.certificate),))
    assert one(sighted(seen(SITE)), Expected(here, pins)).state is State.KNOWN
    changed = issue(ROOT.intermediate("Next Issuer"), "www.watched.com", logs=[LOG])
    rogue = seen(issue(OTHER, "www.watched.com", logs=[LOG]))
    for found in (seen(changed), rogue, replace(rogue, issuer_spki_sha256=key_of(OTHER)), replace(rogue, der=None)):
        item = one(sighted(found), Expected(here, pins))
        assert (item.state, item.status) == (State.ISSUER_UNDECIDED, Status.UNKNOWN)
        assert "put the certificate of its CA into one of the paths" in item.reason
    (tmp_path / "new").mkdir()
    here = local(tmp_path / "new", changed.credential.chain_pem, pem([OTHER.certificate, STRANGER.certificate]))
    assert one(sighted(seen(changed)), Expected(here, pins)).state is State.KNOWN
    assert one(sighted(rogue), Expected(here, pins)).state is State.WRONG_ISSUER


def test_a_digest_alone(tmp_path: Path) -> None:
    """With sha256:HEX the key of the issuer comes from a chain at hand, or from the source; from nowhere: not decided."""
    pins, found = Pins(frozenset({key_of(CA)})), seen(issue(CA, "b.watched.com", logs=[LOG]))
    here = local(tmp_path, SITE.credential.chain_pem)
    assert one(sighted(found), Expected(here, pins)).state is State.UNKNOWN
    item = one(sighted(found), Expected(Local(), pins))
    assert (item.state, item.status) == (State.ISSUER_UNDECIDED, Status.UNKNOWN)
    assert "name it with --issuer if it may issue" in item.reason
    assert one(sighted(replace(found, issuer_spki_sha256=key_of(CA))), Expected(Local(), pins)).state is State.UNKNOWN
    assert one(sighted(replace(found, issuer_spki_sha256=key_of(OTHER))), Expected(Local(), pins)).state is State.WRONG_ISSUER


def test_a_serial_number_used_twice(tmp_path: Path) -> None:
    """Two issuances of CT, or one of CT and one that only lies here: critical, whatever else is known."""
    twin = serial_twin(SITE, logs=[LOG])
    here = local(tmp_path, SITE.credential.chain_pem, twin.credential.key_pem)
    items = judge(sighted(seen(SITE), seen(twin)), [DOMAIN], Expected(here, PINNED), NOW)
    assert states(items) == dict.fromkeys([SITE.tbs_sha256, twin.tbs_sha256], State.SERIAL_CONFLICT)
    item = one(sighted(seen(twin)), Expected(here, PINNED))
    assert (item.state, item.status) == (State.SERIAL_CONFLICT, Status.CRITICAL)
    assert f"also for TBS {SITE.tbs_sha256}" in item.reason
    assert "a CA with the same key" in item.reason
    mine = next(item for item in items if item.issuance.tbs_sha256 == SITE.tbs_sha256)
    assert mine.reason.endswith(f"; it is in {tmp_path}/0.pem")


def test_one_issuance_in_two_forms_is_no_conflict(tmp_path: Path) -> None:
    """Precertificate in CT, certificate here; a renewal; the same serial number of another CA: nothing."""
    here = local(tmp_path, SITE.credential.chain_pem)
    item = one(sighted(seen(SITE, precert=True)), Expected(here, PINNED))
    assert (item.state, item.faults) == (State.KNOWN, frozenset())
    renewed = renew(SITE, logs=[LOG])
    assert one(sighted(seen(renewed)), Expected(here, PINNED)).faults == frozenset()


def decide(issued: Issued, kind: Kind = Kind.ACCEPT, days: int = 5, **changed: Any) -> Decision:
    return Decision(issued.tbs_sha256, kind, NOW + timedelta(days=days), "ours, by Anna", "review.toml", **changed)


def test_accepted_until_an_end() -> None:
    """A decision counts until its end, and is remembered in words after it; that of another issuance does not."""
    found = sighted(seen(SITE))
    item = one(found, Expected(decisions=[decide(SITE)]))
    assert (item.state, item.status) == (State.ACCEPTED, Status.OK)
    assert item.reason == "accepted until 2026-11-25 12:00 UTC (ours, by Anna) in review.toml"
    late = one(found, Expected(decisions=[decide(SITE)]), NOW + timedelta(days=6))
    assert (late.state, late.status) == (State.UNKNOWN, Status.CRITICAL)
    assert "it was accepted until 2026-11-25 12:00 UTC (ours, by Anna) in review.toml, which is over" in late.reason
    other = replace(decide(SITE), tbs_sha256="ab" * 32)
    assert one(found, Expected(decisions=[other])).state is State.UNKNOWN


def test_alarms_are_never_accepted() -> None:
    """Neither another CA nor a serial number used twice; an acknowledgement counts for the alarms it was given for only."""
    rogue = issue(OTHER, "www.watched.com", logs=[LOG])
    twin = serial_twin(rogue, logs=[LOG])
    alone, both = sighted(seen(rogue)), sighted(seen(rogue), seen(twin))
    item = one(alone, Expected(pins=PINNED, decisions=[decide(rogue)]))
    assert (item.state, item.status) == (State.WRONG_ISSUER, Status.CRITICAL)
    assert "can only be acknowledged, with --interactive" in item.reason
    known = decide(rogue, Kind.ACKNOWLEDGE, faults=frozenset({State.WRONG_ISSUER}))
    item = one(alone, Expected(pins=PINNED, decisions=[known]))
    assert (item.state, item.status) == (State.ACKNOWLEDGED, Status.OK)
    assert item.reason.startswith("acknowledged until 2026-11-25 12:00 UTC (ours, by Anna)")
    assert one(alone, Expected(pins=PINNED, decisions=[known]), NOW + timedelta(days=6)).state is State.WRONG_ISSUER
    items = judge(both, [DOMAIN], Expected(pins=PINNED, decisions=[known]), NOW)
    assert {item.status for item in items} == {Status.CRITICAL}
    assert one(sighted(seen(SITE)), Expected(decisions=[decide(SITE, Kind.ACKNOWLEDGE)])).state is State.UNKNOWN


def test_rejected_stays_an_alarm(tmp_path: Path) -> None:
    """What a person has rejected is critical, also when it is in the folder or accepted elsewhere."""
    here = local(tmp_path, SITE.credential.chain_pem)
    item = one(sighted(seen(SITE)), Expected(here, PINNED, decisions=[decide(SITE), decide(SITE, Kind.REJECT)]))
    assert (item.state, item.status) == (State.REJECTED, Status.CRITICAL)


def test_what_was_known_stays_known() -> None:
    """ACME clients overwrite files: an issuance that was here in an earlier run is still ours."""
    expected = Expected(pins=PINNED, remembered={SITE.tbs_sha256: "it is in /etc/x.pem, on 2026-10-01"})
    item = one(sighted(seen(SITE)), expected)
    assert (item.state, item.reason) == (State.KNOWN, "it is in /etc/x.pem, on 2026-10-01")
    assert one(sighted(seen(renew(SITE, logs=[LOG]))), expected).state is State.UNKNOWN


def test_what_ended_long_ago_is_counted_only() -> None:
    """A month after its end nobody is asked about an issuance; before, it is judged as any other."""
    rogue = issue(OTHER, "www.watched.com", logs=[LOG], not_before=NOW - timedelta(days=90), not_after=NOW - timedelta(days=29))
    old = issue(OTHER, "www.watched.com", logs=[LOG], not_before=NOW - timedelta(days=90), not_after=NOW - timedelta(days=31))
    items = judge(sighted(seen(rogue), seen(old)), [DOMAIN], Expected(pins=PINNED), NOW)
    assert states(items) == {rogue.tbs_sha256: State.WRONG_ISSUER, old.tbs_sha256: State.ENDED}
    assert items[1].status is Status.OK


def test_files_that_are_missing(tmp_path: Path) -> None:
    """When a named path could not be read, nobody can say that an issuance is unknown: it is not decided."""
    (tmp_path / "good.pem").write_bytes(pem([SITE.certificate]))
    partial = read_local([tmp_path / "good.pem", tmp_path / "none.pem"], lambda _: None)
    item = one(sighted(seen(issue(CA, "b.watched.com", logs=[LOG]))), Expected(partial, PINNED))
    assert (item.state, item.status) == (State.UNKNOWN, Status.UNKNOWN)
    assert "none.pem" in item.reason


@pytest.mark.parametrize(("names", "meant", "fits"), [
    (("www.watched.com",), "watched.com", True), (("watched.com",), "www.watched.com", False),
    (("*.watched.com",), "www.watched.com", True), (("*.watched.com",), "a.www.watched.com", False),
    (("www.watched.com\0.evil.example",), "watched.com", True), (("xwatched.com",), "watched.com", False),
    (("a.www.watched.com",), "www.watched.com", True), ((), "watched.com", False),
])
def test_which_issuances_are_meant(names: tuple[str, ...], meant: str, fits: bool) -> None:
    """The name itself, all below it, and wildcards that cover it."""
    assert concerned(seen(SITE, names=names), [DnsName(meant)]) is fits
