"""What the JSON outputs say about a served certificate; what cannot be read is null, the octets are always there."""

import warnings
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from cryptography import x509

from dnscertscan.model.certificates import Certificate
from dnscertscan.report.base import utc

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"

_UNREADABLE = (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What ``cryptography`` raises on certificates that break the rules, at loading or when the broken field is asked for."""


def certificate_facts(certificate: Certificate) -> dict[str, Any]:
    """Subject and issuer (RFC 4514), serial (upper-case hexadecimal), validity (UTC) and the names in subjectAltName."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd about a certificate is a finding's business
        try:
            parsed = x509.load_der_x509_certificate(certificate.der)
        except _UNREADABLE:
            parsed = None
        return {
            "subject": _read(parsed, lambda it: it.subject.rfc4514_string()),
            "issuer": _read(parsed, lambda it: it.issuer.rfc4514_string()),
            "serial": _read(parsed, lambda it: f"{it.serial_number:X}"),
            "not_before": _read(parsed, lambda it: utc(it.not_valid_before_utc)),
            "not_after": _read(parsed, lambda it: utc(it.not_valid_after_utc)),
            "names": _read(parsed, _names) or [],
        }


def _read(parsed: x509.Certificate | None, field: Callable[[x509.Certificate], Any]) -> Any:
    try:
        return None if parsed is None else field(parsed)
    except _UNREADABLE:
        return None


def _names(parsed: x509.Certificate) -> list[str]:
    try:
        held = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*held.get_values_for_type(x509.DNSName), *map(str, held.get_values_for_type(x509.IPAddress))]


def certificate_object(certificate: Certificate) -> dict[str, Any]:
    """The facts and the certificate itself as PEM (RFC 7468), ready for ``openssl x509``."""
    body = b64encode(certificate.der).decode("ascii")
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return {**certificate_facts(certificate), "pem": "\n".join([BEGIN, *lines, END, ""])}
