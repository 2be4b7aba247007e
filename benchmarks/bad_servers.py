"""The bad servers of the fleet, one process: ``python bad_servers.py PLAN.json`` says ``ready`` and runs until SIGTERM.

PLAN is ``{"port": n, "places": {kind: [address, ...]}, "behind": {slow address: good address}}``. Kinds:

* silent: accepts, and never says anything.
* reset: RST as soon as the client has said something.
* blackhole: listens with a queue that is full, so that a SYN gets no answer.
* slow: passes the connection on to a good server, but the first octet comes after 0.2 to 3 s, and from every other one of these
  addresses the rest comes by 400 octets every 0.2 s.
"""

import heapq
import itertools
import json
import resource
import selectors
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

DRIP = 400
PAUSE = 0.2
_RST = struct.pack("ii", 1, 0)


class Servers:
    """All of them in one selector loop; ``later`` is a heap of (time, number, work)."""

    def __init__(self, port: int, behind: dict[str, str]) -> None:
        self.port = port
        self.behind = behind
        self.selector = selectors.DefaultSelector()
        self.later: list[tuple[float, int, Callable[[], None]]] = []
        self.numbers = itertools.count()
        self.kept: list[socket.socket] = []

    def listen(self, kind: str, address: str, place: int) -> None:
        """Open one listener."""
        if kind == "blackhole":
            self._fill(address)
            return
        listener = socket.create_server((address, self.port), backlog=512)
        listener.setblocking(False)
        start = {"silent": self._silent, "reset": self._reset, "slow": lambda conn: self._slow(conn, address, place)}[kind]
        self.selector.register(listener, selectors.EVENT_READ, lambda: self._accept(listener, start))

    def _fill(self, address: str) -> None:
        """A queue of one place, with our own connection in it."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, self.port))
        listener.listen(0)
        self.kept += [listener, socket.create_connection((address, self.port), timeout=5)]

    def _accept(self, listener: socket.socket, start: Callable[[socket.socket], None]) -> None:
        with suppress(BlockingIOError):
            conn, _ = listener.accept()
            conn.setblocking(False)
            start(conn)

    def _silent(self, conn: socket.socket) -> None:
        self.selector.register(conn, selectors.EVENT_READ, lambda: self._swallow(conn))

    def _swallow(self, conn: socket.socket) -> None:
        if not self._read(conn):
            self._close(conn)

    def _reset(self, conn: socket.socket) -> None:
        def go() -> None:
            self._read(conn)
            conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            self._close(conn)

        self.selector.register(conn, selectors.EVENT_READ, go)

    def _slow(self, conn: socket.socket, address: str, place: int) -> None:
        upstream = socket.create_connection((self.behind[address], self.port), timeout=5)
        upstream.setblocking(False)
        first = 0.2 + 2.8 * (place * 0.618 % 1)
        waiting = bytearray()
        due = [0.0]  # when the next octets may go; 0 before the server has said anything

        def forward() -> None:
            data = self._read(conn)
            with suppress(OSError):
                upstream.sendall(data)
            if not data:
                self._close(conn, upstream)

        def backward() -> None:
            data = self._read(upstream)
            waiting.extend(data)
            if not data:
                self._forget(upstream)
            if not due[0]:
                due[0] = time.monotonic() + first
                self._at(due[0], give)
            elif len(waiting) == len(data):
                self._at(due[0], give)

        def give() -> None:
            part = waiting[:DRIP] if place % 2 else bytes(waiting)
            del waiting[: len(part)]
            due[0] = time.monotonic() + (PAUSE if place % 2 else 0)
            try:
                conn.sendall(part)
            except OSError:
                self._close(conn, upstream)
                return
            if waiting:
                self._at(due[0], give)
            elif upstream.fileno() < 0 or upstream not in self.selector.get_map():
                self._close(conn, upstream)

        self.selector.register(conn, selectors.EVENT_READ, forward)
        self.selector.register(upstream, selectors.EVENT_READ, backward)

    @staticmethod
    def _read(conn: socket.socket) -> bytes:
        try:
            return conn.recv(65536)
        except OSError:
            return b""

    def _forget(self, conn: socket.socket) -> None:
        with suppress(KeyError, ValueError):
            self.selector.unregister(conn)

    def _close(self, *conns: socket.socket) -> None:
        for conn in conns:
            self._forget(conn)
            conn.close()

    def _at(self, when: float, work: Callable[[], None]) -> None:
        heapq.heappush(self.later, (when, next(self.numbers), work))

    def run(self) -> None:
        """For ever."""
        while True:
            wait = max(0.0, self.later[0][0] - time.monotonic()) if self.later else None
            for key, _ in self.selector.select(wait):
                key.data()
            while self.later and self.later[0][0] <= time.monotonic():
                heapq.heappop(self.later)[2]()


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    servers = Servers(plan["port"], plan["behind"])
    for kind, places in plan["places"].items():
        for place, address in enumerate(places):
            servers.listen(kind, address, place)
    print("ready", flush=True)
    servers.run()


if __name__ == "__main__":
    main()
