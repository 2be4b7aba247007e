"""Search services as a run sees them, and what they are asked to keep."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Stepwise(Source, Protocol):
    """A source that is asked in steps, so that no domain has to wait for all of another one, and that knows its last answers.

    ``search`` is ``begin`` and then ``go_on`` until there is no more.
    """

    async def begin(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        """The first and cheapest step: the list."""

    async def go_on(self, domain: DnsName, since: datetime | None = None) -> SearchResult | None:
        """The answer after one more step; None when there is none to take."""

    async def in_order(self, domains: Sequence[DnsName]) -> Sequence[DnsName]:
        """What was never asked for, then what was asked for longest ago."""

    async def kept(self, domain: DnsName, reason: str, *, ours: bool, since: datetime | None = None) -> SearchResult:
        """UNAVAILABLE for ``reason``, with what is kept of an earlier answer; nobody is asked. ``ours``: our budget ended it."""
