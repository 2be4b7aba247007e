"""Datagrams sent one after the other, no faster than a receiver's buffer can take."""

import errno
import os
import select
import socket
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any

from dnscertscan.errors import OutputError
from dnscertscan.model.text import visible

_Place = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""An item of what socket.getaddrinfo gives."""
_BURST, _PAUSE = 20, 0.01
"""2000 datagrams a second, 20 at a time: a receiver that nobody tuned holds about ninety of them."""
_REFUSAL = 0.1
"""Seconds in which this machine, or one nearby, tells that nobody listens there (ICMP)."""


def send(host: str, port: int, datagrams: Iterable[bytes]) -> None:
    """Send them all, to the first address of ``host`` that does not refuse them. Nobody says that they have arrived.

    Raises OutputError: one line with place, cause and next step.
    """
    shown = visible(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", 300)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        left = iter(datagrams)
        first = next(left, None)
        if first is not None:
            with _reached(found, first) as out:
                for number, datagram in enumerate(left, start=2):
                    out.send(datagram)
                    if number % _BURST == 0:
                        time.sleep(_PAUSE)
                _check(out)
    except OSError as problem:
        raise OutputError(f"cannot send to {shown} by UDP: {problem.strerror}; is that where the receiver listens?") from problem
    except UnicodeError as problem:
        raise OutputError(f"cannot send to {shown} by UDP: it is no host name; correct --stat-endpoint") from problem


def _reached(found: Sequence[_Place], datagram: bytes) -> socket.socket:
    """A socket by which ``datagram`` was sent to the first of the places that did not refuse it."""
    for number, (family, kind, protocol, _, place) in enumerate(found, start=1):
        with ExitStack() as kept:
            try:
                out = kept.enter_context(socket.socket(family, kind, protocol))
                out.connect(place)
                out.send(datagram)
                if number < len(found):
                    _check(out)
            except OSError:
                if number == len(found):
                    raise
            else:
                kept.pop_all()
                return out
    raise OSError(errno.EADDRNOTAVAIL, "the name has no address")


def _check(out: socket.socket) -> None:
    """Raise what the network has said of the datagrams so far, or says within a moment."""
    asked = select.poll()
    asked.register(out, 0)  # an error is told in any case
    asked.poll(_REFUSAL * 1000)
    if problem := out.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(problem, os.strerror(problem))
