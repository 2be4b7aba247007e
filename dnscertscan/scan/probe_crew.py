"""The probe's worker processes as the scanner sees them: who gets which target, and what becomes of those of a dead one.

Theory of operation. A target belongs to the process of its network (IPv4 /24, IPv6 /48), so the caps per address and per
network hold although no process knows of another. The cap over all and the rate are shared out among the processes, once and for
all: targets of one network alone, which is one process, get that share of them.

A process that dies is replaced. The targets it had not begun are given to the new one; those it had in flight are suspects: they
are tried once more, one at a time, in a process of their own, with the rate of the scan. Where that dies, too, the one in flight
has its outcome, and the others go on in the next. Whatever happens, a target is given to a bounded number of processes: few where
they die with nothing in flight that could be to blame, more where each death finds a suspect.
"""

import asyncio
import errno
import tempfile
from collections import deque
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, replace
from functools import lru_cache
from zlib import crc32

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Outcome
from dnscertscan.scan import in_flight
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.child import Child, look_after
from dnscertscan.scan.frames import Message
from dnscertscan.scan.lanebook import network_of
from dnscertscan.scan.vocabulary import Listener

_MODULE = "dnscertscan.scan.probe_worker"
_STALL = 5.0
_TICK = 0.5
_MAX_FALSE_STARTS = 5
_PATIENCE = 12
"""Deaths of its process a target is carried over; one that leaves no suspect counts for four."""
_BLIND = 4
_MOST_IDLE = 1000
"""Messages without a result that a process may send between two looks at it; a beat comes twice a second."""
_SILENT_PLACES = 4
"""Places for silent peers, for each place for one that talks."""


class _Worker:
    """One process with the targets it has."""

    def __init__(self, crew: "Crew", settings: ScanSettings, places: int) -> None:
        self.targets: dict[int, Target] = {}
        self._crew = crew
        self._batch: list[tuple[int, str, int, str, str]] = []
        self._released: list[int] = []
        self._listener = Listener()
        self.idle = 0
        self._flying = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._places = places
        in_flight.make_room(self._flying, places)
        file = self._flying.fileno()
        limits: Message = {"settings": asdict(settings), "first_only": crew.first_only, "hold": crew.hold}
        limits |= {"places": places, "in_flight": file}
        try:
            self.child = Child(_MODULE, limits, self._take, self._ended, (file,))
        except OSError:
            self._flying.close()
            raise

    def give(self, number: int, target: Target) -> None:
        """Put a target into work with the next :meth:`flush`."""
        self.targets[number] = target
        endpoint = target.endpoint
        self._batch.append((number, endpoint.address, endpoint.port, endpoint.service, target.server_name.text))

    def flush(self) -> None:
        """Send what was given."""
        if self._batch:
            self.child.send({"targets": self._batch})
            self._batch = []

    def release(self, number: int) -> None:
        """Give a place back; those of one round of the event loop travel together."""
        if not self._released:
            asyncio.get_running_loop().call_soon(self._tell_released)
        self._released.append(number)

    def _tell_released(self) -> None:
        released, self._released = self._released, []
        if not self.child.gone:
            self.child.send({"release": released})

    def in_flight(self) -> frozenset[int]:
        """What it was at."""
        return in_flight.read(self._flying, self._places)

    async def close(self) -> None:
        """End it."""
        await self.child.close()
        self._flying.close()

    def _take(self, message: Message) -> None:
        self.child.started = self.child.started or "ready" in message
        self.idle += not message.get("r")
        if self.idle > _MOST_IDLE:
            raise ValueError(f"{self.idle} messages that say nothing")
        for number, seconds, outcome in self._listener.hear(message):
            target = self.targets.pop(number)
            self._crew.forget(number)
            if self._crew.hold and isinstance(outcome, Handshake):
                self._crew.held.setdefault(id(target), []).append((self, number))
            self._crew.finish(target, seconds, outcome)

    def _ended(self, why: str) -> None:
        self._crew.bury(self, why)


