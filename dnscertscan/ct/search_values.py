"""What a search service answers: found, absent, or no answer at all, which is never taken for absent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName

Note = Callable[[str], None]
"""Takes one line for a person, safe to show."""


class Verdict(StrEnum):
    """FOUND: the source has issuances. ABSENT: it answered, and has none. UNAVAILABLE: it gave no answer that can be used."""

    FOUND = "found"
    ABSENT = "absent"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Row:
    """One issuance with the ``key`` by which its source knows it (an id, a file name); ``group`` are rows of one issuance."""

    key: str
    issuance: Issuance
    group: str = ""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of one source for one domain and everything below it.

    ``as_of``: up to when the answer holds; None when there never was one. ``complete``: the source vouches that this is
    everything it has, so that what is not in it is absent there; only then may anybody conclude from a missing issuance.
    ``truncated``: we stopped before the end (budget, limits); the next run goes on. ``reason`` is one line, safe to show, for
    whatever is not plain. An UNAVAILABLE answer may still carry what was kept of an earlier one. Issuances whose certificate
    was not fetched have an empty ``tbs_sha256``. ``problems`` are rows that could not be read, safe to show.
    """

    source: str
    domain: DnsName
    verdict: Verdict
    issuances: tuple[Issuance, ...] = ()
    as_of: datetime | None = None
    complete: bool = False
    truncated: bool = False
    reason: str = ""
    problems: tuple[str, ...] = ()

    def since(self, moment: datetime | None) -> "SearchResult":
        """The same without issuances that are known to be older; one without any date stays."""
        if moment is None:
            return self
        return replace(self, issuances=tuple(found for found in self.issuances if is_since(found, moment)))


def is_since(issuance: Issuance, moment: datetime) -> bool:
    """Whether it was logged, or else made, at ``moment`` or later, or nobody knows when."""
    when = issuance.first_seen or issuance.not_before
    return when is None or when >= moment


def unavailable(source: str, domain: DnsName, reason: str) -> SearchResult:
    """No answer."""
    return SearchResult(source, domain, Verdict.UNAVAILABLE, reason=reason)


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
