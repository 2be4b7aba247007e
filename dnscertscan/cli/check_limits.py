"""Ranges of monitoring plug-ins, on the days a certificate has left or on the share of its lifetime."""

import re
from dataclasses import dataclass
from datetime import timedelta
from math import inf, isfinite

from nagiosplugin import Range

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible

_DAY = timedelta(days=1)
_NUMBER = r"-?\d{1,6}(?:\.\d{1,6})?"
_RANGE = re.compile(rf"(?P<inside>@?)(?:(?P<start>~|{_NUMBER}%?)?(?P<colon>:))?(?P<end>{_NUMBER}%?)?", re.ASCII)
_FORMS = "30: is fewer than 30 days left, 25%: less than a quarter of the lifetime, @0:5 between 0 and 5 days"


@dataclass(frozen=True, slots=True)
class Limit:
    """A range; what lies outside is an alarm (with ``@`` what lies inside). ``percent``: of the lifetime, not days."""

    text: str
    percent: bool = False

    @classmethod
    def parse(cls, text: str, option: str) -> "Limit":
        """``[@][START:][END]`` in days, or per cent: ``30:``, ``@0:5``, ``25%:``.

        A number alone is refused: as a range it means *up to*, and who writes it nearly always means *from*.
        """
        shown, bare = visible(text, 60), text.strip()
        found = _RANGE.fullmatch(bare)
        parts = [part for part in (found["start"], found["end"]) if part and part != "~"] if found else []
        if found is None or not parts:
            raise UsageError(f"{option} {shown!r} is no range; write [@][START:][END], e.g. {_FORMS}")
        if not found["colon"] and not found["inside"]:
            raise UsageError(
                f"{option} {shown!r} is a range from 0 to {shown}: it would alarm when MORE is left; write {bare}: for an alarm"
                f" when less is left, or 0:{bare} if that is meant"
            )
        kinds = {part.endswith("%") for part in parts if part.strip("0.") or len(parts) == 1}
        if len(kinds) > 1:
            raise UsageError(f"{option} {shown!r} mixes days and per cent; write both ends in the same unit")
        try:
            Range(bare.replace("%", ""))
        except ValueError:
            raise UsageError(f"{option} {shown!r}: the range ends before it starts") from None
        return cls(bare.replace("%", ""), True in kinds)

    def in_days(self, lifetime: timedelta) -> Range:
        """The range in days for a certificate that is valid for ``lifetime``."""
        plain = Range(self.text)
        if not self.percent:
            return plain
        share = max(lifetime, timedelta(0)) / _DAY / 100
        return plain._replace(start=_times(plain.start, share), end=_times(plain.end, share))

    @property
    def least(self) -> float | None:
        """The fewest days, or per cent, that are no alarm, where that is all the range says; None for any other range."""
        plain = Range(self.text)
        return plain.start if not plain.invert and isfinite(plain.start) and plain.end == inf else None

    def __str__(self) -> str:
        return f"{self.text.removeprefix('@')} per cent of the lifetime" if self.percent else self.text


def refuse_crossed(warning: Limit | None, critical: Limit | None) -> None:
    """:class:`UsageError` where what is left is critical before there is a warning: nobody means that.

    Compared are lower bounds in the same unit; which of a share of the lifetime and of days comes first is for each certificate
    another.
    """
    if warning is None or critical is None or warning.percent is not critical.percent:
        return
    if warning.least is not None and critical.least is not None and warning.least < critical.least:
        unit = "per cent" if critical.percent else "days"
        raise UsageError(
            f"--warning {warning.text} --critical {critical.text}: with fewer than {critical.least:g} {unit} left it is critical"
            " before there is a warning; write the higher number after --warning"
        )


def _times(number: float, share: float) -> float:
    if number in (float("inf"), float("-inf")):
        return number
    days = round(number * share, 2)
    return int(days) if days == int(days) else days
