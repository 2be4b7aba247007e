"""One way to cut a run short: the first reason wins, everything that waits is woken, nothing that was seen is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


class Stop:
    """A latch with a reason. Make it inside a running event loop; :meth:`now` may be called from its signal handlers."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._event = asyncio.Event()

    def now(self, reason: str) -> None:
        """Stop the run; later reasons are ignored."""
        if self.reason is None:
            self.reason = reason
            self._event.set()

    async def unless(self, work: Awaitable[T]) -> T | None:
        """The result of ``work``, or None when the run is stopped first (``work`` is then cancelled and waited for)."""
        task = asyncio.ensure_future(work)
        waiter = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            return None
        finally:
            for pending in (task, waiter):
                pending.cancel()
            await asyncio.gather(task, waiter, return_exceptions=True)

    async def until(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """The items of an asynchronous generator up to the moment of the stop; the generator is closed at the end."""
        async with aclosing(stream) as items:  # type: ignore[type-var]  # engines promise asynchronous generators, which can be closed
            iterator = items.__aiter__()
            while self.reason is None:
                try:
                    item = await self.unless(iterator.__anext__())
                except StopAsyncIteration:
                    return
                if item is None:
                    return
                yield item
