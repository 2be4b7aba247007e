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
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}
_UNDER_WAY = {errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR}
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


def connect_failure(error: OSError) -> Failure:
    """What a failed connection means."""
    reason = error.strerror or str(error) or type(error).__name__
    if isinstance(error, ConnectionRefusedError):
        return Failure(FailureKind.REFUSED, "connection refused")
    if isinstance(error, TimeoutError):
        return Failure(FailureKind.TIMEOUT, "no answer to the connection request in time")
    if isinstance(error, ConnectionResetError):
        return Failure(FailureKind.RESET, "connection reset while connecting")
    if error.errno in _OURS:
        return Failure(FailureKind.ENGINE, f"connect: {reason}; lower the concurrency or raise the limit of open files")
    return Failure(FailureKind.UNREACHABLE, f"connect: {reason}")
