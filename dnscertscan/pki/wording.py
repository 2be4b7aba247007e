"""How a fault is put into words: the well-known words, the certificate, the fact, the next step."""

from datetime import datetime

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.model.text import visible
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.vocabulary import WORDS


def fault(slug: str, certificate: CertificateRef | None, fact: str, step: str, severity: Severity | None = None) -> Fault:
    """A fault whose message is ``words: fact; step``. Text from certificates in ``fact`` may be raw: it is made safe here."""
    return Fault(slug, visible(f"{WORDS[slug][1]}: {fact}; {step}"), certificate, severity)


def weight(found: Fault) -> Severity:
    """The fault's own severity or its rule's default."""
    return found.severity if found.severity is not None else WORDS[found.slug][0]


def is_error(found: Fault) -> bool:
    """Whether a client refuses the chain for this."""
    return weight(found) >= Severity.ERROR


def who(certificate: CertificateRef) -> str:
    """``certificate 1 "CN=Example CA" (serial 0A1B)``; anchors that were not sent are ``trust anchor "..."``."""
    place = "trust anchor" if certificate.position is None else f"certificate {certificate.position}"
    serial = f" (serial {certificate.serial})" if certificate.serial else ""
    return f'{place} "{quoted(certificate.subject)}"{serial}'


def quoted(text: str) -> str:
    """Text from a certificate cut to a length that leaves room for the rest of the message."""
    return text if len(text) <= 300 else f"{text[:300]}... ({len(text) - 300} more characters)"


def moment(when: datetime) -> str:
    """``2026-12-01T00:00:00+00:00``."""
    return when.isoformat()
