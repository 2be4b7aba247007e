"""The pool of killable processes: innocents always come back, culprits are given up, nothing is left running."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

import pytest

from dnscertscan.scan.workers import Answer, WorkerPool


def _with_pool(
    work: Callable[[WorkerPool], Awaitable[object]], *, module: str = "servers.odd_worker", size: int = 1, memory: int = 1 << 30,
    recycle: int = 0,
) -> None:
    """Run with a pool; afterwards no process of it may exist."""
    async def run() -> list[int]:
        limits = {"size": size, "capacity": 8, "memory": memory, "recycle": recycle}
        async with asyncio.timeout(30), WorkerPool(module, stall=1.0, **limits) as pool:
            await work(pool)
            return list(pool.pids)

    for pid in asyncio.run(run()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 - the pool has no event for it
        await asyncio.sleep(0.01)


def _said(answer: Answer) -> list[str]:
    return [message["said"] for message in answer.messages if "said" in message]


def test_work_comes_back() -> None:
    """Messages come back in order, then the end; several requests are worked on at once in one process."""
    async def work(pool: WorkerPool) -> None:
        start = time.monotonic()
        answers = await asyncio.gather(*(pool.run({"do": "sleep"}, 5) for _ in range(8)))
        assert [_said(answer) for answer in answers] == [["begin sleep", "end sleep"]] * 8
        assert {answer.failure for answer in answers} == {None}
        assert len({answer.messages[0]["pid"] for answer in answers}) == 1
        assert time.monotonic() - start < 8 * 0.3 + 5

    _with_pool(work)


def test_an_exception_is_a_note_not_a_death() -> None:
    """What a look raises ends that look alone."""
    async def work(pool: WorkerPool) -> None:
        answer = await pool.run({"do": "raise"}, 5)
        assert (answer.failure, answer.messages[-1]["crash"]) == (None, "RuntimeError: a bug in a library")

    _with_pool(work)


@pytest.mark.parametrize(("culprit", "reason"), [("exit", "exit status 3"), ("freeze", "not heard of")])
def test_the_culprit_is_found_among_innocents(culprit: str, reason: str) -> None:
    """A process that dies or freezes takes its requests along: the innocent ones succeed on the second try."""
    async def work(pool: WorkerPool) -> None:
        guilty, *innocent = await asyncio.gather(*(pool.run({"do": do}, 8) for do in (culprit, "sleep", "sleep", "sleep")))
        assert guilty.failure is not None
        assert guilty.failure.count(reason) == 2
        assert _said(guilty) == [f"begin {culprit}"] * 2  # what came before the end is kept
        for answer in innocent:
            assert answer.failure is None
            assert _said(answer)[-1] == "end sleep"

    _with_pool(work)


def test_overdue_work_is_killed_and_named() -> None:
    """Work that does not end when asked to is ended by force after its time, and is not tried again."""
    async def work(pool: WorkerPool) -> None:
        start = time.monotonic()
        guilty, innocent = await asyncio.gather(pool.run({"do": "hold"}, 0.3), pool.run({"do": "patient"}, 1.5))
        assert "time limit" in str(guilty.failure)
        assert innocent.failure is None
        assert _said(innocent)[-1] == "end patient"
        assert time.monotonic() - start < 12

    _with_pool(work)


def test_memory_is_bounded() -> None:
    """A process that wants more memory than it may have gets an error, not the machine's last page."""
    async def work(pool: WorkerPool) -> None:
        answer = await pool.run({"do": "eat"}, 10)
        assert "MemoryError" in str(answer.messages[-1].get("crash", answer.failure))

    _with_pool(work, memory=200 << 20)


def test_workers_that_cannot_start_are_given_up() -> None:
    """A broken installation answers every request with the reason, and does not start processes for ever."""
    async def work(pool: WorkerPool) -> None:
        first, second = await asyncio.gather(pool.run({"do": "echo"}, 5), pool.run({"do": "echo"}, 5))
        assert "no such library" in str(first.failure)
        assert first.failure == second.failure
        assert (await pool.run({"do": "echo"}, 5)).failure == first.failure

    _with_pool(work, module="servers.broken_worker")


def test_more_work_brings_more_processes() -> None:
    """One process while there is little to do, no more than allowed when there is much."""
    async def work(pool: WorkerPool) -> None:
        await pool.run({"do": "echo"}, 5)
        assert len(pool.pids) == 1
        answers = await asyncio.gather(*(pool.run({"do": "sleep"}, 8) for _ in range(30)))
        assert {answer.failure for answer in answers} == {None}
        assert len(pool.pids) == 2

    _with_pool(work, size=2)


def test_worn_processes_are_replaced() -> None:
    """After so many requests a process is followed by a fresh one; nothing is lost and nobody waits for the change."""
    async def work(pool: WorkerPool) -> None:
        answers = await asyncio.gather(*(pool.run({"do": "sleep"}, 8) for _ in range(60)))
        assert [_said(answer) for answer in answers] == [["begin sleep", "end sleep"]] * 60
        assert {answer.failure for answer in answers} == {None}
        assert len({answer.messages[0]["pid"] for answer in answers}) >= 3
        await _until(lambda: len(pool.pids) <= 4)  # each of the two and its successor; those that are done with go

    _with_pool(work, size=2, recycle=5)


def test_a_successor_that_is_killed_is_followed_by_another() -> None:
    """The worn process goes on until one that follows it can work."""
    async def work(pool: WorkerPool) -> None:
        first = await pool.run({"do": "echo"}, 5)
        old, successor = pool.pids
        os.kill(successor, signal.SIGKILL)
        await _until(lambda: successor not in pool.pids)
        pids = set()
        while len(pids) < 2:
            answer = await pool.run({"do": "echo"}, 5)
            assert answer.failure is None
            pids.add(answer.messages[0]["pid"])
        assert first.messages[0]["pid"] == old
        assert successor not in pids

    _with_pool(work, recycle=1)
