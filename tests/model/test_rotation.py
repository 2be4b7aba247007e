"""What healthy rotation leaves: the arithmetic, the most specific setting, and settings that cannot be meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.meant import Meant
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


TIMES = st.floats(0.001, 4000).map(lambda number: timedelta(days=number))
START = datetime(2026, 6, 1, tzinfo=UTC)


@given(st.floats(0.01, 3650), st.floats(0.01, 0.9), st.floats(0, 0.09), TIMES, TIMES)
def test_when_it_has_to_be_replaced(validity: float, share: float, late: float, one: timedelta, other: timedelta) -> None:
    """Never before the rotation and the slack are over, at that very time unless it was issued for longer; no jump anywhere."""
    setting = rotation(validity, validity * share, validity * late)
    healthy = START + setting.rotation + setting.slack
    shorter, longer = sorted((one, other))
    due = [setting.due(START, START + lifetime) for lifetime in (shorter, longer)]
    assert healthy <= due[0] <= due[1] <= due[0] + (longer - shorter)
    assert due[0] == healthy or shorter > setting.validity
    assert setting.due(START, START + setting.validity) == healthy


@given(TIMES, st.floats(0, 0.09))
def test_how_long_it_may_be_issued_for(validity: timedelta, late: float) -> None:
    """By the slack longer or shorter, or by an hour; where an hour is much, by less."""
    setting = Rotation(validity, validity / 2, validity * late)
    assert setting.slack <= setting.tolerance <= max(setting.slack, timedelta(hours=1), validity / 24)
    assert setting.tolerance <= max(setting.slack, validity / 24)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Acme, Inc. Internal CA", True), (r"Acme\, Inc. Internal CA", True), ("acme, inc", True), ("CN=Acme, Inc.", True),
        ('"Best" + more', True), ("#1", True), (r"back\slash", True), ("Acme; Inc", False), ("Acme,Inc", False),
    ],
)
def test_an_issuer_with_characters_that_are_escaped(wanted: str, found: bool) -> None:
    """It may be written as the certificate has it, too, and not only as the report shows it."""
    name = r'CN=Acme\, Inc. Internal CA,OU=\"Best\" \+ more,OU=\#1,O=back\\slash\00'
    assert Meant(issuer=wanted).applies(ZONE, name) is found


def test_days_in_words() -> None:
    """As people write them."""
    assert [days(timedelta(hours=hours)) for hours in (24, 36, 1, 0, 24 * 365)] == [
        "1 day", "1.5 days", "0.04 days", "0 days", "365 days",
    ]
