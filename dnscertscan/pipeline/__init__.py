"""One run, top to bottom: zones, targets, observations, findings, report."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from dnscertscan import __version__
from dnscertscan.checks.judge import Judge
from dnscertscan.model.ct import LogList
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Verdict, Zone
from dnscertscan.model.report import Report, Run
from dnscertscan.model.rotation import Rotation
from dnscertscan.pipeline.book import Book
from dnscertscan.pipeline.breath import breathe
from dnscertscan.pipeline.canaries import Canary, locate
from dnscertscan.pipeline.events import (
    Event,
    Finished,
    Note,
    Observer,
    Planned,
    Resolving,
    Stopped,
    ZoneFetched,
    ZoneTrouble,
)
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.ledger import cut_short, is_complete, make_coverage
from dnscertscan.pipeline.memory import many_values
from dnscertscan.pipeline.outside import Outside, look_outside
from dnscertscan.pipeline.resumed import disown, recalled
from dnscertscan.pipeline.second_look import RetrySettings, RunVerdict, look_twice
from dnscertscan.pipeline.stop import Stop
from dnscertscan.pipeline.suspicion import Tally
from dnscertscan.pipeline.transparency import CrossCheck, Transparency
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan
from dnscertscan.resolve.plan import make_plan
from dnscertscan.scan.base import ScanEngine
from dnscertscan.store.header import Header
from dnscertscan.store.journal import Journal
from dnscertscan.zones.base import Fetched, ZoneSource

__all__ = ["Event", "Observer", "Parts", "Stop", "run", "survey"]

_CUT_SHORT = "not asked: the run was cut short"
_LAST_LOOKUPS = 4.0
"""Seconds that look-ups in flight have to end after a stop."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The stages of one run, put together by the assembly."""

    sources: Sequence[ZoneSource]
    resolver: Resolver
    mapping: MapSettings
    engine: ScanEngine
    judge: Judge
    clock: Callable[[], datetime]
    outside: Outside | None = None
    ct: Transparency | None = None
    """What to ask others about CT; what the judge makes of it is his policy."""
    log_list: LogList | None = None
    """The list of CT logs that the judge goes by; None when CT has no part in this run."""
    again: ScanEngine | None = None
    """A second engine, for second looks while the first one still waits for silent peers."""
    retry: RetrySettings = field(default_factory=RetrySettings)
    canaries: Sequence[Canary] = ()
    journal: Journal | None = None
    """What to go on from, and where to note what is seen; without one a run cannot be resumed. The caller closes it."""
    rotations: tuple[Rotation, ...] = ()
    """What is expected of the age of certificates, for outputs that show it; the judge has it in his policy."""
    config_digest: str = ""
    arguments: tuple[str, ...] = ()


async def survey(parts: Parts, observer: Observer, stop: Stop) -> tuple[AllZones, Plan | None]:
    """The first half of a run: the zones, and the targets they lead to (None when stopped before they were known)."""
    async with CrossCheck(parts.ct, parts.clock, observer) as ct:
        return await _survey(parts, ct, observer, stop)


async def _survey(parts: Parts, ct: CrossCheck, observer: Observer, stop: Stop) -> tuple[AllZones, Plan | None]:
    def fetched(result: Fetched) -> None:
        for zone in result.zones:
            observer(ZoneFetched(zone))
        for problem in result.problems:
            observer(ZoneTrouble(problem))

    with many_values():
        everything = await fetch_all(parts.sources, fetched, stop)
        ct.begin(everything.zones)
        mapping = replace(parts.mapping, seen_names=await ct.names(stop))
        return everything, await _resolve(parts, mapping, everything, observer, stop)


async def _resolve(
    parts: Parts, mapping: MapSettings, everything: AllZones, observer: Observer, stop: Stop
) -> Plan | None:
    """The plan; when stopped, what is known without asking anybody more, or None when even that takes too long."""
    resolving = asyncio.ensure_future(
        make_plan(everything.zones, parts.resolver, mapping, lambda done, total: observer(Resolving(done, total)))
    )
    try:
        plan = await stop.unless(asyncio.shield(resolving))
        if plan is None:
            parts.resolver.stop(_CUT_SHORT)
            plan = cut_short(await asyncio.wait_for(resolving, _LAST_LOOKUPS), _CUT_SHORT)
    except TimeoutError:
        return None
    finally:
        resolving.cancel()
    observer(Planned(len(plan.targets), len(plan.unscanned)))
    return plan


