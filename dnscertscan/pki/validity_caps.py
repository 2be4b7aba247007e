"""How long a public CA may make a server certificate valid, by the day of its notBefore (Baseline Requirements 6.3.2)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dnscertscan.pki.rules_leaf import LIFETIME_CAPS

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class OverCap:
    """A validity that is longer than allowed: ``days`` it is (a started one counts), ``cap`` what is allowed, ``since`` when."""

    days: int
    cap: int
    since: datetime

    @property
    def text(self) -> str:
        """``valid for 399 days, at most 398 are allowed from 2020-09-01 on``."""
        return f"valid for {self.days} days, at most {self.cap} are allowed from {self.since.date()} on"


def cap_of(not_before: datetime) -> tuple[int, datetime] | None:
    """The cap in days on the day of ``not_before`` (aware), and since when it counts; None before days were counted."""
    return next(((days, since) for since, days in LIFETIME_CAPS if not_before >= since), None)


def over_cap(not_before: datetime | None, not_after: datetime | None) -> OverCap | None:
    """Whether a validity is over the cap of its day. Both ends count (BR 1.6.1); None when it is not, or a date is missing."""
    if not_before is None or not_after is None:
        return None
    cap = cap_of(not_before.astimezone(UTC))
    if cap is None:
        return None
    days = -((not_before - not_after - _SECOND) // _DAY)
    return OverCap(days, *cap) if days > cap[0] else None
