"""What the JSON outputs say about a served certificate; what cannot be read is null, the octets are always there."""

from base64 import b64encode
from ipaddress import ip_address
from typing import Any

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.parse import parse, refer
from dnscertscan.report.base import utc

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def certificate_facts(certificate: Certificate) -> dict[str, Any]:
    """Subject and issuer (RFC 4514), serial (upper-case hexadecimal), validity (UTC) and the names in subjectAltName."""
    facts = parse(certificate)
    shown = refer(facts, None)
    held = facts.extensions.alt_names
    return {
        "subject": shown.subject or None, "issuer": shown.issuer or None, "serial": shown.serial or None,
        "not_before": utc(shown.not_before), "not_after": utc(shown.not_after),
        "names": [*held.dns, *map(_address, held.ips)] if held else [],
    }


def _address(octets: bytes) -> str:
    return str(ip_address(octets)) if len(octets) in (4, 16) else octets.hex()


def certificate_object(certificate: Certificate) -> dict[str, Any]:
    """The facts and the certificate itself as PEM (RFC 7468), ready for ``openssl x509``."""
    body = b64encode(certificate.der).decode("ascii")
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return {**certificate_facts(certificate), "pem": "\n".join([BEGIN, *lines, END, ""])}
