"""Caps on the lifetime of public certificates by the day of issue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pki import forge

from dnscertscan import diagnose

SECOND = timedelta(seconds=1)


def _problems(start: datetime, span: timedelta, *, public: bool = True) -> list[str]:
    root = replace(forge.root_spec(), not_before=forge.time(start - timedelta(days=1)), not_after=forge.time(start + span))
    leaf = replace(forge.leaf_spec(), not_before=forge.time(start), not_after=forge.time(start + span))
    found = diagnose([leaf.signed_by(root)], "www.example.com", [root.signed_by(root)], start + timedelta(days=1), public=public)
    assert found.valid
    return [problem.slug for problem in found.problems]


@pytest.mark.parametrize(("day", "cap"), [
    (datetime(2018, 3, 1, tzinfo=UTC), 825), (datetime(2020, 8, 31, 23, 59, 59, tzinfo=UTC), 825),
    (datetime(2020, 9, 1, tzinfo=UTC), 398), (datetime(2026, 3, 14, 23, 59, 59, tzinfo=UTC), 398),
    (datetime(2026, 3, 15, tzinfo=UTC), 200), (datetime(2027, 3, 14, tzinfo=UTC), 200), (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2029, 3, 14, tzinfo=UTC), 100), (datetime(2029, 3, 15, tzinfo=UTC), 47),
])
def test_the_cap_of_the_day_with_its_inclusive_second(day: datetime, cap: int) -> None:
    """Exactly the cap is one second too long, for both ends count; one second less is fine."""
    assert _problems(day, timedelta(days=cap) - SECOND) == []
    assert _problems(day, timedelta(days=cap)) == ["lifetime-too-long"]


def test_before_the_first_cap_and_private_anchors() -> None:
    """Certificates from before July 2012, and those of private authorities, may be valid for long."""
    assert _problems(datetime(2012, 6, 30, tzinfo=UTC), timedelta(days=3650)) == []
    assert _problems(datetime(2026, 6, 1, tzinfo=UTC), timedelta(days=3650), public=False) == []


def test_nobody_says_so_of_an_untrusted_certificate() -> None:
    """A certificate that no store trusts is no public one: its lifetime is not the problem."""
    leaf = replace(forge.leaf_spec(), not_after=forge.time(forge.NOW + timedelta(days=900)))
    found = diagnose([leaf.signed_by(leaf)], "www.example.com", [], forge.NOW)
    assert [problem.slug for problem in found.problems] == ["self-signed-leaf"]
