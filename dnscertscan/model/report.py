"""All that a reporter may know about one run."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, LogList
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.records import ZoneProblem
from dnscertscan.model.rotation import Rotation
from dnscertscan.model.transparency import CtFacts

Place = tuple[str, int, str]
"""(address, port, server name): what findings, observations and coverage rows are joined by."""


class State(StrEnum):
    """The terminal state of one record x address x port x server name."""

    SCANNED = "scanned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One line of the coverage ledger. ``reason`` is a short word (``ok``, ``refused``, ``duplicate``, ``filtered``...)."""

    zone: str
    record: str
    """The record as text, ``www.example.com. A 192.0.2.1``."""
    fqdn: str
    ip_address: str
    port: int | None
    state: State
    reason: str
    detail: str = ""
    wildcard: str = ""
    origin: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ZoneTotals:
    """Per zone: ``records`` naming hosts, ``other_records`` not, ``rows`` counted by (state, reason)."""

    zone: str
    records: int
    other_records: int
    rows: dict[tuple[State, str], int]

    def count(self, state: State) -> int:
        """Rows in one state."""
        return sum(n for (row_state, _), n in self.rows.items() if row_state is state)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Every target accounted for; ``totals`` are counted from ``rows`` and so reconcile with them."""

    rows: Collection[CoverageRow]
    totals: tuple[ZoneTotals, ...]
    problems: tuple[ZoneProblem, ...] = ()

    def counts(self) -> Counter[tuple[State, str]]:
        """Rows counted by (state, reason), over all zones."""
        counted: Counter[tuple[State, str]] = Counter()
        for zone in self.totals:
            counted.update(zone.rows)
        return counted

    def count(self, state: State) -> int:
        """Rows in one state, over all zones."""
        return sum(zone.count(state) for zone in self.totals)


@dataclass(frozen=True, slots=True)
class Run:
    """When and how: times are aware UTC; ``engine`` is the scan engine's name, ``config_digest`` the SHA-256 of the settings."""

    version: str
    started: datetime
    finished: datetime
    engine: str
    config_digest: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Findings counted by severity: all of them, and those of each zone."""

    severities: Counter[Severity] = field(default_factory=Counter)
    by_zone: dict[str, Counter[Severity]] = field(default_factory=dict)

    def count(self, finding: Finding) -> None:
        """Count one; a target that several zones lead to counts in each of them."""
        self.severities[finding.severity] += 1
        for zone in finding.subject.zone.split(", "):
            self.by_zone.setdefault(zone, Counter())[finding.severity] += 1

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> Self:
        """All of them counted."""
        tally = cls()
        for finding in findings:
            tally.count(finding)
        return tally


@dataclass(frozen=True, slots=True)
class Report:
    """One run's result. ``complete`` is False when a zone failed, the run was cut short or the engine failed on a target.

    The collections may lie on disk: they can be read as often as wanted, in one order, until the report is closed (or
    collected). A report is a context manager that closes itself.
    """

    run: Run
    coverage: Coverage = field(repr=False)
    observations: Collection[Observation] = field(repr=False)
    findings: Collection[Finding] = field(repr=False)
    complete: bool
    valid: Mapping[Place, Mapping[str, bool]] = field(default_factory=dict, repr=False)
    """(address, port, server name) -> trust store -> whether the endpoint is valid for it by our own diagnosis."""
    inconclusive: str = ""
    """Why the failures of this run say nothing about the targets (our own network fails); then it is not complete either."""
    counted: Tally | None = field(default=None, repr=False)
    """The findings counted, where that was done as they were made."""
    served: Callable[[], Iterable[Certificate]] | None = field(default=None, repr=False)
    """Another way to :meth:`certificates`, which does not hold them all at once."""
    free: Callable[[], None] | None = field(default=None, repr=False)
    """Gives back what the collections occupy."""
    transparency: Callable[[Observation], Mapping[str, CtAudit]] | None = field(default=None, repr=False)
    """What Certificate Transparency says of the leaves an observation showed, by SHA-256; None when nobody looked."""
    log_list: LogList | None = field(default=None, repr=False)
    """The list of CT logs that ``transparency`` judges by."""
    ct_facts: CtFacts | None = field(default=None, repr=False)
    """What logs, search services and the DNS said; None when none of them was asked."""
    rotations: tuple[Rotation, ...] = ()
    """How certificates are meant to be rotated; :func:`dnscertscan.model.rotation.expected_days` says what that leaves them."""

    def tally(self) -> Tally:
        """Findings counted by severity."""
        return self.counted or Tally.of(self.findings)

    def severities(self) -> Counter[Severity]:
        """Findings counted by severity."""
        return self.tally().severities

    def certificates(self) -> Iterable[Certificate]:
        """Every certificate that was served, once, in the order of digests."""
        return self.served() if self.served else unique_certificates(self.observations)

    def close(self) -> None:
        """Give back what the report occupies; nothing can be read from it any more."""
        if self.free:
            self.free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def unique_certificates(observations: Iterable[Observation]) -> list[Certificate]:
    """Every certificate that was served, once, in the order of digests."""
    held = {
        certificate.sha256: certificate
        for observation in observations
        if isinstance(observation.outcome, Handshake)
        for deployment in observation.outcome.deployments
        for certificate in deployment.chain
    }
    return [held[digest] for digest in sorted(held)]
