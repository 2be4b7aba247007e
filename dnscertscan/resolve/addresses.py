"""IP literals: one spelling for each address, and which ones no TLS server can be reached at."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

_BROADCAST = IPv4Address("255.255.255.255")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_USUAL_IPV4 = re.compile(rf"(?:22[0-3]|2[01][0-9]|1[0-9][0-9]|[1-9][0-9]?)(?:\.{_OCTET}){{3}}")
"""Canonical, and below multicast: nearly all addresses, and ten times as quick as :mod:`ipaddress`."""


def canonical(text: str) -> str:
    """The address in canonical text form (RFC 5952), an IPv4-mapped one as the IPv4 it is; other text comes back unchanged.

    Text that is canonical already comes back as the same object, so that a record and its target share it.
    """
    if _USUAL_IPV4.fullmatch(text):
        return text
    address = _parse(text)
    spelled = text if address is None else str(address)
    return text if spelled == text else spelled


def unscannable(text: str) -> str | None:
    """Why nothing can be connected to at this address, or None."""
    return None if _USUAL_IPV4.fullmatch(text) else _unscannable(_parse(text))


def _unscannable(address: IPv4Address | IPv6Address | None) -> str | None:
    if address is None:
        return "not an IP address"
    if address.is_unspecified:
        return "unspecified address"
    if address.is_multicast:
        return "multicast address"
    if address == _BROADCAST:
        return "broadcast address"
    if isinstance(address, IPv6Address) and address.is_link_local:
        return "link-local address: it needs an interface, which DNS cannot name"
    return None


@lru_cache(maxsize=4096)  # the same address is read by the index, the chase and the mapping, often one after the other
def _parse(text: str) -> IPv4Address | IPv6Address | None:
    if len(text) > 45 or "%" in text:
        return None
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
