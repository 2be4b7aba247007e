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
    """Why a target exists: the record, the zone it stands in, the chase that led to the address, the wildcard it stands for.

    ``seen_in`` says who knows the name when neither zone nor configuration does (``CT``).
    """

    record: Record
    zone: DnsName
    resolution: Resolution | None = None
    wildcard: DnsName | None = None
    seen_in: str = ""


class _TargetParts:
    """How a target is kept: nearly all of many thousands have one reason, and that a plain record, which needs no tuple."""

    __slots__ = ("_why", "_zone", "endpoint", "server_name")
    _why: Record | tuple[Provenance, ...]
    _zone: DnsName | None

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """Every record that leads here."""
        return self._why if isinstance(self._why, tuple) else (Provenance(self._why, self._zone or DnsName("")),)


@dataclass(frozen=True, order=True, init=False)
class Target(_TargetParts):
    """One handshake question: this name at this endpoint. However many records lead to it, it is one target."""

    __slots__ = ()
    endpoint: Endpoint
    server_name: DnsName
    provenance: tuple[Provenance, ...] = field(compare=False)

    def __init__(self, endpoint: Endpoint, server_name: DnsName, provenance: tuple[Provenance, ...] = ()) -> None:
        keep = object.__setattr__
        keep(self, "endpoint", endpoint)
        keep(self, "server_name", server_name)
        if len(provenance) == 1 and (only := provenance[0]).resolution is None and only.wildcard is None:
            keep(self, "_why", only.record)
            keep(self, "_zone", only.zone)
        else:
            keep(self, "_why", provenance)
            keep(self, "_zone", None)

    def __reduce__(self) -> tuple[object, ...]:
        return Target, (self.endpoint, self.server_name, self.provenance)
