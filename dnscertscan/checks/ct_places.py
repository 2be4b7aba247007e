"""Where a name of a certificate belongs in the zones of the run: published, under a wildcard, beyond a delegation, or nowhere."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property

from dnscertscan.model.names import DnsName
from dnscertscan.model.transparency import Published


class Standing(StrEnum):
    """How a name stands to the zones of the run."""

    ABROAD = "abroad"
    """In none of them."""
    DELEGATED = "delegated"
    """At or below a delegation: another zone has the say."""
    PUBLISHED = "published"
    DANGLING = "dangling"
    """Published, as an alias that leads nowhere."""
    WILDCARD = "wildcard"
    """Not published itself, but a wildcard stands for it."""
    ORPHAN = "orphan"
    """The zone has no such name."""
    UNTOLD = "untold"
    """What is known of the zone does not have it, and that is not the whole zone."""


class Places:
    """The zones of the run, for looking names up (lower case, no final dot)."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._zones = frozenset(zone.text for zone in published.zones)

    @cached_property
    def _above(self) -> frozenset[str]:
        """Every name that has a published one below it: those exist, too (RFC 4592 2.2.2)."""
        found: set[str] = set()
        for name in self._published.names:
            for above in _suffixes(name.text):
                if above in found:
                    break
                if above != name.text:
                    found.add(above)
        return frozenset(found)

    def zone_of(self, name: str) -> str | None:
        """The zone of the run that has the name, the one farthest down; None when there is none."""
        return next((above for above in _suffixes(name) if above in self._zones), None)

    def standing(self, name: str) -> Standing:
        """How ``name`` stands; a wildcard counts as published when anything below its parent can be."""
        zone = self.zone_of(name)
        if zone is None:
            return Standing.ABROAD
        if self._is_delegated(name, zone):
            return Standing.DELEGATED
        if DnsName(name) in self._published.dangling:
            return Standing.DANGLING
        if self._is_published(name) or self._is_renamed(name, zone):
            return Standing.PUBLISHED
        missing = Standing.UNTOLD if DnsName(zone) in self._published.partial else Standing.ORPHAN
        if name.startswith("*."):
            base = name[2:]
            return Standing.PUBLISHED if self._exists(base) or self.wildcard_of(base) else missing
        return Standing.WILDCARD if self.wildcard_of(name) else missing

    def wildcard_of(self, name: str) -> str | None:
        """The published wildcard that stands for a name: that of its closest encloser, unless that is itself (RFC 4592 3.3.1)."""
        encloser = next((above for above in _suffixes(name) if self._exists(above)), name)
        wildcard = f"*.{encloser}"
        return wildcard if encloser != name and DnsName(wildcard) in self._published.names else None

    def _exists(self, name: str) -> bool:
        return self._is_published(name) or name in self._above

    def _is_published(self, name: str) -> bool:
        return name in self._zones or DnsName(name) in self._published.names

    def _is_renamed(self, name: str, zone: str) -> bool:
        """Whether a DNAME of the zone stands above it: every name below that is an alias (RFC 6672 2.3)."""
        for above in _suffixes(name) if self._published.renamed else ():
            if above != name and DnsName(above) in self._published.renamed:
                return True
            if above == zone:
                return False
        return False

    def _is_delegated(self, name: str, zone: str) -> bool:
        for above in _suffixes(name):
            if above == zone:
                return False
            if DnsName(above) in self._published.cuts:
                return True
        return False


def _suffixes(name: str) -> Iterator[str]:
    """The name and all above it, the root left out."""
    while name:
        yield name
        _, _, name = name.partition(".")
