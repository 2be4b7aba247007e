"""What reading and checking a list of logs yields: the list, and every objection to it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.ct import Log, LogList


class Weight(StrEnum):
    """What an objection costs: the list, one log in it, or nothing."""

    REFUSED = "refused"
    LEFT_OUT = "left out"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Objection:
    """Something wrong with a list. ``problem`` and ``step`` (what to do next; none for a note) make one line, safe to show.

    ``log_id`` is that of a log left out, as far as it can be read.
    """

    weight: Weight
    problem: str
    step: str = ""
    log_id: bytes = b""

    def __str__(self) -> str:
        return f"{self.weight}: {self.problem}" + (f"; {self.step}" if self.step else "")


class Shape(StrEnum):
    """Whose format a list is written in."""

    GOOGLE = "google"
    APPLE = "apple"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Draft:
    """A list as it was read, before anything but its single entries was checked; an id may stand in it twice."""

    shape: Shape
    version: str
    timestamp: datetime
    logs: tuple[Log, ...]
    objections: tuple[Objection, ...]


@dataclass(frozen=True, slots=True)
class Examined:
    """A list with every objection to it. ``log_list`` is there whenever it could be read, also when it is refused."""

    log_list: LogList | None
    objections: tuple[Objection, ...]

    @property
    def refused(self) -> bool:
        """Whether the list may not be used."""
        return self.log_list is None or any(one.weight is Weight.REFUSED for one in self.objections)

    @property
    def left_out(self) -> frozenset[bytes]:
        """Ids of the logs that are named in the list, but could not be used."""
        return frozenset(one.log_id for one in self.objections if one.weight is Weight.LEFT_OUT)

    @property
    def clean(self) -> bool:
        """Whether no guard objects: notes are allowed."""
        return self.log_list is not None and all(one.weight is Weight.NOTE for one in self.objections)
