"""Which certificates a setting is about: those of a zone, of an issuer, or of that issuer in that zone."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from dnscertscan.model.names import DnsName


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Base of such settings: for a zone (and the zones below it), for an issuer, or for both; with neither for everything.

    ``issuer`` is found anywhere in the RFC 4514 text of the issuer's name, in any case: ``Let's Encrypt`` or ``CN=R11,O=...``.
    """

    zone: str = ""
    issuer: str = ""

    def applies(self, zones: Iterable[DnsName], issuer: str) -> bool:
        """Whether a certificate of ``issuer`` (RFC 4514), served for a name of one of ``zones``, is meant."""
        if self.issuer and self.issuer.casefold() not in issuer.casefold():
            return False
        own = DnsName.parse(self.zone)
        return not self.zone or any(zone.is_within(own) for zone in zones)


M = TypeVar("M", bound=Meant)


def closest(settings: Iterable[M], zones: Iterable[DnsName], issuer: str) -> M | None:
    """The most specific one that applies, None without any: issuer before zone, a longer text before a shorter."""
    asked = tuple(zones)
    fitting = [one for one in settings if one.applies(asked, issuer)]
    return max(fitting, key=lambda one: (len(one.issuer), len(DnsName.parse(one.zone).text)), default=None)
