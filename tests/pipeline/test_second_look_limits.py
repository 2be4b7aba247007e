"""What second looks may not do to servers and to the rate, what they may add, and what small runs say of our own network."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers import hostile
from servers.scanning import clock, handshake, probe_engine, target
from servers.twice import kinds, look

from dnscertscan.demo.authority import Authority
from dnscertscan.model.endpoints import Target
from dnscertscan.pipeline.second_look import RetrySettings

DEAD = (target(1, "canary.test", address="127.0.8.1"),)


@pytest.fixture(scope="module")
def good() -> hostile.Behaviour:
    """A server that does as it should."""
    leaf = Authority.root("Second Look Limits", now=clock()).leaf("a.test")
    return hostile.tls([one.public_bytes(Encoding.DER) for one in leaf.chain], leaf.key_pem)


@pytest.fixture
def few() -> Iterator[list[Target]]:
    """Twelve names on three addresses that never say a word."""
    with ExitStack() as stack:
        places = [(address, stack.enter_context(hostile.serve(hostile.silent, address))) for address in ("127.0.5.1", "127.0.5.2",
                                                                                                          "127.0.5.3")]
        yield [target(port, f"s{n}-{address}.test", address=address) for n in range(4) for address, port in places]


def test_canaries_count_in_small_runs(few: list[Target], good: hostile.Behaviour) -> None:
    """Twelve names on three silent addresses: with a dead canary that is our network, with a living one it is theirs."""
    found, verdict, _, _ = look(few, RetrySettings(timeout=1.5, canaries=DEAD), make=probe_engine)
    assert kinds(found) == {"handshake-timeout"}
    start = "1 of 1 canaries gave no answer at the start (canary.test at 127.0.8.1:1: connection refused), and 12 of 12 targets "
    assert verdict.inconclusive.startswith(start)
    with hostile.serve(good) as port:
        alive = (target(port, "canary.test"),)
        _, verdict, notes, _ = look(few, RetrySettings(timeout=1.5, canaries=alive), make=probe_engine)
    assert (verdict.inconclusive, notes) == ("", [])


def test_too_few_to_tell(few: list[Target]) -> None:
    """Without a canary three silent addresses are an answer, and a note says how to know more."""
    _, verdict, notes, _ = look(few, RetrySettings(timeout=1.5), make=probe_engine)
    assert verdict.inconclusive == ""
    assert len(notes) == 1
    assert notes[0].startswith("not one of 3 addresses gave any answer: too few to tell whether the fault is on our side; ")


def test_a_dead_canary_beside_living_targets(few: list[Target], good: hostile.Behaviour) -> None:
    """As long as half of the targets answer, a dead canary is a note."""
    with hostile.serve(good) as port:
        targets = few + [target(port, f"w{n}.test") for n in range(12)]
        _, verdict, notes, _ = look(targets, RetrySettings(timeout=1.5, canaries=DEAD), make=probe_engine)
    assert verdict.inconclusive == ""
    assert len(notes) == 1
    assert notes[0].startswith("1 of 1 canaries gave no answer at the start")


def test_a_canary_that_dies_in_a_small_run(good: hostile.Behaviour) -> None:
    """Alive at the start and dead at the end, while most targets failed: inconclusive, however few they are."""
    with ExitStack() as servers, hostile.serve(hostile.reset) as port:
        canary = (target(servers.enter_context(hostile.serve(good, "127.0.8.2")), "canary.test", address="127.0.8.2"),)
        _, verdict, notes, _ = look(
            [target(port, f"r{n}.test") for n in range(3)], RetrySettings(timeout=3.0, canaries=canary), make=probe_engine,
            on_seen=lambda count: servers.close(),
        )
    assert verdict.inconclusive.startswith("1 of 1 targets that are known to work gave no answer (canary.test at 127.0.8.2:")
    assert notes == []


class Crowd:
    """Speaks, holds the connection for a moment and closes it; knows how many were there at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = self.most = 0

    def __call__(self, visit: hostile.Visit) -> None:
        visit.hello()
        with self._lock:
            self._here += 1
            self.most = max(self.most, self._here)
        visit.send(b"\x16\x03\x03")
        visit.wait(0.15)
        with self._lock:
            self._here -= 1


def test_second_looks_keep_the_cap_of_an_address() -> None:
    """An address that may be asked one thing at a time gets no second look beside a first one."""
    crowd = Crowd()
    with hostile.serve(crowd) as port:
        found, _, _, _ = look(
            [target(port, f"n{n}.test") for n in range(3)], RetrySettings(timeout=5.0), make=probe_engine, per_address=1
        )
    assert all("(tried twice)" in str(seen.outcome) for seen in found.values())
    assert crowd.most == 1


def test_broken_off_handshakes_are_asked_for_again(good: hostile.Behaviour) -> None:
    """A limiter that lets the first hello through and not the next ones: the second look sees everything."""
    def limiter(visit: hostile.Visit) -> None:
        (hostile.reset if 1 <= visit.number <= 3 else good)(visit)

    for retry in (False, True):
        with hostile.serve(limiter) as port:
            found, _, _, _ = look([target(port, "a.test")], RetrySettings(timeout=5.0, retry=retry), make=probe_engine)
        assert bool(handshake(found["a.test"]).unanswered) is not retry


def test_a_server_whose_habit_it_is(good: hostile.Behaviour) -> None:
    """Where the second look sees no more, the first one stands; of one endpoint eight names at most are looked at again."""
    def picky(visit: hostile.Visit) -> None:
        hello = visit.conn.recv(4096, hostile.socket.MSG_PEEK)
        (good if b"\x00\x2b" in hello else hostile.reset)(visit)  # supported_versions: only those that offer TLS 1.3

    visits = []
    for retry in (False, True):
        with hostile.watched(picky) as server:
            targets = [target(server.port, f"n{n}.test") for n in range(20)]
            found, verdict, notes, _ = look(targets, RetrySettings(timeout=5.0, retry=retry), make=probe_engine)
            visits.append(server.visits)
        assert all(handshake(seen).unanswered for seen in found.values())
        assert (verdict.inconclusive, notes) == ("", [])
    assert visits[0] < visits[1] < 1.6 * visits[0]


def test_no_ipv6_route_is_noted(good: hostile.Behaviour) -> None:
    """Where this machine has no route to any IPv6 target, one line says how many; one that was reached takes it back.

    TCP to a multicast address gets the answer of a machine without a route (ENETUNREACH) on any machine.
    """
    unrouted = [target(443, f"six{n}.test", address=f"ff0e::{n}") for n in (1, 2)]
    with hostile.serve(good) as port, hostile.serve(good, "::1") as six:
        targets = [target(port, "four.test"), *unrouted]
        found, verdict, notes, _ = look(targets, RetrySettings(timeout=3.0), make=probe_engine)
        assert kinds(found) == {"handshake", "unreachable"}
        assert (verdict.inconclusive, notes) == ("", ["no IPv6 route from here: 2 targets could not be tried"])
        _, _, notes, _ = look([*targets, target(six, "six.test", address="::1")], RetrySettings(timeout=3.0), make=probe_engine)
    assert notes == []


