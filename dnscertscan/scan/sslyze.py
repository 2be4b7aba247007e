"""The engines with SSLyze: our own handshakes first, then SSLyze's certificate information where it is wanted.

Our handshakes run in the probe's processes, SSLyze in processes of its own that may die. A target that answers keeps its place
under all caps until SSLyze is done with it, so that both together are one visitor.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from dnscertscan.errors import EngineError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.scan.base import Clock, Doubt, ScanSettings
from dnscertscan.scan.child import usable_cpus
from dnscertscan.scan.confirm import Confirmer
from dnscertscan.scan.lanebook import gentle as gently
from dnscertscan.scan.probe_engine import ProbeEngine

_LEAST = 0.5
_MOST_REMEMBERED = 65_536
_LOG = logging.getLogger(__name__)
_Seen = asyncio.Queue[Observation | None]
# The stores SSLyze judges by: name in its verdicts -> file in its package.
_STORES = {
    "Android": "google_aosp", "Apple": "apple", "Java": "oracle_java", "Mozilla": "mozilla_nss", "Windows": "microsoft_windows",
}


class SslyzeEngine:
    """Every deployment of an endpoint with SSLyze's verdict per trust store. See :class:`dnscertscan.scan.base.ScanEngine`.

    ``select`` makes, for each scan, what says which targets SSLyze has a look at. Without it that is all of them, after one
    handshake of ours each; with it our handshakes find every deployment by themselves.
    """

    def __init__(
        self, settings: ScanSettings, clock: Clock, *, name: str = "sslyze", select: Callable[[], Doubt] | None = None
    ) -> None:
        self.name = name
        self._settings = settings
        self._select = select
        processes = settings.workers or usable_cpus()
        # A first hello costs a tenth of what SSLyze does then: half as many processes are plenty for it, and less memory.
        readers = replace(settings, workers=-(-processes // 2)) if select is None else settings
        self._probe = ProbeEngine(readers, clock, first_only=select is None, hold=True)
        self._confirmer: Confirmer | None = None

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """SSLyze's processes of the scan in progress."""
        return self._confirmer.pids if self._confirmer is not None else ()

    @property
    def probe_pids(self) -> tuple[int, ...]:
        """The processes of our own handshakes."""
        return self._probe.worker_pids

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncGenerator[Observation, None]:
        """Observe every target once."""
        settings = gently(self._settings) if gentle else self._settings
        seen: _Seen = asyncio.Queue(maxsize=max(1, settings.concurrency))
        async with Confirmer(settings, settings.workers or usable_cpus()) as confirmer:
            self._confirmer = confirmer
            work = asyncio.create_task(self._work(targets, confirmer, seen, gentle=gentle))
            try:
                while (observation := await seen.get()) is not None:
                    yield observation
                await work
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
                self._confirmer = None

    async def _work(self, targets: Iterable[Target], confirmer: Confirmer, seen: _Seen, *, gentle: bool) -> None:
        """Ends with None in ``seen``, unless it is cancelled: then nobody reads any more."""
        wanted = _everything if self._select is None else self._select()
        try:
            async with aclosing(self._probe.scan(targets, gentle=gentle)) as firsts, asyncio.TaskGroup() as group:
                async for first in firsts:
                    if isinstance(first.outcome, Handshake) and wanted(first):
                        group.create_task(self._look_on(first, first.outcome, confirmer, seen))
                    else:
                        await self._hand_over(first, first, seen)
        except BaseExceptionGroup as group_error:
            await seen.put(None)
            raise group_error.exceptions[0] from None
        await seen.put(None)

    async def _look_on(self, first: Observation, ours: Handshake, confirmer: Confirmer, seen: _Seen) -> None:
        """What SSLyze finds is put to ``ours``. No more of these run than targets may keep their places."""
        started = monotonic()
        seconds = max(_LEAST, self._settings.timeout - first.seconds)
        look = asyncio.create_task(confirmer.look(first.target, ours, first.at, seconds))
        try:
            await asyncio.wait({look})
        finally:
            look.cancel()  # when this is cancelled; a task that is done does not mind
            await asyncio.gather(look, return_exceptions=True)
        took = first.seconds + monotonic() - started
        await self._hand_over(first, replace(first, outcome=_result(look, ours), engine="probe+sslyze", seconds=took), seen)

    async def _hand_over(self, first: Observation, last: Observation, seen: _Seen) -> None:
        """The place is given back when there was room for the observation: a slow reader is not run over."""
        await seen.put(last if self._select is not None else replace(last, engine=self.name))
        if isinstance(first.outcome, Handshake):
            self._probe.release(first.target)


def auto(settings: ScanSettings, clock: Clock, doubtful: Doubt | None = None) -> SslyzeEngine:
    """Our own handshakes find every deployment; SSLyze has a look at whatever is doubtful, and at each kind of endpoint once."""
    return SslyzeEngine(settings, clock, name="auto", select=lambda: _Selection(doubtful))


def _everything(_: Observation) -> bool:
    return True


class _Selection:
    """Whether SSLyze should have a look: at what is doubtful, and at every endpoint with lists not met there before."""

    def __init__(self, doubtful: Doubt | None) -> None:
        self._doubtful = doubtful
        self._met: OrderedDict[bytes, None] = OrderedDict()

    def __call__(self, observation: Observation) -> bool:
        return self._is_new(observation) or (self._doubtful is not None and self._doubtful(observation))

    def _is_new(self, observation: Observation) -> bool:
        outcome, place = observation.outcome, observation.target.endpoint
        served = outcome.deployments if isinstance(outcome, Handshake) else ()
        lists = sorted(" ".join(one.sha256 for one in deployment.chain) for deployment in served)
        key = sha256("\n".join((place.address, str(place.port), place.service, *lists)).encode()).digest()
        new = key not in self._met
        self._met[key] = None
        self._met.move_to_end(key)
        if len(self._met) > _MOST_REMEMBERED:
            self._met.popitem(last=False)
        return new


def _result(look: "asyncio.Task[Handshake]", ours: Handshake) -> Handshake:
    """A bug of ours that one peer brings out costs that target what SSLyze would have said, not the run."""
    if (error := look.exception()) is None:
        return look.result()
    _LOG.error("the scan of one target failed", exc_info=error)
    return replace(ours, engine_failure=Failure(FailureKind.ENGINE, f"bug in the scanner: {type(error).__name__}: {error}"))


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
