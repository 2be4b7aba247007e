"""Which certificates a setting is about: those of a zone, of an issuer, or of that issuer in that zone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from dnscertscan.model.names import DnsName

_ESCAPED = re.compile(r"\\(00|.)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    r"""Base of such settings: for a zone (and the zones below it), for an issuer, or for both; with neither for everything.

    ``issuer`` is found anywhere in the RFC 4514 text of the issuer's name, in any case: ``Let's Encrypt`` or ``CN=R11,O=...``.
    It may be written as that text has it, ``Acme\, Inc.``, or as the certificate does, ``Acme, Inc.``
    """

    zone: str = ""
    issuer: str = ""

    def applies(self, zones: Iterable[DnsName], issuer: str) -> bool:
        """Whether a certificate of ``issuer`` (RFC 4514), served for a name of one of ``zones``, is meant."""
        if self.issuer and not _names(issuer, self.issuer.casefold()):
            return False
        own = DnsName.parse(self.zone)
        return not self.zone or any(zone.is_within(own) for zone in zones)


def _names(issuer: str, wanted: str) -> bool:
    """Whether the name has the text ``wanted`` (folded), escaped (RFC 4514 2.4) or not."""
    folded = issuer.casefold()
    return wanted in folded or ("\\" in folded and wanted in _ESCAPED.sub(_plain, folded))


def _plain(escape: re.Match[str]) -> str:
    return "\0" if escape[1] == "00" else escape[1]


M = TypeVar("M", bound=Meant)


def closest(settings: Iterable[M], zones: Iterable[DnsName], issuer: str) -> M | None:
    """The most specific one that applies, None without any: issuer before zone, a longer text before a shorter."""
    asked = tuple(zones)
    fitting = [one for one in settings if one.applies(asked, issuer)]
    return max(fitting, key=lambda one: (len(one.issuer), len(DnsName.parse(one.zone).text)), default=None)
