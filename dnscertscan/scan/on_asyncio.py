"""Runs a conversation of :mod:`dnscertscan.scan.loop` inside asyncio, for engines whose own loop is that."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from dnscertscan.scan.loop import READABLE, WRITE, Signal

_T = TypeVar("_T")


async def on_asyncio(talk: Coroutine[tuple[int | Signal, float, int], int | None, _T]) -> _T:
    """What the conversation returns or raises; when this is cancelled, the conversation is closed."""
    loop = asyncio.get_running_loop()
    error: TimeoutError | None = None
    what: int | None = None
    try:
        while True:
            on, until, flags = talk.send(what) if error is None else talk.throw(error)
            error, what = None, READABLE
            if not isinstance(on, int):
                raise NotImplementedError("conversations under asyncio wait for sockets only")
            happened = loop.create_future()
            (loop.add_writer if flags & WRITE else loop.add_reader)(on, _tell, happened)
            try:
                async with asyncio.timeout_at(until):
                    await happened
            except TimeoutError as late:
                error = late
            finally:
                (loop.remove_writer if flags & WRITE else loop.remove_reader)(on)
    except StopIteration as end:
        value: _T = end.value
        return value
    finally:
        talk.close()


def _tell(happened: "asyncio.Future[None]") -> None:
    if not happened.done():
        happened.set_result(None)
