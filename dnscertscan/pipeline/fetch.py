"""All zone sources at once, each in a thread of its own: one hanging name server keeps no other zone waiting."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dnscertscan.model.records import Zone, ZoneFault, ZoneProblem
from dnscertscan.pipeline.stop import Stop
from dnscertscan.zones.base import Fetched, ZoneSource

AT_ONCE = 8
"""Transfers in flight; zones usually share a few servers."""


@dataclass(frozen=True, slots=True)
class AllZones:
    """What all sources gave, in the order the sources were named."""

    zones: tuple[Zone, ...]
    problems: tuple[ZoneProblem, ...]


async def fetch_all(sources: Sequence[ZoneSource], on_fetched: Callable[[Fetched], None], stop: Stop) -> AllZones:
    """Fetch every source; ``on_fetched`` is told of each as it comes. A source the stop overtakes is a failed one."""
    gate = asyncio.Semaphore(AT_ONCE)
    arrived: dict[int, Fetched] = {}

    async def one(number: int, source: ZoneSource) -> None:
        async with gate:
            arrived[number] = await _in_thread(source.fetch)
        on_fetched(arrived[number])

    async def every() -> None:
        async with asyncio.TaskGroup() as group:
            for number, source in enumerate(sources):
                group.create_task(one(number, source))

    await stop.unless(every())
    results = [arrived.get(number) or _overtaken(source, stop.reason or "") for number, source in enumerate(sources)]
    return AllZones(
        zones=tuple(zone for fetched in results for zone in fetched.zones),
        problems=tuple(problem for fetched in results for problem in fetched.problems),
    )


def _overtaken(source: ZoneSource, reason: str) -> Fetched:
    message = f"{source.name}: not read before the run was cut short ({reason}); give the run more time"
    return Fetched((), (ZoneProblem(ZoneFault.FAILED, "", source.name, message),))


async def _in_thread(work: Callable[[], Fetched]) -> Fetched:
    """Like asyncio.to_thread, but with a daemon thread: a run that is stopped does not wait for a transfer that hangs."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Fetched] = loop.create_future()

    def deliver(result: Fetched | None, problem: BaseException | None) -> None:
        if future.done():
            return
        if problem is not None:
            future.set_exception(problem)
        elif result is not None:
            future.set_result(result)

    def body() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as problem:  # noqa: BLE001 - carried to the caller, who sees the same exception
            failure = problem
        try:
            loop.call_soon_threadsafe(deliver, result, failure)
        except RuntimeError:
            return  # the run was stopped and its loop is closed: nobody waits for this zone any more

    threading.Thread(target=body, name="zone-source", daemon=True).start()
    return await future
