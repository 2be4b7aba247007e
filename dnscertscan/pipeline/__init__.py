"""One run, top to bottom: zones, targets, observations, findings, report."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dnscertscan import __version__
from dnscertscan.checks.judge import Judge, sort_key
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.records import Verdict
from dnscertscan.model.report import Report, Run
from dnscertscan.pipeline.canaries import Canary
from dnscertscan.pipeline.events import (
    Event,
    FindingsMade,
    Finished,
    Observer,
    Planned,
    Resolving,
    Stopped,
    TargetObserved,
    TargetSettled,
    ZoneFetched,
    ZoneTrouble,
)
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.ledger import cut_short, is_complete, make_coverage
from dnscertscan.pipeline.outside import Outside, look_outside
from dnscertscan.pipeline.second_look import RetrySettings
from dnscertscan.pipeline.stop import Stop
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan
from dnscertscan.resolve.plan import make_plan
from dnscertscan.scan.base import ScanEngine
from dnscertscan.zones.base import Fetched, ZoneSource

__all__ = ["Event", "Observer", "Parts", "Stop", "run", "survey"]

UNSETTLED = "issuer-not-found"
"""The one problem that a later observation can explain better: another server may send the certificate that is missing."""
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
    again: ScanEngine | None = None
    """A second engine, for second looks while the first one still waits for silent peers."""
    retry: RetrySettings = field(default_factory=RetrySettings)
    canaries: Sequence[Canary] = ()
    config_digest: str = ""
    arguments: tuple[str, ...] = ()


async def survey(parts: Parts, observer: Observer, stop: Stop) -> tuple[AllZones, Plan | None]:
    """The first half of a run: the zones, and the targets they lead to (None when stopped before they were known)."""

    def fetched(result: Fetched) -> None:
        for zone in result.zones:
            observer(ZoneFetched(zone))
        for problem in result.problems:
            observer(ZoneTrouble(problem))

    everything = await fetch_all(parts.sources, fetched, stop)
    return everything, await _resolve(parts, everything, observer, stop)


async def _resolve(parts: Parts, everything: AllZones, observer: Observer, stop: Stop) -> Plan | None:
    """The plan; when stopped, what is known without asking anybody more, or None when even that takes too long."""
    resolving = asyncio.ensure_future(
        make_plan(everything.zones, parts.resolver, parts.mapping, lambda done, total: observer(Resolving(done, total)))
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
    """Do one whole run and return its report; a run that is stopped returns a valid, incomplete one."""
    started = parts.clock()
    everything, plan = await survey(parts, observer, stop)
    findings = list(parts.judge.zone(plan.resolutions if plan else (), everything.problems, everything.zones))
    observer(FindingsMade(findings))
    targets = plan.targets if plan else ()
    observations: list[Observation] = []
    told: dict[Target, tuple[Finding, ...]] = {}
    async for observation in stop.until(parts.engine.scan(targets)):
        observations.append(observation)
        made = parts.judge.endpoint(observation)
        settled = not any(finding.rule.slug == UNSETTLED for finding in made) and not _is_revocable(parts, observation)
        if not settled:
            told[observation.target] = made
        observer(TargetObserved(observation, made, parts.judge.valid(observation), settled, len(observations), len(targets)))
    observations.sort(key=lambda observation: observation.target)
    parts.judge.learn(observations)
    if parts.outside:
        await look_outside(parts.outside, parts.judge, observations, observer, stop, parts.clock)
    if stop.reason:
        observer(Stopped(stop.reason))
    findings += _judge_together(parts.judge, observations, told, observer)
    coverage = make_coverage(everything.zones, everything.problems, plan, observations, stop.reason)
    report = Report(
        run=Run(__version__, started, parts.clock(), parts.engine.name, parts.config_digest, parts.arguments),
        coverage=coverage,
        observations=tuple(observations),
        findings=tuple(sorted(findings, key=sort_key)),
        complete=is_complete(coverage, observations, stop.reason) and not _deaf(parts.resolver, plan),
        valid={_key(observation): parts.judge.valid(observation) for observation in observations},
    )
    observer(Finished(report))
    return report


def _judge_together(
    judge: Judge, observations: Sequence[Observation], told: Mapping[Target, Sequence[Finding]], observer: Observer
) -> list[Finding]:
    """The findings of all observations with everything known: an intermediate seen anywhere explains a chain that lacks it."""
    findings: list[Finding] = []
    for observation in observations:
        made = judge.endpoint(observation)
        findings += made
        if observation.target in told:
            before = {finding.message for finding in told[observation.target]}
            news = [finding for finding in made if finding.message not in before]
            observer(TargetSettled(observation, made, judge.valid(observation), news))
    together = judge.fleet(observations)
    observer(FindingsMade(together))
    return [*findings, *together]


def _is_revocable(parts: Parts, observation: Observation) -> bool:
    """Whether revocation lists, which are read after the scan, may still say something about it."""
    return bool(parts.outside and parts.outside.crl and any(True for _ in parts.judge.links(observation)))


def _deaf(resolver: Resolver, plan: Plan | None) -> bool:
    """Whether names could only be asked for and no nameserver ever said a word: then nothing is known about them."""
    ends = [origin.resolution.verdict for origin in plan.resolutions if origin.resolution] if plan else []
    return resolver.answered == 0 and Verdict.FAILED in ends


def _key(observation: Observation) -> tuple[str, int, str]:
    target = observation.target
    return target.endpoint.address, target.endpoint.port, target.server_name.text
