"""Which names a certificate is for (RFC 9525: subjectAltName only, never the common name)."""

from dataclasses import dataclass
from ipaddress import ip_address

from dnscertscan.pki.general_names import Names


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asked for: ``dns`` in lower case without final dot, or ``ip`` octets (4 or 16). One of the two is set."""

    dns: str = ""
    ip: bytes = b""


def ask(name: str) -> Asked:
    """Read a DNS name (A-labels, underscores and a final dot allowed) or an IP literal, with or without brackets."""
    text = name.strip()
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" not in bare and not bare[-1:].isdigit():  # no IP literal: an IPv4 one ends in a digit, an IPv6 one has a colon
        return Asked(dns=text.removesuffix(".").lower())
    try:
        return Asked(ip=ip_address(bare).packed)
    except ValueError:
        return Asked(dns=text.removesuffix(".").lower())


@dataclass(frozen=True, slots=True)
class Offer:
    """The names of a certificate, made ready for looking up: asking costs the same however many they are.

    ``hosts`` are lower-case dNSNames without wildcard, ``parents`` what stands behind the ``*.`` of the others; ``shown`` is
    :func:`offered`, for messages.
    """

    hosts: frozenset[str]
    parents: frozenset[str]
    addresses: frozenset[bytes]
    shown: str

    def has(self, asked: Asked) -> bool:
        """Whether one of the names is the one asked for; the same as :func:`is_named`."""
        if asked.ip:
            return asked.ip in self.addresses
        if asked.dns in self.hosts:
            return bool(asked.dns)
        label, _, parent = asked.dns.partition(".")
        return bool(label) and parent in self.parents


def offer(names: Names) -> Offer:
    """``names`` as an :class:`Offer`."""
    hosts = {name for name in map(str.lower, names.dns) if "*" not in name}
    parents = {parent for name in names.dns if "*" in name and (parent := wildcard_parent(name.lower()))}
    return Offer(frozenset(hosts), frozenset(parents), frozenset(names.ips), offered(names))


def is_named(asked: Asked, names: Names) -> bool:
    """Whether one of the certificate's names is the one asked for."""
    if asked.ip:
        return asked.ip in names.ips
    return any(covers(presented, asked.dns) for presented in names.dns)


def covers(presented: str, dns: str) -> bool:
    """Whether one dNSName stands for ``dns`` (lower case, no final dot).

    A wildcard is the whole leftmost label and stands for exactly one label (RFC 9525 6.3). ``*.com`` stands for nothing: at
    least two labels must follow, as OpenSSL, GnuTLS and browsers ask.
    """
    presented = presented.lower()
    if "*" not in presented:
        return presented == dns and bool(dns)
    rest = wildcard_parent(presented)
    label, _, parent = dns.partition(".")
    return bool(rest and label) and parent == rest


def wildcard_parent(presented: str) -> str:
    """What stands behind the ``*.`` of a dNSName; empty when it is a wildcard that stands for nothing."""
    head, _, rest = presented.partition(".")
    wrong = head != "*" or "*" in rest or "." not in rest or rest.startswith(".") or rest.endswith(".")
    return "" if wrong else rest


def offered(names: Names, limit: int = 10) -> str:
    """The names of a certificate for a message, at most ``limit`` of them."""
    shown = [*names.dns[:limit], *(_address(octets) for octets in names.ips[:limit])][:limit]
    more = len(names.dns) + len(names.ips) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") if shown else "no DNS name or address"


def _address(octets: bytes) -> str:
    return str(ip_address(octets)) if len(octets) in (4, 16) else octets[:40].hex()
