"""One TCP connection with a budget: what is received is counted, and a connection that will not end is ended."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.observations import Failure, FailureKind

_CHUNK = 1 << 16
_SHOWN = 256
_OURS = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}


class BudgetError(Exception):
    """The peer has sent more than is allowed for one connection."""


class Wire:
    """A connected non-blocking socket. ``heard`` is called once, when the first octet has come."""

    def __init__(self, sock: socket.socket, budget: int, heard: Callable[[], None]) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._budget = budget
        self._heard = heard
        self._unread = b""
        self.received = 0
        self.first = b""
        """The first octets the peer sent."""

    async def send(self, data: bytes) -> None:
        """Send everything."""
        await self._loop.sock_sendall(self._sock, data)

    async def receive(self) -> bytes:
        """What has come, at least one octet; empty when the peer has closed."""
        if self._unread:
            data, self._unread = self._unread, b""
            return data
        data = await self._loop.sock_recv(self._sock, _CHUNK)
        if data and not self.received:
            self._heard()
        self.received += len(data)
        if len(self.first) < _SHOWN:
            self.first = (self.first + data)[:_SHOWN]
        if self.received > self._budget:
            raise BudgetError(f"more than {self._budget} octets received")
        return data

    def unread(self, data: bytes) -> None:
        """Give octets back that belong to what follows."""
        self._unread = data + self._unread


@asynccontextmanager
async def connect(endpoint: Endpoint, budget: int, heard: Callable[[], None]) -> AsyncIterator[Wire]:
    """A connection that is closed at the end; raises OSError."""
    family = socket.AF_INET6 if ":" in endpoint.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (endpoint.address, endpoint.port))
        yield Wire(sock, budget, heard)


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
