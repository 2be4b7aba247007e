"""Who may be asked next, as plain book-keeping: no timer, no clock, no event loop. Callers say what time it is.

Three caps hold for those who exchange data: per address, per network (IPv4 /24, IPv6 /48) and in all. Targets of a busy address
are put aside (a bounded number) and the next ones are taken instead; what was put aside takes turns, network by network and
address by address, and every other turn is a target not seen before: an address with thousands of names neither pushes the
others back nor waits for them.

A peer that says nothing costs its address no load, so after a moment of silence it stops counting as a talker and counts against
wider caps of silent connections: five hundred names on one dead address take turns quickly, yet never fill all of the places.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from ipaddress import ip_address
from random import Random

from dnscertscan.model.endpoints import Target
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.pace import Pace
from dnscertscan.scan.silence import Silences

_QUIET_OVERALL = 0.15  # for the cap over all, which is about our own load: a peer that has said nothing is none
_QUIET_AFTER = 0.5
_QUIET_AFTER_OTHERS = 0.1  # where the address has silent connections already
_QUIET_WHEN_DEAD = 0.025  # where nobody has said a word for long: 40 times the cap of talkers a second are begun at most
_PUT_ASIDE_PER_PLACE = 50
_SILENT_SHARE = 10  # of all places, for the silent connections of one address
_GENTLE_PLACES, _GENTLE_RATE = 8, 50.0


def gentle(settings: ScanSettings) -> ScanSettings:
    """The limits of a second look: one target of an address at a time, eight in all, 50 begun per second."""
    places = min(_GENTLE_PLACES, settings.concurrency)
    rate = min(_GENTLE_RATE, settings.rate) if settings.rate > 0 else _GENTLE_RATE
    return replace(settings, concurrency=places, per_address=1, per_network=min(places, settings.per_network), rate=rate)


@dataclass(slots=True)
class _Group:
    """What is counted of an address, of a network or of all: targets in flight, and the silent ones among them."""

    talkers: int
    quiet_cap: int
    in_flight: int = 0
    silent: int = 0

    def has_room(self) -> bool:
        """Silent ones over their own cap count as talkers."""
        return self.in_flight - min(self.silent, self.quiet_cap) < self.talkers


@dataclass(slots=True)
class _Network(_Group):
    key: str = ""
    lanes: int = 0
    ready: "deque[_Lane]" = field(default_factory=deque, repr=False)
    queued: bool = False


@dataclass(slots=True)
class _Lane(_Group):
    """One address."""

    network: _Network = field(kw_only=True, repr=False)
    aside: deque[Target] = field(default_factory=deque, repr=False)
    queued: bool = False


@dataclass(slots=True, eq=False)
class Place:
    """One target's place in flight; give it back with ``release``. ``timeout`` is what this one may take, in seconds.

    It is shorter than the limit of the scan where the port is taken to be dead: a failure must then state this time.
    """

    target: Target
    timeout: float
    begun: float
    book: "LaneBook" = field(repr=False)
    lane: _Lane = field(repr=False)
    quiet_at: float = 0.0
    silent_overall: bool = False
    silent: bool = False
    spoken: bool = False
    released: bool = False

    def heard(self) -> None:
        """The peer has said something."""
        self.book.heard(self)


class LaneBook:
    """Hands out targets of an iterable, lazily, each once. ``places`` is how many may be in flight, silent ones and all.

    ``settings.concurrency`` of them may be exchanging data; where ``places`` is more than that, the rest is for silent ones.
    ``now`` is in seconds of any steady clock and never goes back. Call :meth:`next` until it gives None; then again after a
    :meth:`release`, and at :meth:`wake_at`.
    """

    def __init__(self, targets: Iterable[Target], settings: ScanSettings, places: int, random: Random | None = None) -> None:
        self._targets = iter(targets)
        self._ended = False
        self._settings = settings
        self._places = max(1, places)
        self._all = _Group(max(1, settings.concurrency), max(0, places - settings.concurrency))
        self._lanes: dict[str, _Lane] = {}
        self._networks: dict[str, _Network] = {}
        self._ready: deque[_Network] = deque()
        self._room = max(1, settings.concurrency) * _PUT_ASIDE_PER_PLACE
        self._aside = 0
        self._fresh_turn = False
        self._timers: list[tuple[float, int, Place]] = []
        self._count = 0
        self._pace = Pace(settings.rate, random or Random())  # noqa: S311 - jitter, no secret
        self._silences = Silences(settings)

    @property
    def exhausted(self) -> bool:
        """Whether every target has been handed out; some may still be in flight."""
        return self._ended and not self._aside

    @property
    def in_flight(self) -> int:
        """Places handed out and not released."""
        return self._all.in_flight

    def more(self) -> None:
        """The iterable had come to its end, and has got more targets since."""
        self._ended = False

    def next(self, now: float) -> Place | None:
        """A target that may be asked now, or None."""
        self._let_quiet(now)
        if self.exhausted or not self._has_room() or self._pace.ready_at(now) > now:
            return None
        self._fresh_turn = not self._fresh_turn
        found = (self._fresh() or self._turn()) if self._fresh_turn else (self._turn() or self._fresh())
        if found is None:
            return None
        self._pace.begun(now)
        return self._start(*found, now)

    def wake_at(self, now: float) -> float | None:
        """When :meth:`next` may give something although nothing was released: not before ``now``; None for never."""
        if self.exhausted:
            return None
        while self._timers and (self._timers[0][2].released or self._timers[0][2].spoken):
            heappop(self._timers)
        paced = self._pace.ready_at(now)
        if paced > now and self._has_room():
            return paced
        return max(now, self._timers[0][0]) if self._timers else None

    def heard(self, place: Place) -> None:
        """The peer has said something: from now on it counts as a talker."""
        if place.spoken:
            return
        place.spoken = True
        self._silences.heard(place.target.endpoint)
        self._count_silent(place, overall=False, address=False)

    def release(self, place: Place, now: float) -> None:
        """The target is done with. A second call does nothing."""
        if place.released:
            return
        place.released = True
        if not place.spoken:
            self._silences.ended(place.target.endpoint, now - place.begun, place.timeout)
        self._count_silent(place, overall=False, address=False)
        lane = place.lane
        for group in (self._all, lane.network, lane):
            group.in_flight -= 1
        self._offer(lane)
        self._forget(lane, place.target.endpoint.address)

    def _has_room(self) -> bool:
        return self._all.in_flight < self._places and self._all.has_room()

    def _turn(self) -> tuple[_Lane, Target] | None:
        """The next of those put aside: networks take turns, and in each its addresses."""
        while self._ready:
            network = self._ready.popleft()
            network.queued = False
            while network.ready and network.has_room():
                lane = network.ready.popleft()
                lane.queued = False
                if lane.aside and lane.has_room():
                    self._aside -= 1
                    return lane, lane.aside.popleft()
        return None

    def _fresh(self) -> tuple[_Lane, Target] | None:
        """The next target that may be asked at once; those before it are put aside as long as there is room for them."""
        while not self._ended and self._aside < self._room:
            target = next(self._targets, None)
            if target is None:
                self._ended = True
                return None
            lane = self._lane(target.endpoint.address)
            network = lane.network
            if not lane.aside and not network.ready and lane.has_room() and network.has_room():
                return lane, target
            lane.aside.append(target)
            self._aside += 1
            self._offer(lane)
        return None

    def _start(self, lane: _Lane, target: Target, now: float) -> Place:
        patience = _QUIET_AFTER_OTHERS if lane.silent else _QUIET_AFTER
        if self._silences.is_dead(target.endpoint):
            patience = _QUIET_WHEN_DEAD
            lane.quiet_cap = max(lane.quiet_cap, self._settings.concurrency)
        for group in (self._all, lane.network, lane):
            group.in_flight += 1
        place = Place(target, self._silences.patience(target.endpoint), now, self, lane, now + patience)
        self._set_timer(now + min(patience, _QUIET_OVERALL), place)
        self._offer(lane)
        return place

    def _set_timer(self, when: float, place: Place) -> None:
        self._count += 1
        heappush(self._timers, (when, self._count, place))

    def _let_quiet(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            when, _, place = heappop(self._timers)
            if place.released or place.spoken:
                continue
            self._count_silent(place, overall=True, address=when >= place.quiet_at)
            if place.silent:
                self._offer(place.lane)
            else:
                self._set_timer(place.quiet_at, place)

    def _count_silent(self, place: Place, *, overall: bool, address: bool) -> None:
        self._all.silent += overall - place.silent_overall
        place.lane.network.silent += address - place.silent
        place.lane.silent += address - place.silent
        place.silent_overall, place.silent = overall, address

    def _offer(self, lane: _Lane) -> None:
        """Let an address that has somebody waiting, and its network, take their turns where they may."""
        network = lane.network
        if lane.aside and not lane.queued and lane.has_room():
            lane.queued = True
            network.ready.append(lane)
        if network.ready and not network.queued and network.has_room():
            network.queued = True
            self._ready.append(network)

    def _lane(self, address: str) -> _Lane:
        if (lane := self._lanes.get(address)) is None:
            settings = self._settings
            key = network_of(address)
            if (network := self._networks.get(key)) is None:
                cap = max(1, settings.per_network)
                network = self._networks[key] = _Network(cap, max(cap, self._places // 2), key=key)
            network.lanes += 1
            cap = max(1, settings.per_address)
            quiet_cap = max(cap, settings.concurrency // 4, self._places // _SILENT_SHARE)
            lane = self._lanes[address] = _Lane(cap, quiet_cap, network=network)
        return lane

    def _forget(self, lane: _Lane, address: str) -> None:
        """Nothing is kept of an address that is not in flight and for which nobody waits."""
        if not lane.in_flight and not lane.aside:
            del self._lanes[address]
            lane.network.lanes -= 1
            if not lane.network.lanes:
                del self._networks[lane.network.key]


def network_of(address: str) -> str:
    """What the cap per network counts as one: the /24 of an IPv4 address, the /48 of an IPv6 address."""
    if ":" not in address:
        return address.rpartition(".")[0]
    return ip_address(address.partition("%")[0]).packed[:6].hex()
