"""What every zone source offers, and what a fetch yields."""

from dataclasses import dataclass
from typing import Protocol

from dnscertscan.model.records import Zone, ZoneProblem


@dataclass(frozen=True, slots=True)
class Fetched:
    """Everything one source gave: whole zones, and one problem for each zone or record that could not be used."""

    zones: tuple[Zone, ...]
    problems: tuple[ZoneProblem, ...] = ()


class ZoneSource(Protocol):
    """A place zones come from.

    ``fetch`` blocks (call it in a thread) for a bounded time and never raises for bad input or a bad server: a zone that
    cannot be read whole is a FAILED problem and no Zone, a record that cannot be used is a BAD_RECORD problem while the
    others of its zone are kept. Calling it again reads the place again; calls may run at the same time.
    """

    @property
    def name(self) -> str:
        """How messages name the source: a file, or zone and servers."""

    def fetch(self) -> Fetched:
        """Read everything the source has."""
