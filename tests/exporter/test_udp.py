"""Datagrams on a real socket."""

import re
import socket
import threading
import time

import pytest
from servers.command import closed_port

from dnscertscan.errors import OutputError
from dnscertscan.exporter import send


def receiver(address: str) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    made.settimeout(10)
    return made


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_what_is_sent_arrives(address: str) -> None:
    """Each as it is, in their order, by IPv4 and IPv6."""
    packets = [b"one", b"x" * 1432, b"three\nlines\n"]
    with receiver(address) as made:
        send(address, made.getsockname()[1], packets)
        assert [made.recv(65536) for _ in packets] == packets


def test_many_are_sent_no_faster_than_a_receiver_reads() -> None:
    """A thousand datagrams to a receiver that reads one at a time: none is lost."""
    count, found = 1000, []
    with receiver("127.0.0.1") as made:
        reader = threading.Thread(target=lambda: found.extend(made.recv(65536) for _ in range(count)))
        reader.start()
        began = time.monotonic()
        send("127.0.0.1", made.getsockname()[1], (b"%d" % number for number in range(count)))
        assert time.monotonic() - began > 0.4
        reader.join(10)
    assert found == [b"%d" % number for number in range(count)]


@pytest.mark.parametrize(
    ("host", "port"), [("no.such.host.invalid", 8125), ("a" * 300, 8125), ("127.0.0.1", None), ("x\x1b[2J.invalid", 1)]
)
def test_what_cannot_be_sent_is_said(host: str, port: int | None) -> None:
    """An unknown host, a name that is none, a port where nobody listens: one line, safe to show."""
    with pytest.raises(OutputError, match=r"^cannot send to .* by UDP: .*; ") as caught:
        send(host, port or closed_port(), [b"x"] * 100)
    assert re.search(r"[\x00-\x1f]", str(caught.value)) is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_one_datagram_to_a_closed_port(address: str) -> None:
    """What the machine says of the last one is waited for."""
    with receiver(address) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(OutputError, match="Connection refused"):
        send(address, port, [b"x"])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_name_with_an_address_where_nobody_listens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is ::1 and 127.0.0.1 (not on every machine is localhost): each datagram arrives once, wherever one listens."""
    real = socket.getaddrinfo

    def both(_: str, port: int, **given: int) -> list[object]:
        return [item for text in ("::1", "127.0.0.1") for item in real(text, port, **given)]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    packets = [b"one", b"two"]
    with receiver(address) as made:
        send("localhost", made.getsockname()[1], packets)
        assert [made.recv(65536) for _ in packets] == packets
        made.settimeout(0.1)
        with pytest.raises(TimeoutError):
            made.recv(1)


def test_nothing_to_send() -> None:
    """No datagram is no fault."""
    send("127.0.0.1", closed_port(), [])
