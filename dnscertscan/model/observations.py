"""What one look at one target gave: a handshake, or the reason there was none."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Target


class FailureKind(StrEnum):
    """Why no certificate could be read. The value is the reason word in the coverage file."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RESET = "reset"
    CLOSED = "closed"
    NOT_TLS = "not-tls"
    ALERT = "alert"
    UNRECOGNIZED_NAME = "unrecognized-name"
    UNSUPPORTED_TLS = "unsupported-tls"
    HANDSHAKE_TIMEOUT = "handshake-timeout"
    HANDSHAKE_ERROR = "handshake-error"
    NO_CERTIFICATE = "no-certificate"
    TOO_LARGE = "too-large"
    STARTTLS_UNSUPPORTED = "starttls-unsupported"
    STARTTLS_REFUSED = "starttls-refused"
    UNSCANNABLE_NAME = "unscannable-name"
    ENGINE = "engine"
    """The scanner itself failed (a worker died or outlived its limit): not the target's answer, so the run is incomplete."""
    DEADLINE = "deadline"
    """The run ended before this target was looked at."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no (complete) answer. ``detail`` is one line of evidence for a person, raw."""

    kind: FailureKind
    detail: str


class ClientAuth(StrEnum):
    """What the server asked of the client."""

    NONE = "none"
    REQUESTED = "requested"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class StoreVerdict:
    """SSLyze's word on one deployment and one trust store; ``reason`` is its text when not trusted."""

    store: str
    trusted: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """One certificate list an endpoint serves, leaf first as received, and the handshakes that showed it."""

    chain: tuple[Certificate, ...]
    how: tuple[str, ...]
    """Sorted handshake labels: ``TLS 1.3``, ``TLS 1.2 RSA``, ``TLS 1.2 not RSA``, ``default``, ``no SNI``."""
    sni: bool = True
    """False for the list served to a client that names no host: never the endpoint's own error."""
    staple: bytes | None = None
    """The stapled OCSP response (DER) where one was sent."""
    verdicts: tuple[StoreVerdict, ...] = ()
    unjudged: str = ""
    """Why the engine gave no verdict on this list although it was received; empty when it gave one."""
    scts: bytes | None = None
    """The SignedCertificateTimestampList of the TLS extension (RFC 6962 3.3.1), where one was sent and could be seen.

    Empty when a handshake that showed this list had asked for SCTs and for a stapled OCSP response, was read to the end of the
    server's flight, and brought none of the former: then ``staple`` None means that none was sent, too. None: nobody knows.
    """


@dataclass(frozen=True, slots=True)
class Handshake:
    """A TLS answer. ``deployments`` are distinct and in a stable order (SNI first, then by handshake label, then digest)."""

    deployments: tuple[Deployment, ...]
    protocol: str
    cipher: str
    client_auth: ClientAuth = ClientAuth.NONE
    unanswered: tuple[str, ...] = ()
    """Handshakes the server did not finish although it had answered others (silence, a flood): further lists may be missing."""
    engine_failure: Failure | None = None
    """Set when the engine died after the certificate list was read: the list is kept, its deployments may be incomplete."""
    alpn: str = ""
    """The application protocol the server chose, raw; empty when it chose none or was not asked."""
    legacy: tuple[str, ...] = ()
    """Protocols older than TLS 1.2 that the endpoint answers with beside a current one, where that was asked."""


Outcome = Handshake | Failure


@dataclass(frozen=True, slots=True)
class Observation:
    """Exactly one per target. ``at`` is aware UTC, ``seconds`` the wall time the look took."""

    target: Target
    outcome: Outcome
    engine: str
    at: datetime
    seconds: float
