"""Rotation of short-lived certificates: overdue ones are told long before they end, first at low urgency; healthy ones never."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from servers.judging import NOW, deployment, diagnosis, observed, ref, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.checks.rotation import Rota
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

WHERE = target()
DAY = timedelta(days=1)
MONTHLY = Rotation(30 * DAY, 10 * DAY, 1 * DAY, 4 * DAY)
WEEKLY = Rotation(7 * DAY, 1 * DAY, 1 * DAY)
OWN = ("DCS106", "DCS107")


def judged(found: Any, *rotations: Rotation) -> Iterator[Finding]:
    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        return found

    judge = Judge(CheckPolicy(rotations=rotations), (TrustStore("public", ()),), (), NOW, examine=examine)
    return (one for one in judge.endpoint(observed(WHERE, deployment())) if one.rule.code in OWN)


def told(age: float, lifetime: float, *rotations: Rotation, **more: Any) -> list[tuple[str, str]]:
    """Rule and severity for a certificate of that age and lifetime, in days."""
    leaf = ref(start=-age * DAY, end=(lifetime - age) * DAY, **more)
    return [(one.rule.slug, str(one.severity)) for one in judged(diagnosis(leaf=leaf), *rotations)]


@pytest.mark.parametrize(
    ("age", "rotation", "severity"),
    [
        (0, MONTHLY, ""), (9.9, MONTHLY, ""), (11, MONTHLY, ""), (11.01, MONTHLY, "warning"), (25, MONTHLY, "warning"),
        (26, MONTHLY, "warning"), (26.01, MONTHLY, "error"), (29.9, MONTHLY, "error"),
        (2, WEEKLY, ""), (2.1, WEEKLY, "warning"), (6.9, WEEKLY, "warning"),
    ],
)
def test_overdue(age: float, rotation: Rotation, severity: str) -> None:
    """A warning from the last healthy moment on; an error when less is left than nobody may be there for."""
    lifetime = rotation.validity / DAY
    assert told(age, lifetime, rotation) == ([("rotation-overdue", severity)] if severity else [])


@pytest.mark.parametrize(
    ("lifetime", "slugs"),
    [
        (30, []), (31, []), (29, []), (30.05, []), (31.1, ["validity-unexpected"]), (28.9, ["validity-unexpected"]),
        (730, ["validity-unexpected"]), (6, ["validity-unexpected"]),
    ],
)
def test_issued_for_another_time(lifetime: float, slugs: list[str]) -> None:
    """Longer or shorter than the CA is meant to issue, by more than the slack; its days left are no second finding."""
    assert [slug for slug, _ in told(1, lifetime, MONTHLY)] == slugs


def test_no_slack_is_meant_to_the_second() -> None:
    """CAs date back by minutes, or end a second early: that is no other validity."""
    exact = Rotation(30 * DAY, 10 * DAY, 0 * DAY)
    for seconds, slugs in ((0, []), (-1, []), (60, []), (3600, []), (4000, ["validity-unexpected"])):
        assert [slug for slug, _ in told(1, 30 + seconds / 86400, exact)] == slugs


def test_a_shorter_one_is_overdue_by_its_age() -> None:
    """A certificate of 20 days instead of 30 is overdue after eleven days, too, though fewer are left from the beginning."""
    assert [slug for slug, _ in told(10.9, 20, MONTHLY)] == ["validity-unexpected"]
    assert sorted(slug for slug, _ in told(11.1, 20, MONTHLY)) == ["rotation-overdue", "validity-unexpected"]


@pytest.mark.parametrize("lifetime", [30, 29.5, 29, 28.9, 20])
def test_the_slack_is_for_short_ones_too(lifetime: float) -> None:
    """Issued for a day less or for ten: none is overdue before the rotation and the slack are over, all are after that."""
    for age, overdue in ((10.01, False), (10.5, False), (11, False), (11.01, True)):
        assert ("rotation-overdue" in [slug for slug, _ in told(age, lifetime, MONTHLY)]) is overdue


def test_certificates_for_an_hour() -> None:
    """What is short for a certificate of 30 days is not for one of an hour; nor is one of five minutes overdue when issued."""
    hour = DAY / 24
    hourly = Rotation(hour, hour / 4, timedelta(0))
    minute = 1 / 24 / 60
    for lifetime, slugs in ((60, []), (62, []), (119, ["validity-unexpected"]), (5, ["validity-unexpected"])):
        assert [slug for slug, _ in told(minute, lifetime * minute, hourly)] == slugs
    assert [slug for slug, _ in told(16 * minute, 60 * minute, hourly)] == ["rotation-overdue"]


def zones(*names: str) -> list[DnsName]:
    return [DnsName(name) for name in names]


def noted(rota: Rota, issuer: str, *names: str) -> None:
    """One certificate was seen."""
    list(rota.look(diagnosis(leaf=ref(issuer=issuer)), zones(*names), NOW))


def test_tables_that_nothing_meets() -> None:
    """Each is named, with the issuers there are where it is about; one that met something, or is met by another too, is not."""
    met, over = Rotation(90 * DAY, 60 * DAY, zone="example.com"), Rotation(90 * DAY, 60 * DAY)
    slip = Rotation(90 * DAY, 60 * DAY, issuer="Isuer")
    there = Rotation(90 * DAY, 60 * DAY, issuer="Oth", zone="example.com")
    empty = Rotation(90 * DAY, 60 * DAY, zone="example.net")
    rota = Rota(CheckPolicy(rotations=(slip, met, over, there, empty)))
    assert list(rota.idle()) == []
    noted(rota, "CN=Issuer", "example.com")
    noted(rota, "CN=Other\x1b", "example.org")
    assert list(rota.idle()) == [
        '[[checks.rotation]] with issuer = "Isuer" matches no certificate; issuers there are: "CN=Issuer", "CN=Other\\x1b"',
        '[[checks.rotation]] with zone = "example.com" and issuer = "Oth" matches no certificate; issuers there are: "CN=Issuer"',
        '[[checks.rotation]] with zone = "example.net" matches no certificate; none was seen there',
    ]
    for number in range(2000):
        noted(rota, f"CN=Issuer {number}", "example.com")
    assert 'and 995 more' in next(rota.idle())
    noted(rota, "CN=Isuer", "example.com")
    assert len(list(rota.idle())) == 2


def test_tables_for_zones_that_are_not_there() -> None:
    """They are told before anything is asked, and once; zones above what there is are meant."""
    slip, above = Rotation(90 * DAY, 60 * DAY, zone="exmaple.com"), Rotation(90 * DAY, 60 * DAY, zone="Com.")
    rota = Rota(CheckPolicy(rotations=(slip, above)))
    (line,) = rota.nowhere(zones("example.com", "b.example.com"))
    assert line == (
        '[[checks.rotation]] with zone = "exmaple.com" is about no zone of this run (example.com, b.example.com); write one of'
        " these, or one above them"
    )
    noted(rota, "CN=Issuer", "example.com")
    assert list(rota.idle()) == []


def test_certificates_that_are_not_in_force() -> None:
    """What has ended or not begun is told by other rules."""
    assert told(30.01, 30, MONTHLY) == []
    assert told(-1, 30, MONTHLY) == []


def test_only_where_it_is_expected() -> None:
    """Without a setting for the issuer or the zone nothing is said, however old it is; and the issuers are never meant."""
    old = {"age": 25.0, "lifetime": 30.0}
    assert told(old["age"], old["lifetime"]) == []
    assert told(25, 30, Rotation(30 * DAY, 10 * DAY, issuer="Another CA")) == []
    assert told(25, 30, Rotation(30 * DAY, 10 * DAY, zone="example.org")) == []
    assert len(told(25, 30, Rotation(30 * DAY, 10 * DAY, zone="example.com"))) == 1
    assert len(told(25, 30, Rotation(30 * DAY, 10 * DAY, issuer="o=example trust"))) == 1
    leaf = ref(start=-DAY, end=29 * DAY)
    issuer = ref("CN=Issuing", position=1, start=-1000 * DAY, end=500 * DAY)
    assert list(judged(diagnosis(leaf=leaf, path=(leaf, issuer)), MONTHLY)) == []


def test_the_message() -> None:
    """It says what was to happen until when, and nothing that changes from day to day: the finding stays the same one."""
    leaf = ref(start=-12 * DAY, end=18 * DAY)
    (finding,) = judged(diagnosis(leaf=leaf), MONTHLY)
    assert finding.message == (
        'certificate "CN=www.example.com" not rotated: it was to be replaced by 2026-05-31T12:00:00+00:00'
        " (it is rotated every 10 days, at most 1 day late) and ends at 2026-06-19T12:00:00+00:00"
    )
    assert (finding.certificate, finding.rule.severity) == (leaf, Severity.WARNING)
    (finding,) = judged(diagnosis(leaf=ref(start=-27 * DAY, end=3 * DAY)), MONTHLY)
    assert finding.message.endswith("; nobody may be there for 4 days, which is more than it has left")
    (finding,) = judged(diagnosis(leaf=ref(start=-DAY, end=364 * DAY)), MONTHLY)
    assert finding.message == (
        'certificate "CN=www.example.com" is valid for 365 days, expected are 30 days (give or take 1 day)'
    )


def test_beside_other_faults_and_with_a_hostile_name() -> None:
    """A chain nobody trusts is rotated, too; what stands in a name does nothing to a terminal."""
    leaf = ref("CN=\x1b[31m\u202e", start=-12 * DAY, end=18 * DAY)
    found = diagnosis(Fault("self-signed-leaf", "self signed certificate", leaf), leaf=leaf, path=())
    (finding,) = judged(found, MONTHLY)
    assert "\x1b" not in finding.message
    assert "\u202e" not in finding.message


def test_a_certificate_without_dates() -> None:
    """Nothing can be said of it here."""
    leaf = ref()
    undated = type(leaf)(0, leaf.sha256, leaf.subject, leaf.issuer, leaf.serial)
    assert list(judged(diagnosis(leaf=undated), MONTHLY)) == []
