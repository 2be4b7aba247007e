"""Revocation lists with any property on request, and certificates that name them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan.demo.authority import Amend, Authority
from dnscertscan.model.certificates import Certificate

Change = Callable[[x509.CertificateRevocationListBuilder], x509.CertificateRevocationListBuilder]


@dataclass(frozen=True)
class Revoked:
    """One entry: a certificate, when, why, and further entry extensions with their criticality."""

    certificate: x509.Certificate
    when: datetime
    reason: x509.ReasonFlags | None = x509.ReasonFlags.key_compromise
    more: tuple[tuple[x509.ExtensionType, bool], ...] = ()


def der(certificate: x509.Certificate) -> Certificate:
    """As it comes over the wire."""
    return Certificate(certificate.public_bytes(Encoding.DER))


def crl(
    issuer: Authority, *entries: Revoked, start: timedelta = timedelta(hours=-1), end: timedelta | None = timedelta(days=3),
    scope: x509.IssuingDistributionPoint | None = None, change: Change = lambda builder: builder,
) -> bytes:
    """A list in DER, signed by ``issuer``, in force from ``issuer.now + start`` to ``issuer.now + end``."""
    now = issuer.now
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject).last_update(now + start)
    builder = builder.next_update(now + (end or timedelta(days=1)))
    for entry in entries:
        revoked = x509.RevokedCertificateBuilder().serial_number(entry.certificate.serial_number).revocation_date(entry.when)
        if entry.reason is not None:
            revoked = revoked.add_extension(x509.CRLReason(entry.reason), critical=False)
        for extension, critical in entry.more:
            revoked = revoked.add_extension(extension, critical=critical)
        builder = builder.add_revoked_certificate(revoked.build())
    key = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.credential.key.public_key())
    builder = builder.add_extension(key, critical=False).add_extension(x509.CRLNumber(1), critical=False)
    if scope is not None:
        builder = builder.add_extension(scope, critical=True)
    return change(builder).sign(issuer.credential.key, hashes.SHA256()).public_bytes(Encoding.DER)


def names_lists(*urls: str, reasons: frozenset[x509.ReasonFlags] | None = None) -> Amend:
    """For Authority.leaf and Authority.intermediate: a cRLDistributionPoints extension with one point per URL."""
    points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, reasons, None) for url in urls]
    return lambda builder: builder.add_extension(x509.CRLDistributionPoints(points), critical=False)


def names_issuers(*urls: str) -> Amend:
    """An authorityInfoAccess extension with caIssuers URLs."""
    kind = x509.AuthorityInformationAccessOID.CA_ISSUERS
    places = [x509.AccessDescription(kind, x509.UniformResourceIdentifier(url)) for url in urls]
    return lambda builder: builder.add_extension(x509.AuthorityInformationAccess(places), critical=False)


def scope(
    *urls: str, user: bool = False, ca: bool = False, indirect: bool = False, attribute: bool = False,
    reasons: Iterable[x509.ReasonFlags] | None = None,
) -> x509.IssuingDistributionPoint:
    """An issuingDistributionPoint extension."""
    full = [x509.UniformResourceIdentifier(url) for url in urls] or None
    some = frozenset(reasons) if reasons else None
    return x509.IssuingDistributionPoint(full, None, user, ca, some, indirect, attribute)
