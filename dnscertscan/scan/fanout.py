"""A fixed number of workers pull targets, look, and hand observations over as they come."""

import asyncio
import resource
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.limits import Lanes, Place

_SILENT_EACH = 4
"""Places in flight for each that may exchange data."""
Look = Callable[[Place], Awaitable[Observation]]


async def fan_out(targets: Iterable[Target], look: Look, settings: ScanSettings) -> AsyncGenerator[Observation, None]:
    """Exactly one observation per target, in the order they are done; nothing is left running when the iterator is closed.

    What ``targets`` or ``look`` raises ends the iteration and is raised here.
    """
    places = _places(settings.concurrency)
    lanes = Lanes(targets, settings, places)
    seen: asyncio.Queue[Observation | None] = asyncio.Queue(maxsize=max(1, settings.concurrency))
    crew = asyncio.create_task(_crew(lanes, look, seen, places))
    try:
        while (observation := await seen.get()) is not None:
            yield observation
        await crew
    finally:
        crew.cancel()
        await asyncio.gather(crew, return_exceptions=True)


def _places(concurrency: int) -> int:
    """Silent connections do not count as exchanging data; there may be three for each of the others, as files allow."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    room = _SILENT_EACH * concurrency if files == resource.RLIM_INFINITY else min(_SILENT_EACH * concurrency, files // 2)
    return max(1, concurrency, room)


async def _crew(lanes: Lanes, look: Look, seen: "asyncio.Queue[Observation | None]", size: int) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(size):
                group.create_task(_work(lanes, look, seen))
    except BaseExceptionGroup as group_error:
        await seen.put(None)
        raise group_error.exceptions[0] from None
    await seen.put(None)


async def _work(lanes: Lanes, look: Look, seen: "asyncio.Queue[Observation | None]") -> None:
    while (place := await lanes.take()) is not None:
        try:
            observation = await look(place)
        finally:
            lanes.release(place)
        await seen.put(observation)
