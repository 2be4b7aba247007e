"""What the operator wants to hear of: when a certificate counts as expiring, and which kind of CA a zone is meant to use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from dnscertscan.model.meant import Meant, closest
from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation, rotation_of


class TrustMode(StrEnum):
    """Which trust stores decide about an endpoint."""

    PUBLIC = "public"
    """Every public store has to accept it."""
    PRIVATE = "private"
    """The private bundle decides; the public stores are not asked."""
    EITHER = "either"
    """The private bundle accepts it, or every public store does."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """How much time left is too little: ``days``, ``percent`` of the certificate's lifetime, or the smaller of the two."""

    days: float | None = None
    percent: float | None = None

    def __post_init__(self) -> None:
        if self.days is None and self.percent is None:
            raise ValueError("a threshold needs days or percent")
        if not 0 <= (self.days or 0) <= 36500:
            raise ValueError(f"threshold of {self.days} days: 0 to 36500 are possible")
        if not 0 <= (self.percent or 0) <= 100:
            raise ValueError(f"threshold of {self.percent} per cent: 0 to 100 are possible")

    def margin(self, lifetime: timedelta) -> timedelta:
        """The time left at which a certificate that is valid for ``lifetime`` begins to count as expiring."""
        margins = [] if self.days is None else [timedelta(days=self.days)]
        if self.percent is not None:
            margins.append(max(lifetime, timedelta(0)) * self.percent / 100)
        return min(margins)


DEFAULT_EXPIRING = Threshold(days=30, percent=25)
"""A quarter of the lifetime, at most 30 days: ACME clients renew at a third, so that a healthy one never gets this far."""


@dataclass(frozen=True, slots=True)
class ExpiringOverride(Meant):
    """Another threshold for a zone (and the zones below it), for an issuer, or for that issuer in that zone."""

    threshold: Threshold


@dataclass(frozen=True, slots=True)
class TrustOverride:
    """The trust mode of a zone and the zones below it."""

    zone: str
    mode: TrustMode


@dataclass(frozen=True, slots=True)
class CheckPolicy:
    """Everything the checks can be told. The most specific override wins: issuer before zone, a longer text before a shorter.

    ``trust`` None means: a private bundle given without any word on zones replaces the public stores; else public.
    """

    expiring: Threshold | None = None
    expiring_overrides: tuple[ExpiringOverride, ...] = ()
    trust: TrustMode | None = None
    trust_overrides: tuple[TrustOverride, ...] = ()
    fail_on_unreachable: bool = False
    rotations: tuple[Rotation, ...] = ()

    def threshold(self, zones: Iterable[DnsName], issuer: str) -> Threshold:
        """The threshold for a certificate of ``issuer`` (RFC 4514) served for a name of ``zones``."""
        found = closest(self.expiring_overrides, zones, issuer)
        return found.threshold if found else self.expiring or DEFAULT_EXPIRING

    def rotation(self, zones: Iterable[DnsName], issuer: str) -> Rotation | None:
        """How a certificate of ``issuer`` (RFC 4514) served for a name of ``zones`` is rotated; None: nothing is expected."""
        return rotation_of(self.rotations, zones, issuer)

    def trust_for(self, zones: Iterable[DnsName], *, private_bundle: bool) -> TrustMode:
        """Which stores decide for a name of ``zones``; ``private_bundle`` tells whether there is one.

        The override of the longest zone wins, then ``trust``. With neither, a private bundle that no override mentions replaces
        the public stores.
        """
        asked = tuple(zones)
        fitting = [one for one in self.trust_overrides if any(zone.is_within(DnsName.parse(one.zone)) for zone in asked)]
        if fitting:
            return max(fitting, key=lambda one: len(DnsName.parse(one.zone).text)).mode
        if self.trust is not None:
            return self.trust
        return TrustMode.PRIVATE if private_bundle and not self.trust_overrides else TrustMode.PUBLIC
