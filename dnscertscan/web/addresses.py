"""The addresses of a host as this machine's other programs see them: the hosts file counts, and so does the search list."""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence

from dnscertscan.web.places import NotFetched

Resolve = Callable[[str, int], Sequence[str]]
"""Blocking: the addresses of a host; raises OSError or UnicodeError."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What getaddrinfo says, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def addresses_of(host: str, port: int, resolve: Resolve) -> Sequence[str]:
    """Ask in a daemon thread: a resolver that hangs holds nobody when the caller gives up."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Sequence[str]] = loop.create_future()

    def deliver(addresses: Sequence[str], problem: Exception | None) -> None:
        if future.done():
            return
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(addresses)

    def body() -> None:
        addresses: Sequence[str] = ()
        failure: Exception | None = None
        try:
            addresses = resolve(host, port)
        except (OSError, UnicodeError) as problem:
            failure = problem
        try:
            loop.call_soon_threadsafe(deliver, addresses, failure)
        except RuntimeError:
            return  # the run is over and its loop closed: nobody waits any more

    threading.Thread(target=body, name="resolve-host", daemon=True).start()
    try:
        addresses = await future
    except (OSError, UnicodeError) as problem:
        raise NotFetched(f"its host {host} has no address ({getattr(problem, 'strerror', None) or problem})") from problem
    if not addresses:
        raise NotFetched(f"its host {host} has no address")
    return addresses
