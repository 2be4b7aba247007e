"""Datagrams sent one after the other, no faster than a receiver's buffer can take."""

import socket
import time
from collections.abc import Iterable

from dnscertscan.errors import OutputError
from dnscertscan.model.text import visible

_BURST, _PAUSE = 20, 0.01
"""2000 datagrams a second, 20 at a time: a receiver that nobody tuned holds about ninety of them."""


def send(host: str, port: int, datagrams: Iterable[bytes]) -> None:
    """Send them all. Nobody says that they have arrived; that nobody listens on this machine may be told.

    Raises OutputError: one line with place, cause and next step.
    """
    shown = visible(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", 300)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as out:
            out.connect(place)
            for number, datagram in enumerate(datagrams, start=1):
                out.send(datagram)
                if number % _BURST == 0:
                    time.sleep(_PAUSE)
    except OSError as problem:
        raise OutputError(f"cannot send to {shown} by UDP: {problem.strerror}; is that where the receiver listens?") from problem
    except UnicodeError as problem:
        raise OutputError(f"cannot send to {shown} by UDP: it is no host name; correct --stat-endpoint") from problem
