"""Looking at every target, and once more at those whose failure may be our own doing; then: can the whole be believed?"""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.pipeline.canaries import CanaryResult, listen
from dnscertscan.pipeline.streams import Streams
from dnscertscan.pipeline.suspicion import Tally, is_partial, is_quick, is_slow
from dnscertscan.resolve.order import spread
from dnscertscan.scan.base import ScanEngine

FIRST, AGAIN = "first", "again"
_LULL = 0.3
"""Seconds without an observation after which a scan that has taken all targets is believed to wait for silent ones mostly."""
_SHARE = 0.1
_MOST_HELD = 20_000
_MOST_PARTIAL, _MOST_PARTIAL_HERE = 400, 8
"""Second looks where further handshakes were broken off, over all and at one endpoint: for some servers that is a habit."""
TWICE = " (tried twice)"


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """``timeout`` is the limit of one target in seconds; ``canaries`` are known to work; another ``seed`` is another order."""

    timeout: float = 10.0
    retry: bool = True
    canaries: tuple[Target, ...] = ()
    seed: int = 0


@dataclass(slots=True)
class RunVerdict:
    """What is known of the run itself, readable when the iteration has ended.

    ``inconclusive`` is empty, or the reason why the failures of this run say nothing about the targets: one clause for a person.
    ``pending`` are first outcomes that waited for their second look when the iteration was ended early: the caller adds them.
    """

    inconclusive: str = ""
    pending: dict[Target, Observation] = field(default_factory=dict)


async def look_twice(
    engine: ScanEngine,
    targets: Sequence[Target],
    settings: RetrySettings,
    note: Callable[[str], None],
    verdict: RunVerdict,
    again: ScanEngine | None = None,
    tally: Tally | None = None,
) -> AsyncGenerator[Observation, None]:
    """Exactly one observation per target, in the order they are settled. Neighbours are not asked one after the other.

    A failure that may be our own doing is held back (memory: at most 20,000 of them) and looked at a second time, gently:
    connections reset or closed and limits of this machine always; time-outs only where the same endpoint has answered for other
    names, or where so many run out of time that our own network may be the reason; handshakes where further ones were broken
    off (at most 400, and 8 of an endpoint). All second looks together end one ``timeout``, or a tenth of the time of the first
    looks, after the first looks; who was not asked by then keeps the first outcome. A second handshake replaces the failure, or
    the first handshake where it has everything that one has and more; after a second failure the first one stands, and its
    detail says "(tried twice)".

    ``again`` is a second engine that may begin with it while the first one waits for silent peers, at addresses where the first
    one has nothing to do any more: so no address has more than its cap. It keeps no rate together with ``engine``: where there
    is one, leave ``again`` out, and ``engine`` does it afterwards.

    ``tally`` knows what an earlier process has seen of the same run: the whole run is to be believed, or not.

    ``note`` is called with lines that the operator should see. Closing the generator closes the engines' generators.
    """
    looks = _Looks(targets, settings, verdict, Tally() if tally is None else tally)
    before = await listen(engine, settings.canaries, settings.timeout)
    if before.silent:
        note(f"{len(before.silent)} of {before.asked} canaries gave no answer at the start ({before.text})")
    if targets:
        async with Streams[Observation]() as streams:
            async for observation in looks.run(streams, engine, again, note):
                yield observation
    verdict.inconclusive = await _doubt(engine, looks.tally, settings, before)
    if (mute := looks.tally.mute) and not verdict.inconclusive and not settings.canaries:
        reason = "too few to tell whether the fault is on our side; name canaries in the configuration"
        note(f"not one of {mute} addresses gave any answer: {reason}")
    if unrouted := looks.tally.unrouted:
        note(f"no IPv6 route from here: {unrouted} targets could not be tried")


