"""What the outcomes of a run say about ourselves: which failures may be our own doing, and whether too many fail to be true."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation, Outcome
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
CANARIES = 5
_ENOUGH = 20
_SHARE = 0.3
_ENOUGH_LATE = 5
_LATE_SHARE = 0.5
_DEAF = 5


def is_quick(outcome: Outcome) -> bool:
    """Whether a second look costs nothing and may give another result."""
    return isinstance(outcome, Failure) and outcome.kind in QUICK and not outcome.detail.startswith(_BUG)


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
    """Counts outcomes as they come, one octet and one reference each. :meth:`add` numbers them, :meth:`amend` takes one back."""

    _fate: bytearray = field(default_factory=bytearray)
    _slow: int = 0
    _answered: set[Endpoint] = field(default_factory=set)
    _heard: bool = False
    _deaf: set[str] = field(default_factory=set)
    _by_network: dict[str, Target] = field(default_factory=dict)
    _by_address: dict[str, Target] = field(default_factory=dict)
    _by_endpoint: dict[Endpoint, Target] = field(default_factory=dict)

    def add(self, observation: Observation) -> int:
        """Take note of a first outcome; its number."""
        outcome, target = observation.outcome, observation.target
        if isinstance(outcome, Handshake):
            self._answer(target)
        elif is_deaf(outcome) and not self._heard:
            self._deaf.add(target.endpoint.address)
        elif outcome.kind not in (FailureKind.ENGINE, FailureKind.UNSCANNABLE_NAME) and not is_deaf(outcome):
            self._hear()
        self._slow += is_slow(outcome)
        self._fate.append(is_lost(outcome))
        return len(self._fate) - 1

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
        return len(self._deaf) if not self._heard and len(self._deaf) >= _DEAF else 0

    @property
    def suspicious(self) -> bool:
        """Whether more targets are lost than can be believed: many of all, or most of the last quarter but not of the first."""
        lost, quarter = sum(self._fate), len(self._fate) // 4
        if lost >= _ENOUGH and lost > _SHARE * len(self._fate):
            return True
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
