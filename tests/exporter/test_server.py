"""The server on real sockets: quick, within its limits, and gone when it is told to end."""

import logging
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from dnscertscan.errors import UsageError
from dnscertscan.exporter import Server, server


def echo(head: bytes | None) -> tuple[bytes, ...]:
    return (b"none",) if head is None else (b"<", head, b">")


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
    with Server("127.0.0.1", 0, lambda _: (b"", body)) as made, socket.create_connection(made.places[0], timeout=10) as client:
        client.sendall(b"x\r\n\r\n")
        time.sleep(0.2)
        assert b"".join(iter(lambda: client.recv(1 << 20), b"")) == body


def test_clients_that_do_not_read_cost_no_copy_of_the_answer() -> None:
    """Thirty of them and an answer of 30 MB: far less memory than a copy for each, and others get it whole."""
    body = bytes(30_000_000)
    with Server("127.0.0.1", 0, lambda _: (body,)) as made:
        before = _resident()
        held = [socket.create_connection(made.places[0], timeout=10) for _ in range(30)]
        for client in held:
            client.sendall(b"x\r\n\r\n")
        time.sleep(0.5)
        assert len(ask(made.places[0], b"x\r\n\r\n")) == len(body)
        assert _resident() - before < 8 * len(body)
        for client in held:
            client.close()


def _resident() -> int:
    """Octets of memory this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_requests_that_are_none() -> None:
    """One that is too long, or broken off, gets the answer for it; one who says nothing and goes away gets none."""
    with Server("127.0.0.1", 0, echo) as made:
        assert ask(made.places[0], b"half", end=True) == b"none"
        assert ask(made.places[0], b"", end=True) == b""
        assert ask(made.places[0], b"\r\n", end=True) == b""


@pytest.mark.parametrize("size", [16_500, 400_000])
def test_too_long_a_request_has_its_answer(size: int) -> None:
    """One long line or many: the answer is not lost with what nobody reads any more."""
    with Server("127.0.0.1", 0, echo) as made:
        for line in (b"x", b"x: y\r\n"):
            assert ask(made.places[0], line * (size // len(line))) == b"none"


@pytest.mark.parametrize("request_", [b"a\nb\n\n", b"a\r\nb\n\r\n", b"\r\na\r\nb\r\n\r\n", b"\n\na\nb\n\n"])
def test_lines_may_end_in_lf_alone(request_: bytes) -> None:
    """And empty ones may come first; it is answered at once."""
    with Server("127.0.0.1", 0, echo) as made:
        began = time.monotonic()
        assert ask(made.places[0], request_) == b"<a\r\nb>"
        assert time.monotonic() - began < 2


def test_what_follows_a_request_does_not_cost_its_answer() -> None:
    """A body that nobody reads: the socket is not closed on top of it."""
    with Server("127.0.0.1", 0, echo) as made:
        assert ask(made.places[0], b"POST\r\n\r\n" + bytes(300_000)) == b"<POST>"


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


def test_when_it_is_full_the_oldest_that_asks_nothing_has_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections keep nobody out; those being answered stay, and so do younger idle ones."""
    monkeypatch.setattr(server, "_MOST", 4)
    body = bytes(30_000_000)
    with Server("127.0.0.1", 0, lambda head: (body,) if head == b"large" else echo(head)) as made:
        reading = socket.create_connection(made.places[0], timeout=10)
        reading.sendall(b"large\r\n\r\n")
        idle = [socket.create_connection(made.places[0], timeout=10) for _ in range(3)]
        time.sleep(0.2)
        assert ask(made.places[0], b"hello\r\n\r\n") == b"<hello>"
        assert _ended(idle[0])
        for client in idle[1:]:
            client.sendall(b"late\r\n\r\n")
            assert client.recv(100) == b"<"
        assert len(b"".join(iter(lambda: reading.recv(1 << 20), b""))) == len(body)
        for client in (reading, *idle):
            client.close()


def test_an_address_with_many_connections_pays_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that asks for much and reads nothing cannot push out another that has not asked yet."""
    monkeypatch.setattr(server, "_MOST", 4)
    body = bytes(30_000_000)
    with Server("127.0.0.1", 0, lambda head: (body,) if head == b"large" else echo(head)) as made:
        other = socket.create_connection(made.places[0], timeout=10, source_address=("127.0.0.2", 0))
        greedy = [socket.create_connection(made.places[0], timeout=10) for _ in range(9)]
        for client in greedy:
            try:
                client.sendall(b"large\r\n\r\n")
            except (ConnectionResetError, BrokenPipeError):
                continue  # it had to go
        time.sleep(0.2)
        other.sendall(b"hello\r\n\r\n")
        assert b"".join(iter(lambda: other.recv(100), b"")) == b"<hello>"
        for client in (other, *greedy):
            client.close()


def test_64_idle_connections_starve_nobody() -> None:
    """As many as there may be, opened anew all the time: whoever asks is answered each time."""
    with Server("127.0.0.1", 0, echo) as made:
        held: list[socket.socket] = []
        for _ in range(5):
            held += [socket.create_connection(made.places[0], timeout=10) for _ in range(64)]
            assert ask(made.places[0], b"hello\r\n\r\n") == b"<hello>"
        for client in held:
            client.close()


def test_the_end_waits_for_nobody(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """With clients that say nothing, or do not read, the end is at once and without a word; nothing of the server is left."""
    caplog.set_level(logging.DEBUG, logger="asyncio")
    threads = threading.active_count()
    with Server("127.0.0.1", 0, lambda _: (bytes(30_000_000),)) as made:
        place = made.places[0]
        silent, deaf = (socket.create_connection(place, timeout=10) for _ in range(2))
        deaf.sendall(b"x\r\n\r\n")
        time.sleep(0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert threading.active_count() == threads
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert capfd.readouterr() == ("", "")
    with silent, deaf:
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
