"""Whether a certificate's names keep within an issuer's name constraints (RFC 5280 4.2.1.10)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TypeVar

from dnscertscan.pki.dn import EMAIL_ADDRESS, DistinguishedName
from dnscertscan.pki.general_names import KIND_NAMES, Constraints, Names
from dnscertscan.pki.parse import Facts

T = TypeVar("T")

MAX_COMPARISONS = 200_000
"""Steps for all constraints of one examination: a name against a mask or a directory, or one more label looked up.

OpenSSL stops at 2**20 names times constraints for each certificate; here names and hosts are looked up, so that less does.
"""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint; ``excluded`` tells which side, ``text`` the name and the constraint.

    ``compared`` is False when there was too much to compare; ``text`` then says how much.
    """

    excluded: bool
    text: str
    compared: bool = True


@dataclass(slots=True)
class Comparisons:
    """The comparisons of one examination: each pair of certificates once, and all together within ``left`` steps."""

    left: int = MAX_COMPARISONS
    _found: dict[tuple[str, str], tuple[Violation, ...]] = field(default_factory=dict)
    _names: dict[str, "_Constrained"] = field(default_factory=dict)
    _sides: dict[str, tuple["_Side", "_Side"]] = field(default_factory=dict)

    def violations(self, upper: Facts, lower: Facts) -> tuple[Violation, ...]:
        """What the constraints of ``upper`` find in ``lower``: at most one violation per kind of name and side."""
        constraints = upper.extensions.constraints
        if constraints is None:
            return ()
        pair = (upper.sha256, lower.sha256)
        if pair not in self._found:
            self._found[pair] = self._compare(upper.sha256, constraints, lower)
        return self._found[pair]

    def _compare(self, digest: str, constraints: Constraints, lower: Facts) -> tuple[Violation, ...]:
        if constraints.has_bounds:
            return (Violation(False, "a subtree has a minimum or maximum, which RFC 5280 does not allow"),)
        if digest not in self._sides:
            self._sides[digest] = (_Side(constraints.permitted), _Side(constraints.excluded))
        if lower.sha256 not in self._names:
            self._names[lower.sha256] = _Constrained(constrained_names(lower.subject, lower.extensions.alt_names))
        constrained, sides = self._names[lower.sha256], self._sides[digest]
        work = sum(constrained.steps(side) for side in sides)
        if work > self.left:
            text = f"{work} comparisons are needed and {self.left} of {MAX_COMPARISONS} are left"
            return (Violation(not sides[0].has_any, text, compared=False),)
        self.left -= work
        return tuple(
            Violation(excluded, text) for excluded, side in zip((False, True), sides, strict=True)
            for text in _one_side(constrained.names, side, excluded)
        )


def constrained_names(subject: DistinguishedName, alt_names: Names | None) -> Names:
    """All names the constraints apply to: subjectAltName, the subject and the addresses in it."""
    names = alt_names or Names()
    directories = (subject, *names.directories) if subject.key else names.directories
    return Names(names.dns, names.ips, (*names.emails, *subject.values(EMAIL_ADDRESS)), names.uris, directories, names.others)


class _Side:
    """The permitted or the excluded subtrees of one certificate, made ready for looking up."""

    def __init__(self, bases: Names) -> None:
        self.bases = bases
        self.has_any = bool(bases.dns or bases.ips or bases.emails or bases.uris or bases.directories or bases.others)
        self.hosts = frozenset(base.lower() for base in bases.dns)
        self.boxes = frozenset(map(_mailbox, bases.emails))
        self.uri_hosts = frozenset(base.lower() for base in bases.uris)
        self.malformed = any(len(base) not in (8, 32) for base in bases.ips)
        self.networks: dict[int, dict[int, set[int]]] = {4: {}, 16: {}}
        """By octets of an address, by mask: the networks."""
        for base in bases.ips:
            size = len(base) // 2
            if len(base) in (8, 32):
                mask = int.from_bytes(base[size:])
                self.networks[size].setdefault(mask, set()).add(int.from_bytes(base[:size]) & mask)

    def has_address(self, octets: bytes) -> bool:
        address = int.from_bytes(octets)
        return any(address & mask in networks for mask, networks in self.networks[len(octets)].items())


