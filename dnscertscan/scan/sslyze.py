"""The engine: our own bounded check first, then SSLyze's certificate information in worker processes that may die."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from dnscertscan.errors import EngineError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake, Observation, Outcome, StoreVerdict
from dnscertscan.scan.base import Clock, ScanSettings
from dnscertscan.scan.fanout import fan_out
from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.limits import Place
from dnscertscan.scan.merge import Chain, Judged, Received, deployments
from dnscertscan.scan.probe import Probe, Reading
from dnscertscan.scan.workers import Answer, WorkerPool

_WORKER = "dnscertscan.scan.sslyze_worker"
_MAX_THREADS = 64
_STALL = 3.0
_LEAST = 0.5
_LOG = logging.getLogger(__name__)
# The stores SSLyze judges by: name in its verdicts -> file in its package.
_STORES = {
    "Android": "google_aosp", "Apple": "apple", "Java": "oracle_java", "Mozilla": "mozilla_nss", "Windows": "microsoft_windows",
}


class SslyzeEngine:
    """Every deployment of an endpoint with SSLyze's verdict per trust store. See :class:`dnscertscan.scan.base.ScanEngine`."""

    name = "sslyze"

    def __init__(self, settings: ScanSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._pool: WorkerPool | None = None

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The worker processes of the scan in progress."""
        return self._pool.pids if self._pool is not None else ()

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncGenerator[Observation, None]:
        """Observe every target once."""
        if gentle:
            self._settings = replace(self._settings, concurrency=min(8, self._settings.concurrency), per_address=1)
        size = self._settings.workers or _usable_cpus()
        threads = min(_MAX_THREADS, -(-self._settings.concurrency // size))
        stall = max(_STALL / 2, min(_STALL, self._settings.timeout / 2))
        async with WorkerPool(_WORKER, size=size, capacity=threads, memory=self._settings.worker_memory, stall=stall) as pool:
            self._pool = pool
            try:
                async with aclosing(fan_out(targets, self._look, self._settings)) as observations:
                    async for observation in observations:
                        yield observation
            finally:
                self._pool = None

    async def _look(self, place: Place) -> Observation:
        at, started = self._clock(), monotonic()
        task = asyncio.create_task(self._outcome(place, at.isoformat()))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # when this look is cancelled; a task that is done does not mind
            await asyncio.gather(task, return_exceptions=True)
        return Observation(place.target, _result(task), self.name, at, monotonic() - started)

    async def _outcome(self, place: Place, at: str) -> Outcome:
        target = place.target
        if (problem := target.server_name.problem) is not None:
            return Failure(FailureKind.UNSCANNABLE_NAME, problem)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.timeout
        reading = await Probe(target, self._settings, deadline, place.heard).read()
        if isinstance(reading, Failure):
            return reading
        if self._pool is None:
            raise EngineError("the scan has ended")
        seconds = max(_LEAST, deadline - loop.time())
        request = _request(target, reading, at, self._settings.max_bytes)
        return _handshake(reading, await self._pool.run(request, seconds))


def _usable_cpus() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every POSIX system
        return os.cpu_count() or 1


def _result(task: "asyncio.Task[Outcome]") -> Outcome:
    """A bug of ours that one peer brings out is that target's outcome, not the end of the run."""
    if (error := task.exception()) is None:
        return task.result()
    _LOG.error("the scan of one target failed", exc_info=error)
    return Failure(FailureKind.ENGINE, f"bug in the scanner: {type(error).__name__}: {error}")


def _request(target: Target, reading: Reading, at: str, max_bytes: int) -> Message:
    return {
        "address": target.endpoint.address, "port": target.endpoint.port, "service": target.endpoint.service,
        "name": target.server_name.text, "protocol": reading.protocol, "client_auth": reading.client_auth is not ClientAuth.NONE,
        "chain": [pack(der) for der in reading.chain], "at": at,
        "max_bytes": max_bytes,
    }


def _handshake(reading: Reading, answer: Answer) -> Handshake:
    """The check's own reading and all that SSLyze sent before it was done, or was no more."""
    own = reading.protocol if reading.protocol == "TLS 1.3" else "default"
    received = [Received(reading.chain, own, reading.staple)]
    judged: dict[Chain, Judged] = {}
    problem = answer.failure or ""
    unanswered: list[str] = []
    for message in answer.messages:
        if "chain" in message:
            staple = message["staple"]
            received.append(Received(_chain(message["chain"]), message["how"], unpack(staple) if staple else None))
        elif "judged" in message:
            judged[_chain(message["judged"])] = _judged(message)
        else:
            problem = problem or str(message.get("crash") or "; ".join(message.get("faults", ())))
            unanswered += message.get("unanswered", ())
    return Handshake(
        deployments(received, judged), reading.protocol, reading.cipher, reading.client_auth, tuple(dict.fromkeys(unanswered)),
        Failure(FailureKind.ENGINE, f"SSLyze: {problem}") if problem else None,
    )


def _chain(packed: Iterable[str]) -> Chain:
    return tuple(unpack(der) for der in packed)


def _judged(message: Message) -> Judged:
    verdicts = (StoreVerdict(store, trusted, reason) for store, trusted, reason in message["verdicts"])
    return Judged(tuple(sorted(verdicts, key=lambda verdict: verdict.store)), message["unjudged"])


def bundled_stores() -> tuple[tuple[str, bytes], ...]:
    """(name, PEM) of the trust stores inside SSLyze, sorted by name; SSLyze itself is not imported."""
    spec = find_spec("sslyze")
    if spec is None or not spec.submodule_search_locations:
        raise EngineError("SSLyze is not installed; install it with: pip install sslyze")
    folder = Path(spec.submodule_search_locations[0], "plugins", "certificate_info", "trust_stores", "pem_files")
    return tuple((name, _read_store(folder / f"{stem}.pem")) for name, stem in sorted(_STORES.items()))


def _read_store(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EngineError(f"{path}: trust store of SSLyze cannot be read: {error.strerror}; reinstall sslyze 6.3") from error


