"""A pool of worker processes that may be killed at any time, and keeps its promises nevertheless.

Theory of operation. A ticket is given to the least busy worker. A worker dies by its own fault, by the kernel, or because the
pool kills it: it outlived a ticket's time, or has not been heard of for ``stall`` seconds (a process frozen in C code with the
interpreter lock held says nothing). Then every ticket it had is a suspect and is tried once more, alone in a process of its own:
the culprit kills that one too and is given up, the others come back as if nothing had happened. A ticket whose time is over
while its worker is alive and talking is no suspect but the culprit.

A worker's death is seen at once because its socket closes. Dead workers are replaced in the background. A worker that has had
``recycle`` tickets is worn: a successor is started, and from the moment that one can work, the worn one gets no more tickets and
ends with the last it has. Nobody waits for it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count

from dnscertscan.scan.child import START_SECONDS, look_after
from dnscertscan.scan.frames import Message
from dnscertscan.scan.ticket import Ticket
from dnscertscan.scan.worker_process import WorkerProcess

_GRACE = 1.0
_FROZEN = 1.0
_ENOUGH = 3
_TICK = 0.25
_MAX_FALSE_STARTS = 3
"""In a row, before any process ever started: then none will."""
_MAX_LATER_FALSE_STARTS = 30
"""In a row, once it is known that processes can start: somebody kills them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything that came back, and why it is not complete: ``failure`` is None when the work was done."""

    messages: tuple[Message, ...]
    failure: str | None = None


class _End(Enum):
    """How one attempt ended."""

    DONE = auto()
    DIED = auto()
    OVERDUE = auto()
    BROKEN = auto()


@dataclass(frozen=True, slots=True)
class _Attempt:
    kind: _End
    why: str | None


class WorkerPool(AbstractAsyncContextManager["WorkerPool"]):
    """Up to ``size`` processes that run ``module.main()``, each with ``capacity`` tickets at once. Use as an async context.

    ``recycle`` is the number of tickets after which a process is replaced; 0 is never.
    """

    def __init__(self, module: str, *, size: int, capacity: int, memory: int, stall: float, recycle: int = 0) -> None:
        self._module = module
        self._size = size
        self._capacity = capacity
        self._memory = memory
        self._stall = stall
        self._recycle = recycle
        self._numbers = count(1)
        self._shared: list[WorkerProcess] = []
        self._lone: list[WorkerProcess] = []
        self._leaving: list[WorkerProcess] = []
        self._successors: dict[WorkerProcess, WorkerProcess] = {}
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._alone = asyncio.Semaphore(size)
        self._false_starts = 0
        self._ever_started = False
        self._broken = ""
        self._watch: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "WorkerPool":
        self._start(self._capacity, self._shared)
        self._watch = asyncio.create_task(look_after(lambda: self._all, self._stall, _TICK))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._all), *self._errands)

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that are alive now."""
        return tuple(worker.pid for worker in self._all if not worker.gone)

    @property
    def _all(self) -> tuple[WorkerProcess, ...]:
        return (*self._shared, *self._lone, *self._leaving)

    async def run(self, body: Message, seconds: float) -> Answer:
        """Have one request worked on for at most ``seconds`` (as much again where another's fault makes it be tried anew).

        Waiting for a worker to start is not counted: it is not the peer's time.
        """
        ticket = Ticket(next(self._numbers), body, seconds)
        first = await self._attempt(ticket, await self._with_room())
        if first.kind is not _End.DIED:
            return Answer(tuple(ticket.messages), first.why)
        again = Ticket(next(self._numbers), body, seconds)
        async with self._alone:
            second = await self._attempt(again, await self._by_itself())
        messages = (*ticket.messages, *again.messages)
        twice = f"two worker processes ended on this target: {first.why}; then, alone with it: {second.why}"
        return Answer(messages, twice if second.kind is _End.DIED else second.why)

    async def _attempt(self, ticket: Ticket, worker: WorkerProcess | None) -> "_Attempt":
        if worker is None:
            return _Attempt(_End.BROKEN, self._broken or "no worker process could be started in time")
        worker.give(ticket)
        self._grow(worker)
        try:
            async with asyncio.timeout(ticket.seconds + _GRACE):
                why = await ticket.end
        except TimeoutError:
            limit = f"the time limit passed inside SSLyze ({ticket.seconds:.1f} s were left) and the worker had to be killed"
            frozen = asyncio.get_running_loop().time() - worker.last_heard > _FROZEN
            worker.kill("it froze" if frozen else "another target outlived its time limit in it")
            return _Attempt(_End.DIED if frozen else _End.OVERDUE, limit)
        return _Attempt(_End.DONE if why is None else _End.DIED, why)

    async def _with_room(self) -> WorkerProcess | None:
        """The least busy shared worker, as soon as one has room; None when none will."""

        def found() -> WorkerProcess | None:
            free = (worker for worker in self._shared if worker.has_room)
            return min(free, key=lambda worker: len(worker.in_work), default=None)

        try:
            async with asyncio.timeout(START_SECONDS), self._turn:  # one at a time is woken by news, not all who wait
                return await self._wait_for(found)
        except TimeoutError:
            return None

    def _grow(self, worker: WorkerProcess) -> None:
        """Starting a process costs more than scanning dozens of targets: another one only when this one has enough to do."""
        if worker not in self._shared:
            return
        if len(worker.in_work) >= _ENOUGH and len(self._shared) < self._size:
            self._start(self._capacity, self._shared)
        if self._recycle and worker.given >= self._recycle and worker not in self._successors and not self._broken:
            successor = self._start(self._capacity, self._shared)
            if successor is not None:
                self._successors[worker] = successor

    def _on_change(self) -> None:
        """A worker has started, or has a ticket less."""
        self._let_go()
        self._news.set()

    def _let_go(self) -> None:
        """Worn workers whose successor can work get no more tickets; those with none left end."""
        for worn, successor in list(self._successors.items()):
            if successor.started and not successor.gone:
                del self._successors[worn]
                self._shared.remove(worn)
                self._leaving.append(worn)
        for worn in [worker for worker in self._leaving if not worker.in_work]:
            self._leaving.remove(worn)
            self._later(worn.close())

    async def _by_itself(self) -> WorkerProcess | None:
        """A worker that has nothing else to do and gets nothing else: one from before, or a new one, tried a few times."""
        for _ in range(_MAX_FALSE_STARTS):
            worker = next((one for one in self._lone if one.has_room), None)
            if worker is None and not self._broken:
                worker = self._start(1, self._lone)
            if worker is None:
                return None
            if await self._ready(worker):
                return worker
        return None

    async def _ready(self, worker: WorkerProcess) -> WorkerProcess | None:
        """``worker`` once it can take a ticket; None when it ended before."""
        return await self._wait_for(lambda: worker if worker.has_room else None, lambda: worker.gone)

    async def _wait_for(
        self, found: Callable[[], WorkerProcess | None], hopeless: Callable[[], bool] = lambda: False
    ) -> WorkerProcess | None:
        try:
            async with asyncio.timeout(START_SECONDS):
                while (worker := found()) is None and not self._broken and not hopeless():
                    self._news.clear()
                    await self._news.wait()
                return worker
        except TimeoutError:
            return None

    def _start(self, capacity: int, among: list[WorkerProcess]) -> WorkerProcess | None:
        try:
            worker = WorkerProcess(self._module, capacity, self._memory, self._on_change, self._on_end)
        except OSError as error:
            self._broken = f"a worker process cannot be started: {error}; free memory or processes and run again"
            self._news.set()
            return None
        among.append(worker)
        return worker

    def _on_end(self, worker: WorkerProcess, why: str) -> None:
        """A worker is gone: its tickets are told, its place is filled again."""
        missed = worker in self._shared and self._successors.pop(worker, None) is None
        for worn in [worn for worn, successor in self._successors.items() if successor is worker]:
            del self._successors[worn]  # which goes on; its next ticket starts another one
            missed = False
        next(group for group in (self._shared, self._lone, self._leaving) if worker in group).remove(worker)
        for ticket in worker.in_work.values():
            ticket.died(why)
        self._later(worker.close())
        self._ever_started = self._ever_started or worker.started
        self._false_starts = 0 if worker.started else self._false_starts + 1
        if self._false_starts >= (_MAX_LATER_FALSE_STARTS if self._ever_started else _MAX_FALSE_STARTS):
            self._broken = f"worker processes do not start: {why}"
        elif missed:
            self._start(self._capacity, self._shared)
        self._news.set()

    def _later(self, errand: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)
