"""Several asynchronous generators read as one, and each of them ended early without leaving anything running."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
_AHEAD = 64
"""Items that wait to be read, over all streams; then the streams wait."""


class Streams(Generic[T]):
    """``async with Streams() as streams: streams.add("a", generator); got = await streams.get()``."""

    def __init__(self) -> None:
        self._items: asyncio.Queue[tuple[str, asyncio.Task[None] | None, T | None]] = asyncio.Queue()
        self._room = asyncio.Semaphore(_AHEAD)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in tuple(self._tasks):
            await self.end(name)

    def add(self, name: str, stream: AsyncIterator[T]) -> None:
        """Begin to read an asynchronous generator."""
        self._tasks[name] = asyncio.create_task(self._read(name, stream))

    def __contains__(self, name: str) -> bool:
        return name in self._tasks

    async def get(self, patience: float | None = None) -> tuple[str, T | None] | None:
        """The next item and whose it is; no item when that stream has ended; None when nothing comes within ``patience`` seconds.

        What a stream raises is raised here.
        """
        while True:
            try:
                async with asyncio.timeout(patience):
                    name, task, item = await self._items.get()
            except TimeoutError:
                return None
            if item is not None:
                self._room.release()
                return name, item
            if task is not None and self._tasks.get(name) is task:
                await self._tasks.pop(name)
                return name, None

    async def end(self, name: str) -> None:
        """Close a stream early; what it has given and nobody has read may still come."""
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _read(self, name: str, stream: AsyncIterator[T]) -> None:
        try:
            async with aclosing(stream) as items:  # type: ignore[type-var]  # engines promise asynchronous generators, which can be closed
                async for item in items:
                    await self._room.acquire()
                    self._items.put_nowait((name, None, item))
        finally:
            self._items.put_nowait((name, asyncio.current_task(), None))
