"""All that a reporter may know about one run."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import Observation
from dnscertscan.model.records import ZoneProblem


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

    rows: tuple[CoverageRow, ...]
    totals: tuple[ZoneTotals, ...]
    problems: tuple[ZoneProblem, ...] = ()

    def count(self, state: State) -> int:
        """Rows in one state, over all zones."""
        return sum(1 for row in self.rows if row.state is state)


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
class Report:
    """One run's result. ``complete`` is False when a zone failed, the run was cut short or the engine failed on a target."""

    run: Run
    coverage: Coverage
    observations: tuple[Observation, ...]
    findings: tuple[Finding, ...]
    complete: bool
    valid: dict[tuple[str, int, str], dict[str, bool]] = field(default_factory=dict)
    """(address, port, server name) -> trust store -> whether the endpoint is valid for it by our own diagnosis."""
    inconclusive: str = ""
    """Why the failures of this run say nothing about the targets (our own network fails); then it is not complete either."""

    def severities(self) -> Counter[Severity]:
        """Findings counted by severity."""
        return Counter(finding.severity for finding in self.findings)
