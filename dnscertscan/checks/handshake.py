"""What an observation shows beside its certificates: old protocols, client certificates, engine failures, absent servers."""

from collections.abc import Iterator

from dnscertscan.checks.reachability import SLUGS, WORDS
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake
from dnscertscan.model.text import visible
from dnscertscan.pki.fault import Fault

_LEGACY = frozenset({"SSL2", "SSL2.0", "SSL3", "SSL3.0", "TLS1", "TLS1.0", "TLS1.1"})


def look(handshake: Handshake) -> Iterator[Fault]:
    """Faults of the handshake itself: ``legacy-tls-only``, ``client-cert-required``, ``engine-failed``."""
    if handshake.protocol.upper().replace("V", "").replace(" ", "") in _LEGACY:
        shown = visible(handshake.protocol, 40)
        yield Fault("legacy-tls-only", f"server offers only TLS 1.1 or older: {shown} was negotiated", None)
    if handshake.client_auth is ClientAuth.REQUIRED:
        yield Fault("client-cert-required", "server requires a client certificate", None)
    if handshake.engine_failure is not None:
        yield engine_fault(handshake.engine_failure, "after the certificates were read; some deployments may be missing")


def engine_fault(failure: Failure, when: str = "before certificates were read") -> Fault:
    """The scan engine died on this target."""
    return Fault("engine-failed", f"scan engine failed {when}: {visible(failure.detail, 300) or failure.kind.value}", None)


def look_failure(failure: Failure, *, unreachable_counts: bool) -> Iterator[Fault]:
    """Faults of a target that gave no certificate: always for a dead engine, else only when the policy asks for them."""
    if failure.kind is FailureKind.ENGINE:
        yield engine_fault(failure)
    elif unreachable_counts and (slug := SLUGS.get(failure.kind)) is not None:
        detail = visible(failure.detail, 300)
        words = WORDS[slug]
        told = detail if detail.lower().startswith(words.lower()) else f"{words}: {detail}" if detail else words
        yield Fault(slug, told, None)
