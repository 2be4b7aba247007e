"""Ranges of `check`: those of monitoring plug-ins, in days or per cent, and what nobody can mean is refused."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.cli.check_limits import Limit, refuse_crossed
from dnscertscan.errors import UsageError

QUARTER = timedelta(days=90)


def alarms(text: str, left: float, lifetime: timedelta = QUARTER) -> bool:
    return not Limit.parse(text, "--warning").in_days(lifetime).match(left)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("30:", [30, 30.5, 400], [29.99, 0, -3]), ("0:60", [0, 60], [60.01, -0.01]), ("5:40", [5, 40], [4.99, 41]),
        ("~:60", [-5, 60], [61]), (":60", [0, 60], [-1, 61]), ("@0:5", [-1, 5.01], [0, 5]), ("@5", [-1, 6], [0, 5]),
        ("@~:5", [5.01], [5, -9]), ("-3:", [-3, 9], [-3.01]), ("0.5:", [0.5], [0.49]),
        ("25%:", [22.5, 90], [22.49]), ("@0:10%", [9.01, -1], [9, 0]), ("10%:50%", [9, 45], [8.9, 45.1]),
        ("~:50%", [-4, 45], [46]), (" 30: ", [30], [29]),
    ],
)
def test_ranges(text: str, good: list[float], bad: list[float]) -> None:
    """Alarm outside, with @ inside; a start left out is nought, an end left out without bound."""
    assert [alarms(text, left) for left in good] == [False] * len(good)
    assert [alarms(text, left) for left in bad] == [True] * len(bad)


def test_per_cent_is_of_each_lifetime() -> None:
    """A quarter of six days is a day and a half; of a certificate whose dates make no sense it is nothing."""
    assert alarms("25%:", 1.4, timedelta(days=6))
    assert not alarms("25%:", 1.6, timedelta(days=6))
    assert not alarms("25%:", 0, timedelta(days=-1))
    assert str(Limit.parse("25%:", "-w").in_days(QUARTER)) == "22.5:"
    assert str(Limit.parse("50%:", "-w").in_days(QUARTER)) == "45:"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30", "write 30: for an alarm when less is left, or 0:30"), ("25%", "write 25%:"), ("", "is no range"),
        (":", "is no range"),
        ("@", "is no range"), ("~:", "is no range"), ("a:", "is no range"), ("1:2:3", "is no range"), ("1_0:", "is no range"),
        ("nan:", "is no range"), ("1e3:", "is no range"), ("9" * 5000 + ":", "is no range"), ("5:1", "ends before it starts"),
        ("5:50%", "mixes days and per cent"), ("\x1b[2J:", "is no range"), ("\u0663:", "is no range"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    """One short line that says what to write."""
    with pytest.raises(UsageError) as caught:
        Limit.parse(text, "--warning")
    assert said in str(caught.value)
    assert str(caught.value).startswith("--warning ")
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("warning", "critical", "refused"),
    [
        ("7:", "30:", True), ("30:", "7:", False), ("30:", "30:", False), ("10%:", "25%:", True), ("25%:", "10%:", False),
        ("7:", "30%:", False), ("-1:", "0:", True), ("@0:7", "30:", False), ("7:", "@0:30", False), ("7:40", "30:", False),
        ("7:", "30:40", False), ("~:7", "30:", False), (None, "30:", False), ("7:", None, False),
    ],
)
def test_critical_before_warning(warning: str | None, critical: str | None, refused: bool) -> None:
    """Lower bounds the wrong way round are refused; where both are not of one kind nothing is compared."""
    both = [text and Limit.parse(text, "-x") for text in (warning, critical)]
    if not refused:
        refuse_crossed(*both)
        return
    with pytest.raises(UsageError, match=r"^--warning .* --critical .*: .* fewer .* critical before there is a warning"):
        refuse_crossed(*both)


@given(st.text(alphabet="0123456789.:@~%- ", max_size=12))
def test_any_text_is_a_range_or_a_usage_error(text: str) -> None:
    """Nothing else ever comes of it, and every range can be asked."""
    try:
        limit = Limit.parse(text, "-w")
    except UsageError:
        return
    assert limit.in_days(QUARTER).match(10) in (True, False)
