"""Thresholds and trust modes: the arithmetic, and which override wins."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.checks.policy import DEFAULT_EXPIRING, CheckPolicy, ExpiringOverride, Threshold, TrustMode, TrustOverride
from dnscertscan.model.names import DnsName

ZONE = (DnsName("example.com"),)
R11 = "CN=R11,O=Let's Encrypt,C=US"


@pytest.mark.parametrize(
    ("threshold", "lifetime", "expected"),
    [
        (DEFAULT_EXPIRING, 90, 22.5), (DEFAULT_EXPIRING, 398, 30), (DEFAULT_EXPIRING, 6, 1.5), (DEFAULT_EXPIRING, 3650, 30),
        (Threshold(days=14), 90, 14), (Threshold(days=14), 6, 14),
        (Threshold(percent=10), 90, 9), (Threshold(percent=10), 6, 0.6),
        (Threshold(days=5, percent=50), 90, 5), (Threshold(days=5, percent=50), 6, 3), (Threshold(days=0), 90, 0),
    ],
)
def test_margin(threshold, lifetime, expected) -> None:
    """Days count as they are, per cent of the lifetime, and the smaller when both are given."""
    assert threshold.margin(timedelta(days=lifetime)) == timedelta(days=expected)


@given(st.floats(min_value=0.01, max_value=40000))
def test_acme_renewal_at_a_third_is_never_in_the_default_margin(days) -> None:
    """Whatever the lifetime, a client that renews with a third left never sees a warning."""
    assert DEFAULT_EXPIRING.margin(timedelta(days=days)) < timedelta(days=days) / 3


@pytest.mark.parametrize("wrong", [{}, {"days": -1}, {"percent": 101}, {"percent": float("nan")}, {"days": 1e9}])
def test_impossible_thresholds_are_refused(wrong) -> None:
    """A threshold that cannot be meant is an error where it is made."""
    with pytest.raises(ValueError, match="threshold"):
        Threshold(**wrong)


def _override(days: int, **place: str) -> ExpiringOverride:
    return ExpiringOverride(Threshold(days=days), **place)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), 30),
        ((_override(1, zone="example.com"),), 1),
        ((_override(1, zone="Example.COM."),), 1),
        ((_override(1, zone="example.org"),), 30),
        ((_override(1, zone="com"), _override(2, zone="example.com")), 2),
        ((_override(1, zone="mple.com"),), 30),
        ((_override(1, issuer="let's encrypt"), _override(2, zone="example.com")), 1),
        ((_override(1, issuer="Let's Encrypt"), _override(2, issuer=R11)), 2),
        ((_override(1, issuer=R11), _override(2, issuer=R11, zone="example.com")), 2),
        ((_override(1, issuer="DigiCert"),), 30),
        ((_override(1, issuer=R11, zone="example.org"),), 30),
        ((_override(1), _override(2, zone="com")), 2),
    ],
)
def test_the_most_specific_override_wins(overrides, expected) -> None:
    """Issuer before zone, the longer text before the shorter, in whatever order they are written."""
    for order in (overrides, overrides[::-1]):
        policy = CheckPolicy(expiring=Threshold(days=30), expiring_overrides=order)
        assert policy.threshold(ZONE, R11) == Threshold(days=expected)


def test_no_word_means_a_quarter_and_thirty_days() -> None:
    """The default of the policy is the documented one."""
    assert CheckPolicy().threshold(ZONE, R11) == Threshold(days=30, percent=25)


@pytest.mark.parametrize(
    ("policy", "bundle", "expected"),
    [
        (CheckPolicy(), False, TrustMode.PUBLIC),
        (CheckPolicy(), True, TrustMode.PRIVATE),
        (CheckPolicy(trust=TrustMode.EITHER), True, TrustMode.EITHER),
        (CheckPolicy(trust_overrides=(TrustOverride("example.com", TrustMode.PRIVATE),)), True, TrustMode.PRIVATE),
        (CheckPolicy(trust_overrides=(TrustOverride("corp.example", TrustMode.PRIVATE),)), True, TrustMode.PUBLIC),
        (
            CheckPolicy(
                trust_overrides=(TrustOverride("com", TrustMode.PRIVATE), TrustOverride("example.com.", TrustMode.EITHER)),
            ),
            True, TrustMode.EITHER,
        ),
    ],
)
def test_trust_mode_of_a_zone(policy, bundle, expected) -> None:
    """A bundle alone replaces the public stores; a bundle meant for some zones leaves the others alone."""
    assert policy.trust_for(ZONE, private_bundle=bundle) is expected
