"""Search services as a run sees them, and what they are asked to keep."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult

Note = Callable[[str], None]
"""Takes one line for a person, safe to show."""


@dataclass(frozen=True, slots=True)
class Row:
    """One issuance with the ``key`` by which its source knows it (an id, a file name); ``group`` are rows of one issuance."""

    key: str
    issuance: Issuance
    group: str = ""


class Source(Protocol):
    """A search service or something like it, open for one run.

    ``outside``: asking it tells somebody else which domains are looked after; internal ones are not asked there.
    """

    name: str
    outside: bool

    async def search(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        """What it has for ``domain`` and below. Raises nothing for what the other side does; may be cancelled any time."""

    async def aclose(self) -> None:
        """Give back connections."""
