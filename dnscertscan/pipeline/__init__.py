"""One run, top to bottom: zones, targets, observations, findings, report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dnscertscan import __version__
from dnscertscan.checks.judge import Judge, sort_key
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.records import Verdict
from dnscertscan.model.report import Report, Run
from dnscertscan.pipeline.events import (
    Event,
    FindingsMade,
    Finished,
    Observer,
    Planned,
    Resolving,
    Stopped,
    TargetObserved,
    ZoneFetched,
    ZoneTrouble,
)
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.ledger import is_complete, make_coverage
from dnscertscan.pipeline.stop import Stop
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan
from dnscertscan.resolve.plan import make_plan
from dnscertscan.scan.base import ScanEngine
from dnscertscan.zones.base import Fetched, ZoneSource

__all__ = ["Event", "Observer", "Parts", "Stop", "run", "survey"]


@dataclass(frozen=True, slots=True)
class Parts:
    """The stages of one run, put together by the assembly."""

    sources: Sequence[ZoneSource]
    resolver: Resolver
    mapping: MapSettings
    engine: ScanEngine
    judge: Judge
    clock: Callable[[], datetime]
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
    resolving = make_plan(everything.zones, parts.resolver, parts.mapping, lambda done, total: observer(Resolving(done, total)))
    plan = await stop.unless(resolving)
    if plan:
        observer(Planned(len(plan.targets), len(plan.unscanned)))
    return everything, plan


async def run(parts: Parts, observer: Observer, stop: Stop) -> Report:
    """Do one whole run and return its report; a run that is stopped returns a valid, incomplete one."""
    started = parts.clock()
    everything, plan = await survey(parts, observer, stop)
    findings = list(parts.judge.zone(plan.resolutions if plan else (), everything.problems, everything.zones))
    observer(FindingsMade(findings))
    observations: list[Observation] = []
    streamed: set[tuple[str, str]] = set()
    targets = plan.targets if plan else ()
    async for observation in stop.until(parts.engine.scan(targets)):
        observations.append(observation)
        made = parts.judge.endpoint(observation)
        streamed.update((finding.fingerprint, finding.message) for finding in made)
        observer(TargetObserved(observation, made, len(observations), len(targets)))
    if stop.reason:
        observer(Stopped(stop.reason))
    observations.sort(key=lambda observation: observation.target)
    late = _judge_together(parts.judge, observations)
    observer(FindingsMade([finding for finding in late if (finding.fingerprint, finding.message) not in streamed]))
    coverage = make_coverage(everything.zones, everything.problems, plan, observations, stop.reason)
    report = Report(
        run=Run(__version__, started, parts.clock(), parts.engine.name, parts.config_digest, parts.arguments),
        coverage=coverage,
        observations=tuple(observations),
        findings=tuple(sorted([*findings, *late], key=sort_key)),
        complete=is_complete(coverage, observations, stop.reason) and not _deaf(parts.resolver, plan),
        valid={_key(observation): parts.judge.valid(observation) for observation in observations},
    )
    observer(Finished(report))
    return report


def _judge_together(judge: Judge, observations: Sequence[Observation]) -> list[Finding]:
    """The findings of all observations with everything known: an intermediate seen anywhere explains a chain that lacks it."""
    judge.learn(observations)
    endpoint = [finding for observation in observations for finding in judge.endpoint(observation)]
    return [*endpoint, *judge.fleet(observations)]


def _deaf(resolver: Resolver, plan: Plan | None) -> bool:
    """Whether names could only be asked for and no nameserver ever said a word: then nothing is known about them."""
    ends = [origin.resolution.verdict for origin in plan.resolutions if origin.resolution] if plan else []
    return resolver.answered == 0 and Verdict.FAILED in ends


def _key(observation: Observation) -> tuple[str, int, str]:
    target = observation.target
    return target.endpoint.address, target.endpoint.port, target.server_name.text
