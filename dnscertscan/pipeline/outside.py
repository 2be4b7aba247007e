"""After the scan, when asked for: fetch the issuers that servers forget to send, and the revocation lists of a path."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from dnscertscan.checks.judge import Judge
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Observation
from dnscertscan.model.text import visible
from dnscertscan.outside import LONGEST, Answer, Fetcher
from dnscertscan.pipeline.events import Note, Observer, Revocation
from dnscertscan.pipeline.revocation import Lists
from dnscertscan.pipeline.stop import Stop
from dnscertscan.pki.issuers import read_issuers
from dnscertscan.pki.parse import parse

_LEVELS = 3
"""How many missing issuers one above the other are fetched."""
Work = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run may fetch over HTTP, and by what."""

    fetcher: Fetcher
    crl: bool = False
    fetch_issuers: bool = False


async def look_outside(
    outside: Outside, judge: Judge, observations: Iterable[Observation], observer: Observer, stop: Stop,
    clock: Callable[[], datetime],
) -> None:
    """Let the judge know all that can be learnt from ``observations``, which are read several times.

    What a stop overtakes is unknown, and the judge is told so, too.
    """
    if outside.fetch_issuers:
        await stop.unless(_fetch_issuers(outside.fetcher, judge, observations, observer, clock))
    if outside.crl:
        lists = Lists(link for observation in observations for link in judge.links(observation))
        await stop.unless(_fetch_lists(outside.fetcher, lists, observer, clock))
        judge.learn_revocation(lists.verdicts(f"not fetched before the run was cut short ({stop.reason})"))


async def _fetch_lists(fetcher: Fetcher, lists: Lists, observer: Observer, clock: Callable[[], datetime]) -> None:
    """Each list once; the second place that a certificate names only where the first gave nothing usable."""
    notes = _Notes(observer)

    async def one(url: str) -> None:
        answer = await fetcher.get(url)
        until = await asyncio.to_thread(lists.learn, answer, clock())
        if until is None and answer.cached:
            answer = await fetcher.get(url, fresh=True)
            until = await asyncio.to_thread(lists.learn, answer, clock())
        if until is not None:
            notes.once(await asyncio.to_thread(fetcher.keep, answer, until))
        observer(Revocation(*lists.progress))

    while wave := lists.next_urls():
        await _each(wave, one, fetcher.at_once)


async def _fetch_issuers(
    fetcher: Fetcher, judge: Judge, observations: Iterable[Observation], observer: Observer, clock: Callable[[], datetime]
) -> None:
    notes = _Notes(observer)
    asked: set[str] = set()
    orphans = dict.fromkeys(orphan for observation in observations for orphan in judge.orphans(observation))
    for _ in range(_LEVELS):
        children: dict[str, list[Certificate]] = {}
        for orphan in orphans:
            for url in parse(orphan).extensions.issuer_urls:
                if url not in asked and url.lower().startswith(("http:", "https:")):
                    children.setdefault(url, []).append(orphan)
        asked |= children.keys()
        found: dict[Certificate, None] = {}

        async def one(
            url: str, children: dict[str, list[Certificate]] = children, found: dict[Certificate, None] = found
        ) -> None:
            answer = await fetcher.get(url)
            issuers, problem = _issuers(answer, children[url])
            if problem and answer.cached:
                answer = await fetcher.get(url, fresh=True)
                issuers, problem = _issuers(answer, children[url])
            if problem:
                notes.once(f"missing issuer: {visible(url, 300)}: {problem}")
            else:
                notes.once(await asyncio.to_thread(fetcher.keep, answer, clock() + LONGEST))
            found.update(dict.fromkeys(issuers))

        await _each(tuple(children), one, fetcher.at_once)
        judge.learn_issuers(found)
        orphans = {certificate: None for certificate in found if not parse(certificate).names_itself}


def _issuers(answer: Answer, children: Iterable[Certificate]) -> tuple[tuple[Certificate, ...], str]:
    """The issuers in one answer, for any of the certificates that name its URL; why there are none."""
    if answer.body is None:
        return (), answer.problem
    found: dict[Certificate, None] = {}
    problem = ""
    for child in children:
        issuers, problem = read_issuers(answer.body, child)
        found.update(dict.fromkeys(issuers))
    return tuple(found), "" if found else problem


async def _each(urls: Iterable[str], work: Work, at_once: int) -> None:
    """``work`` on each URL, a few at a time, taking turns among the hosts so that a slow one delays no other."""
    pending = iter(_taking_turns(urls))

    async def worker() -> None:
        for url in pending:
            await work(url)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())


def _taking_turns(urls: Iterable[str]) -> list[str]:
    seen: Counter[str] = Counter()
    order: list[tuple[int, str]] = []
    for url in urls:
        host = "".join(url.split("/", 3)[2:3]).lower()
        order.append((seen[host], url))
        seen[host] += 1
    return [url for _, url in sorted(order, key=lambda turn: turn[0])]


class _Notes:
    """Tells the observer each thing once."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._told = {""}

    def once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._observer(Note(text))
