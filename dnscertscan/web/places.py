"""Which URLs and addresses may be asked at all. The URLs come from certificates, and those from anybody."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

from dnscertscan.model.text import visible

MAX_URL = 2048
_PORTS = {"http": 80, "https": 443}
_PLAIN = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"[A-Za-z0-9_.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_NAT64 = IPv6Network("64:ff9b::/96")


class NotFetched(Exception):  # noqa: N818 - it carries the reason in words to the Answer and never leaves the stage that fetches
    """Why a URL gave nothing; the text is raw."""


@dataclass(frozen=True, slots=True)
class Place:
    """One URL taken apart: ``path`` with the query, ``host`` in lower case and without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: str) -> str:
        """The URL with an address in place of the host, so that what was checked is what is asked."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def redirected(self, location: str, *, allow_private: bool) -> "Place":
        """Where ``location`` (absolute or relative) leads."""
        try:
            target = urljoin(f"{self.scheme}://{self.authority}{self.path}", location)
        except ValueError as error:
            raise NotFetched(f"it redirects to something that is no URL: {visible(location, 200)}") from error
        try:
            return read_url(target, allow_private=allow_private)
        except NotFetched as refused:
            raise NotFetched(f"it redirects to {visible(target, 200)}: {refused}") from refused


def read_url(url: str, *, allow_private: bool, section: str = "revocation") -> Place:
    """Take ``url`` apart, or raise :class:`NotFetched` when it may not be asked; the message names ``section``."""
    if len(url) > MAX_URL or not _PLAIN.fullmatch(url):
        raise NotFetched("the URL is empty, too long, or has characters that a URL does not have")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotFetched("the URL cannot be read") from error
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    if scheme not in _PORTS:
        raise NotFetched("only http and https URLs are fetched")
    if "@" in parts.netloc:
        raise NotFetched("a URL with user information is not fetched")
    if not _HOST.fullmatch(host):
        raise NotFetched("the URL names no host that could be asked")
    port = _PORTS[scheme] if port is None else port
    if port not in _PORTS.values() and not allow_private:
        raise NotFetched(f"port {port} is not asked, only 80 and 443 (allow_private = true in [{section}] permits others)")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme, host, port, path)


def check_address(text: str, section: str = "revocation") -> None:
    """Raise :class:`NotFetched` for an address that is not on the public Internet, also when it hides inside an IPv6 one."""
    address = ip_address(text.partition("%")[0])
    for one in (address, *_inside(address)):
        if not one.is_global or one.is_multicast:
            raise NotFetched(f"its address {text} is not a public one (allow_private = true in [{section}] permits it)")


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]
