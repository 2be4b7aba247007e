"""Where a certificate says its revocation lists are, and what a list says it covers (RFC 5280 4.2.1.13 and 5.2.5)."""

from dataclasses import dataclass

from dnscertscan.pki import der
from dnscertscan.pki.dn import DistinguishedName, Key, parse_name
from dnscertscan.pki.general_names import Names, names_in

MAX_POINTS = 50
NO_NAMES = Names()


@dataclass(frozen=True, slots=True)
class PointName:
    """DistributionPointName: full names, or one RDN below the name of the CRL's issuer."""

    full: Names = NO_NAMES
    relative: Key = ()

    def fits(self, other: "PointName", issuer: DistinguishedName) -> bool:
        """Whether one name of this is one of ``other``: octet for octet, as OpenSSL has it, directory names folded."""
        return not self.below(issuer).isdisjoint(other.below(issuer))

    def below(self, issuer: DistinguishedName) -> frozenset[object]:
        """All the names in a form to compare, the relative one completed with ``issuer``."""
        directories = {name.key for name in self.full.directories} | ({issuer.key + self.relative} if self.relative else set())
        return frozenset((*self.full.uris, *self.full.dns, *self.full.emails, *self.full.ips, *directories))


@dataclass(frozen=True, slots=True)
class DistributionPoint:
    """One place with a list. ``partial``: for some reasons only; ``indirect``: issued by somebody else than the CA."""

    name: PointName | None
    partial: bool = False
    indirect: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """IssuingDistributionPoint: what a list covers. Without one it covers everything its issuer issued."""

    name: PointName | None = None
    only_user: bool = False
    only_ca: bool = False
    only_attribute: bool = False
    partial: bool = False
    indirect: bool = False


def parse_points(value: bytes) -> tuple[DistributionPoint, ...]:
    """A CRLDistributionPoints value; raises :class:`~dnscertscan.pki.der.DerError`."""
    pos, stop = der.whole(value, der.SEQUENCE, "distribution points")
    points: list[DistributionPoint] = []
    for tag, start, end in der.children(value, pos, stop):
        if tag != der.SEQUENCE:
            raise der.DerError(f"distribution point with tag 0x{tag:02x}")
        if len(points) >= MAX_POINTS:
            raise der.DerError(f"more than {MAX_POINTS} distribution points")
        parts = {part: (first, last) for part, first, last in der.children(value, start, end)}
        name = _point_name(value, *parts[0xA0]) if 0xA0 in parts else None
        points.append(DistributionPoint(name, 0x81 in parts, 0xA2 in parts))
    return tuple(points)


def parse_scope(value: bytes) -> Scope:
    """An IssuingDistributionPoint value; raises :class:`~dnscertscan.pki.der.DerError`."""
    pos, stop = der.whole(value, der.SEQUENCE, "issuing distribution point")
    parts = {tag: (start, end) for tag, start, end in der.children(value, pos, stop)}
    if unknown := parts.keys() - {0xA0, 0x81, 0x82, 0x83, 0x84, 0x85}:
        raise der.DerError(f"issuing distribution point has a part with tag 0x{min(unknown):02x}")

    def flag(tag: int) -> bool:
        return tag in parts and der.boolean(value[slice(*parts[tag])])

    name = _point_name(value, *parts[0xA0]) if 0xA0 in parts else None
    return Scope(name, flag(0x81), flag(0x82), flag(0x85), 0x83 in parts, flag(0x84))


def _point_name(value: bytes, start: int, end: int) -> PointName:
    tag, first, last = der.read(value, start, end)
    if tag == 0xA0:
        return PointName(names_in(value, first, last))
    if tag != 0xA1:
        raise der.DerError(f"distribution point name with tag 0x{tag:02x}")
    if last - first > 0xFF:
        raise der.DerError(f"relative name of {last - first} octets")
    rdn = _wrap(der.SET, value[first:last])
    return PointName(relative=parse_name(_wrap(der.SEQUENCE, rdn)).key)


def _wrap(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x81, size]) if size <= 0xFF else bytes([0x82, size >> 8, size & 0xFF])
    return bytes([tag]) + length + content
