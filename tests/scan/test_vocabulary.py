"""What a worker says is what the scanner hears, however short the tables are; what is not in the format is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake
from dnscertscan.scan.frames import encode, pack
from dnscertscan.scan.look import Seen
from dnscertscan.scan.merge import LARGE, Received, deployments
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


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), max_size=12))
def test_what_is_large_is_not_remembered(frames: list[list[int]]) -> None:
    """Certificates and outcomes above a size travel each time, are heard right, and neither side's table grows by them."""
    outcomes = [
        Seen([Received((b"x" * size, b"issuer"), "TLS 1.3", staple), Received((b"y" * size,), "no SNI")], "TLS 1.3", "suite")
        for size, staple in ((10, None), (LARGE, None), (LARGE + 1, None), (10, b"s" * LARGE))
    ]
    speaker, listener = Speaker(), Listener()
    for which in frames:
        for number in which:
            speaker.say(number + 1, 0.5, outcomes[number])
        frame = json.loads(json.dumps(speaker.frame()))
        assert list(listener.hear(frame)) == [(number + 1, 0.5, _expected(outcomes[number])) for number in which]
        assert len(frame.get("b", [])) == (2 if 2 in which else 0)
        assert all(isinstance(known, list) == (number > 2) for number, _, known in frame["r"])


def test_tables_are_bounded_by_octets() -> None:
    """Random certificates of any size: what both sides remember stays within the limit and a frame, and they stay in step."""
    limit, speaker, emptied, most = 100_000, Speaker(octets=100_000), 0, 0
    listener = Listener(octets=limit)
    for number in range(1, 300):
        seen = Seen([Received((number.to_bytes(4) * 1000,), "TLS 1.3")], "TLS 1.3", "suite")
        speaker.say(number, 0.5, seen)
        frame = json.loads(json.dumps(speaker.frame()))
        emptied += frame.get("new", False)
        assert list(listener.hear(frame)) == [(number, 0.5, _expected(seen))]
        most = max(most, sum(map(len, listener._certificates)))
    assert emptied > 5
    assert most < limit + 5000


def test_a_speaker_that_does_not_empty_its_tables_is_found_out() -> None:
    """The scanner's memory is not the worker's choice."""
    listener, octets = Listener(octets=10_000), pack(bytes(6000))
    frame = {"c": [octets], "r": []}
    assert list(listener.hear(frame)) == list(listener.hear(frame)) == []
    with pytest.raises(ValueError, match="emptied"):
        list(listener.hear(frame))


def test_frames_are_cut_by_octets() -> None:
    """Whoever sends when the speaker is full sends frames of little more than one result each."""
    speaker, sizes = Speaker(), []
    for number in range(1, 60):
        speaker.say(number, 0.5, Seen([Received((number.to_bytes(1) * 900_000,), "TLS 1.3")], "TLS 1.3", "suite"))
        if speaker.full:
            sizes.append(len(encode(speaker.frame())))
    assert len(sizes) > 50
    assert max(sizes) < 3 << 20


def test_a_result_that_fits_in_no_frame_is_told() -> None:
    """However much one target shows, its worker goes on."""
    speaker, listener = Speaker(), Listener()
    speaker.say(1, 0.5, Seen([Received((bytes([number]) * (8 << 20),), f"h{number}") for number in range(5)], "TLS 1.3", "suite"))
    ((_, _, outcome),) = listener.hear(json.loads(json.dumps(speaker.frame())))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TOO_LARGE


_WELL = [[[[0], "TLS 1.3", None, None]], "TLS 1.3", "suite", "none", [], "", [], None]
_REFUSED = ["refused", "x"]
_ODD: list[tuple[int, object]] = [
    (0, []), (0, {}), (0, [[[], "TLS 1.3", None, None]]), (0, [[[-1], "TLS 1.3", None, None]]),
    (0, [[[True], "TLS 1.3", None, None]]),
    (0, [[[1], "TLS 1.3", None, None]]), (0, [[[0] * 1001, "TLS 1.3", None, None]]), (0, [[[0], 5, None, None]]),
    (0, [[[0], "TLS 1.3", "?", None]]), (0, [[[0], "TLS 1.3", None, 5]]), (1, 7), (1, None), (1, "x" * 5000), (1, "\ud800"),
    (2, ["x"]),
    (3, "perhaps"), (3, 0), (4, "text"), (4, [5]), (5, None), (6, [None]), (6, "TLS 1.1"), (7, "x"), (7, ["refused"]),
    (7, ["no kind", "x"]), (7, ["refused", 5]),
]


@pytest.mark.parametrize("frame", [
    {"o": [_REFUSED], "r": [[1, float("nan"), 0]]}, {"o": [_REFUSED], "r": [[1, 1e300, 0]]}, {"o": [_REFUSED], "r": [[1, -1, 0]]},
    {"o": [_REFUSED], "r": [[1, "1", 0]]}, {"o": [_REFUSED], "r": [[1, 0, -1]]}, {"o": [_REFUSED], "r": [[1, 0, False]]},
    {"o": [_REFUSED], "r": [[1.0, 0, 0]]}, {"o": [_REFUSED], "r": [[[], 0, 0]]}, {"o": [_REFUSED], "r": [[1, 0]]}, {"c": "AAAA"},
    {"o": [_REFUSED], "r": [[1, 0, 0, 0]]}, {"o": [_REFUSED], "r": {"1": 0}}, {"r": [[1, 0, 0]]}, {"r": 5}, {"c": [1]},
    {"c": ["A"]}, {"c": ["!AAAA"]}, {"c": [pack(bytes(LARGE + 1))]}, {"o": [[]]}, {"o": ["no"]},
    {"o": [["no kind", "x"]]}, {"what": 1},
    *({"c": ["AAAA"], "o": [[*_WELL[:at], odd, *_WELL[at + 1 :]]]} for at, odd in _ODD),
], ids=str)
def test_frames_that_are_no_frames(frame: dict[str, Any]) -> None:
    """Whatever is not in the format is a ValueError, and never a value that breaks what comes after."""
    assert len(list(Listener().hear({"c": ["AAAA"], "o": [_WELL], "r": [[1, 0.5, 0], [2, 1, _REFUSED]]}))) == 2
    with pytest.raises(ValueError, match=r"."):
        list(Listener().hear(frame))
