"""Blocking work beside the event loop: in daemon threads, so that what hangs holds nobody when the caller gives up."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T], *expected: type[Exception]) -> T:
    """What ``work`` gives, or the exception of one of the ``expected`` kinds that it raises; any other one ends the thread.

    When the caller is cancelled the thread is left alone: what it finds then goes nowhere.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def deliver(found: T) -> None:
        if not future.done():
            future.set_result(found)

    def fail(problem: Exception) -> None:
        if not future.done():
            future.set_exception(problem)

    def body() -> None:
        try:
            try:
                found = work()
            except expected as problem:
                loop.call_soon_threadsafe(fail, problem)
            else:
                loop.call_soon_threadsafe(deliver, found)
        except RuntimeError:
            return  # the run is over and its loop closed: nobody waits any more

    threading.Thread(target=body, name="ct-aside", daemon=True).start()
    return await future
