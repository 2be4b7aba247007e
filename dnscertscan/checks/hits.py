"""From what is wrong with each deployment to one finding per problem: the same problem of the same certificate is said once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dnscertscan.checks.catalog import RULES
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding, Severity, Subject
from dnscertscan.model.observations import Deployment
from dnscertscan.pki.fault import Fault

_MAX_TEXTS = 5
_REPLACES = {"validity-over-cap": "lifetime-too-long"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault of one deployment, and that deployment's leaf."""

    fault: Fault
    leaf: CertificateRef | None
    deployment: Deployment

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """What makes two hits of one endpoint the same problem: rule, certificate, stores."""
        return (self.fault.slug, self.fault.certificate.sha256 if self.fault.certificate else "", self.fault.stores)


def weight(fault: Fault) -> Severity:
    """The fault's own severity, else its rule's."""
    return RULES[fault.slug].severity if fault.severity is None else fault.severity


def collapse(hits: Iterable[Hit], deployments: Sequence[Deployment]) -> list[list[Hit]]:
    """Hits grouped by problem, in the order the problems were met; within a group in the order of ``deployments``."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Hit]] = {}
    for hit in hits:
        groups.setdefault(hit.identity, []).append(hit)
    return [sorted(group, key=lambda hit: deployments.index(hit.deployment)) for group in groups.values()]


def to_finding(group: Sequence[Hit], deployments: Sequence[Deployment], subject: Subject, target: Target) -> tuple[Finding]:
    """One finding for the hits of one problem; its message tells on which handshakes when not on all ``deployments``."""
    first = group[0]
    rule = RULES[first.fault.slug]
    return (Finding(
        rule=rule, severity=max(weight(hit.fault) for hit in group), subject=subject,
        message=_texts(group) + _where(group, deployments), certificate=first.fault.certificate,
        store=", ".join(first.fault.stores) or None, leaf=first.leaf, target=target,
    ),)


def plain_finding(fault: Fault, subject: Subject, target: Target, leaf: CertificateRef | None = None) -> Finding:
    """A finding for a fault that belongs to the endpoint, not to one of its deployments."""
    return Finding(
        rule=RULES[fault.slug], severity=weight(fault), subject=subject, message=fault.message, certificate=fault.certificate,
        leaf=leaf, target=target,
    )


def _texts(group: Sequence[Hit]) -> str:
    texts = list(dict.fromkeys(hit.fault.message for hit in group))
    more = f"; and {len(texts) - _MAX_TEXTS} more" if len(texts) > _MAX_TEXTS else ""
    return "; ".join(texts[:_MAX_TEXTS]) + more


def _where(group: Sequence[Hit], deployments: Sequence[Deployment]) -> str:
    hit = {id(one.deployment) for one in group}
    if all(id(deployment) in hit for deployment in deployments):
        return ""
    labels = sorted({label for one in group for label in one.deployment.how})
    return f" (only on {', '.join(labels)})" if labels else ""


def without_twins(hits: Iterable[Hit], told: Iterable[Hit]) -> list[Hit]:
    """``hits`` without what ``told`` says of the same certificate by a rule that takes the place of another one."""
    replaced = {(_REPLACES.get(one.fault.slug), one.fault.certificate) for one in told}
    return [hit for hit in hits if (hit.fault.slug, hit.fault.certificate) not in replaced]
