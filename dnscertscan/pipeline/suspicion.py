"""What the outcomes of a run say about ourselves: which failures may be our own doing, and whether too many fail to be true."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation, Outcome
from dnscertscan.report.describe import is_unrouted
from dnscertscan.scan.lanebook import network_of

QUICK = frozenset({FailureKind.RESET, FailureKind.CLOSED, FailureKind.ENGINE})
"""Failures that cost next to nothing to look at again: a server or a firewall that had enough of us, a limit of this machine."""
SLOW = frozenset({FailureKind.TIMEOUT, FailureKind.HANDSHAKE_TIMEOUT})
LOST = frozenset({
    FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.RESET, FailureKind.CLOSED,
    FailureKind.HANDSHAKE_TIMEOUT, FailureKind.ENGINE,
})
"""What targets look like when the network is gone. Any other failure is an answer."""
_BUG = "bug in the scanner"
_BROKEN_OFF = ("refused", "reset", "closed")
CANARIES = 5
_ENOUGH = 20
_SHARE = 0.3
_ENOUGH_LATE = 5
_LATE_SHARE = 0.5
_DEAF = 5


def is_quick(outcome: Outcome) -> bool:
    """Whether a second look costs nothing and may give another result."""
    return isinstance(outcome, Failure) and outcome.kind in QUICK and not outcome.detail.startswith(_BUG)


def is_partial(outcome: Outcome) -> bool:
    """Whether further handshakes were broken off, and none of them by silence or a flood: a second look may see more."""
    return isinstance(outcome, Handshake) and bool(outcome.unanswered) and all(
        any(word in reason.rpartition(": ")[2] for word in _BROKEN_OFF) for reason in outcome.unanswered
    )


def is_slow(outcome: Outcome) -> bool:
    """Whether nothing came in time."""
    return isinstance(outcome, Failure) and outcome.kind in SLOW


def is_lost(outcome: Outcome) -> bool:
    """Whether this may as well be a fault of our own network."""
    return isinstance(outcome, Failure) and outcome.kind in LOST


def is_deaf(outcome: Outcome) -> bool:
    """Whether nothing at all came back: no octet, no refusal."""
    if not isinstance(outcome, Failure):
        return False
    mute = outcome.kind is FailureKind.HANDSHAKE_TIMEOUT and "not one octet" in outcome.detail
    return mute or outcome.kind in (FailureKind.TIMEOUT, FailureKind.UNREACHABLE)


@dataclass(slots=True)
class Tally:
    """Counts outcomes as they come, one octet and one reference each. :meth:`add` numbers them, :meth:`amend` takes one back.

    What an earlier process has seen is taken note of before, in any order, with :meth:`recall`; :meth:`recalled` ends that.
    """

    _fate: bytearray = field(default_factory=bytearray)
    _slow: int = 0
    _answered: set[Endpoint] = field(default_factory=set)
    _heard: bool = False
    _deaf: set[str] = field(default_factory=set)
    _by_network: dict[str, Target] = field(default_factory=dict)
    _by_address: dict[str, Target] = field(default_factory=dict)
    _by_endpoint: dict[Endpoint, Target] = field(default_factory=dict)
    _moments: "array[int]" = field(default_factory=lambda: array("q"))
    _ipv6: int = 0
    _unrouted: int = 0

    def recall(self, observation: Observation) -> None:
        """Take note of an outcome from the journal."""
        self._learn(observation)
        microseconds = int((observation.at.timestamp() + observation.seconds) * 1e6)
        self._moments.append(microseconds << 1 | is_lost(observation.outcome))

    def recalled(self) -> None:
        """All that is in the journal was recalled: it counts in the order in which it was seen."""
        self._fate.extend(moment & 1 for moment in sorted(self._moments))
        del self._moments[:]

    def add(self, observation: Observation) -> int:
        """Take note of a first outcome; its number."""
        self._learn(observation)
        self._fate.append(is_lost(observation.outcome))
        return len(self._fate) - 1

    def _learn(self, observation: Observation) -> None:
        outcome, target = observation.outcome, observation.target
        if isinstance(outcome, Handshake):
            self._answer(target)
        elif is_deaf(outcome) and not self._heard:
            self._deaf.add(target.endpoint.address)
        elif outcome.kind not in (FailureKind.ENGINE, FailureKind.UNSCANNABLE_NAME) and not is_deaf(outcome):
            self._hear()
        self._slow += is_slow(outcome)
        self._ipv6 += ":" in target.endpoint.address
        if isinstance(outcome, Failure):
            self._unrouted += is_unrouted(target.endpoint.address, outcome.kind.value, outcome.detail)

    def amend(self, number: int, observation: Observation) -> None:
        """A second look has given another outcome than the one with this number."""
        if isinstance(observation.outcome, Handshake):
            self._answer(observation.target)
        self._fate[number] = is_lost(observation.outcome)

    def has_answered(self, endpoint: Endpoint) -> bool:
        """Whether this endpoint has shown a certificate for some name in this run."""
        return endpoint in self._answered

    @property
    def many_slow(self) -> bool:
        """Whether so many targets ran out of time that it may be our own network."""
        return self._slow >= _ENOUGH and self._slow > _SHARE * len(self._fate)

    @property
    def deaf(self) -> int:
        """How many addresses were asked where not one gave any answer; 0 when one did, or when they are too few to tell."""
        return self.mute if self.mute >= _DEAF else 0

    @property
    def mute(self) -> int:
        """How many addresses were asked where not one gave any answer; 0 when one did."""
        return 0 if self._heard else len(self._deaf)

    @property
    def asked(self) -> int:
        """How many targets were asked."""
        return len(self._fate)

    @property
    def lost(self) -> int:
        """How many of them are lost."""
        return sum(self._fate)

    @property
    def mostly_lost(self) -> bool:
        """Whether more than half of them are."""
        return 2 * self.lost > self.asked

    @property
    def unrouted(self) -> int:
        """How many IPv6 targets there were, where this machine had no route to any of them; else 0."""
        return self._unrouted if self._unrouted == self._ipv6 else 0

    @property
    def suspicious(self) -> bool:
        """Whether more targets are lost than can be believed: many of all, or :attr:`late`."""
        lost = self.lost
        return (lost >= _ENOUGH and lost > _SHARE * self.asked) or self.late

    @property
    def late(self) -> bool:
        """Whether most of the last quarter is lost, but not of the first: so it looks when the network goes away."""
        quarter = len(self._fate) // 4
        first, last = sum(self._fate[:quarter]), sum(self._fate[len(self._fate) - quarter:])
        return last >= _ENOUGH_LATE and last >= _LATE_SHARE * quarter and last >= 2 * first

    @property
    def canaries(self) -> tuple[Target, ...]:
        """Up to five that have answered: of different networks, where those are too few of different addresses, or ports."""
        return tuple(_merged(self._by_network.values(), self._by_address.values(), self._by_endpoint.values()))[:CANARIES]

    def _answer(self, target: Target) -> None:
        self._hear()
        endpoint = target.endpoint
        if endpoint in self._answered:
            return
        self._answered.add(endpoint)
        if len(self._by_network) < CANARIES:
            self._by_network.setdefault(network_of(endpoint.address), target)
            if len(self._by_address) < CANARIES:
                self._by_address.setdefault(endpoint.address, target)
            if len(self._by_endpoint) < CANARIES:
                self._by_endpoint[endpoint] = target

    def _hear(self) -> None:
        self._heard = True
        self._deaf.clear()


def _merged(*groups: Iterable[Target]) -> dict[Target, None]:
    return dict.fromkeys(target for group in groups for target in group)
