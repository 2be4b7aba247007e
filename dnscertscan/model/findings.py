"""Rules, what they hit, and the finding that reaches a report."""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from hashlib import sha256

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.endpoints import Target


class Severity(IntEnum):
    """How bad; ``str(severity)`` is the word used in every output."""

    INFO = 10
    WARNING = 20
    ERROR = 30

    def __str__(self) -> str:
        return self.name.lower()


class Scope(StrEnum):
    """What a rule looks at: the zones' resolutions, one observation, or all of them together."""

    ZONE = "zone"
    ENDPOINT = "endpoint"
    FLEET = "fleet"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule is its own documentation: ``title``, ``why`` it matters, ``fix`` the next step, ``references`` the source."""

    code: str
    slug: str
    title: str
    severity: Severity
    scope: Scope
    why: str
    fix: str
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about; fields that do not apply are empty. ``record`` is the text of the record(s) that lead there."""

    zone: str = ""
    fqdn: str = ""
    ip_address: str = ""
    port: int | None = None
    record: str = ""
    wildcard: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that hit one subject. Built by the judge, which stamps code, slug and severity."""

    rule: Rule
    severity: Severity
    subject: Subject
    message: str
    certificate: CertificateRef | None = None
    store: str | None = None
    """The trust store it holds for; None when it holds for all of them."""
    leaf: CertificateRef | None = None
    """The served leaf, for outputs that always show what the endpoint serves."""
    target: Target | None = field(default=None, compare=False, repr=False)
    ct: str = field(default="", compare=False)
    """What Certificate Transparency says of ``leaf``: ``logged``, ``not-logged``, ``unknown``, ``private``; empty: not asked."""

    @property
    def fingerprint(self) -> str:
        """Stable identity: code, subject, store and certificate; never message, severity, time, engine or order."""
        place = self.subject
        at_fault = self.certificate.sha256 if self.certificate else ""
        parts = ["v1", self.rule.code, place.fqdn, place.ip_address, str(place.port or ""), self.store or "", at_fault]
        named = place.fqdn or place.zone or place.ip_address
        if self.rule.slug == "bad-record" or (place.record and not named):  # the subject is a record and nothing else
            parts.append(place.record)
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
