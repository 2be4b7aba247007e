"""Book-keeping of who may be asked next, in a time of its own: caps per network, rate, turns, dead ports."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.scanning import target

from dnscertscan.model.endpoints import Target
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.lanebook import LaneBook, Place, gentle, network_of

Took = Callable[[Place], tuple[float, bool]]
"""Seconds until a target is done, and whether its peer says something at once."""


def _answers(seconds: float) -> Took:
    return lambda place: (seconds, True)


def _silent(place: Place) -> tuple[float, bool]:
    return place.timeout, False


class World:
    """Runs a book to its end, from event to event; remembers when each target was begun and what was in flight at most."""

    def __init__(self, targets: Iterable[Target], took: Took, limits: ScanSettings, places: int | None = None) -> None:
        self.book = LaneBook(targets, limits, limits.concurrency if places is None else places, Random(7))
        self.took = took
        self.now = 0.0
        self.begun: list[tuple[float, Place]] = []
        self.talking: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_in_flight = 0
        self._ends: list[tuple[float, int, Place, bool]] = []

    def run(self) -> "World":
        for _ in range(1_000_000):
            while (place := self.book.next(self.now)) is not None:
                self._begin(place)
            if self.book.exhausted and not self._ends:
                return self
            self._advance()
        raise AssertionError("the book does not come to an end")

    def _begin(self, place: Place) -> None:
        seconds, speaks = self.took(place)
        self.begun.append((self.now, place))
        if speaks:
            place.heard()
        self._count(place, 1 if speaks else 0)
        self.most_in_flight = max(self.most_in_flight, self.book.in_flight)
        heapq.heappush(self._ends, (self.now + seconds, len(self.begun), place, speaks))

    def _advance(self) -> None:
        wake = self.book.wake_at(self.now)
        if wake is not None and (not self._ends or wake < self._ends[0][0]):
            assert wake >= self.now
            self.now = wake
            return
        assert self._ends, "nothing is in flight, nothing will wake, and targets are left"
        self.now, _, place, speaks = heapq.heappop(self._ends)
        self._count(place, -1 if speaks else 0)
        self.book.release(place, self.now)

    def _count(self, place: Place, change: int) -> None:
        address = place.target.endpoint.address
        for key in (address, network_of(address)):
            self.talking[key] += change
            self.most[key] = max(self.most[key], self.talking[key])


def _names(address: str, count: int, port: int = 443) -> list[Target]:
    return [target(port, f"n{number}.test", address=address) for number in range(count)]


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.booleans()), max_size=60),
    st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(1, 30),
)
@settings(deadline=None, max_examples=80)
def test_all_once_under_all_caps(
    hosts: list[tuple[int, int, bool]], per_address: int, per_network: int, concurrency: int, places: int
) -> None:
    """Whatever answers and whatever is silent: every target comes once, and no cap of talkers or places is ever passed."""
    targets = [target(443, f"n{n}.test", address=f"192.0.{net}.{host}") for n, (net, host, _) in enumerate(hosts)]
    speaks = {one: hosts[number][2] for number, one in enumerate(targets)}
    limits = ScanSettings(timeout=2.0, concurrency=concurrency, per_address=per_address, per_network=per_network)
    world = World(targets, lambda place: (0.3, True) if speaks[place.target] else (place.timeout, False), limits, places).run()
    assert sorted(place.target for _, place in world.begun) == sorted(targets)
    assert all(count <= (per_address if key.count(".") == 3 else per_network) for key, count in world.most.items())
    assert world.most_in_flight <= max(1, places)
    assert world.book.in_flight == 0


def test_networks_have_a_cap() -> None:
    """Two hundred addresses of one /24 share its cap; another network goes on beside it at once."""
    targets = [target(443, f"n{n}.test", address=f"192.0.2.{n + 1}") for n in range(200)]
    other = [target(443, f"o{n}.test", address=f"198.51.100.{n + 1}") for n in range(10)]
    world = World([*targets, *other], _answers(1.0), ScanSettings(concurrency=100, per_network=16)).run()
    assert world.most["192.0.2"] == 16
    assert {when for when, place in world.begun if place.target in other} == {0.0}
    assert world.now == pytest.approx(200 / 16, abs=1)


@pytest.mark.parametrize(("address", "same", "different"), [
    ("192.0.2.1", "192.0.2.254", "192.0.3.1"),
    ("2001:db8:1::1", "2001:db8:1:ffff::2", "2001:db8:2::1"),
    ("fe80::1%eth0", "fe80::2", "fe80:0:1::1"),
])
def test_what_a_network_is(address: str, same: str, different: str) -> None:
    """IPv4 addresses share a network up to /24, IPv6 addresses up to /48."""
    assert network_of(address) == network_of(same) != network_of(different)


@pytest.mark.parametrize("rate", [5.0, 50.0, 2000.0])
def test_rate_is_kept_with_jitter(rate: float) -> None:
    """The average is the rate, no interval equals the next, and none is off by more than a quarter."""
    targets = [target(443, f"n{n}.test", address=f"192.0.2.{n % 250}") for n in range(400)]
    world = World(targets, _answers(0.01), ScanSettings(concurrency=200, per_address=50, rate=rate)).run()
    times = [when for when, _ in world.begun]
    gaps = [(after - before) * rate for before, after in pairwise(times)]
    assert times[-1] == pytest.approx(400 / rate, rel=0.1)
    assert min(gaps) > 0.74
    assert max(gaps) < 1.26
    assert len(set(gaps)) > 300


def test_after_a_lull_only_a_few_at_once() -> None:
    """A rate is not a budget that can be saved: after ten idle seconds three targets may begin at once, not a hundred."""
    book = LaneBook(_names("192.0.2.1", 50), ScanSettings(per_address=50, rate=10.0), 100, Random(7))
    assert sum(book.next(0.0) is not None for _ in range(20)) == 1
    assert 2 <= sum(book.next(10.0) is not None for _ in range(20)) <= 4


def test_big_and_small_take_turns() -> None:
    """Under a rate, 2,000 names of one address neither push 100 other addresses back nor wait until these are done."""
    big = _names("192.0.2.1", 2000)
    small = [target(443, f"s{n}.test", address=f"198.51.{n}.1") for n in range(100)]
    world = World([*big[:1000], *small, *big[1000:]], _answers(0.05), ScanSettings(rate=100.0)).run()
    order = [place.target for _, place in world.begun]
    last_small = max(order.index(one) for one in small)
    assert last_small < 250
    assert sum(one.endpoint.address == "192.0.2.1" for one in order[:last_small]) > 50


def test_dead_port_does_not_hold_up_the_run() -> None:
    """200 names of one silent address at a limit of 4 s: done within 3 limits, each waited for at least a second."""
    world = World(_names("192.0.2.1", 200), _silent, ScanSettings(timeout=4.0, connect_timeout=4.0)).run()
    assert world.now <= 12
    waits = [place.timeout for _, place in world.begun]
    assert waits[:8] == [4.0] * 8
    assert set(waits) == {4.0, 1.0}


def test_ten_thousand_names_of_a_dead_port() -> None:
    """Even these end: at the default limit of 10 s within three minutes, in places that nobody else needs."""
    world = World(_names("192.0.2.1", 10_000), _silent, ScanSettings(), places=400).run()
    assert world.now < 180
    assert world.most_in_flight <= 104


def test_one_octet_brings_the_full_wait_back() -> None:
    """A dead port that says something is no dead port: who comes next has the full time again."""
    book = LaneBook(_names("192.0.2.1", 40), ScanSettings(timeout=4.0, connect_timeout=4.0, per_address=1), 100)
    now = 0.0
    for _ in range(8):
        place = book.next(now)
        assert place is not None
        assert place.timeout == 4.0
        now += 4.0
        book.release(place, now)
    late = book.next(now)
    assert late is not None
    assert late.timeout == 1.0
    late.heard()
    book.release(late, now + 0.5)
    after = book.next(now + 0.5)
    assert after is not None
    assert after.timeout == 4.0


def test_refusals_are_no_silence() -> None:
    """An address that refuses at once, or another port of a dead one, is given the full time for every name."""
    targets = [one for pair in zip(_names("192.0.2.1", 40, 443), _names("192.0.2.1", 40, 8443), strict=True) for one in pair]
    world = World(
        targets, lambda place: (0.001, False) if place.target.endpoint.port == 443 else _silent(place),
        ScanSettings(timeout=4.0, connect_timeout=4.0),
    ).run()
    waits = {port: {place.timeout for _, place in world.begun if place.target.endpoint.port == port} for port in (443, 8443)}
    assert waits == {443: {4.0}, 8443: {4.0, 1.0}}


def test_silent_targets_have_places_of_their_own() -> None:
    """With places beyond the concurrency a silent target costs 0.15 s of one: 5 % of 2,000 take one limit longer, not ten."""
    targets = [target(443, f"n{n}.test", address=f"10.0.{n // 250}.{n % 250}") for n in range(2000)]
    limits = ScanSettings(timeout=10.0, concurrency=20)
    clean = World(targets, _answers(0.05), limits, places=200).run().now
    silent = set(targets[::20])
    world = World(targets, lambda place: _silent(place) if place.target in silent else (0.05, True), limits, places=200).run()
    assert world.now <= clean + 10.0 + len(silent) * 0.15 / 20


def test_a_late_word_makes_a_talker() -> None:
    """A silent connection that speaks after all counts as a talker again: nobody else is begun until it is done."""
    book = LaneBook(_names("192.0.2.1", 10), ScanSettings(per_address=1), 100)
    first = book.next(0.0)
    assert first is not None
    assert book.next(0.4) is None
    second = book.next(0.6)
    assert second is not None
    second.heard()
    first.heard()
    book.release(second, 0.7)
    assert book.next(5.0) is None
    book.release(first, 5.0)
    assert book.next(5.0) is not None


def test_gentle_is_one_at_a_time() -> None:
    """A second look has one target of an address in flight, eight in all, 50 begun a second, never more than was allowed."""
    soft = gentle(ScanSettings(rate=0.0))
    assert (soft.concurrency, soft.per_address, soft.rate) == (8, 1, 50.0)
    assert gentle(ScanSettings(concurrency=3, per_network=2, rate=1.5)).rate == 1.5
    world = World(_names("192.0.2.1", 30), _answers(0.1), soft).run()
    assert world.most["192.0.2.1"] == 1


def test_memory_is_bounded() -> None:
    """Of a million names on busy addresses only a bounded number is ever pulled ahead, and nothing is kept of those done with."""
    pulled = 0

    def endless() -> Iterable[Target]:
        nonlocal pulled
        for number in range(1_000_000):
            pulled += 1
            yield target(443, f"n{number}.test", address=f"192.0.2.{number % 3}")

    book = LaneBook(endless(), ScanSettings(concurrency=10, per_address=1), 10)
    places = [place for _ in range(20) if (place := book.next(0.0)) is not None]
    assert len(places) == 3
    assert pulled <= 10 * 50 + 3