class _Constrained:
    """The names of one certificate, and how many steps each kind takes."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self._dns = sum(map(_lookups, names.dns))
        self._emails = sum(map(_lookups, names.emails))
        self._uris = sum(map(_lookups, names.uris))
        self._directories = sum(1 + len(name.key) // 16 for name in names.directories)
        self._ips = {size: sum(len(name) == size for name in names.ips) for size in (4, 16)}

    def steps(self, side: _Side) -> int:
        """For kinds the side says nothing about: none."""
        bases = side.bases
        texts = self._dns * bool(bases.dns) + self._emails * bool(bases.emails) + self._uris * bool(bases.uris)
        addresses = sum(count * len(side.networks[size]) for size, count in self._ips.items())
        return texts + addresses + len(self.names.ips) * bool(bases.ips) + self._directories * len(bases.directories)


def _lookups(name: str) -> int:
    """One for the name and one for each label above; octets count too where a name is longer than DNS allows."""
    return (1 + min(name.count("."), 260)) * (1 + len(name) // 256)


def _one_side(names: Names, side: _Side, excluded: bool) -> Iterator[str]:
    bases = side.bases
    if bases.dns:
        yield from _offenders(names.dns, lambda name: _host_within(name, side.hosts), excluded, "dNSName", bases.dns)
    if bases.ips:
        texts = tuple(_network_text(base) for base in bases.ips[:4])
        if names.ips and (side.malformed or any(len(name) not in (4, 16) for name in names.ips)):
            yield f"an iPAddress or its subtree ({', '.join(texts)}) is neither of IPv4 nor of IPv6"
        else:
            yield from _offenders(names.ips, side.has_address, excluded, "iPAddress", texts, _address, len(bases.ips))
    if bases.emails:
        yield from _offenders(names.emails, lambda name: _email_within(name, side.boxes), excluded, "rfc822Name", bases.emails)
    if bases.uris:
        yield from _offenders(
            names.uris, lambda name: _exact_or_below(_uri_host(name), side.uri_hosts), excluded, "URI", bases.uris
        )
    if bases.directories:
        yield from _offenders(
            names.directories, lambda name: any(name.is_within(base) for base in bases.directories), excluded, "directoryName",
            tuple(base.text for base in bases.directories[:4]), lambda name: name.text, len(bases.directories),
        )
    for kind in sorted(names.others & bases.others):
        yield f"{KIND_NAMES[kind]} names are constrained, and nothing can compare them"


def _offenders(
    names: Sequence[T], inside: Callable[[T], bool], excluded: bool, kind: str, bases: Sequence[str],
    show: Callable[[T], str] = str, count: int = 0,
) -> Iterator[str]:
    """The first name that is inside an excluded subtree, or outside all permitted ones.

    ``count`` is how many bases there are, where not all are given.
    """
    for name in names:
        if inside(name) is excluded:
            beyond = max(count, len(bases)) - 4
            more = f" and {beyond} more" if beyond > 0 else ""
            relation = "is in excluded" if excluded else "is in none of the permitted"
            shown = ", ".join(base[:300] or "all" for base in bases[:4])
            yield f"{kind} {show(name)[:300]!r} {relation} subtrees ({shown}{more})"
            return


def _host_within(name: str, bases: frozenset[str]) -> bool:
    """The base itself or any name below it; a base with a leading dot means only names below (as OpenSSL and NSS read it)."""
    host = name.lower()
    if host in bases or "" in bases:
        return True
    for _ in range(130):
        _, dot, host = host.partition(".")
        if not dot:
            return False
        if host in bases or f".{host}" in bases:
            return True
    return False


def _exact_or_below(host: str, bases: frozenset[str]) -> bool:
    """For mail and URI hosts: the very host, or with a leading dot any host below (RFC 5280 4.2.1.10)."""
    if not host:
        return False
    if host in bases:
        return True
    return any(f".{host[dot + 1:]}" in bases for dot in range(min(len(host), 260)) if host[dot] == ".")


def _mailbox(base: str) -> str:
    local, at, host = base.rpartition("@")
    return f"{local}{at}{host.lower()}"


def _email_within(name: str, bases: frozenset[str]) -> bool:
    local, _, host = name.rpartition("@")
    return f"{local}@{host.lower()}" in bases or _exact_or_below(host.lower(), bases)


def _uri_host(uri: str) -> str:
    _, _, rest = uri.partition("://")
    return rest.partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def _address(octets: bytes) -> str:
    return str(ip_address(octets)) if len(octets) in (4, 16) else octets[:40].hex()


def _network_text(base: bytes) -> str:
    half = len(base) // 2
    return f"{_address(base[:half])}/{_address(base[half:])}"
