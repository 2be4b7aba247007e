"""GeneralNames and name constraints as read from a certificate (RFC 5280 4.2.1.6 and 4.2.1.10)."""

import re
from dataclasses import dataclass

from dnscertscan.pki import der
from dnscertscan.pki.dn import DistinguishedName, parse_name

OTHER_NAME, EMAIL, DNS, X400, DIRECTORY, EDI, URI, IP, REGISTERED = range(9)
KIND_NAMES = (
    "otherName", "rfc822Name", "dNSName", "x400Address", "directoryName", "ediPartyName", "uniformResourceIdentifier",
    "iPAddress", "registeredID",
)
MAX_NAMES = 20_000
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Names:
    """GeneralNames by kind. ``ips`` are octets, for constraints address and mask; ``others`` are kinds nobody can compare.

    URI is among ``others`` too, of names when one has no host name to compare, of constraints when one is about URIs: together
    they mean that the certificate must be rejected (RFC 5280 4.2.1.10).
    """

    dns: tuple[str, ...] = ()
    ips: tuple[bytes, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    directories: tuple[DistinguishedName, ...] = ()
    others: frozenset[int] = frozenset()
    quirks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraints:
    """NameConstraints. ``has_bounds``: a subtree has minimum or maximum, which RFC 5280 does not allow and clients refuse."""

    permitted: Names
    excluded: Names
    has_bounds: bool = False


class _Collector:
    """Sorts GeneralNames by kind while reading."""

    def __init__(self) -> None:
        self.texts: dict[int, list[str]] = {EMAIL: [], DNS: [], URI: []}
        self.ips: list[bytes] = []
        self.directories: list[DistinguishedName] = []
        self.others: set[int] = set()
        self.quirks: list[str] = []
        self.count = 0

    def add(self, data: bytes, element: der.Element) -> None:
        tag, start, stop = element
        self.count += 1
        if self.count > MAX_NAMES:
            raise der.DerError(f"more than {MAX_NAMES} names")
        kind = tag & 0x1F
        if tag & 0xC0 != 0x80 or kind > REGISTERED:
            raise der.DerError(f"GeneralName with tag 0x{tag:02x}")
        if kind in self.texts:
            self._text(kind, data[start:stop])
        elif kind == IP:
            self.ips.append(data[start:stop])
        elif kind == DIRECTORY:
            self.directories.append(parse_name(data[start:stop]))
        else:
            self.others.add(kind)

    def _text(self, kind: int, octets: bytes) -> None:
        try:
            self.texts[kind].append(octets.decode("ascii"))
        except UnicodeDecodeError:
            self.texts[kind].append(octets.decode("latin-1"))
            self.quirks.append(f"{KIND_NAMES[kind]} with octets outside ASCII")

    def names(self) -> Names:
        return Names(
            tuple(self.texts[DNS]), tuple(self.ips), tuple(self.texts[EMAIL]), tuple(self.texts[URI]), tuple(self.directories),
            frozenset(self.others), tuple(dict.fromkeys(self.quirks)),
        )


def parse_names(value: bytes) -> Names:
    """A GeneralNames value (subjectAltName)."""
    start, stop = der.whole(value, der.SEQUENCE, "GeneralNames")
    return names_in(value, start, stop)


def names_in(value: bytes, start: int, stop: int) -> Names:
    """The GeneralNames whose elements fill the range."""
    collector = _Collector()
    for element in der.children(value, start, stop):
        collector.add(value, element)
    uris = [_with_path(uri) for uri in collector.texts[URI]]
    collector.texts[URI] = uris
    if not all(map(_has_host_name, uris)):
        collector.others.add(URI)
    for address in collector.ips:
        if len(address) not in (4, 16):
            collector.quirks.append(f"iPAddress of {len(address)} octets")
    return collector.names()


def parse_constraints(value: bytes) -> Constraints:
    """A NameConstraints value."""
    start, stop = der.whole(value, der.SEQUENCE, "NameConstraints")
    sides = {0xA0: _Collector(), 0xA1: _Collector()}
    bounds = False
    for tag, side_start, side_stop in der.children(value, start, stop):
        if tag not in sides:
            raise der.DerError(f"NameConstraints with tag 0x{tag:02x}")
        for _, tree_start, tree_stop in der.children(value, side_start, side_stop):
            base = der.read(value, tree_start, tree_stop)
            sides[tag].add(value, base)
            if sides[tag].texts[URI]:
                sides[tag].others.add(URI)
            bounds = bounds or any(_is_bound(value, element) for element in der.children(value, base[2], tree_stop))
    return Constraints(sides[0xA0].names(), sides[0xA1].names(), bounds)


def _with_path(uri: str) -> str:
    """The URI with the slash that an empty path stands for, so that its host ends there (RFC 3986 3.2, 6.2.3)."""
    start = _AUTHORITY.match(uri)
    if start is None or uri[start.end() : start.end() + 1] not in ("?", "#"):
        return uri
    return f"{uri[: start.end()]}/{uri[start.end() :]}"


def _has_host_name(uri: str) -> bool:
    """An authority with a host that is a name, not an address; an address ends in a label of digits (RFC 3986 3.2.2)."""
    start = _AUTHORITY.match(uri)
    if start is None:
        return False
    host = start[1].rpartition("@")[2].partition(":")[0]
    last = host.removesuffix(".").rpartition(".")[2]
    return bool(last) and "[" not in host and _NUMBER.fullmatch(last) is None


def _is_bound(value: bytes, element: der.Element) -> bool:
    tag, start, stop = element
    return tag != 0x80 or any(value[start:stop])
