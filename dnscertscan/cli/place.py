"""What HOST means where one host is asked: which port, STARTTLS protocol, name and addresses."""

from collections.abc import Sequence
from dataclasses import dataclass

from dnscertscan.errors import UsageError
from dnscertscan.model.endpoints import TLS, Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record
from dnscertscan.model.text import visible
from dnscertscan.resolve.addresses import canonical, unscannable
from dnscertscan.settings.values import HTTPS_PORT, SERVICES, HostPort

PORTS = {
    "tls": HTTPS_PORT, "smtp": 25, "imap": 143, "pop3": 110, "ftp": 21, "ldap": 389, "postgres": 5432, "xmpp": 5222,
    "xmpp-server": 5269,
}
"""Where a service is when no port is given; these ports but the first never speak TLS from the first byte."""
_SERVICES = {port: service for service, port in PORTS.items()} | {587: "smtp"}
_LIKE_PORTS = frozenset({*map(str, PORTS.values()), "465", "587", "636", "853", "990", "993", "995", "5061", "8443", "9443"})
_NO_NAME = "0.0.0.0"  # noqa: S104 - nothing listens here: an address as name means that no name is asked for (RFC 6066 3)
_GIVEN = Origin("command line")


@dataclass(frozen=True, slots=True)
class Place:
    """One service to look at. ``name`` is what is asked for (SNI); ``addresses`` are those to connect to, empty: look them up.

    ``families`` are 4, 6 or both. ``hint`` says how else the text could have been meant.
    """

    host: str
    port: int
    service: str
    name: str
    addresses: tuple[str, ...] = ()
    families: tuple[int, ...] = (4, 6)
    hint: str = ""

    @property
    def text(self) -> str:
        """For messages: ``www.example.com:443``, ``mail.example.com:25 (smtp)``."""
        host = f"[{self.host}]" if ":" in self.host else visible(self.host, 260)
        return f"{host}:{self.port}" + ("" if self.service == TLS else f" ({self.service})")

    def targets(self, addresses: Sequence[str]) -> tuple[Target, ...]:
        """One for each address of the families that are wanted and that can be connected to."""
        wanted = [address for address in dict.fromkeys(map(canonical, addresses)) if not unscannable(address)]
        name = DnsName.parse(_NO_NAME if ":" in self.name else self.name)
        return tuple(
            Target(Endpoint(address, self.port, self.service), name, (self._origin(address),)) for address in wanted
            if (6 if ":" in address else 4) in self.families
        )

    def _origin(self, address: str) -> Provenance:
        """As if the name were a zone of its own: settings for zones above it apply to it."""
        name = DnsName(self.host)
        return Provenance(Record(name, "AAAA" if ":" in address else "A", address, None, _GIVEN), name)


def read_place(
    text: str, *, starttls: str = "", sni: str = "", addresses: Sequence[str] = (), families: Sequence[int] = ()
) -> Place:
    """``HOST``, ``HOST:PORT``, ``[IPV6]:PORT``, or one with ``SERVICE:`` before it; :class:`UsageError` for what cannot be asked.

    Without a service it is that of the port where that one only knows STARTTLS, else TLS.
    """
    if "://" in text:
        host = text.partition("://")[2].partition("/")[0].rpartition("@")[2]
        raise UsageError(f"{visible(text, 100)!r} is a URL; write the host only: {visible(host, 100) or 'www.example.com'}")
    prefix, _, rest = text.strip().partition(":")
    service = ""
    if prefix.lower() in SERVICES and rest and not rest.isdigit():
        service, text = prefix.lower(), rest
    if service and starttls and service != starttls:
        raise UsageError(f"{visible(text, 100)!r} says {service}, --starttls says {starttls}; leave one of them out")
    service = starttls or service
    server = HostPort.parse(text, PORTS.get(service, HTTPS_PORT))
    service = service or _SERVICES.get(server.port, TLS)
    host = canonical(server.host) if server.is_address else DnsName.parse(server.host.removesuffix(".")).text
    if problem := unscannable(host) if server.is_address else DnsName(host).problem:
        raise UsageError(f"{visible(text, 100)!r} cannot be asked: {problem}")
    name = DnsName.parse(sni.removesuffix(".")).text if sni else host
    if sni and (problem := DnsName(name).problem):
        raise UsageError(f"--sni {visible(sni, 100)!r}: {problem}")
    for address in addresses:
        if problem := unscannable(address):
            raise UsageError(f"--address {visible(address, 60)!r}: {problem}; write an IP address")
    given = tuple(addresses) or ((host,) if server.is_address else ())
    return Place(host, server.port, service, name, given, tuple(families) or (4, 6), _hint(text.strip()))


def _hint(text: str) -> str:
    """What to write instead of a bare IPv6 address that ends like a port."""
    address, _, last = text.rpartition(":")
    if last not in _LIKE_PORTS or ":" not in address or unscannable(address):
        return ""
    return f"{text} is taken for an address, without a port; port {last} of another address is written [{address}]:{last}"