class Crew(AbstractAsyncContextManager["Crew"]):
    """Up to ``size`` processes, started as there is work for them. :attr:`done` fills as they work; :attr:`news` is set then.

    There are never more processes than ``settings.concurrency``: each has a share of it.
    """

    def __init__(self, settings: ScanSettings, size: int, *, first_only: bool, hold: bool = False) -> None:
        size = max(1, min(size, settings.concurrency))
        share, more = divmod(max(1, settings.concurrency), size)
        self.shares = [
            replace(settings, concurrency=share + (index < more), rate=settings.rate / size) for index in range(size)
        ]
        """The limits of each process."""
        self._alone = replace(settings, concurrency=1)
        self.first_only = first_only
        self.hold = hold
        """Whether a target that shows a list keeps its place in flight until :meth:`release`."""
        self.held: dict[int, list[tuple[_Worker, int]]] = {}
        self._workers: list[_Worker | None] = [None] * size
        self._careful: _Worker | None = None
        self._numbers = 0
        self._why: dict[int, str] = {}
        self._deaths: dict[int, int] = {}
        self._false_starts = 0
        self._broken = ""
        self._errands: set[asyncio.Task[None]] = set()
        self._watch: asyncio.Task[None] | None = None
        self.open = 0
        """Targets given and not yet in :attr:`done`."""
        self.done: deque[tuple[Target, float, Outcome]] = deque()
        self.news = asyncio.Event()

    async def __aenter__(self) -> "Crew":
        self._watch = asyncio.create_task(look_after(self._watched, _STALL, _TICK))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await asyncio.gather(*(worker.close() for worker in self._all()), *self._errands)

    @property
    def pids(self) -> tuple[int, ...]:
        """Processes that are alive now."""
        return tuple(worker.child.pid for worker in self._all() if not worker.child.gone)

    def give(self, targets: Iterable[Target]) -> None:
        """Put targets into work."""
        for target in targets:
            self._numbers += 1
            self.open += 1
            self._give(self._numbers, target)
        self._flush()

    def finish(self, target: Target, seconds: float, outcome: Outcome) -> None:
        """A target is done."""
        self.open -= 1
        self.done.append((target, seconds, outcome))
        self.news.set()

    def release(self, target: Target) -> None:
        """A target that was held is done with; what was held by a process that is gone was done with before."""
        worker, number = self.held[id(target)].pop()
        if not self.held[id(target)]:
            del self.held[id(target)]
        worker.release(number)

    def bury(self, worker: _Worker, why: str) -> None:
        """A process is gone: what it had is given to others."""
        suspects = worker.in_flight()
        self._later(worker)
        self._false_starts = 0 if worker.child.started else self._false_starts + 1
        if self._false_starts >= _MAX_FALSE_STARTS:
            self._broken = f"worker processes do not start: {why}"
        if worker is self._careful:
            self._careful = None
        else:
            self._workers[self._workers.index(worker)] = None
        cost = _BLIND if suspects.isdisjoint(worker.targets) else 1
        for number, target in worker.targets.items():
            deaths = self._deaths[number] = self._deaths.get(number, 0) + cost
            if number in suspects and number in self._why:
                self._give_up(number, target, f"two worker processes ended on this target: {self._why[number]}; "
                                              f"then, alone with it: {why}")
            elif deaths >= _PATIENCE:
                self._give_up(number, target, f"worker processes ended again and again before this target was done: {why}")
            else:
                if number in suspects:
                    self._why[number] = why
                self._give(number, target)
        self._flush()

    def _give_up(self, number: int, target: Target, text: str) -> None:
        self.forget(number)
        self.finish(target, 0.0, Failure(FailureKind.ENGINE, text))

    def forget(self, number: int) -> None:
        """Nothing is known any more of a target that is done."""
        self._why.pop(number, None)
        self._deaths.pop(number, None)

    def _give(self, number: int, target: Target) -> None:
        worker = self._careful_one() if number in self._why else self._worker(_shard(target.endpoint.address, len(self._workers)))
        if worker is None:
            self._give_up(number, target, self._broken)
        else:
            worker.give(number, target)

    def _worker(self, index: int) -> _Worker | None:
        if self._workers[index] is None:
            share = self.shares[index]
            self._workers[index] = self._start(share, share.concurrency * (1 + _SILENT_PLACES))
        return self._workers[index]

    def _careful_one(self) -> _Worker | None:
        if self._careful is None:
            self._careful = self._start(self._alone, 1)
        return self._careful

    def _start(self, settings: ScanSettings, places: int) -> _Worker | None:
        if self._broken:
            return None
        try:
            return _Worker(self, settings, places)
        except OSError as error:
            self._broken = f"a worker process cannot be started: {error}{_next_step(error)}"
            return None

    def _flush(self) -> None:
        for worker in self._all():
            worker.flush()

    def _all(self) -> list[_Worker]:
        return [worker for worker in (*self._workers, self._careful) if worker is not None]

    def _later(self, worker: _Worker) -> None:
        task = asyncio.create_task(worker.close())
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _watched(self) -> list[Child]:
        """The processes, one more time looked at: what each may send without saying anything is counted anew."""
        for worker in self._all():
            worker.idle = 0
        return [worker.child for worker in self._all()]


def _next_step(error: OSError) -> str:
    match error.errno:
        case errno.ENOMEM | errno.EAGAIN:
            return "; free memory or processes and run again"
        case errno.EMFILE | errno.ENFILE:
            return "; raise the limit of open files and run again"
        case errno.ENOENT if "temporary directory" in str(error):
            return "; set TMPDIR to a directory that can be written to"
        case errno.ENOSPC | errno.EDQUOT | errno.EROFS:
            return "; make room, or set TMPDIR to another directory"
        case _:
            return ""


@lru_cache(maxsize=65536)
def _shard(address: str, size: int) -> int:
    return crc32(network_of(address).encode()) % size
