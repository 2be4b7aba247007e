"""A connection limiter in front of a real server: lets some connections through, and turns the others away.

    with limiter.limited(port, limiter.after(2), "reset") as limited: ...

It turns them away by ``close`` or ``reset`` (after the hello) or ``drop`` (closed before it). :func:`refusing` closes its port.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from servers import hostile

Turned = Callable[[int], bool]
"""Whether the connection of this number, from 0, is turned away."""
_AWAY = {"close": hostile.close_on_hello, "reset": hostile.reset, "drop": hostile.close_at_once}


def after(good: int) -> Turned:
    """Everything after the first ones."""
    return lambda number: number >= good


def only(*numbers: int) -> Turned:
    """These alone."""
    return lambda number: number in numbers


def forward(port: int) -> hostile.Behaviour:
    """Hands everything on to 127.0.0.1:port and back."""
    def behave(visit: hostile.Visit) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as there:
            back = threading.Thread(target=_copy, args=(there, visit.conn), daemon=True)
            back.start()
            _copy(visit.conn, there)
            back.join(20)

    return behave


def _copy(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):  # a reset ends it like a close
        while data := here.recv(65536):
            there.sendall(data)
    with suppress(OSError):
        there.shutdown(socket.SHUT_WR)


@contextmanager
def limited(port: int, turned: Turned, way: str) -> Iterator[hostile.Server]:
    """Its server knows its own port, and how many connections came."""
    well, away = forward(port), _AWAY[way]

    def behave(visit: hostile.Visit) -> None:
        (away if turned(visit.number) else well)(visit)

    with hostile.watched(behave) as server:
        yield server


@contextmanager
def refusing(port: int, good: int) -> Iterator[int]:
    """After the first connections its port is closed, so that the kernel refuses all others."""
    listener = socket.create_server(("127.0.0.1", 0))
    well, stop, threads = forward(port), threading.Event(), []

    def one(conn: socket.socket, number: int) -> None:
        with conn, suppress(OSError):
            well(hostile.Visit(conn, number, stop))

    def accept() -> None:
        for number in range(good):
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            if number == good - 1:
                listener.close()
            threads.append(threading.Thread(target=one, args=(conn, number), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)
