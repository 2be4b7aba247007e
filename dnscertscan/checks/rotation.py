"""Whether a server certificate is as old as healthy rotation allows, and issued for as long as its CA is meant to."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation, days
from dnscertscan.model.text import visible
from dnscertscan.pki.fault import Diagnosis, Fault

_SHOWN = 5
_KEPT = 1000


class Rota:
    """What a policy expects of the rotation of certificates, and which of its tables no certificate has met so far.

    A table that nothing meets says nothing, whatever goes wrong: a slip in the name of its zone or issuer has to be told.
    """

    def __init__(self, policy: CheckPolicy) -> None:
        self._policy = policy
        self._idle = list(policy.rotations)
        self._met: dict[tuple[str, Sequence[DnsName]], None] = {}

    def look(self, diagnosis: Diagnosis, zones: Sequence[DnsName], at: datetime) -> Iterator[Fault]:
        """:func:`look` with the policy; takes note of what was seen."""
        leaf = diagnosis.path[0] if diagnosis.path else diagnosis.leaf
        if leaf is not None and self._idle and (key := (leaf.issuer, tuple(zones))) not in self._met:
            if len(self._met) < _KEPT:
                self._met[key] = None
            self._idle = [one for one in self._idle if not one.applies(zones, leaf.issuer)]
        yield from look(diagnosis, self._policy, zones, at)

    def nowhere(self, zones: Iterable[DnsName]) -> Iterator[str]:
        """One line for each table whose zone is none of ``zones`` (all there are), nor above one; not told by :meth:`idle`."""
        known = tuple(dict.fromkeys(zones))
        for one in list(self._idle):
            if one.zone and not any(zone.is_within(DnsName.parse(one.zone)) for zone in known):
                self._idle.remove(one)
                there = _some([zone.display for zone in known]) or "none"
                yield f"{_table(one)} is about no zone of this run ({there}); write one of these, or one above them"

    def idle(self) -> Iterator[str]:
        """One line for each table that no certificate has met, when any was seen at all."""
        for one in self._idle if self._met else ():
            zone = DnsName.parse(one.zone)
            there = [issuer for issuer, zones in self._met if not one.zone or any(name.is_within(zone) for name in zones)]
            seen = _some([f'"{visible(issuer, 120)}"' for issuer in dict.fromkeys(there)])
            yield f"{_table(one)} matches no certificate; " + (f"issuers there are: {seen}" if seen else "none was seen there")


def _table(one: Rotation) -> str:
    said = [f'{key} = "{visible(value, 120)}"' for key, value in (("zone", one.zone), ("issuer", one.issuer)) if value]
    return f"[[checks.rotation]] with {' and '.join(said)}"


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


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
