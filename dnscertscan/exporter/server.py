"""A small HTTP server in a thread of its own, so that a scan that keeps the machine busy holds up nobody who asks."""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible

Respond = Callable[[bytes | None], bytes]
"""Everything before the empty line of a request (None: it is too long, or none) to the whole answer; must not block."""
_HEAD_SECONDS, _ANSWER_SECONDS = 5.0, 30.0
_LONGEST_HEAD = 16 * 1024
_MOST = 64
_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Server:
    """``with Server(host, port, respond) as server``: it listens from then on; ``server.places`` are (address, port).

    One request for each connection, within time limits; at most 64 connections at a time, further ones are dropped.
    Raises UsageError when it cannot listen there.
    """

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        self._respond = respond
        self._sockets = _bind(host, port)
        self._open = 0
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

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST:
                with suppress(OSError, TimeoutError):  # one who went away, or does not read on, has no more to be told
                    await self._exchange(reader, writer)
        finally:
            self._open -= 1
            writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head: bytes | None = None
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
        except asyncio.IncompleteReadError as cut:
            if not cut.partial:
                return
        except asyncio.LimitOverrunError:
            pass
        async with asyncio.timeout(_ANSWER_SECONDS):
            writer.write(self._respond(head))
            writer.close()
            await writer.wait_closed()


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
