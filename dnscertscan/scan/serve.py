"""The inside of a worker process: takes requests from a socket, works on several at once, sends back what they give.

Started by :mod:`dnscertscan.scan.workers`; the arguments are the socket's descriptor and the limits as JSON. The process may
be killed at any moment: every message stands for itself, and no state is worth saving.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Protocol

from dnscertscan.scan.confine import confine
from dnscertscan.scan.frames import Frames, Message, encode

BEAT = 0.5
_ALARM = 30.0
_STACK = 1 << 20


class Look(Protocol):
    """One request in work. ``deadline`` is monotonic time."""

    deadline: float

    def run(self) -> Generator[Message, None, Message | None]:
        """What it gives, as it comes; the value it returns, if any, travels with the word that it is done."""
        ...

    def break_off(self) -> None:
        """Called from another thread when the deadline has passed: ``run`` should come to its end."""
        ...


class _Office:
    """Sends messages, one at a time, and knows what is in work."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self._looks: dict[int, Look] = {}

    def send(self, message: Message) -> None:
        data = encode(message)
        with self._lock:
            self._sock.sendall(data)

    def work(self, number: int, look: Look) -> Message:
        self._looks[number] = look
        try:
            given = look.run()
            while True:
                self.send({"id": number, **next(given)})
        except StopIteration as end:
            return end.value or {}
        finally:
            del self._looks[number]

    def finish(self, number: int, future: "Future[Message]") -> None:
        """Whatever ended the work, the scanner hears of it."""
        if (error := future.exception()) is None:
            self.send({"id": number, **future.result(), "done": True})
        else:
            self.send({"id": number, "done": True, "crash": f"{type(error).__name__}: {error}"[:300]})

    def end_overdue(self) -> None:
        now = time.monotonic()
        for look in list(self._looks.values()):
            if now > look.deadline:
                look.break_off()


def serve(start: Callable[[Message], Look], warm_up: Callable[[], object]) -> None:
    """Serve until the scanner closes its end of the socket. ``warm_up`` runs before there are threads."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    limits = json.loads(sys.argv[2])
    confine(int(limits["memory"]))
    threading.stack_size(_STACK)
    warm_up()
    gc.freeze()  # what the libraries have made stays; going through it again and again costs
    office, frames = _Office(sock), Frames()
    threads = ThreadPoolExecutor(max_workers=int(limits["capacity"]))
    office.send({"ready": True})
    beat = time.monotonic() + BEAT
    while True:
        signal.setitimer(signal.ITIMER_REAL, _ALARM)  # the kernel ends a process that no longer comes here
        if select.select([sock], [], [], BEAT)[0]:
            data = sock.recv(1 << 16)
            if not data:
                os._exit(0)  # threads may be held in hostile conversations; there is nothing to save
            for message in frames.feed(data):
                number = int(message["id"])
                threads.submit(office.work, number, start(message)).add_done_callback(partial(office.finish, number))
        if time.monotonic() > beat:
            beat = time.monotonic() + BEAT
            office.end_overdue()
            office.send({"beat": True})
