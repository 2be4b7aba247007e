"""Whether a certificate's names keep within an issuer's name constraints (RFC 5280 4.2.1.10)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeVar

from dnscertscan.pki.dn import EMAIL_ADDRESS, DistinguishedName
from dnscertscan.pki.general_names import KIND_NAMES, Constraints, Names

T = TypeVar("T")

MAX_COMPARISONS = 1 << 18
"""Names times directory constraints; the other kinds are looked up, not compared one by one. OpenSSL stops at 2**20."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken constraint; ``excluded`` tells which side, ``text`` the name and the constraint."""

    excluded: bool
    text: str


def constrained_names(subject: DistinguishedName, alt_names: Names | None) -> Names:
    """All names the constraints apply to: subjectAltName, the subject and the addresses in it."""
    names = alt_names or Names()
    directories = (subject, *names.directories) if subject.key else names.directories
    return Names(names.dns, names.ips, (*names.emails, *subject.values(EMAIL_ADDRESS)), names.uris, directories, names.others)


def violations(names: Names, constraints: Constraints) -> list[Violation]:
    """At most one violation per kind of name and side."""
    if constraints.has_bounds:
        return [Violation(False, "a subtree has a minimum or maximum, which RFC 5280 does not allow")]
    work = len(names.directories) * (len(constraints.permitted.directories) + len(constraints.excluded.directories))
    if work > MAX_COMPARISONS:
        return [Violation(False, f"{work} comparisons are needed, clients give up")]
    found: list[Violation] = []
    for excluded, side in ((False, constraints.permitted), (True, constraints.excluded)):
        found += [Violation(excluded, text) for text in _one_side(names, side, excluded)]
    return found


def _one_side(names: Names, side: Names, excluded: bool) -> Iterator[str]:
    if side.dns:
        hosts = frozenset(base.lower() for base in side.dns)
        yield from _offenders(names.dns, lambda name: _host_within(name, hosts), excluded, "dNSName", side.dns)
    if side.ips:
        networks = frozenset(_network(base) for base in side.ips)
        masks = frozenset(mask for _, mask in networks)
        texts = tuple(_network_text(base) for base in side.ips[:4])

        def inside(octets: bytes) -> bool:
            return any((_masked(octets, mask), mask) in networks for mask in masks)

        malformed = any(len(base) not in (8, 32) for base in side.ips) or any(len(name) not in (4, 16) for name in names.ips)
        if names.ips and malformed:
            yield f"an iPAddress or its subtree ({', '.join(texts)}) is neither of IPv4 nor of IPv6"
        else:
            yield from _offenders(names.ips, inside, excluded, "iPAddress", texts, _address)
    if side.emails:
        boxes = frozenset(_mailbox(base) for base in side.emails)
        yield from _offenders(names.emails, lambda name: _email_within(name, boxes), excluded, "rfc822Name", side.emails)
    if side.uris:
        uri_hosts = frozenset(base.lower() for base in side.uris)
        yield from _offenders(names.uris, lambda name: _exact_or_below(_uri_host(name), uri_hosts), excluded, "URI", side.uris)
    if side.directories:
        yield from _offenders(
            names.directories, lambda name: any(name.is_within(base) for base in side.directories), excluded, "directoryName",
            tuple(base.text for base in side.directories[:4]), lambda name: name.text,
        )
    for kind in sorted(names.others & side.others):
        yield f"{KIND_NAMES[kind]} names are constrained, and nothing can compare them"


def _offenders(
    names: Sequence[T], inside: Callable[[T], bool], excluded: bool, kind: str, bases: Sequence[str],
    show: Callable[[T], str] = str,
) -> Iterator[str]:
    """The first name that is inside an excluded subtree, or outside all permitted ones."""
    for name in names:
        if inside(name) is excluded:
            more = f" and {len(bases) - 4} more" if len(bases) > 4 else ""
            relation = "is in excluded" if excluded else "is in none of the permitted"
            yield f"{kind} {show(name)!r} {relation} subtrees ({', '.join(base or 'all' for base in bases[:4])}{more})"
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


def _network(base: bytes) -> tuple[bytes, bytes]:
    half = len(base) // 2
    mask = base[half:]
    return _masked(base[:half], mask), mask


def _masked(octets: bytes, mask: bytes) -> bytes:
    """The network part; octets of the other address family become a value no network has."""
    return bytes(left & right for left, right in zip(octets, mask, strict=True)) if len(octets) == len(mask) else b"other family"


def _address(octets: bytes) -> str:
    return str(ip_address(octets)) if len(octets) in (4, 16) else octets[:40].hex()


def _network_text(base: bytes) -> str:
    half = len(base) // 2
    return f"{_address(base[:half])}/{_address(base[half:])}"
