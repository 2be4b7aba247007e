"""The cap on the validity of public certificates: days that count both ends, by the day of notBefore."""

from datetime import UTC, datetime, timedelta

import pytest

from dnscertscan.pki.validity_caps import cap_of, over_cap

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "cap"),
    [
        ("2018-02-28", None), ("2018-03-01", 825), ("2020-08-31", 825), ("2020-09-01", 398), ("2026-03-14", 398),
        ("2026-03-15", 200), ("2027-03-14", 200), ("2027-03-15", 100), ("2029-03-14", 100), ("2029-03-15", 47),
        ("2040-01-01", 47),
    ],
)
def test_the_cap_of_the_day(start: str, cap: int | None) -> None:
    """It is that of notBefore; a validity of just as many days is not over it, one of a second more is a day more."""
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = cap_of(begins)
    assert (found[0] if found else None) == cap
    if cap is None:
        assert over_cap(begins, begins + 10_000 * DAY) is None
        return
    assert over_cap(begins, begins + cap * DAY - SECOND) is None
    over = over_cap(begins, begins + cap * DAY)
    assert over is not None
    assert (over.days, over.cap) == (cap + 1, cap)
    assert over.text.startswith(f"valid for {cap + 1} days, at most {cap} are allowed from ")


def test_the_last_moment_of_the_old_cap() -> None:
    """One second before midnight the old one counts."""
    begins = datetime(2026, 3, 15, tzinfo=UTC) - SECOND
    assert over_cap(begins, begins + 398 * DAY - SECOND) is None
    assert over_cap(begins + SECOND, begins + 398 * DAY) is not None


def test_without_dates_there_is_nothing_to_say() -> None:
    """And none for a validity that ends before it begins."""
    begins = datetime(2026, 5, 1, tzinfo=UTC)
    assert over_cap(None, begins) is None
    assert over_cap(begins, None) is None
    assert over_cap(begins, begins - DAY) is None
