"""The cross-check of a run against Certificate Transparency: search beside the scan, proofs and CAA after it, all in bounds.

Whatever logs, search services and resolvers do: the scan is neither delayed (but for ``names``, which waits for the search) nor
failed by it. What is not learnt is unknown, and that is said.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Self, TypeVar

from dnscertscan.checks.judge import Judge
from dnscertscan.errors import DnsCertScanError
from dnscertscan.model.ct import Inclusion, SctResult
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Observation
from dnscertscan.model.records import Zone
from dnscertscan.model.sightings import Sightings
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CaaAnswer, CtFacts, Known, Published
from dnscertscan.pipeline.ct_inclusion import Logs, Proving
from dnscertscan.pipeline.ct_search import Search, Services
from dnscertscan.pipeline.events import Asking, Note, Observer
from dnscertscan.pipeline.published import domains_of, names_under_wildcards, published, valid_names
from dnscertscan.pipeline.stop import Stop
from dnscertscan.resolve.caa import CaaFinder
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import Plan

T = TypeVar("T")
MAX_CAA = 5000
"""Names whose CAA records are looked up, at most."""
_LAST = 5.0
"""Seconds that what is given up has to close its connections."""


@dataclass(frozen=True, slots=True)
class Caa:
    """How to look up CAA records: a ``resolver`` of its own, so that what it meets says nothing about the scan."""

    resolver: Resolver
    seconds: float


@dataclass(frozen=True, slots=True)
class Transparency:
    """What a run asks others about CT, each None when it is not wanted; how that is judged is the policy of the judge.

    ``names``: names that CT knows under a wildcard of a zone are scanned, too, which waits for the search.
    """

    services: Services | None = None
    logs: Logs | None = None
    caa: Caa | None = None
    names: bool = False
    known: Known = field(default_factory=Known)


class CrossCheck:
    """One run's questions. A context manager: what is still asked at its end is given up. Without ``asked`` it does nothing."""

    def __init__(self, asked: Transparency | None, clock: Callable[[], datetime], observer: Observer) -> None:
        self._asked = asked or Transparency()
        self._wanted = asked is not None
        self._clock, self._observer = clock, observer
        self._search: Search | None = None
        self._zones: Sequence[Zone] = ()
        self._unasked: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._search:
            self._search.task.cancel()
            await asyncio.wait({self._search.task}, timeout=_LAST)

    def begin(self, zones: Sequence[Zone]) -> None:
        """Begin to search for the domains of the zones."""
        self._zones = zones
        if self._asked.services and zones:
            self._search = Search(self._asked.services, domains_of(zones), self._clock, self._note)

    async def names(self, stop: Stop) -> Mapping[str, tuple[DnsName, ...]]:
        """Names to scan under each wildcard because CT has them; waits for the search. Nothing when that is not wanted."""
        sightings = await self._sightings(stop) if self._asked.names else None
        if sightings is None:
            return {}
        found, left = names_under_wildcards(self._zones, sightings, self._clock())
        if left:
            self._miss(f"{left} names that only CT knows under wildcards are not scanned: they are too many")
        return found

    async def learn(self, judge: Judge, observations: Iterable[Observation], plan: Plan | None, stop: Stop) -> CtFacts | None:
        """Ask what can be asked now that everything is observed, and let the judge know; None when nothing was to be asked."""
        if not self._wanted:
            return None
        inclusions = await self._proofs(judge, observations, stop)
        sightings = await self._sightings(stop)
        caa = await self._caa(sightings, stop) if sightings else {}
        says = published(self._zones, plan) if sightings else Published()
        facts = CtFacts(inclusions, sightings, caa, says, self._asked.known, tuple(self._unasked), self._clock())
        judge.learn_ct(facts)
        return facts

    async def _sightings(self, stop: Stop) -> Sightings | None:
        if self._search is None:
            if self._asked.services:
                self._miss("no domain was searched for in CT: no zone was loaded")
            return None
        self._search.told = partial(self._tell, "searching CT")
        self._search.told(*self._search.progress)
        found, why = await _outcome(self._search.task, stop)
        if why:
            self._miss(f"what search services know of CT is unknown: {why}")
        if found is not None and not found.answers:
            self._miss("no domain was searched for in CT: no search service may be asked for any of them")
        return found

    async def _proofs(
        self, judge: Judge, observations: Iterable[Observation], stop: Stop
    ) -> Mapping[str, tuple[tuple[SctResult, Inclusion], ...]]:
        if self._asked.logs is None:
            return {}
        proving = Proving(self._asked.logs, self._clock, partial(self._tell, "asking CT logs"))
        _, why = await _outcome(asyncio.ensure_future(proving.work(judge, observations)), stop)
        if why:
            self._miss(f"not all CT logs could be asked for proof of inclusion: {why}")
        for line in proving.trouble():
            self._miss(line)
        return proving.found

    async def _caa(self, sightings: Sightings, stop: Stop) -> dict[DnsName, CaaAnswer]:
        """The answers for the names of all issuances that are not over, as far as they are within the domains of the zones."""
        found: dict[DnsName, CaaAnswer] = {}
        asked, domains = self._asked.caa, domains_of(self._zones)
        if asked is None:
            return found
        ours = frozenset((*domains.public, *domains.internal))
        names = {name.parent if name.is_wildcard else name for name in valid_names(sightings, self._clock())}
        wanted = sorted(name for name in names if name.problem is None and _is_within(name, ours))
        if len(wanted) > MAX_CAA:
            self._miss(f"CAA records of {len(wanted) - MAX_CAA} names that CT has are not looked up: only those of {MAX_CAA} are")
        looking = _look_up(asked, self._zones, wanted[:MAX_CAA], found, partial(self._tell, "CAA"))
        _, why = await _outcome(asyncio.ensure_future(looking), stop)
        if why:
            missing = len(wanted[:MAX_CAA]) - len(found)
            self._miss(f"CAA records of {missing} names that CT has are not known: {why}")
        return found

    def _tell(self, what: str, done: int, total: int) -> None:
        self._observer(Asking(what, done, total))

    def _note(self, text: str) -> None:
        self._observer(Note(text))

    def _miss(self, text: str) -> None:
        """Something that was wanted is missing: it is said at once, and stands in the facts."""
        if text not in self._unasked:
            self._unasked.append(text)
            self._note(text)


