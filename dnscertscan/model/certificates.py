"""Certificates as received: octets first, whatever can be read from them second."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate as it came over the wire. Equal octets are equal certificates."""

    der: bytes = field(repr=False)
    sha256: str = field(init=False, compare=False)
    """SHA-256 of ``der``, lower-case hexadecimal."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", sha256(self.der).hexdigest())


@dataclass(frozen=True, slots=True)
class CertificateRef:
    """How a finding names the certificate at fault.

    ``position`` counts from 0 (the leaf) in the list the server sent, None for an anchor that was not sent.
    ``subject`` and ``issuer`` are RFC 4514 strings with the raw characters of the certificate; ``serial`` is upper-case
    hexadecimal without prefix. Fields that cannot be read are empty or None.
    """

    position: int | None
    sha256: str
    subject: str
    issuer: str
    serial: str
    not_before: datetime | None = None
    not_after: datetime | None = None
