"""Putting lists together: distinct, labelled, in the same order whatever order they came in; and frames between processes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.model.observations import StoreVerdict
from dnscertscan.scan.frames import FrameError, Frames, encode, pack, unpack
from dnscertscan.scan.merge import LARGE, Judged, Received, certificate, deployments

LEAF, OTHER, ISSUER = b"leaf", b"other", b"issuer"
RECEIVED = [
    Received((LEAF, ISSUER), "TLS 1.3", b"staple"), Received((LEAF,), "TLS 1.2 RSA"),
    Received((OTHER, ISSUER), "TLS 1.2 not RSA"),
    Received((LEAF, ISSUER), "no SNI"), Received((LEAF, ISSUER), "TLS 1.3"), Received((ISSUER,), "no SNI"),
]


@given(st.permutations(RECEIVED))
def test_order_does_not_matter(received: list[Received]) -> None:
    """Every distinct list once, with all its handshakes, in an order of its own."""
    judged = {(LEAF,): Judged((StoreVerdict("Mozilla", trusted=True),)), (ISSUER,): Judged(unjudged="too odd")}
    found = deployments(received, judged)
    how = [("TLS 1.2 RSA",), ("TLS 1.2 not RSA",), ("TLS 1.3", "no SNI"), ("no SNI",)]
    assert [deployment.how for deployment in found] == how
    assert [deployment.sni for deployment in found] == [True, True, True, False]
    assert found[2].staple == b"staple"
    assert (found[0].verdicts[0].trusted, found[3].unjudged) == (True, "too odd")


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=50), max_size=3), max_size=5), st.integers(1, 40))
def test_frames_survive_any_cut(messages: list[dict[str, str]], size: int) -> None:
    """What is sent is what is read, however the stream is cut."""
    stream = b"".join(encode(message) for message in messages)
    frames = Frames()
    read = [message for at in range(0, len(stream), size) for message in frames.feed(stream[at : at + size])]
    assert read == messages


@pytest.mark.parametrize("stream", [
    b"\xff\xff\xff\xff", b"\0\0\0\x02{]", b"\0\0\0\x02[]", b"\0\0\0\x01\xff", b"\0\0\0\x09{\"a\":NaN}",
])
def test_bad_frames_are_refused(stream: bytes) -> None:
    """A worker that does not keep to the format is an error, not a surprise."""
    with pytest.raises(FrameError):
        Frames().feed(stream)


@given(st.binary())
def test_octets_as_text(octets: bytes) -> None:
    """Packing is reversible."""
    assert unpack(pack(octets)) == octets


def test_the_memory_of_certificates_is_bounded() -> None:
    """The same octets are one object while they are in use; large ones are not kept, and made-up ones push each other out."""
    assert certificate(b"issuer") is certificate(bytes(bytearray(b"issuer")))
    assert certificate(bytes(LARGE + 1)) is not certificate(bytes(LARGE + 1))
    first = certificate(b"first")
    for number in range(2000):
        certificate(number.to_bytes(4) * (LARGE // 4))
    assert certificate(b"first") is not first
