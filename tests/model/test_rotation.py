"""What healthy rotation leaves: the arithmetic, the most specific setting, and settings that cannot be meant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation, days, expected_days, rotation_of

ZONE = (DnsName("db.internal.example.com"),)
CA = "CN=Internal CA 7,O=Example"


def rotation(validity: float, every: float, slack: float = 1, closed: float = 0, **place: str) -> Rotation:
    return Rotation(*(timedelta(days=number) for number in (validity, every, slack, closed)), **place)


@pytest.mark.parametrize(
    ("given_days", "left"),
    [((7, 1), (5, 8)), ((30, 10), (19, 31)), ((90, 45, 5), (40, 95)), ((1, 0.25, 0.25), (0.5, 1.25)), ((7, 1, 0), (6, 7))],
)
def test_what_is_left(given_days: tuple[float, ...], left: tuple[float, float]) -> None:
    """Between the last moment of a late replacement and the moment of the issue, dated back by the slack at most."""
    assert expected_days([rotation(*given_days)], ZONE, CA) == left


def test_nothing_is_expected_of_others() -> None:
    """Without a setting for the CA or the zone there is no range."""
    settings = [rotation(30, 10, issuer="Other CA"), rotation(30, 10, zone="example.org")]
    assert expected_days(settings, ZONE, CA) is None
    assert expected_days([], ZONE, CA) is None


def test_the_most_specific_setting() -> None:
    """Issuer before zone, a longer text before a shorter, anything before the setting for everything."""
    everything, zone, below, issuer, both = (
        rotation(90, 30), rotation(80, 30, zone="example.com"), rotation(70, 30, zone="internal.example.com"),
        rotation(60, 30, issuer="internal ca"), rotation(50, 30, issuer="internal ca", zone="Internal.Example.COM."),
    )
    settings = [everything, zone, below, issuer, both]
    for wanted in (both, issuer, below, zone, everything):
        assert rotation_of(settings, ZONE, CA) is wanted
        settings.remove(wanted)


@pytest.mark.parametrize("wrong", [(0, 0), (30, 0), (30, 10, -1), (30, 10, 1, -1), (7, 7), (7, 6, 1), (30, 40)])
def test_times_that_leave_nothing(wrong: tuple[float, ...]) -> None:
    """Refused where they are made."""
    with pytest.raises(ValueError, match="validity"):
        rotation(*wrong)


def test_the_longest_time_nobody_is_there_is_the_bound() -> None:
    """With 5 days left a failure is seen; that is enough for a closed office of 5 days, and not of 6."""
    assert rotation(7, 1, 1, 5).closed == timedelta(days=5)
    with pytest.raises(ValueError, match=r"seen with 5 days left .* for 6 days; rotate earlier"):
        rotation(7, 1, 1, 6)


@given(st.floats(1, 3650), st.floats(0.01, 0.9), st.floats(0, 0.09))
def test_healthy_certificates_are_always_within(validity: float, share: float, late: float) -> None:
    """At any age up to the rotation and the slack the days left are in the range."""
    every, slack = validity * share, validity * late
    fewest, most = expected_days([rotation(validity, every, slack)], ZONE, CA) or (0, 0)
    for age in (0, every / 2, every, every + slack * 0.99):
        assert fewest - 1e-6 <= validity - age <= most + 1e-6


def test_days_in_words() -> None:
    """As people write them."""
    assert [days(timedelta(hours=hours)) for hours in (24, 36, 1, 0, 24 * 365)] == [
        "1 day", "1.5 days", "0.04 days", "0 days", "365 days",
    ]