async def run(parts: Parts, observer: Observer, stop: Stop) -> Report:
    """Do one whole run and return its report; a run that is stopped returns a valid, incomplete one.

    With a journal that has observations the run goes on from them: their targets are not asked again. The report reads from
    the journal and from temporary files; close it when it has been used.
    """
    async with CrossCheck(parts.ct, parts.clock, observer) as ct:
        report = await _run(parts, ct, observer, stop)
    observer(Finished(report))
    return report


async def _run(parts: Parts, ct: CrossCheck, observer: Observer, stop: Stop) -> Report:
    journal = Journal.create(None, Header("", parts.clock())) if parts.journal is None else parts.journal
    with ExitStack() as stack:
        revocable = bool(parts.outside and parts.outside.crl)
        provable = bool(parts.ct and parts.ct.logs)
        book = stack.enter_context(closing(Book(journal, parts.judge, observer, revocable=revocable, provable=provable)))
        everything, plan = await _survey(parts, ct, observer, stop)
        book.begin(plan.targets if plan else ())
        book.found(parts.judge.zone(plan.resolutions if plan else (), everything.problems, everything.zones))
        if all(problem.zone for problem in everything.problems):
            zones = [zone.name for zone in everything.zones] + [DnsName.parse(problem.zone) for problem in everything.problems]
            _note(observer, parts.judge.rota.nowhere(zones))
        inconclusive = await _look(parts, book, everything.zones, observer, stop)
        parts.judge.learn(book.observed)
        if parts.outside:
            await look_outside(parts.outside, parts.judge, book.observed, observer, stop, parts.clock)
        learnt = await ct.learn(parts.judge, book.observed, plan, stop)
        if stopped := stop.reason:
            observer(Stopped(stopped))
        await book.settle()
        if not stop.reason:
            _note(observer, parts.judge.rota.idle())
        coverage = make_coverage(everything.zones, everything.problems, plan, book.observed, stop.reason, book.shelve)
        await breathe()
        if stop.reason and not stopped:
            observer(Stopped(stop.reason))
        complete = is_complete(coverage, stop.reason) and not inconclusive and not _deaf(parts.resolver, plan)
        report = Report(
            Run(__version__, journal.header.started, parts.clock(), parts.engine.name, parts.config_digest, parts.arguments),
            coverage, book.observed, book.findings, complete, book.verdicts, inconclusive,
            counted=book.tally, served=book.observed.certificates, free=book.close,
            transparency=parts.judge.ct if parts.log_list else None, log_list=parts.log_list, ct_facts=learnt,
            rotations=parts.rotations,
        )
        stack.pop_all()
    return report


def _note(observer: Observer, lines: Iterable[str]) -> None:
    for line in lines:
        observer(Note(line))


async def _look(parts: Parts, book: Book, zones: Sequence[Zone], observer: Observer, stop: Stop) -> str:
    """Look at every target that the journal does not know; why the failures say nothing about the targets, if they do not."""
    verdict, journal = RunVerdict(), parts.journal
    tally = await recalled(journal, book.observed) if journal is not None and journal.resumed else Tally()
    left = await book.recall()
    found = await stop.unless(locate(parts.canaries, parts.resolver, zones))
    for problem in found[1] if found else ():
        observer(Note(problem))
    settings = replace(parts.retry, canaries=found[0] if found else ())
    looks = look_twice(parts.engine, left, settings, lambda text: observer(Note(text)), verdict, parts.again, tally)
    async for observation in stop.until(looks):
        book.keep(observation)
    for observation in verdict.pending.values():
        book.keep(observation, final=False)
    if journal is not None and verdict.inconclusive:
        await disown(journal, book.observed)
    book.seal()
    return verdict.inconclusive


def _deaf(resolver: Resolver, plan: Plan | None) -> bool:
    """Whether names could only be asked for and no nameserver ever said a word: then nothing is known about them."""
    ends = [origin.resolution.verdict for origin in plan.resolutions if origin.resolution] if plan else []
    return resolver.answered == 0 and Verdict.FAILED in ends

