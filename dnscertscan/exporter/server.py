"""A small HTTP server in a thread of its own, so that a scan that keeps the machine busy holds up nobody who asks."""

import asyncio
import errno
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible

Respond = Callable[[bytes | None], Sequence[bytes]]
"""Everything before the empty line of a request (None: it is too long, or none) to the pieces of an answer; must not block."""
_HEAD_SECONDS, _ANSWER_SECONDS, _LAST_SECONDS = 5.0, 30.0, 1.0
_LONGEST_HEAD = 16 * 1024
_PIECE = 64 * 1024
"""Octets that are copied for a client at a time: one that does not read costs no more than that."""
_MOST = 64
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@dataclass(slots=True)
class _Client:
    writer: asyncio.StreamWriter
    address: str
    asked: bool = False
    """Whether its request has come, so that it is being answered."""


class Server:
    """``with Server(host, port, respond) as server``: it listens from then on; ``server.places`` are (address, port).

    One request for each connection, within time limits; at most 64 connections at a time. One more takes the place of one
    from the address that has the most of them: of the oldest that has not asked for anything yet, where there is one.
    Raises UsageError when it cannot listen there.
    """

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        self._respond = respond
        self._sockets = _bind(host, port)
        self._clients: dict[asyncio.Task[None], _Client] = {}
        self._ended = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="exporter", daemon=True)

    @property
    def places(self) -> list[tuple[str, int]]:
        """Where it listens."""
        return [one.getsockname()[:2] for one in self._sockets]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:  # its end cancels what is still being answered
            runner.run(self._serve())

    async def _serve(self) -> None:
        servers = [await asyncio.start_server(self._met, sock=one, limit=_LONGEST_HEAD) for one in self._sockets]
        await self._ended.wait()
        for server in servers:
            server.close()

    def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has connected. No coroutine: asyncio prints a traceback for each of its own tasks that is cancelled."""
        client = _Client(writer, str((writer.get_extra_info("peername") or [""])[0]))
        if len(self._clients) >= _MOST:
            self._make_room(client.address)
        task = self._loop.create_task(self._exchange(reader, client))
        self._clients[task] = client
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        if client := self._clients.pop(task, None):
            client.writer.transport.abort()

    def _make_room(self, address: str) -> None:
        many = Counter([address, *(client.address for client in self._clients.values())])
        victim = min(self._clients, key=lambda one: (-many[self._clients[one].address], self._clients[one].asked))  # oldest first
        self._left(victim)
        victim.cancel()

    async def _exchange(self, reader: asyncio.StreamReader, client: _Client) -> None:
        with suppress(OSError, TimeoutError):  # one who went away, or does not read on, has no more to be told
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await _head(reader)
            if head == b"":
                return
            client.asked = True
            writer = client.writer
            writer.transport.set_write_buffer_limits(0)  # each piece has left before the next is copied
            async with asyncio.timeout(_ANSWER_SECONDS):
                for part in self._respond(head):
                    view = memoryview(part)
                    for start in range(0, len(view), _PIECE):
                        writer.write(view[start:start + _PIECE])
                        await writer.drain()
                writer.write_eof()
            async with asyncio.timeout(_LAST_SECONDS):  # a socket closed with octets unread takes the answer back (RFC 9112 9.6)
                while await reader.read(_PIECE):
                    pass


async def _head(reader: asyncio.StreamReader) -> bytes | None:
    """The lines before the empty one; None when they are too long or broken off, empty when there was nothing.

    A line may end in LF alone, and empty lines may come first (RFC 9112 2.2).
    """
    lines: list[bytes] = []
    size = 0
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # longer than the reader's limit
            return None
        size += len(line)
        if size > _LONGEST_HEAD or not line.endswith(b"\n"):
            return None if lines or line else b""
        if text := line.removesuffix(b"\n").removesuffix(b"\r"):
            lines.append(text)
        elif lines:
            return b"\r\n".join(lines)


def _bind(host: str, port: int) -> list[socket.socket]:
    """Sockets on every address of ``host``; only the first one where any free port will do."""
    bound: list[socket.socket] = []
    shown = visible(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", 300)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        places = list(dict.fromkeys((family, place[:2]) for family, _, _, _, place in found))
        for family, place in places if port else places[:1]:
            try:
                bound.append(_listen(family, (str(place[0]), int(place[1]))))
            except OSError as problem:
                if problem.errno not in _ABSENT or len(places) == 1:  # a name may have an address that this machine has not
                    raise
        if not bound:
            raise OSError(errno.EADDRNOTAVAIL, "this machine has none of its addresses")
    except OSError as problem:
        for one in bound:
            one.close()
        step = "name another port with --listen" if problem.errno == errno.EADDRINUSE else "name an address of this machine"
        cause = str(problem.strerror).partition(" (while ")[0]  # what the socket module adds stands in our line already
        raise UsageError(f"cannot listen on {shown}: {cause}; {step}") from problem
    except UnicodeError as problem:
        raise UsageError(f"cannot listen on {shown}: it is no host name; name an address of this machine") from problem
    return bound


def _listen(family: socket.AddressFamily, place: tuple[str, int]) -> socket.socket:
    """IPv6 sockets take IPv6 only: a name with addresses of both kinds gets one of each."""
    return socket.create_server(place, family=family, backlog=128)
