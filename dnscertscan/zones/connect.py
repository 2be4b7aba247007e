"""TCP to a name server within a time limit, and DNS messages from it within limits of time and size."""

import socket
import struct
import threading
import time
from types import TracebackType

MAX_ADDRESSES = 8
_READ = 65536

Address = tuple[socket.AddressFamily, str]
"""Family and IP literal (with a scope where one was given)."""


class StreamClosedError(EOFError):
    """The peer closed the connection in the middle of a message, or instead of one."""


class StreamTooLongError(ValueError):
    """The peer sent more octets than allowed."""


def addresses(host: str, port: int, seconds: float) -> list[Address]:
    """The addresses of ``host``, as the system resolves it, at most 8; itself when it is an IP literal.

    Raises OSError when it does not resolve and TimeoutError when that takes longer than ``seconds`` (the system's own
    limit may be far longer and cannot be interrupted: the look-up is left behind in a daemon thread).
    """
    answer: list[Address] = []
    problem: list[OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            for family, _, _, _, sockaddr in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
                answer.append((family, str(sockaddr[0])))
        except (OSError, UnicodeError) as error:  # UnicodeError: a label over 63 octets
            problem.append(error)

    worker = threading.Thread(target=look_up, name=f"look up {host[:60]}", daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        raise TimeoutError(f"no answer in {seconds:g} s")
    if problem:
        raise OSError(getattr(problem[0], "strerror", None) or "not a host name")
    return list(dict.fromkeys(answer))[:MAX_ADDRESSES]


FIRST_ANSWER_SECONDS = 20.0
"""A server that has not begun to answer by then is silent: the next one is tried, whatever time a whole transfer may take."""


class MessageStream:
    """DNS messages over one TCP connection (RFC 1035 section 4.2.2), under one deadline and one limit of octets.

    A context manager: the connection is made on entering and closed on leaving. Every wait ends at the deadline, however
    slowly octets drip in.
    """

    def __init__(self, address: Address, port: int, connect_seconds: float, total_seconds: float, max_bytes: int) -> None:
        self._family, self._host = address
        self._port = port
        self._connect_seconds = min(connect_seconds, total_seconds)
        self._deadline = time.monotonic() + total_seconds
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self.received = 0
        """Octets so far."""
        self.head = b""
        """The first octets (at most 64): evidence when the peer turns out to be no DNS server."""

    def __enter__(self) -> "MessageStream":
        self._socket = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(self._connect_seconds)
            self._socket.connect((self._host, self._port))
        except OSError:
            self._socket.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def send(self, wire: bytes) -> None:
        """Send one message."""
        self._socket.settimeout(self._remaining())
        self._socket.sendall(struct.pack("!H", len(wire)) + wire)

    def receive(self) -> bytes:
        """The next message. Raises TimeoutError, StreamClosedError, StreamTooLongError or another OSError."""
        (length,) = struct.unpack("!H", self._take(2))
        return self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            remaining = self._remaining()
            self._socket.settimeout(remaining if self.received else min(remaining, FIRST_ANSWER_SECONDS))
            octets = self._socket.recv(_READ)
            if not octets:
                raise StreamClosedError
            self.received += len(octets)
            if len(self.head) < 64:
                self.head = (self.head + octets)[:64]
            if self.received > self._max_bytes:
                raise StreamTooLongError
            self._buffer += octets
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _remaining(self) -> float:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        return remaining
