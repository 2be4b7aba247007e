"""Looking twice inside a test: what was found, what is known of the run, what was noted, how long it took."""

import asyncio
from collections.abc import Callable, Sequence
from time import monotonic

from servers.scanning import engine

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, Observation
from dnscertscan.pipeline.second_look import RetrySettings, RunVerdict, look_twice
from dnscertscan.scan.base import ScanEngine

Found = dict[str, Observation]


def look(
    targets: Sequence[Target], retry: RetrySettings, *, overlapped: bool = True,
    on_seen: Callable[[int], None] = lambda count: None, make: Callable[..., ScanEngine] = engine, **limits: float,
) -> tuple[Found, RunVerdict, list[str], float]:
    """All observations by name, what is known of the run, the notes and the seconds it took."""
    limits.setdefault("timeout", retry.timeout)

    async def run() -> tuple[Found, RunVerdict, list[str], float]:
        verdict, notes, found = RunVerdict(), list[str](), list[Observation]()
        started = monotonic()
        async with asyncio.timeout(60):
            async for seen in look_twice(
                make(**limits), targets, retry, notes.append, verdict, make(**limits) if overlapped else None
            ):
                found.append(seen)
                on_seen(len(found))
        assert sorted(seen.target for seen in found) == sorted(targets)
        assert not verdict.pending
        return {seen.target.server_name.text: seen for seen in found}, verdict, notes, monotonic() - started

    return asyncio.run(run())


def kinds(found: Found) -> set[str]:
    """How the targets ended."""
    return {seen.outcome.kind.value if isinstance(seen.outcome, Failure) else "handshake" for seen in found.values()}
