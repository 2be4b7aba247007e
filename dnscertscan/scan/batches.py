"""An engine that has another engine work elsewhere: batches of targets go through any ``concurrent.futures.Executor``.

A process pool and a cluster look the same from here. Plain values travel: targets without their provenance out, observations
back. What goes wrong on the way is an observation, too: nothing that was sent off is ever lost.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.scan import ENGINES
from dnscertscan.scan.base import Clock, ScanSettings
from dnscertscan.scan.child import START_SECONDS
from dnscertscan.scan.merge import certificate

_TRIES = 2
_NUDGE = 2.0
_Future = asyncio.Future[list[Observation]]


@dataclass(frozen=True, slots=True)
class _Batch:
    targets: tuple[Target, ...]
    tries: int = 1


def scan_batch(
    engine_name: str, settings: ScanSettings, clock: Clock, targets: list[Target], *, gentle: bool
) -> list[Observation]:
    """What the named engine observes; runs wherever the executor has it run, with an event loop of its own."""

    async def run() -> list[Observation]:
        engine = ENGINES[engine_name](settings, clock)
        return [observation async for observation in engine.scan(targets, gentle=gentle)]

    return asyncio.run(run())


def _nothing() -> None:
    """See :meth:`BatchEngine._any_done`."""


class BatchEngine:
    """Runs ``engine_name`` over batches of ``size`` targets, ``in_flight`` batches at a time. The executor stays the caller's.

    ``clock`` must be a function that can be pickled. The caps of ``settings`` hold in each batch by itself, so that an address
    may meet as many times its cap as there are batches in flight; of a gentle scan there is one. A batch that fails is tried
    once more; then each of its targets is a failure of the engine. Closing the iterator cancels what has not begun.
    """

    def __init__(
        self, executor: Executor, engine_name: str, settings: ScanSettings, clock: Clock, size: int = 200, *, in_flight: int = 8
    ) -> None:
        ENGINES[engine_name]  # a wrong name is said here and now, not by every worker
        self.name = engine_name
        self._executor = executor
        self._settings = settings
        self._clock = clock
        self._size = max(1, size)
        self._in_flight = max(1, in_flight)

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncGenerator[Observation, None]:
        """Observe every target once; batch by batch as they are done."""
        most = 1 if gentle else self._in_flight
        waiting = iter(targets)
        again: deque[_Batch] = deque()
        running: dict[_Future, _Batch] = {}
        try:
            while True:
                while len(running) < most and (batch := again.popleft() if again else self._cut(waiting)) is not None:
                    running[self._submit(batch, gentle=gentle)] = batch
                if not running:
                    return
                for future in await self._any_done(running):
                    batch = running.pop(future)
                    problem = _problem(future)
                    if problem and batch.tries < _TRIES:
                        again.append(replace(batch, tries=batch.tries + 1))
                        continue
                    for observation in self._observed(batch, [] if problem else future.result(), problem):
                        yield observation
        finally:
            for future in running:
                future.cancel()

    def _cut(self, waiting: Iterator[Target]) -> _Batch | None:
        targets = tuple(islice(waiting, self._size))
        return _Batch(targets) if targets else None

    def _submit(self, batch: _Batch, *, gentle: bool) -> _Future:
        plain = [Target(one.endpoint, one.server_name) for one in batch.targets]
        try:
            return asyncio.wrap_future(
                self._executor.submit(scan_batch, self.name, self._settings, self._clock, plain, gentle=gentle)
            )
        except RuntimeError as error:  # BrokenExecutor, and the word of an executor that was shut down
            refused: _Future = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    async def _any_done(self, running: dict[_Future, _Batch]) -> set[_Future]:
        """Those that are done; all of them, cancelled, when the executor has not finished one in a time that must suffice.

        A process pool whose processes end after some tasks may forget to start the next one until it is given something more to
        do (CPython issue 115634), so it is given nothing to do from time to time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + START_SECONDS + self._settings.timeout * self._size
        while loop.time() < end:
            done, _ = await asyncio.wait(running, timeout=_NUDGE, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return done
            with suppress(RuntimeError):  # broken: the batches will say so
                self._executor.submit(_nothing)
        for future in running:
            future.cancel()
        return set(running)

    def _observed(self, batch: _Batch, observations: list[Observation], problem: str) -> Iterator[Observation]:
        """One observation for each target sent, with the provenance it had."""
        missing: dict[Target, deque[Target]] = {}
        for target in batch.targets:
            missing.setdefault(target, deque()).append(target)
        for observation in observations:
            if originals := missing.get(observation.target):
                yield replace(observation, target=originals.popleft(), outcome=_interned(observation.outcome))
        failure = Failure(FailureKind.ENGINE, f"batch of {len(batch.targets)} targets: {problem or 'no answer for this target'}")
        for originals in missing.values():
            for target in originals:
                yield Observation(target, failure, self.name, self._clock(), 0.0)


def _problem(future: _Future) -> str:
    """Why a batch has no result; empty when it has one."""
    if future.cancelled():
        return "the executor gave no answer in time"
    error = future.exception()
    if isinstance(error, CancelledError):
        return "the executor cancelled it"
    return "" if error is None else f"{type(error).__name__}: {str(error)[:300]}"


def _interned(outcome: Handshake | Failure) -> Handshake | Failure:
    """The same certificate of many batches is one object."""
    if isinstance(outcome, Failure):
        return outcome
    return replace(outcome, deployments=tuple(
        replace(one, chain=tuple(certificate(each.der) for each in one.chain)) for one in outcome.deployments
    ))
