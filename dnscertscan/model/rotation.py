"""What healthy rotation of certificates looks like: for how long they are issued, when they are replaced, what that leaves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.model.meant import Meant, closest
from dnscertscan.model.names import DnsName

_DAY = timedelta(days=1)
_DATED_BACK = timedelta(hours=1)
"""CAs let certificates begin a little earlier, for clients whose clocks are slow, or end a second before the full day. Those that
issue for hours do it by minutes: a 24th of the validity."""


@dataclass(frozen=True, slots=True)
class Rotation(Meant):
    """Certificates are issued for ``validity`` and replaced every ``rotation``, by ``slack`` late (or longer) at most.

    ``closed`` is the longest time in which nobody may be there to act: with less than that left an overdue replacement is
    urgent. Raises :class:`ValueError` for times that leave nothing to expect.
    """

    validity: timedelta
    rotation: timedelta
    slack: timedelta = _DAY
    closed: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if min(self.validity, self.rotation) <= timedelta(0) or min(self.slack, self.closed) < timedelta(0):
            raise ValueError("validity and rotation have to be more than nothing, slack and closed not less")
        if self.least <= timedelta(0):
            raise ValueError(
                f"a certificate valid for {days(self.validity)}, replaced after {days(self.rotation)} and up to"
                f" {days(self.slack)} late, has expired by then; rotation and slack together have to be less than validity"
            )
        if self.least < self.closed:
            raise ValueError(
                f"a replacement that fails is seen with {days(self.least)} left (validity less rotation less slack), but nobody"
                f" may be there for {days(self.closed)}; rotate earlier, or issue for longer"
            )

    @property
    def least(self) -> timedelta:
        """The time left of a certificate that is replaced at the last moment of healthy rotation."""
        return self.validity - self.rotation - self.slack

    @property
    def most(self) -> timedelta:
        """The time left of a certificate that was issued this moment; a CA may date it back or round, within the slack."""
        return self.validity + self.slack

    @property
    def tolerance(self) -> timedelta:
        """By how much a certificate may be issued for longer or shorter than ``validity``."""
        return max(self.slack, min(_DATED_BACK, self.validity / 24))

    def due(self, start: datetime, end: datetime) -> datetime:
        """When a certificate in force from ``start`` to ``end`` (both aware) has to be replaced at the latest.

        That leaves it ``least``. One that was issued for less than expected has that much less left from the beginning: what
        counts is its age. An hour more or less never changes the day by more than that hour.
        """
        return end - self.least + max(self.validity - (end - start), timedelta(0))


def rotation_of(rotations: Iterable[Rotation], zones: Iterable[DnsName], issuer: str) -> Rotation | None:
    """How a certificate of ``issuer`` (RFC 4514), served for a name of ``zones``, is rotated; None: nothing is expected."""
    return closest(rotations, zones, issuer)


def expected_days(rotations: Iterable[Rotation], zones: Iterable[DnsName], issuer: str) -> tuple[float, float] | None:
    """(fewest, most) days that healthy rotation leaves such a certificate; None where nothing is expected."""
    found = rotation_of(rotations, zones, issuer)
    return None if found is None else (found.least / _DAY, found.most / _DAY)


def days(time: timedelta) -> str:
    """``1 day``, ``2.5 days``."""
    number = round(time / _DAY, 2)
    return f"{number:g} day{'' if number == 1 else 's'}"
