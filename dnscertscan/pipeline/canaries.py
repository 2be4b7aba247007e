"""Known-good targets: when they fail, too, the fault is on our side."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, Observation
from dnscertscan.model.records import Zone
from dnscertscan.model.text import visible
from dnscertscan.pipeline.streams import Streams
from dnscertscan.pipeline.suspicion import is_lost
from dnscertscan.resolve.chase import chase
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.plan import drive
from dnscertscan.resolve.zone_index import ZoneIndex
from dnscertscan.scan.base import ScanEngine

_START_UP = 2.0
"""Seconds that an engine may need before it looks at anything."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A server that the operator knows to work. Without an ``address`` its name is looked up as other names are."""

    name: DnsName
    port: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """How canaries fared: how many were asked, and those that gave no answer, with the reason."""

    asked: int
    silent: tuple[tuple[Target, str], ...]

    @property
    def bad(self) -> bool:
        """Whether more than half of them gave no answer."""
        return 2 * len(self.silent) > self.asked

    @property
    def text(self) -> str:
        """One of those that gave no answer, and what happened."""
        target, detail = self.silent[0]
        return f"{visible(target.server_name.text, 100)} at {target.endpoint.text}: {visible(detail, 200)}"


async def locate(
    canaries: Sequence[Canary], resolver: Resolver, zones: Sequence[Zone]
) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """The targets of canaries, one each (IPv4 where there is a choice), and a line for each that has none."""
    targets: list[Target] = []
    problems: list[str] = []
    index = ZoneIndex(zones) if any(not canary.address for canary in canaries) else ZoneIndex(())
    for canary in canaries:
        addresses: tuple[str, ...] = (canary.address,)
        if not canary.address:
            resolution = await drive(chase(canary.name, index), resolver)
            addresses = tuple(sorted(resolution.addresses, key=lambda address: (":" in address, address)))
            if not addresses:
                problems.append(f"canary {visible(canary.name.display, 100)}: has no address ({visible(resolution.reason, 200)})")
                continue
        targets.append(Target(Endpoint(addresses[0], canary.port), canary.name))
    return tuple(targets), tuple(problems)


async def listen(engine: ScanEngine, canaries: Sequence[Target], limit: float) -> CanaryResult:
    """Ask canaries gently; ``limit`` is that of one target in seconds. One that is not done in time has failed."""
    seen: dict[Target, Observation] = {}
    if canaries:
        with suppress(TimeoutError):
            async with asyncio.timeout(1.5 * limit + _START_UP), Streams[Observation]() as streams:
                streams.add("canaries", engine.scan(canaries, gentle=True))
                while (got := await streams.get()) is not None and got[1] is not None:
                    seen[got[1].target] = got[1]
    silent = []
    for target in canaries:
        if target not in seen:
            silent.append((target, "no answer in time"))
        elif is_lost(outcome := seen[target].outcome) and isinstance(outcome, Failure):
            silent.append((target, outcome.detail))
    return CanaryResult(len(canaries), tuple(silent))
