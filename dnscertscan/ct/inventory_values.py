"""What the inventory knows of issuances: their states, what a person decided about them, and the report of one run."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dnscertscan.ct.audit_report import Status, worst
from dnscertscan.model.ct import Issuance
from dnscertscan.model.sightings import SearchResult


class State(StrEnum):
    """What an issuance is to us. The first three are alarms that no file and no learning can silence."""

    WRONG_ISSUER = "wrong-issuer"
    SERIAL_CONFLICT = "serial-conflict"
    REJECTED = "rejected"
    ISSUER_UNDECIDED = "issuer-undecided"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    KNOWN = "known"
    KNOWN_KEY = "known-key"
    ENDED = "ended"


LONGEST = timedelta(days=400)
"""How far away the end of a decision may be: nothing is accepted for good."""
FAULTS = frozenset({State.WRONG_ISSUER, State.SERIAL_CONFLICT})
"""What is never learnt and never accepted; a person may acknowledge it, with a reason and an end."""


class Kind(StrEnum):
    """What a person decided."""

    ACCEPT = "accept"
    ACKNOWLEDGE = "acknowledge"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """About one issuance, until an end. ``origin`` is a file or the database; ``faults`` are those that were acknowledged."""

    tbs_sha256: str
    kind: Kind
    until: datetime
    reason: str = ""
    origin: str = ""
    made: datetime | None = None
    faults: frozenset[State] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One issuance and what it is to us. ``reason`` is one line, safe to show; ``faults`` are its alarms, decided about or not.

    ``sources`` are those that have it; ``issuer_key`` is the key that signed it, where that is known. ``decided_in`` is the file
    or database in which a person has rejected it; ``remembered``: it is known from an earlier run only.
    """

    issuance: Issuance
    sources: tuple[str, ...]
    state: State
    status: Status
    reason: str
    faults: frozenset[State] = frozenset()
    issuer_key: str = ""
    decided_in: str = ""
    remembered: bool = False

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody has to look at it."""
        return self.status is not Status.OK


@dataclass(frozen=True, slots=True)
class Report:
    """One run. ``undecided`` and ``notes`` are lines, safe to show: what keeps the run from being OK, and what does not.

    ``local`` counts what was read locally; ``unseen`` are valid local certificates that no source had.
    """

    at: datetime
    items: tuple[Item, ...]
    domains: tuple[str, ...] = ()
    answers: tuple[SearchResult, ...] = field(default=(), repr=False)
    undecided: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    local: Mapping[str, int] = field(default_factory=dict)
    unseen: int = 0

    @property
    def status(self) -> Status:
        """The worst of all; what could not be learnt counts as UNKNOWN."""
        return worst([*(item.status for item in self.items), *([Status.UNKNOWN] if self.undecided else [])])

    @property
    def counts(self) -> Counter[State]:
        """How many of each state."""
        return Counter(item.state for item in self.items)


def end_of(text: str | date | datetime) -> datetime:
    """The end of a decision: a day counts to its last second, all in UTC without an offset. ValueError for what is none.

    That is also a time that its offset carries over the ends of the calendar.
    """
    if isinstance(text, str):
        text = date.fromisoformat(text.strip()) if len(text.strip()) <= 10 else datetime.fromisoformat(text.strip())
    if isinstance(text, datetime):
        try:
            return text.astimezone(UTC) if text.tzinfo else text.replace(tzinfo=UTC)
        except OverflowError as problem:
            raise ValueError(str(problem)) from problem
    return datetime.combine(text, time(23, 59, 59), UTC)
