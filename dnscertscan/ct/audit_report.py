"""What `ct audit` found, as values: certificates with their verdicts, and the Nagios status of the whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, Inclusion, LogList, SctResult


class Status(StrEnum):
    """The words of monitoring plug-ins; :attr:`exit_status` is what Nagios, Icinga and their kind read."""

    OK = "OK"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    UNKNOWN = "UNKNOWN"

    @property
    def exit_status(self) -> int:
        """0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN."""
        return list(Status).index(self)


_PRECEDENCE = (Status.CRITICAL, Status.UNKNOWN, Status.WARNING)
"""A warning is about something that was decided, and weighs less than something that was not."""


def worst(statuses: Iterable[Status]) -> Status:
    """CRITICAL before UNKNOWN before WARNING before OK."""
    there = set(statuses)
    return next((status for status in _PRECEDENCE if status in there), Status.OK)


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to say, in one line that is safe to show; with OK it is a remark."""

    status: Status
    text: str


@dataclass(frozen=True, slots=True)
class Presented:
    """A certificate to audit. ``chain``: leaf first. ``staple``, ``scts``: as :func:`dnscertscan.pki.ct_audit.audit` takes them.

    ``places`` say where it was met (safe to show).
    """

    chain: tuple[Certificate, ...]
    staple: bytes | None = None
    scts: bytes | None = None
    places: tuple[str, ...] = ()

    @property
    def leaf(self) -> Certificate:
        """The certificate itself."""
        return self.chain[0]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a log said of one SCT."""

    result: SctResult
    inclusion: Inclusion


@dataclass(frozen=True, slots=True)
class Audited:
    """One certificate with everything that was found out about it. ``public`` is whether its CA is a public one."""

    presented: Presented
    audit: CtAudit
    public: bool | None
    points: tuple[Point, ...]
    proofs: tuple[Proof, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of its points."""
        return worst(point.status for point in self.points)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole answer. ``what`` names host or file (safe to show), ``points`` concern it rather than one certificate.

    ``unanswered`` are addresses that showed no certificate: (address and port, reason word, detail), all safe to show.
    """

    what: str
    at: datetime
    log_list: LogList
    certificates: tuple[Audited, ...]
    points: tuple[Point, ...] = ()
    unanswered: tuple[tuple[str, str, str], ...] = ()

    @property
    def status(self) -> Status:
        """The worst of everything."""
        if not self.certificates:
            return worst([Status.UNKNOWN, *(point.status for point in self.points)])
        return worst([*(one.status for one in self.certificates), *(point.status for point in self.points)])

    @property
    def deciding(self) -> Audited | None:
        """The certificate that has the worst status; the first of several."""
        statuses = [one.status for one in self.certificates]
        return self.certificates[statuses.index(worst(statuses))] if statuses else None
