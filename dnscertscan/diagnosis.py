"""The public function :func:`diagnose`: why one chain is not valid for a name, and which certificate is at fault."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from dnscertscan.checks import RULES
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.names import DnsName
from dnscertscan.pki.diagnose import examine
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.names import ask
from dnscertscan.pki.truststore import TrustStore

__all__ = ["CertificateInfo", "Diagnosis", "Problem", "diagnose"]

_STORE = "given anchors"


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """Which certificate: ``position`` from 0 (the leaf), None for an anchor that was not sent.

    ``sha256`` is lower-case hexadecimal, ``subject`` and ``issuer`` are RFC 4514 text with the raw characters of the certificate,
    ``serial`` is upper-case hexadecimal; what cannot be read is empty.
    """

    position: int | None
    sha256: str
    subject: str
    issuer: str
    serial: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One independent problem. ``severity`` is ``error``, ``warning`` or ``info``; ``message`` is one line, safe to print."""

    code: str
    slug: str
    severity: str
    message: str
    certificate: CertificateInfo | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``valid``: an ordinary client with these anchors accepts the chain for the name at that time (no problem is an error).

    ``valid_for`` says the same for each trust store by name.
    """

    valid: bool
    problems: tuple[Problem, ...]
    valid_for: Mapping[str, bool] = field(default_factory=dict)


def diagnose(
    chain: Sequence[bytes], name: str, anchors: Iterable[bytes], at: datetime, *, staple: bytes | None = None, public: bool = True
) -> Diagnosis:
    """Everything that is wrong with ``chain`` (DER, leaf first, as a server sent it) for ``name`` at the aware time ``at``.

    ``name`` is a DNS name (internationalised ones in either form, underscores and a final dot allowed) or an IP literal;
    empty, no name is checked. ``anchors`` are the trusted certificates (DER). ``staple`` is a stapled OCSP response (DER);
    without one, a certificate that asks for stapling is only a warning, for nothing here tells what the server stapled.
    ``public``: also say where the CA/Browser Forum's limits for public CAs are exceeded (lifetimes), as warnings.
    Bad octets in ``chain`` or ``anchors`` end in problems, not in exceptions; ``ValueError`` when ``at`` has no time zone.
    """
    stores = (_store(tuple(anchors)),)
    return diagnose_for_stores(tuple(map(Certificate, chain)), name, stores, at, staple=staple, public=public)


def diagnose_for_stores(
    chain: Sequence[Certificate], name: str, stores: Sequence[TrustStore], at: datetime, *,
    staple: bytes | None = None, public: bool = True,
) -> Diagnosis:
    """Like :func:`diagnose`, for several trust stores at once: valid when every one of them accepts the chain."""
    if at.tzinfo is None:
        raise ValueError("at must be an aware time, such as datetime(2026, 6, 1, tzinfo=UTC)")
    found = examine(chain, _ascii(name), stores, at, staple=staple, public=public, handshake_seen=staple is not None)
    return Diagnosis(found.valid, tuple(map(_problem, found.faults)), dict(found.valid_for))


@lru_cache(maxsize=8)
def _store(anchors: tuple[bytes, ...]) -> TrustStore:
    return TrustStore(_STORE, map(Certificate, anchors))


def _ascii(name: str) -> str:
    """A-labels for a name with other characters; everything else as it is."""
    return name if name.isascii() or ask(name).ip else DnsName.parse(name).text


def _problem(fault: Fault) -> Problem:
    rule = RULES[fault.slug]
    severity = fault.severity if fault.severity is not None else rule.severity
    return Problem(rule.code, fault.slug, str(severity), fault.message, _info(fault.certificate))


def _info(ref: CertificateRef | None) -> CertificateInfo | None:
    return None if ref is None else CertificateInfo(ref.position, ref.sha256, ref.subject, ref.issuer, ref.serial)