class _Looks:
    """The state of one call of :func:`look_twice`."""

    def __init__(self, targets: Sequence[Target], settings: RetrySettings, verdict: RunVerdict, tally: Tally) -> None:
        self.tally = tally
        self._targets = spread(targets, str(settings.seed).encode())
        self._settings = settings
        self._pending = verdict.pending
        self._numbers: dict[Target, int] = {}
        self._quick: list[Target] = []
        self._slow: list[Target] = []
        self._partial: Counter[Endpoint] = Counter()
        self._open: Counter[str] = Counter()
        self._all_taken = False
        self._until: float | None = None

    async def run(
        self, streams: Streams[Observation], engine: ScanEngine, again: ScanEngine | None, note: Callable[[str], None]
    ) -> AsyncGenerator[Observation, None]:
        """The first looks, then the second ones; whatever still waits at the end of their time is given out as it is."""
        started = monotonic()
        streams.add(FIRST, engine.scan(self._feed()))
        while self._goes_on(streams, again or engine):
            if (got := await streams.get(self._patience(streams, again))) is None:
                if again is not None and FIRST in streams:
                    self._look_again(streams, again, self._at_ease())
                continue
            name, observation = got
            if observation is None:
                if name == FIRST:
                    now = monotonic()
                    self._until = now + max(self._settings.timeout, _SHARE * (now - started))
            elif (settled := self._settle(name, observation)) is not None:
                yield settled
        await streams.end(AGAIN)
        while got := await streams.get(0):
            if got[1] is not None and (settled := self._settle(got[0], got[1])) is not None:
                yield settled
        if self._pending:
            note(f"no time was left to look at {len(self._pending)} targets a second time")
        for target in tuple(self._pending):
            yield self._pending.pop(target)

    def _feed(self) -> Iterator[Target]:
        for target in self._targets:
            self._open[target.endpoint.address] += 1
            yield target
        self._targets = []
        self._all_taken = True

    def _goes_on(self, streams: Streams[Observation], engine: ScanEngine) -> bool:
        if FIRST in streams:
            return True
        if self._until is None or monotonic() >= self._until:
            return False
        return AGAIN in streams or self._look_again(streams, engine, self._take_waiting())

    def _patience(self, streams: Streams[Observation], again: ScanEngine | None) -> float | None:
        if self._until is not None:
            return max(0.0, self._until - monotonic())
        idle = self._all_taken and self._quick and AGAIN not in streams
        return _LULL if idle and again is not None else None

    def _at_ease(self) -> list[Target]:
        """Those that wait for a quick second look, of addresses where no first look goes on."""
        chosen = [target for target in self._quick if target.endpoint.address not in self._open]
        self._quick = [target for target in self._quick if target.endpoint.address in self._open]
        return chosen

    def _take_waiting(self) -> list[Target]:
        """All that wait; failures go before handshakes that are only partial."""
        waiting = sorted(self._quick, key=lambda target: isinstance(self._pending[target].outcome, Handshake)) + self._slow
        self._quick, self._slow = [], []
        return waiting

    def _look_again(self, streams: Streams[Observation], engine: ScanEngine, batch: list[Target]) -> bool:
        """Begin the second look at those of ``batch``, if there are any."""
        if batch:
            streams.add(AGAIN, engine.scan(batch, gentle=True))
        return bool(batch)

    def _settle(self, name: str, observation: Observation) -> Observation | None:
        """What is to be given out now, if anything."""
        if name == FIRST:
            self._close(observation.target.endpoint.address)
            number = self.tally.add(observation)
            waiting = self._waiting_list(observation)
            if waiting is None or len(self._pending) >= _MOST_HELD:
                return observation
            self._pending[observation.target] = observation
            self._numbers[observation.target] = number
            waiting.append(observation.target)
            return None
        first = self._pending.pop(observation.target)
        settled = _better(first, observation)
        self.tally.amend(self._numbers.pop(observation.target), settled)
        return settled

    def _close(self, address: str) -> None:
        self._open[address] -= 1
        if self._open[address] <= 0:
            del self._open[address]

    def _waiting_list(self, observation: Observation) -> list[Target] | None:
        """Where to wait for a second look; None where one is not worth it."""
        if not self._settings.retry:
            return None
        if is_quick(observation.outcome):
            return self._quick
        endpoint = observation.target.endpoint
        if is_partial(observation.outcome):
            if self._partial.total() >= _MOST_PARTIAL or self._partial[endpoint] >= _MOST_PARTIAL_HERE:
                return None
            self._partial[endpoint] += 1
            return self._quick
        worth = self.tally.has_answered(endpoint) or self.tally.many_slow
        return self._slow if is_slow(observation.outcome) and worth else None


def _better(first: Observation, second: Observation) -> Observation:
    """A failure of our own says less than any answer; else the first failure stands. Of two handshakes the one with more."""
    before, after = first.outcome, second.outcome
    if isinstance(before, Handshake):
        return second if isinstance(after, Handshake) and _shows_more(after, before) else first
    if isinstance(after, Handshake) or (before.kind is FailureKind.ENGINE and after.kind is not FailureKind.ENGINE):
        return second
    return replace(first, outcome=Failure(before.kind, before.detail + TWICE))


def _shows_more(after: Handshake, before: Handshake) -> bool:
    """Whether nothing is missing that was there before, and fewer handshakes were broken off."""
    lists = {one.chain for one in before.deployments} <= {one.chain for one in after.deployments}
    return lists and len(after.unanswered) < len(before.unanswered) and after.engine_failure is None


async def _doubt(engine: ScanEngine, tally: Tally, settings: RetrySettings, before: CanaryResult) -> str:
    """Why the failures of the run say nothing about the targets; empty when they do."""
    advice = "the fault is probably on our side: check the network of this machine and scan again"
    if before.bad and tally.mostly_lost:
        canaries = f"{len(before.silent)} of {before.asked} canaries gave no answer at the start ({before.text})"
        return f"{canaries}, and {tally.lost} of {tally.asked} targets failed; {advice}"
    if not (tally.deaf or tally.suspicious or (settings.canaries and tally.mostly_lost)):
        return ""
    gone = {target for target, _ in before.silent} if not before.bad else set()
    configured = [target for target in settings.canaries if target not in gone]
    result = await listen(engine, tuple(dict.fromkeys((*configured, *tally.canaries))), settings.timeout)
    if result.bad:
        return f"{len(result.silent)} of {result.asked} targets that are known to work gave no answer ({result.text}); {advice}"
    if tally.deaf and not result.asked:
        return f"not one of {tally.deaf} addresses gave any answer; {advice}"
    return ""
