"""Certificates that end soon: the arithmetic of the default, the issuers above, the operator's own thresholds."""

from datetime import timedelta

import pytest
from servers.judging import NOW, deployment, diagnosis, observed, ref, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, Threshold
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

WHERE = target()


def judge(found, policy=None):
    """A judge for whom every chain has the diagnosis ``found``."""

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        return found

    return Judge(policy or CheckPolicy(), (TrustStore("public", ()),), (), NOW, examine=examine)


def slugs(findings):
    return [finding.rule.slug for finding in findings]


@pytest.mark.parametrize(
    ("lifetime", "left", "warns"),
    [(90, 30, False), (90, 22.5, True), (90, 22.6, False), (398, 30, True), (398, 31, False), (6, 1.5, True), (6, 2, False),
     (90, 0, True)],
)
def test_expiring_by_default(lifetime, left, warns) -> None:
    """A quarter of the lifetime and at most 30 days, also for certificates that live six days."""
    leaf = ref(start=timedelta(days=left - lifetime), end=timedelta(days=left))
    findings = judge(diagnosis(leaf=leaf)).endpoint(observed(WHERE, deployment()))
    assert slugs(findings) == (["cert-expiring"] if warns else [])
    if warns:
        assert findings[0].message == f'certificate "CN=www.example.com" expiring at {(NOW + timedelta(days=left)).isoformat()}'


@pytest.mark.parametrize("day", [-1, 0])
def test_an_expired_certificate_is_not_expiring(day) -> None:
    """It ends once: what has ended is reported by another rule."""
    leaf = ref(end=timedelta(days=day, seconds=-1))
    assert judge(diagnosis(leaf=leaf)).endpoint(observed(WHERE, deployment())) == ()


def test_expiring_is_reported_beside_errors() -> None:
    """An untrusted certificate that also ends tomorrow has two problems, even when no path was found."""
    leaf = ref(end=timedelta(days=1))
    found = diagnosis(Fault("self-signed-leaf", "self signed certificate", leaf), leaf=leaf, path=())
    assert slugs(judge(found).endpoint(observed(WHERE, deployment()))) == ["cert-expiring", "self-signed-leaf"]


@pytest.mark.parametrize(
    ("position", "is_last", "end", "warns"),
    [(1, False, 20, True), (1, False, 40, False), (1, False, 70, False), (None, True, 20, True), (None, False, 20, False)],
)
def test_an_issuer_that_ends_before_the_leaf(position, is_last, end, warns) -> None:
    """It takes the leaf with it; one that ends later is of no interest, nor one that neither the server nor the store has."""
    leaf = ref(start=timedelta(days=-5), end=timedelta(days=60))
    issuer = ref("CN=Issuing", position=position, start=timedelta(days=-1000), end=timedelta(days=end))
    root = ref("CN=Root", position=None, start=timedelta(days=-1000), end=timedelta(days=4000))
    findings = judge(diagnosis(leaf=leaf, path=(leaf, issuer) if is_last else (leaf, issuer, root))).endpoint(
        observed(WHERE, deployment())
    )
    assert slugs(findings) == (["cert-expiring"] if warns else [])
    assert all(finding.certificate == issuer and "before the server certificate" in finding.message for finding in findings)


def test_expiring_follows_the_policy() -> None:
    """Days and per cent from the operator replace the default."""
    leaf = ref(start=timedelta(days=-40), end=timedelta(days=50))
    for threshold, warns in ((Threshold(days=60), True), (Threshold(days=10), False), (Threshold(percent=60), True)):
        policy = CheckPolicy(expiring=threshold)
        assert bool(judge(diagnosis(leaf=leaf), policy=policy).endpoint(observed(WHERE, deployment()))) is warns


def test_the_last_second_is_neither_lost_nor_counted_twice() -> None:
    """A certificate that ends this very second is expiring until the second is over, whatever the fraction of the clock."""
    leaf = ref(end=timedelta(0))
    for fraction, expected in ((0, ["cert-expiring"]), (999_999, ["cert-expiring"]), (1_000_000, [])):
        at = NOW + timedelta(microseconds=fraction)

        def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
            return diagnosis(leaf=leaf)

        late = Judge(CheckPolicy(), (TrustStore("public", ()),), (), at, examine=examine)
        assert slugs(late.endpoint(observed(WHERE, deployment()))) == expected
