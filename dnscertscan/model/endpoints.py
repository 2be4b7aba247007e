"""What is scanned: an address, a port and the name asked for there."""

from dataclasses import dataclass, field

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Record, Resolution

TLS = "tls"
"""The service of a port that speaks TLS from the first byte; any other service names a STARTTLS dialogue."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One socket to connect to. ``address`` is an IP literal in canonical form; ``service`` is ``tls`` or a STARTTLS protocol."""

    address: str
    port: int
    service: str = TLS

    @property
    def text(self) -> str:
        """``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Why a target exists: the record, the zone it stands in, the chase that led to the address, the wildcard it stands for."""

    record: Record
    zone: DnsName
    resolution: Resolution | None = None
    wildcard: DnsName | None = None


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One handshake question: this name at this endpoint. However many records lead to it, it is one target."""

    endpoint: Endpoint
    server_name: DnsName
    provenance: tuple[Provenance, ...] = field(default=(), compare=False)
