"""What the outcomes of a run say about ourselves."""

from collections.abc import Sequence

import pytest
from servers.scanning import clock, target

from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.pipeline.suspicion import Tally, is_deaf, is_quick
from dnscertscan.scan.lanebook import network_of

OK = Handshake((), "TLS 1.3", "x")
DOWN = Failure(FailureKind.TIMEOUT, "no answer to the connection request in time")
CLOSED = Failure(FailureKind.REFUSED, "connection refused")


def seen(number: int, outcome: Handshake | Failure, address: str = "") -> Observation:
    return Observation(target(443, f"n{number}.test", address=address or f"10.{number % 200}.0.1"), outcome, "test", clock(), 0.0)


def tally(outcomes: Sequence[Handshake | Failure]) -> Tally:
    counted = Tally()
    for number, outcome in enumerate(outcomes):
        assert counted.add(seen(number, outcome)) == number
    return counted


@pytest.mark.parametrize(("outcomes", "suspicious"), [
    ([OK] * 100, False),
    ([OK] * 95 + [DOWN] * 5, False),
    ([OK] * 60 + [CLOSED] * 40, True),
    ([CLOSED] * 19, False),
    ([OK] * 30 + [DOWN] * 10, True),
    ([DOWN, OK] * 9, False),
    ([], False),
])
def test_suspicious(outcomes: list[Handshake | Failure], suspicious: bool) -> None:
    """Many of all, or most of the last quarter and few of the first; a handful or an even spread is life."""
    assert tally(outcomes).suspicious is suspicious


def test_a_second_look_takes_the_suspicion_back() -> None:
    """Who answers in the end is not lost."""
    counted = tally([OK] * 40 + [Failure(FailureKind.RESET, "")] * 40)
    assert counted.suspicious
    for number in range(40, 80):
        counted.amend(number, seen(number, OK))
    assert not counted.suspicious


def test_canaries_are_of_different_networks() -> None:
    """Five networks where there are five; else other addresses, else other ports of those that answered first."""
    counted = Tally()
    for number in range(40):
        counted.add(seen(number, OK, address=f"192.0.2.{number}"))
    assert len({one.endpoint.address for one in counted.canaries}) == 5
    for number in range(4):
        counted.add(seen(number, OK, address=f"198.51.{number}.1"))
    assert {network_of(one.endpoint.address) for one in counted.canaries} == {"192.0.2", *(f"198.51.{n}" for n in range(4))}


def test_deaf_is_no_word_from_anybody() -> None:
    """Five silent addresses count; one refusal, alert or octet shows that the network works; names of one address count once."""
    assert tally([DOWN] * 5).deaf == 5
    assert tally([DOWN] * 4).deaf == 0
    assert tally([DOWN] * 9 + [CLOSED]).deaf == 0
    one = Tally()
    for number in range(9):
        one.add(seen(number, DOWN, address="192.0.2.1"))
    assert one.deaf == 0
    assert not is_deaf(Failure(FailureKind.HANDSHAKE_TIMEOUT, "TLS handshake: not complete after 3 s; 7 octets received"))


def test_a_bug_of_ours_is_not_tried_again() -> None:
    """Limits of this machine may be gone at the second look; a bug will not be."""
    assert is_quick(Failure(FailureKind.ENGINE, "connect: Too many open files; lower the concurrency"))
    assert not is_quick(Failure(FailureKind.ENGINE, "bug in the scanner: ValueError: x"))
