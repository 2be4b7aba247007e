"""The engine: our own bounded check first, then SSLyze's certificate information in worker processes that may die."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from dnscertscan.errors import EngineError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation, Outcome
from dnscertscan.scan.base import Clock, ScanSettings
from dnscertscan.scan.confirm import Confirmer
from dnscertscan.scan.fanout import fan_out
from dnscertscan.scan.lanebook import gentle as gently
from dnscertscan.scan.limits import Place
from dnscertscan.scan.merge import Received, deployments
from dnscertscan.scan.on_asyncio import on_asyncio
from dnscertscan.scan.probe import Probe

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
        self._confirmer: Confirmer | None = None

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The worker processes of the scan in progress."""
        return self._confirmer.pids if self._confirmer is not None else ()

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncGenerator[Observation, None]:
        """Observe every target once."""
        settings = gently(self._settings) if gentle else self._settings
        async with Confirmer(settings, settings.workers or _usable_cpus()) as confirmer:
            self._confirmer = confirmer
            try:
                async with aclosing(fan_out(targets, self._look, settings)) as observations:
                    async for observation in observations:
                        yield observation
            finally:
                self._confirmer = None

    async def _look(self, place: Place) -> Observation:
        at, started = self._clock(), monotonic()
        task = asyncio.create_task(self._outcome(place, at))
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # when this look is cancelled; a task that is done does not mind
            await asyncio.gather(task, return_exceptions=True)
        return Observation(place.target, _result(task), self.name, at, monotonic() - started)

    async def _outcome(self, place: Place, at: datetime) -> Outcome:
        target = place.target
        if (problem := target.server_name.problem) is not None:
            return Failure(FailureKind.UNSCANNABLE_NAME, problem)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.timeout
        settings = self._settings
        if place.timeout < settings.timeout:  # a dead port; what answers after all has the full time for the rest
            settings = replace(settings, timeout=place.timeout)
        reading = await on_asyncio(Probe(target, settings, loop.time() + settings.timeout, place.heard).read())
        if isinstance(reading, Failure):
            return reading
        if self._confirmer is None:
            raise EngineError("the scan has ended")
        seconds = max(_LEAST, deadline - loop.time())
        own = reading.protocol if reading.protocol == "TLS 1.3" else "default"
        first = deployments([Received(reading.chain, own, reading.staple)], {})
        ours = Handshake(first, reading.protocol, reading.cipher, reading.client_auth)
        return await self._confirmer.look(target, ours, at, seconds)


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


