"""Search services, asked beside the scan: one task, bounded by its budget, whatever they do."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dnscertscan.ct.budget import Budget
from dnscertscan.ct.http import Http
from dnscertscan.ct.registrable import Domains
from dnscertscan.ct.search import search_all
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_cache import Cache
from dnscertscan.ct.search_values import Note, Source
from dnscertscan.model.sightings import Sightings


@dataclass(frozen=True, slots=True)
class Services:
    """Which services to ask, and what that may cost. ``open`` makes them anew for a run; ``seconds`` are for all of them.

    ``cache`` is the file that keeps their answers; ``timeout`` is for one whole answer.
    """

    open: Callable[[Means], Sequence[Source]]
    seconds: float
    cache: Path | None = None
    timeout: float = 60.0


class Search:
    """One search that goes on beside whatever the run does. ``progress`` is (answers, answers to come)."""

    def __init__(self, services: Services, domains: Domains, clock: Callable[[], datetime], note: Note) -> None:
        """Begin it, in the event loop that runs."""
        self.progress = (0, 0)
        self.told: Callable[[int, int], None] = _nobody
        self.task = asyncio.ensure_future(self._work(services, domains, clock, note))

    async def _work(self, services: Services, domains: Domains, clock: Callable[[], datetime], note: Note) -> Sightings:
        budget = Budget(services.seconds)
        cache = Cache(services.cache, clock, note) if services.cache else None
        async with Http(timeout=min(services.timeout, services.seconds)) as http:
            sources = services.open(Means(http, budget, clock, note, cache))
            outside = sum(source.outside for source in sources)
            self.progress = (0, len(sources) * len(domains.public) + (len(sources) - outside) * len(domains.internal))
            try:
                return await search_all(domains, sources, budget, clock, note, answered=self._answered)
            finally:
                for source in sources:
                    await source.aclose()
                if cache:
                    await cache.aclose()

    def _answered(self) -> None:
        done, total = self.progress
        self.progress = (done + 1, total)
        self.told(*self.progress)


def _nobody(_done: int, _total: int) -> None:
    """Nobody waits for the search, so that nobody wants to see how far it is."""
