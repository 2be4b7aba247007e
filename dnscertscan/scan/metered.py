"""A blocking socket under a wall-clock deadline and an octet budget that hold over all its calls together."""

import socket
import time
from typing import Any

_TIME = "not done in its time"
_CLOSE_ENOUGH = 0.9  # a limit for single calls that is a little too long is left as it is: setting it is a system call


class SpentError(ConnectionAbortedError):
    """The peer has used up the time or the octets of this connection."""


class MeteredSocket(socket.socket):
    """Connected to ``address``; every call waits only for what is left of the time. For libraries that know only sockets."""

    def __init__(self, address: str, port: int, *, deadline: float, budget: int) -> None:
        super().__init__(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        self._deadline = deadline
        self._set = float("inf")
        self._left = budget
        self.spent = ""
        """Why the connection was given up; empty while it was not."""
        try:
            self._wait_only_so_long()
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connect((address, port))
        except OSError:
            self.close()
            raise

    def recv(self, *args: Any) -> bytes:
        """As of a socket; raises SpentError."""
        self._wait_only_so_long()
        try:
            data = super().recv(*args)
        except TimeoutError:
            raise self._spend(_TIME) from None
        self._count(len(data))
        return data

    def recv_into(self, *args: Any) -> int:
        """As of a socket; raises SpentError."""
        self._wait_only_so_long()
        try:
            size = super().recv_into(*args)
        except TimeoutError:
            raise self._spend(_TIME) from None
        self._count(size)
        return size

    def _wait_only_so_long(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._spend(_TIME)
        if left < self._set * _CLOSE_ENOUGH:
            self.settimeout(left)
            self._set = left

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self._spend("too many octets received")

    def _spend(self, why: str) -> SpentError:
        self.spent = why
        return SpentError(why)
