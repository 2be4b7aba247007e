"""Long work in the event loop, in pieces: what waits meanwhile, such as the deadline, gets its turn."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from time import monotonic
from typing import TypeVar

T = TypeVar("T")
_HOLD = 0.05
"""Seconds of work between two breaths."""


async def breathe() -> None:
    """Let everything run that is due."""
    await asyncio.sleep(0)  # timers that are due, and what came in, are put into the queue
    await asyncio.sleep(0)  # and now they have run


async def unhurried(items: Iterable[T]) -> AsyncIterator[T]:
    """``items``, with a breath about every 50 ms and one after the last."""
    since = monotonic()
    for item in items:
        yield item
        if monotonic() - since >= _HOLD:
            await breathe()
            since = monotonic()
    await breathe()
