"""What a worker says is what the scanner hears, however short the tables are; what is not in the format is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake
from dnscertscan.scan.look import Seen
from dnscertscan.scan.merge import Received, deployments
from dnscertscan.scan.vocabulary import Listener, Speaker

_octets = st.binary(min_size=1, max_size=4)
_received = st.builds(
    Received, st.lists(_octets, min_size=1, max_size=3).map(tuple), st.sampled_from(["TLS 1.3", "TLS 1.2 RSA", "no SNI"]),
    st.none() | _octets, st.none() | _octets,
)
_failure = st.builds(Failure, st.sampled_from(list(FailureKind)), st.text(max_size=5))
_seen = st.builds(
    Seen, st.lists(_received, min_size=1, max_size=4), st.sampled_from(["TLS 1.3", "TLS 1.2"]), st.text(max_size=3),
    st.sampled_from(list(ClientAuth)), st.lists(st.text(max_size=3), max_size=2), st.none() | _failure, st.text(max_size=3),
    st.sampled_from([(), ("TLS 1.1",)]),
)


def _expected(outcome: Seen | Failure) -> Handshake | Failure:
    if isinstance(outcome, Failure):
        return outcome
    return Handshake(
        deployments(outcome.received, {}), outcome.protocol, outcome.cipher, outcome.client_auth, tuple(outcome.unanswered),
        outcome.engine_failure, outcome.alpn, outcome.legacy,
    )


@given(st.lists(st.lists(_seen | _failure, max_size=5), max_size=5), st.integers(1, 4))
def test_everything_said_is_heard(frames: list[list[Seen | Failure]], most: int) -> None:
    """Numbers stand for the same things on both sides, also when the tables begin anew."""
    speaker, listener = Speaker(most), Listener()
    heard, number = [], 0
    for outcomes in frames:
        for outcome in outcomes:
            number += 1
            speaker.say(number, 0.5, outcome)
        heard += listener.hear(json.loads(json.dumps(speaker.frame())))
    expected = [_expected(outcome) for outcomes in frames for outcome in outcomes]
    assert heard == [(at, 0.5, outcome) for at, outcome in enumerate(expected, 1)]


def test_what_was_said_before_is_not_said_again() -> None:
    """A second target with the same outcome costs three numbers."""
    speaker = Speaker()
    for number in (1, 2):
        speaker.say(number, 0.25, Seen([Received((b"leaf", b"issuer"), "TLS 1.3")], "TLS 1.3", "suite"))
    first = speaker.frame()
    assert (len(first["c"]), len(first["o"]), len(first["r"])) == (2, 1, 2)
    speaker.say(3, 0.25, Seen([Received((b"leaf", b"issuer"), "TLS 1.3")], "TLS 1.3", "suite"))
    assert speaker.frame() == {"r": [(3, 0.25, 0)]}


@pytest.mark.parametrize("frame", [
    {"r": [[1, 0.5, 0]]}, {"r": [[1]]}, {"o": [["no kind", "x"]]}, {"o": [[]]}, {"c": [1]}, {"r": 5},
    {"o": [[[[[7], "TLS 1.3", None, None]], "TLS 1.3", "", "none", [], "", [], None]]},
])
def test_frames_that_are_no_frames(frame: dict[str, Any]) -> None:
    """A worker that went mad is found out."""
    with pytest.raises((ValueError, TypeError, LookupError)):
        list(Listener().hear(frame))
