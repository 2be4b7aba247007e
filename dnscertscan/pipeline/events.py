"""What a run tells an observer while it goes on: frozen events, sideways, never a way back in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.records import Zone, ZoneProblem
from dnscertscan.model.report import Report


@dataclass(frozen=True, slots=True)
class ZoneFetched:
    """A source gave a zone."""

    zone: Zone


@dataclass(frozen=True, slots=True)
class ZoneTrouble:
    """A source met a problem."""

    problem: ZoneProblem


@dataclass(frozen=True, slots=True)
class Resolving:
    """``done`` of ``total`` host records have been followed to their addresses."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The targets are known: ``targets`` will be looked at, ``unscanned`` ledger rows already have their end."""

    targets: int
    unscanned: int


@dataclass(frozen=True, slots=True)
class TargetObserved:
    """One target has its observation; ``findings`` are those of this observation alone, ``valid`` its verdict per trust store.

    ``settled`` is False when the whole run may still tell more about it: then a :class:`TargetSettled` follows at the end.
    """

    observation: Observation
    findings: Sequence[Finding]
    valid: Mapping[str, bool]
    settled: bool
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class TargetSettled:
    """All that is to be said of a target that was not settled before; ``news`` are the findings not told yet."""

    observation: Observation
    findings: Sequence[Finding]
    valid: Mapping[str, bool]
    news: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Revocation:
    """``done`` of ``total`` revocation lists have been asked for."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Asking:
    """The run waits for answers about CT: ``done`` of ``total`` of ``what`` (a few words) are there."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something the operator should know that is wrong with no target: one line, safe to show."""

    text: str


@dataclass(frozen=True, slots=True)
class FindingsMade:
    """Findings that belong to no single observation."""

    findings: Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The run was cut short; what was seen so far is kept."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The report is made."""

    report: Report


Event = (
    ZoneFetched | ZoneTrouble | Resolving | Planned | TargetObserved | Revocation | Asking | Note | TargetSettled | FindingsMade
    | Stopped | Finished
)


class Observer(Protocol):
    """Anything that wants to know how a run goes. Called in the event loop: must return soon and must not raise."""

    def __call__(self, event: Event) -> None:
        """Take note of one event."""
