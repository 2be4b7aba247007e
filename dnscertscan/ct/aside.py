"""Blocking work beside the event loop: in daemon threads, so that what hangs holds nobody when the caller gives up."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")


async def aside(work: Callable[[], T]) -> T:
    """What ``work`` gives, or the exception that it raises, whichever it is: a caller that waits for neither would wait for ever.

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
            loop.call_soon_threadsafe(*_outcome(work, deliver, fail))
        except RuntimeError:
            return  # the run is over and its loop closed: nobody waits any more

    threading.Thread(target=body, name="ct-aside", daemon=True).start()
    return await future


def _outcome(work: Callable[[], T], deliver: Callable[[T], None], fail: Callable[[Exception], None]) -> tuple[Callable[[], None]]:
    """What is left to do in the event loop."""
    try:
        found = work()
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller waits for it
        # A future takes no StopIteration.
        problem = RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
        return (partial(fail, problem),)
    return (partial(deliver, found),)
