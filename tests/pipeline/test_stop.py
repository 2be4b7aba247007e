"""Cutting a run short: the first reason wins, waiting work is cancelled, generators are closed, nothing seen is lost."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dnscertscan.pipeline.stop import Stop


def test_work_that_ends_first_gives_its_result() -> None:
    """Without a stop, `unless` is transparent."""

    async def body() -> None:
        assert await Stop().unless(asyncio.sleep(0, "done")) == "done"

    asyncio.run(body())


def test_stop_cancels_and_waits_for_the_work() -> None:
    """When the run is stopped, the work has been cancelled and has cleaned up before `unless` returns."""

    async def body() -> None:
        stop, tidy = Stop(), []

        async def work() -> str:
            try:
                await asyncio.sleep(60)
            finally:
                tidy.append("up")
            return "never"

        asyncio.get_running_loop().call_later(0.01, stop.now, "deadline")
        assert await stop.unless(work()) is None
        assert tidy == ["up"]
        stop.now("later")
        assert stop.reason == "deadline"

    asyncio.run(body())


def test_exceptions_pass_through() -> None:
    """A failure of the work is the caller's to see."""

    async def fails() -> None:
        raise ValueError("told")

    async def body() -> None:
        with pytest.raises(ValueError, match="told"):
            await Stop().unless(fails())

    asyncio.run(body())


@pytest.mark.parametrize("stop_after", [None, 0, 3])
def test_until_keeps_what_was_seen_and_closes_the_stream(stop_after: int | None) -> None:
    """Items before the stop come through, none after it; the generator's clean-up has run."""

    async def body() -> None:
        stop, closed = Stop(), []

        async def numbers() -> AsyncIterator[int]:
            try:
                for number in range(5):
                    await asyncio.sleep(0)
                    yield number
            finally:
                closed.append(True)

        if stop_after == 0:
            stop.now("at once")
        seen = []
        async for number in stop.until(numbers()):
            seen.append(number)
            if len(seen) == stop_after:
                stop.now("enough")
        assert seen == list(range(5 if stop_after is None else stop_after))
        assert closed == ([] if stop_after == 0 else [True])

    asyncio.run(body())


def test_until_wakes_a_stream_that_hangs() -> None:
    """A stop ends the wait for an item that does not come."""

    async def body() -> None:
        stop = Stop()

        async def hangs() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(60)

        asyncio.get_running_loop().call_later(0.02, stop.now, "deadline")
        assert [item async for item in stop.until(hangs())] == [1]

    asyncio.run(body())
