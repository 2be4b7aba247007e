"""Asking all sources for all domains: each source on its own, all of them within one budget, whatever they do."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from dnscertscan.ct.budget import Breaker, Budget
from dnscertscan.ct.registrable import Domains
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_values import Note, Source, Stepwise
from dnscertscan.ct.sources import KINDS, PLACES, SOURCES
from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict, unavailable
from dnscertscan.model.text import visible
from dnscertscan.settings.values import read_secret

_INTERNAL = "it is internal: it is told to no search service outside, and there is none inside"
_FAILURES = 3
"""A source that gave no answer for so many domains in a row is left alone."""
_GRACE = 1.0
"""Seconds for sources to give what they have when the time is up; then they are cancelled."""
_RECALL = 5.0
"""Seconds for reading what is kept of earlier answers, after that."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source by name, as a configuration says it: ``place`` is URL, connection string or folder; ``token`` a reference."""

    kind: str
    place: str = ""
    token: str = ""
    per_minute: float | None = None


def open_sources(wanted: Sequence[Wanted], means: Means, environment: Mapping[str, str]) -> tuple[Source, ...]:
    """The sources, ready to be asked; :class:`UsageError` for an unknown one, and what it cannot be opened with."""
    found = []
    for one in wanted:
        kind = KINDS.get(one.kind, one.kind)
        factory = SOURCES[kind]
        place = one.place or PLACES.get(kind, "")
        if not place:
            raise UsageError(f"the search source {one.kind} needs a place: its folder")
        token = read_secret(one.token, f"the search source {one.kind}", environment) if one.token else ""
        found.append(factory(means, place, token, one.per_minute))
    return tuple(found)


async def search_all(
    domains: Domains, sources: Sequence[Source], budget: Budget, clock: Callable[[], datetime], note: Note,
    since: datetime | None = None, answered: Callable[[], None] = lambda: None,
) -> Sightings:
    """What all sources have for all domains; never raises for what they do, never takes longer than the budget and 6 seconds.

    Each source is asked for one domain after the other, the sources at the same time: first for the lists of all domains,
    beginning with those that were asked for longest ago, then for more of each in turn. One that fails :data:`_FAILURES` times
    in a row is left alone; what it was not asked for is answered with what is kept. ``answered`` is called for each domain of
    each source that was asked. Internal domains are told to no source outside. ``note`` gets a line for each source with
    trouble, and each kind of it. The sources stay open.
    """
    budget.start()
    at = clock()
    inside = [source for source in sources if not source.outside]
    if domains.internal and len(inside) < len(sources):
        note(f"internal domains are told to no search service outside: {_listed(domains.internal)}")
    left_out = domains.left_out
    if not inside:
        left_out = tuple(sorted((*left_out, *((domain, _INTERNAL) for domain in domains.internal))))
    runs = [_Run(source, _of(domains, source), budget, since, answered) for source in sources]
    tasks = [asyncio.ensure_future(run.go()) for run in runs]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=budget.left + _GRACE)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for run, end in zip(runs, ended, strict=True):
        run.ended(end)
    recalls = [asyncio.ensure_future(run.recall()) for run in runs]
    if recalls:
        _, late = await asyncio.wait(recalls, timeout=_RECALL)
        for recall in late:
            recall.cancel()
    for run in runs:
        for line in run.trouble():
            note(line)
    return replace(merge([result for run in runs for result in run.results()], left_out), at=at)


def _listed(domains: Sequence[DnsName]) -> str:
    shown = ", ".join(domain.display for domain in domains[:3])
    return f"{shown} and {len(domains) - 3} more" if len(domains) > 3 else shown


def _of(domains: Domains, source: Source) -> tuple[DnsName, ...]:
    return domains.public if source.outside else (*domains.public, *domains.internal)


class _Run:
    """One source and its domains."""

    def __init__(
        self, source: Source, domains: tuple[DnsName, ...], budget: Budget, since: datetime | None, answered: Callable[[], None]
    ) -> None:
        self._source, self._domains, self._budget, self._since = source, domains, budget, since
        self._steps = source if isinstance(source, Stepwise) else None
        self._answered = answered
        self._breaker = Breaker(_FAILURES)
        self._found: dict[DnsName, SearchResult] = {}
        self._bug = ""

    async def go(self) -> None:
        """Ask for one domain after the other until the source is left alone; then for more of those that have more."""
        steps = self._steps
        for domain in await steps.in_order(self._domains) if steps else self._domains:
            if not self._is_open:
                return
            result = await self._asked(domain, (steps.begin if steps else self._source.search)(domain, self._since))
            self._found[domain] = result
            self._answered()
            if result.verdict is not Verdict.UNAVAILABLE:
                self._breaker.succeeded()
            elif not result.truncated:
                self._breaker.failed(result.reason)
        waiting = deque(domain for domain in self._found if self._found[domain].verdict is not Verdict.UNAVAILABLE)
        while steps and waiting and self._is_open:
            domain = waiting.popleft()
            more = await steps.go_on(domain, self._since)
            if more is not None:
                self._found[domain] = more
                waiting.append(domain)

    @property
    def _is_open(self) -> bool:
        return not self._breaker.tripped and self._budget.left > 0

    async def _asked(self, domain: DnsName, work: Coroutine[object, object, SearchResult]) -> SearchResult:
        """The answer; a bug that it stumbles over costs this one alone."""
        (found,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(found, SearchResult):
            return found
        if isinstance(found, Exception):
            return unavailable(self._source.name, domain, _bug(found))
        raise found

    def ended(self, end: object) -> None:
        """How :meth:`go` ended: a bug is told with every domain that it cost."""
        if isinstance(end, Exception):
            self._bug = _bug(end)
        elif isinstance(end, BaseException) and not isinstance(end, asyncio.CancelledError):
            raise end

    async def recall(self) -> None:
        """What is kept for the domains that were not come to: what was found once is found, whoever is silent today."""
        for domain in self._domains if self._steps else ():
            if domain not in self._found and self._steps:
                why = self._breaker.tripped or self._bug
                kept = self._steps.kept(domain, why or self._budget.end, ours=not why, since=self._since)
                self._found[domain] = await self._asked(domain, kept)

    def results(self) -> list[SearchResult]:
        """One for each domain, also for those that were not come to."""
        why = self._breaker.tripped or self._bug
        missed = replace(unavailable(self._source.name, DnsName(""), why or self._budget.end), truncated=not why)
        return [self._found.get(domain) or replace(missed, domain=domain) for domain in self._domains]

    def trouble(self) -> list[str]:
        """What is to be said of this source: what it gave no answer for, in one line, and what is missing in its answers."""
        results, lines = self.results(), []
        silent = [result for result in results if result.verdict is Verdict.UNAVAILABLE]
        if silent:
            of = f"{len(silent)} of {len(results)} domains ({_listed([result.domain for result in silent])})"
            lines.append(f"{self._source.name}: no answer for {of}: {silent[-1].reason}")
        parts = [result for result in results if result.verdict is Verdict.FOUND and result.truncated]
        if parts:
            of = f"{len(parts)} domains ({_listed([result.domain for result in parts])})"
            lines.append(f"{self._source.name}: only a part of the answer for {of}: {parts[0].reason}")
        odd = [result for result in results if result.problems]
        if odd:
            lines.append(f"{self._source.name}: rows that cannot be used, as for {odd[0].domain.display}: {odd[0].problems[0]}")
        return lines


def _bug(problem: Exception) -> str:
    return f"{type(problem).__name__}: {visible(str(problem), 200)} (a bug in dnscertscan; please report it)"
