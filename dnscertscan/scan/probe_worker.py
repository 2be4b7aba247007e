"""The inside of a probe worker: takes targets from a socket, looks at hundreds at a time, says what it has seen.

Started by :mod:`dnscertscan.scan.probe_crew`; may be killed at any moment.
"""

import json
import os
import resource
import signal
import socket
import sys
from collections import deque
from collections.abc import Iterator
from functools import partial
from time import monotonic
from typing import cast

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.confine import confine
from dnscertscan.scan.frames import Frames, Message, encode
from dnscertscan.scan.in_flight import InFlight
from dnscertscan.scan.lanebook import LaneBook, Place
from dnscertscan.scan.look import Look, Seen, Shared
from dnscertscan.scan.loop import FRESH, WRITE, Caught, Loop, Signal, wait
from dnscertscan.scan.vocabulary import Speaker

BEAT = 0.5
_ALARM = 30
_ENOUGH = 32
_LINGER = 0.02
_LINGER_HELD = 0.003  # what is held keeps others waiting
_BACKLOG = 8 << 20  # octets the scanner has not taken yet, above which nothing is begun
_SPARE_FILES = 32
_NEVER = float("inf")


class _Numbered(Target):
    """A target with the scanner's number for it."""

    __slots__ = ("number",)
    number: int

    def __init__(self, number: int, endpoint: Endpoint, server_name: DnsName) -> None:
        super().__init__(endpoint, server_name)
        object.__setattr__(self, "number", number)


class _Inbox(Iterator[Target]):
    """Targets that have come and are not begun; at its end it may get more."""

    def __init__(self) -> None:
        self.waiting: deque[Target] = deque()

    def __next__(self) -> Target:
        if not self.waiting:
            raise StopIteration
        return self.waiting.popleft()


class _Worker:
    """``limits`` are those of this process alone."""

    def __init__(self, sock: socket.socket, limits: Message) -> None:
        self._settings = ScanSettings(**limits["settings"])
        self._first_only = bool(limits["first_only"])
        self._hold = bool(limits["hold"])
        self._held: dict[int, Place] = {}
        self._linger = _LINGER_HELD if self._hold else _LINGER
        places = int(limits["places"])
        self._sock = sock
        self._loop = Loop()
        self._inbox = _Inbox()
        self._book = LaneBook(self._inbox, self._settings, places)
        self._flying = InFlight(int(limits["in_flight"]), places)
        self._shared = Shared()
        self._speaker = Speaker()
        self._outgoing = bytearray()
        self._to_send = Signal()
        self._first_said = 0.0

    def run(self) -> None:
        """For ever; the process ends when the scanner closes its end of the socket."""
        self._loop.start(self._listen(), lambda _: None)
        self._loop.start(self._speak(), lambda _: None)
        self._send({"ready": True})
        beat = 0.0
        while True:
            now = monotonic()
            while len(self._outgoing) < _BACKLOG and (place := self._book.next(now)) is not None:
                self._begin(place, now)
            if self._speaker.said and (self._speaker.said >= _ENOUGH or now - self._first_said >= self._linger):
                self._send(self._speaker.frame())
            if now >= beat:
                beat = now + BEAT
                signal.setitimer(signal.ITIMER_REAL, _ALARM)  # the kernel ends a process that no longer comes here
                if not self._outgoing:
                    self._send({})
            until = min(beat, self._first_said + self._linger if self._speaker.said else beat, self._book.wake_at(now) or beat)
            self._loop.turn(max(0.0, until - now))

    def _begin(self, place: Place, now: float) -> None:
        slot = self._flying.begin(cast("_Numbered", place.target).number)
        look = Look(place.target, self._settings, now, place.timeout, place.heard, self._shared, self._first_only)
        self._loop.start(_guarded(look), partial(self._end, place, slot, now))

    def _end(self, place: Place, slot: int, begun: float, outcome: Seen | Failure) -> None:
        now = monotonic()
        self._flying.end(slot)
        number = cast("_Numbered", place.target).number
        if self._hold and isinstance(outcome, Seen):
            self._held[number] = place
        else:
            self._book.release(place, now)
        if not self._speaker.said:
            self._first_said = now
        self._speaker.say(number, now - begun, outcome)
        if self._speaker.full:
            self._send(self._speaker.frame())

    def _send(self, message: Message) -> None:
        self._outgoing += encode(message)
        self._to_send.fire()

    async def _speak(self) -> None:
        sock, fresh = self._sock.dup(), FRESH  # of its own, because two conversations cannot wait for one
        while True:
            while self._outgoing:
                try:
                    del self._outgoing[: sock.send(self._outgoing)]
                except BlockingIOError:
                    await wait(sock.fileno(), _NEVER, WRITE | fresh)
                    fresh = 0
                except OSError:
                    os._exit(0)  # the scanner is gone
            await self._to_send.heard(_NEVER)

    async def _listen(self) -> None:
        frames, fresh = Frames(), FRESH
        while True:
            try:
                data = self._sock.recv(1 << 16)
            except BlockingIOError:
                await wait(self._sock.fileno(), _NEVER, fresh)
                fresh = 0
                continue
            except OSError:
                data = b""
            if not data:
                os._exit(0)  # the scanner is gone; there is nothing to save
            for message in frames.feed(data):
                self._inbox.waiting.extend(
                    _Numbered(number, Endpoint(address, port, service), DnsName(name))
                    for number, address, port, service, name in message.get("targets", ())
                )
                for number in message.get("release", ()):
                    self._book.release(self._held.pop(number), monotonic())
                self._book.more()


async def _guarded(look: Look) -> Seen | Failure:
    with Caught() as caught:
        return await look.outcome()
    return Failure(FailureKind.ENGINE, f"bug in the scanner: {type(caught.error).__name__}: {caught.error}"[:300])


def main() -> None:
    """Entry point of the worker process."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    limits = json.loads(sys.argv[2])
    confine(int(limits["settings"]["worker_memory"]))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(limits["places"]) + _SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    sock.setblocking(False)
    _Worker(sock, limits).run()
