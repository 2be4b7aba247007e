"""Listening sockets and open connections of the demonstration servers, so that all of them end when the servers do.

``loop.create_server`` is not used: up to Python 3.12 a connection that is accepted while the server closes is lost to it and
stays open.
"""

import asyncio
import socket
from collections.abc import Callable

BACKLOG = 128
_RETRY_SECONDS = 0.5


class Connections:
    """What one loop listens on and has accepted. Used in that loop's thread only; ends once, with :meth:`end`."""

    def __init__(self) -> None:
        self._listening: set[socket.socket] = set()
        self._arriving: set[asyncio.Task[object]] = set()
        self._open: set[asyncio.Transport] = set()
        self._ended = False
        self._changed = asyncio.Event()

    def listen(self, bound: socket.socket, factory: Callable[[], asyncio.Protocol]) -> None:
        """Listen on a bound socket, which belongs to this object from now on; each connection gets a protocol of its own.

        The protocol has to call :meth:`add` when its connection is made and :meth:`discard` when it is lost.
        """
        self._listening.add(bound)
        bound.setblocking(False)
        bound.listen(BACKLOG)
        self._watch(bound, factory)

    def _watch(self, bound: socket.socket, factory: Callable[[], asyncio.Protocol]) -> None:
        if not self._ended:
            asyncio.get_running_loop().add_reader(bound, self._accept, bound, factory)

    def _accept(self, bound: socket.socket, factory: Callable[[], asyncio.Protocol]) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(BACKLOG):
            try:
                accepted, _ = bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptors left, most likely: look again later in place of spinning
                loop.remove_reader(bound)
                loop.call_later(_RETRY_SECONDS, self._watch, bound, factory)
                return
            task = loop.create_task(loop.connect_accepted_socket(factory, accepted))
            self._arriving.add(task)
            task.add_done_callback(self._arriving.discard)

    def add(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        """Keep a connection that was just made."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"not a connection: {transport!r}")
        self._open.add(transport)
        return transport

    def discard(self, transport: asyncio.Transport) -> None:
        """Forget a connection that was lost."""
        self._open.discard(transport)
        self._changed.set()

    async def end(self) -> None:
        """Stop listening, drop every connection with what it has not sent, and wait until all sockets are closed."""
        self._ended = True
        for bound in self._listening:
            asyncio.get_running_loop().remove_reader(bound)
            bound.close()
        self._listening.clear()
        while self._arriving:  # each has reached add() when its task is done
            await asyncio.wait(self._arriving)
        for transport in tuple(self._open):
            transport.abort()
        while self._open:
            self._changed.clear()
            await self._changed.wait()
        await asyncio.sleep(0)  # the sockets are closed in the turn in which the protocols hear of it