async def _look_up(
    asked: Caa, zones: Sequence[Zone], names: Sequence[DnsName], found: dict[DnsName, CaaAnswer], told: Callable[[int, int], None]
) -> None:
    """Fill ``found``; :class:`TimeoutError` when the time is up."""
    finder, queue = CaaFinder(zones, asked.resolver), iter(names)
    told(0, len(names))

    async def worker() -> None:
        for name in queue:
            found[name] = await finder.find(name)
            told(len(found), len(names))

    async with asyncio.timeout(asked.seconds), asyncio.TaskGroup() as group:
        for _ in range(max(1, asked.resolver.in_flight)):
            group.create_task(worker())


def _is_within(name: DnsName, domains: frozenset[DnsName]) -> bool:
    while name.text:
        if name in domains:
            return True
        name = name.parent
    return False


async def _outcome(task: asyncio.Task[T], stop: Stop) -> tuple[T | None, str]:
    """What a task gives, or why it gives nothing; a run that is stopped does not wait for it.

    A bug in what is asked beside a scan must not cost the scan: it is told like everything else that is not learnt.
    """
    await stop.unless(asyncio.wait({task}))
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_LAST)
    if not task.done() or task.cancelled():
        return None, f"the run was cut short ({stop.reason})" if stop.reason else "it was given up"
    problem = task.exception()
    if problem is None:
        return task.result(), ""
    if isinstance(problem, TimeoutError):
        return None, "the time for it was used up"
    if isinstance(problem, DnsCertScanError):
        return None, visible(str(problem), 500)
    return None, f"{type(problem).__name__}: {visible(str(problem), 200)} (a bug in dnscertscan; please report it)"
