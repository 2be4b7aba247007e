"""Which certificates of a path end too soon: the leaf by the policy's threshold, an issuer when it ends before the leaf does."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible
from dnscertscan.pki.fault import Diagnosis, Fault


def look(diagnosis: Diagnosis, policy: CheckPolicy, zones: Sequence[DnsName], at: datetime) -> Iterator[Fault]:
    """A ``cert-expiring`` fault for each certificate that ends within its threshold after ``at`` (aware).

    Looked at are the leaf and those issuers on the path that the server sent or that are the anchor. An issuer that outlives the
    leaf is of no interest: the next leaf will come with the next issuer. Certificates that have ended are ``cert-expired``.
    """
    leaf = diagnosis.path[0] if diagnosis.path else diagnosis.leaf
    if leaf is None:
        return
    if _ends_soon(leaf, policy, zones, at):
        yield Fault("cert-expiring", _message(leaf), leaf)
    for index, issuer in enumerate(diagnosis.path[1:], start=1):
        in_sight = issuer.position is not None or index == len(diagnosis.path) - 1
        if in_sight and _before(issuer, leaf) and _ends_soon(issuer, policy, zones, at):
            yield Fault("cert-expiring", f"{_message(issuer)}, before the server certificate below it ({_end(leaf)})", issuer)


def _ends_soon(certificate: CertificateRef, policy: CheckPolicy, zones: Sequence[DnsName], at: datetime) -> bool:
    start, end = certificate.not_before, certificate.not_after
    # RFC 5280 4.1.2.5: the last second still belongs to the validity; only after it the certificate has expired.
    if start is None or end is None or end < at.replace(microsecond=0):
        return False
    return end - at <= policy.threshold(zones, certificate.issuer).margin(end - start)


def _before(issuer: CertificateRef, leaf: CertificateRef) -> bool:
    return issuer.not_after is not None and leaf.not_after is not None and issuer.not_after < leaf.not_after


def _message(certificate: CertificateRef) -> str:
    return f'certificate "{visible(certificate.subject, 300)}" expiring at {_end(certificate)}'


def _end(certificate: CertificateRef) -> str:
    return "unknown" if certificate.not_after is None else certificate.not_after.astimezone(UTC).isoformat()
