"""Addresses of a name server, within a time limit."""

import socket
import threading
import time

import pytest
from servers.hostile_dns import Peer, scripted

from dnscertscan.zones.connect import MAX_ADDRESSES, MessageStream, StreamClosedError, StreamTooLongError, addresses

LOOPBACK = (socket.AF_INET, "127.0.0.1")


def test_literals_stand_for_themselves() -> None:
    """An IP address needs no resolver."""
    assert addresses("127.0.0.1", 53, 5.0) == [LOOPBACK]
    assert addresses("::1", 53, 5.0) == [(socket.AF_INET6, "::1")]


@pytest.mark.parametrize("host", ["name-server.invalid", "x" * 70, "a..b", "ü" * 300])
def test_names_that_do_not_resolve(host: str) -> None:
    """Unknown and impossible names are one kind of error."""
    with pytest.raises(OSError, match=r"."):
        addresses(host, 53, 5.0)


def test_a_slow_resolver_costs_the_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver cannot be interrupted (so it is replaced here); we go on without it."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: over.wait(10) and [])
    start = time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer in 0\.1 s"):
        addresses("slow.example", 53, 0.1)
    over.set()
    assert time.monotonic() - start < 2


def test_many_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a thousand addresses does not make a thousand attempts; the same address counts once."""
    found = [(socket.AF_INET, 0, 0, "", (f"127.0.{number // 512}.{number // 2 % 256}", 53)) for number in range(1000)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    assert [host for _, host in addresses("many.example", 53, 5.0)] == [f"127.0.0.{number}" for number in range(MAX_ADDRESSES)]


def test_messages_are_cut_at_their_length() -> None:
    """Two messages in one packet are two messages; then the end, told from a limit."""

    def script(peer: Peer) -> None:
        peer.socket.sendall(b"\0\2ab\0\0\0\1c")

    with scripted(script) as port, MessageStream(LOOPBACK, port, 2.0, 2.0, 100) as stream:
        assert [stream.receive() for _ in range(3)] == [b"ab", b"", b"c"]
        with pytest.raises(StreamClosedError):
            stream.receive()
        assert (stream.received, stream.head) == (9, b"\0\2ab\0\0\0\1c")
    with scripted(script) as port, MessageStream(LOOPBACK, port, 2.0, 2.0, 8) as stream, pytest.raises(StreamTooLongError):
        stream.receive()
