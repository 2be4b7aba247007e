"""The fast engine: our own handshakes in a process per CPU, each on an event loop of its own."""

from collections.abc import AsyncGenerator, Iterable
from datetime import timedelta
from itertools import islice

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.scan.base import Clock, ScanSettings
from dnscertscan.scan.child import usable_cpus
from dnscertscan.scan.lanebook import gentle as gently
from dnscertscan.scan.probe_crew import Crew

_AHEAD = 16
_BATCH = 128
_FEW = 8
_SLOW = 400.0


class ProbeEngine:
    """Every deployment of an endpoint, read by hellos of our own. See :class:`dnscertscan.scan.base.ScanEngine`.

    ``first_only`` leaves out the hellos after the first that is answered: whether and how a target answers, and one list.
    With ``hold`` a target that answers keeps its place under all caps until it is given to :meth:`release`: for an engine that
    has more to ask there. The target must be the very object that the observation has.
    """

    name = "probe"

    def __init__(self, settings: ScanSettings, clock: Clock, *, first_only: bool = False, hold: bool = False) -> None:
        self._settings = settings
        self._clock = clock
        self._first_only = first_only
        self._hold = hold
        self._crew: Crew | None = None

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The worker processes of the scan in progress."""
        return self._crew.pids if self._crew is not None else ()

    def release(self, target: Target) -> None:
        """A target that was held is done with."""
        if self._crew is not None:
            self._crew.release(target)

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncGenerator[Observation, None]:
        """Observe every target once."""
        settings = gently(self._settings) if gentle else self._settings
        source, ended = iter(targets), False
        most = _AHEAD * max(1, settings.concurrency)
        async with Crew(settings, _processes(settings), first_only=self._first_only, hold=self._hold) as crew:
            self._crew = crew
            try:
                while True:
                    while not ended and crew.open < most and not crew.done:
                        batch = list(islice(source, min(_BATCH, most - crew.open)))
                        ended = not batch
                        crew.give(batch)
                    while crew.done:
                        target, seconds, outcome = crew.done.popleft()
                        yield Observation(target, outcome, self.name, self._clock() - timedelta(seconds=seconds), seconds)
                    if ended and not crew.open:
                        return
                    if crew.open >= most or ended:
                        await crew.news.wait()
                        crew.news.clear()
            finally:
                self._crew = None


def _processes(settings: ScanSettings) -> int:
    """One per CPU, but one for all where that is enough: a rate is then kept exactly."""
    if settings.concurrency <= _FEW or 0 < settings.rate <= _SLOW:
        return 1
    return settings.workers or usable_cpus()
