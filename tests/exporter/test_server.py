"""The server on real sockets: quick, within its limits, and gone when it is told to end."""

import socket
import threading
import time

import pytest

from dnscertscan.errors import UsageError
from dnscertscan.exporter import Server, server


def echo(head: bytes | None) -> bytes:
    return b"none" if head is None else b"<" + head + b">"


def ask(place: tuple[str, int], request: bytes, *, end: bool = False) -> bytes:
    with socket.create_connection(place, timeout=10) as client:
        client.sendall(request)
        if end:
            client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_it_answers_where_it_was_told_to_listen(host: str) -> None:
    """Addresses of both kinds, and names; port 0 is any free one."""
    with Server(host, 0, echo) as made:
        assert [ask(place, b"hello\r\n\r\n") for place in made.places] == [b"<hello>"] * len(made.places)
        assert made.places


def test_large_answers_arrive_whole() -> None:
    """20 MB to a reader that takes its time."""
    body = bytes(range(256)) * 80_000
    with Server("127.0.0.1", 0, lambda _: body) as made, socket.create_connection(made.places[0], timeout=10) as client:
        client.sendall(b"x\r\n\r\n")
        time.sleep(0.2)
        assert b"".join(iter(lambda: client.recv(1 << 20), b"")) == body


def test_requests_that_are_none() -> None:
    """One that is too long, or broken off, gets the answer for it; one who says nothing and goes away gets none."""
    with Server("127.0.0.1", 0, echo) as made:
        assert ask(made.places[0], b"half", end=True) == b"none"
        assert ask(made.places[0], b"", end=True) == b""
        assert ask(made.places[0], b"x" * 16_500) in (b"none", b"")  # what is not read any more may cost the answer


def test_silent_clients_are_let_go_and_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends nothing, or a little at a time, is dropped after the limit; others are answered meanwhile."""
    monkeypatch.setattr(server, "_HEAD_SECONDS", 0.5)
    with Server("127.0.0.1", 0, echo) as made:
        silent = [socket.create_connection(made.places[0], timeout=10) for _ in range(20)]
        began = time.monotonic()
        assert ask(made.places[0], b"hello\r\n\r\n") == b"<hello>"
        assert time.monotonic() - began < 0.4
        for client in silent:
            with client:
                assert _ended(client)


def _ended(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_too_many_at_once_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections beyond the limit are closed at once; when others end there is room again."""
    monkeypatch.setattr(server, "_MOST", 3)
    with Server("127.0.0.1", 0, echo) as made:
        held = [socket.create_connection(made.places[0], timeout=10) for _ in range(3)]
        time.sleep(0.2)
        with socket.create_connection(made.places[0], timeout=10) as surplus:
            assert _ended(surplus)
        for client in held:
            client.close()
        time.sleep(0.2)
        assert ask(made.places[0], b"hello\r\n\r\n") == b"<hello>"


def test_the_end_waits_for_nobody() -> None:
    """With clients that say nothing the end is at once; nothing of the server is left."""
    threads = threading.active_count()
    with Server("127.0.0.1", 0, echo) as made:
        place = made.places[0]
        silent = socket.create_connection(place, timeout=10)
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert threading.active_count() == threads
    with silent:
        assert _ended(silent)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place, timeout=2)


def test_places_that_cannot_be_had() -> None:
    """A port in use, an address of another machine, a name that is none: one line that says what to change."""
    with Server("127.0.0.1", 0, echo) as made:
        port = made.places[0][1]
        with pytest.raises(UsageError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use; .*--listen"):
            Server("127.0.0.1", port, echo)
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1:9793: .*; name an address of this machine"):
        Server("192.0.2.1", 9793, echo)
    for name in ("no.such.host.invalid", "a" * 300):
        with pytest.raises(UsageError, match=rf"cannot listen on {name[:20]}.*"):
            Server(name, 9793, echo)
