"""Whether a server certificate is as old as healthy rotation allows, and issued for as long as its CA is meant to."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation, days
from dnscertscan.model.text import visible
from dnscertscan.pki.fault import Diagnosis, Fault


def look(diagnosis: Diagnosis, policy: CheckPolicy, zones: Sequence[DnsName], at: datetime) -> Iterator[Fault]:
    """Faults ``rotation-overdue`` and ``validity-unexpected`` of the leaf, where the policy expects something, at ``at`` (aware).

    Looked at are certificates that are in force; of the others ``cert-expired`` and ``cert-not-yet-valid`` say enough.
    """
    leaf = diagnosis.path[0] if diagnosis.path else diagnosis.leaf
    if leaf is None or leaf.not_before is None or leaf.not_after is None:
        return
    start, end = leaf.not_before, leaf.not_after
    expected = policy.rotation(zones, leaf.issuer)
    if expected is None or not start <= at or end < at.replace(microsecond=0):
        return
    if abs(end - start - expected.validity) > expected.tolerance:
        yield Fault("validity-unexpected", _unexpected(leaf, end - start, expected), leaf)
    due = expected.due(start, end)
    if at > due:
        urgent = Severity.ERROR if end - at < expected.closed else None
        yield Fault("rotation-overdue", _overdue(leaf, due, expected, urgent=urgent is not None), leaf, urgent)


def _unexpected(leaf: CertificateRef, lifetime: timedelta, expected: Rotation) -> str:
    return (
        f'certificate "{visible(leaf.subject, 300)}" is valid for {days(lifetime)}, expected are {days(expected.validity)}'
        f" (give or take {days(expected.slack)})"
    )


def _overdue(leaf: CertificateRef, due: datetime, expected: Rotation, *, urgent: bool) -> str:
    rhythm = f"it is rotated every {days(expected.rotation)}, at most {days(expected.slack)} late"
    alarm = f"; nobody may be there for {days(expected.closed)}, which is more than it has left" if urgent else ""
    return (
        f'certificate "{visible(leaf.subject, 300)}" not rotated: it was to be replaced by {_text(due)} ({rhythm})'
        f" and ends at {_text(leaf.not_after)}{alarm}"
    )


def _text(moment: datetime | None) -> str:
    return "unknown" if moment is None else moment.astimezone(UTC).isoformat()
