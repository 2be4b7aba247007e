"""What the revocation lists say of the certificates on a path; the lists were fetched and judged before."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import NamedTuple

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.pki.crl import CrlStatus, CrlVerdict
from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.parse import parse
from dnscertscan.pki.wording import fault, moment, quoted, who

_SHORT_LIVED = timedelta(days=10)
_NO_REVOCATION = "2.5.29.56"


class Link(NamedTuple):
    """A certificate that somebody trusts by way of its issuer."""

    certificate: Certificate
    issuer: Certificate

    @property
    def key(self) -> tuple[str, str]:
        """The two digests."""
        return self.certificate.sha256, self.issuer.sha256


Verdicts = Mapping[tuple[str, str], CrlVerdict]
"""By :attr:`Link.key`."""


def needs_list(certificate: Certificate) -> bool:
    """Whether there ought to be a list at all: CAs need none for certificates that live at most ten days or say so (RFC 9608)."""
    facts = parse(certificate)
    if _NO_REVOCATION in facts.extensions.present:
        return False
    short = facts.not_before and facts.not_after and facts.not_after - facts.not_before <= _SHORT_LIVED
    return not short or bool(facts.extensions.crl_points)


def look(diagnosis: Diagnosis, verdicts: Verdicts) -> Iterator[Fault]:
    """A fault for each certificate of the path that is revoked, or of which nobody knows."""
    for ref, above in pairwise(diagnosis.path):
        verdict = verdicts.get((ref.sha256, above.sha256))
        if verdict is not None and verdict.status is not CrlStatus.GOOD:
            yield _revoked(ref, verdict) if verdict.status is CrlStatus.REVOKED else _unknown(ref, verdict)


def _revoked(ref: CertificateRef, verdict: CrlVerdict) -> Fault:
    when = moment(verdict.revoked_at) if verdict.revoked_at else "an unknown time"
    fact = f"{who(ref)} was revoked at {when} ({verdict.reason}), says the revocation list {quoted(verdict.url)}"
    return fault("crl-revoked", ref, fact, "replace the certificate, with a new key if the old one may be known to others")


def _unknown(ref: CertificateRef, verdict: CrlVerdict) -> Fault:
    place = f"{quoted(verdict.url)}: " if verdict.url else ""
    fact = f"whether {who(ref)} is revoked is not known: {place}{verdict.why}"
    return fault("crl-unavailable", ref, fact, "let this host reach the list, or ask the CA to renew it")
