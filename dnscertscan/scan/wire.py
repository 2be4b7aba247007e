"""One TCP connection with a budget: what is received is counted, and a connection that will not end is ended."""

import errno
import os
import socket
from collections.abc import Callable

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.loop import ENDING, FRESH, READABLE, WRITE, wait

_CHUNK = 1 << 14
_SHOWN = 256
_FEWER = "lower the concurrency"
_OURS = {
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), f"{_FEWER} or raise the limit of open files"),
    **dict.fromkeys((errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN), _FEWER),
    **dict.fromkeys(
        (errno.EADDRNOTAVAIL, errno.EADDRINUSE),
        f"no port of our own is free; {_FEWER}, set a rate, or widen the range of local ports (net.ipv4.ip_local_port_range)",
    ),
    errno.EPERM: "a rule of this host forbids the connection",
}
"""Errors that tell of this host and not of the peer, with what can be done."""
_UNDER_WAY = {errno.EINPROGRESS, errno.EINTR}
_KIND = socket.SOCK_STREAM | getattr(socket, "SOCK_NONBLOCK", 0)


class BudgetError(Exception):
    """The peer has sent more than is allowed for one connection."""


class Wire:
    """A non-blocking socket, to be used inside a :class:`dnscertscan.scan.loop.Loop`. Whoever made it closes it.

    ``until`` is the moment at which waiting ends in a TimeoutError; ``heard`` is called once, when the first octet has come.
    """

    __slots__ = ("_budget", "_ending", "_flags", "_heard", "_readable", "_sock", "_unread", "first", "received", "until")

    def __init__(self, endpoint: Endpoint, budget: int, heard: Callable[[], None], until: float) -> None:
        self._sock = socket.socket(socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET, _KIND)
        self._sock.setblocking(False)
        self._budget = budget
        self._heard = heard
        self._unread = b""
        self._flags = FRESH
        self._readable = self._ending = False
        self.until = until
        self.received = 0
        self.first = b""
        """The first octets the peer sent."""

    async def connect(self, endpoint: Endpoint) -> None:
        """Raises OSError."""
        error = self._sock.connect_ex((endpoint.address, endpoint.port))
        if error in _UNDER_WAY:
            await self._wait(WRITE)
            error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))

    async def send(self, data: bytes) -> None:
        """Send everything."""
        while True:
            try:
                sent = self._sock.send(data)
            except BlockingIOError:
                await self._wait(WRITE)
                continue
            if sent == len(data):
                return
            data = data[sent:]

    async def receive(self) -> bytes:
        """What has come, at least one octet; empty when the peer has closed."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        while True:
            if not self._readable:
                await self._wait(0)
                self._readable = True
            try:
                data = self._sock.recv(_CHUNK)
                break
            except BlockingIOError:
                self._readable = False
        self._readable = self._ending or len(data) == _CHUNK  # else there is nothing more, and more is an event of its own
        if data and not self.received:
            self._heard()
        self.received += len(data)
        if len(self.first) < _SHOWN:
            self.first = (self.first + data)[:_SHOWN]
        if self.received > self._budget:
            raise BudgetError(f"more than {self._budget} octets received")
        return data

    async def _wait(self, flags: int) -> None:
        flags |= self._flags
        self._flags = 0
        what = await wait(self._sock.fileno(), self.until, flags)
        if what & READABLE:
            self._readable = True
        if what & ENDING:
            self._ending = True

    def unread(self, data: bytes) -> None:
        """Give octets back that belong to what follows."""
        self._unread = data + self._unread

    def close(self) -> None:
        """Leave."""
        self._sock.close()


def connect_failure(error: OSError, address: str) -> Failure:
    """What a failed connection to ``address`` means."""
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ConnectionRefusedError):
        return Failure(FailureKind.REFUSED, "connection refused")
    if isinstance(error, TimeoutError):
        return Failure(FailureKind.TIMEOUT, "no answer to the connection request in time")
    if isinstance(error, ConnectionResetError):
        return Failure(FailureKind.RESET, "connection reset while connecting")
    if error.errno in _OURS and (error.errno != errno.EADDRNOTAVAIL or _has_way(address)):
        return Failure(FailureKind.ENGINE, f"connect: {reason}; {_OURS[error.errno]}")
    return Failure(FailureKind.UNREACHABLE, f"connect: {reason}")


def _has_way(address: str) -> bool:
    """Whether this host has an address to connect from: without one (no IPv6 here) the error is that of used up ports.

    Connecting a datagram socket only chooses the way; nothing is sent.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as way:
            return way.connect_ex((address, 9)) == 0
    except OSError:
        return True  # no socket to be had: ours as well
