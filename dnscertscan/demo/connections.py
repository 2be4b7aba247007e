"""The open connections of the demonstration servers, so that all of them end when the servers do."""

import asyncio


class Connections:
    """Accepted connections of one loop. Not thread safe: used in the loop's thread only."""

    def __init__(self) -> None:
        self._open: set[asyncio.Transport] = set()
        self._ended = False
        self._changed = asyncio.Event()

    def add(self, transport: asyncio.BaseTransport) -> asyncio.Transport:
        """Keep a connection that was just made; after :meth:`abort` it is dropped at once."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"not a connection: {transport!r}")
        self._open.add(transport)
        if self._ended:
            transport.abort()
        return transport

    def discard(self, transport: asyncio.Transport | None) -> None:
        """Forget a connection that was lost."""
        if transport:
            self._open.discard(transport)
            self._changed.set()

    async def abort(self) -> None:
        """Drop every connection, unsent data included, and wait until the loop has let go of them."""
        self._ended = True
        await asyncio.sleep(0)  # one turn: what was accepted just now gets its protocol and is then dropped too
        for transport in tuple(self._open):
            transport.abort()
        while self._open:
            self._changed.clear()
            await self._changed.wait()
        await asyncio.sleep(0)  # the turn in which the last sockets are closed

    def __len__(self) -> int:
        return len(self._open)
