"""One process of ours that works for the scanner: start, send, hear, kill. Never blocks the event loop."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol

from dnscertscan.scan.frames import FrameError, Frames, Message, encode

_BOOT = """
import json, sys
from importlib import import_module
sys.path[:] = json.loads(sys.argv.pop(1))
import_module(sys.argv.pop(1)).main()
"""
_REAP_SECONDS = 5.0
START_SECONDS = 60.0
"""What a process may take until it is ready."""


def usable_cpus() -> int:
    """CPUs this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every POSIX system
        return os.cpu_count() or 1


class Watched(Protocol):
    """A process that says something at least every so often once it has started."""

    last_heard: float
    """Loop time of its last sign of life."""

    @property
    def started(self) -> bool:
        """Whether it has said that it is ready."""
        ...

    def kill(self, why: str) -> None:
        """End it now."""
        ...


async def look_after(processes: Callable[[], Iterable[Watched]], stall: float, tick: float) -> None:
    """Kill processes that have not been heard of for ``stall`` seconds, unless it is this one that was asleep. For ever."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    while True:
        before = now
        await asyncio.sleep(tick)
        now = loop.time()
        for process in processes():
            silence = now - process.last_heard
            if now - before > 2 * tick:
                process.last_heard = max(process.last_heard, now - stall / 2)
            elif silence > (stall if process.started else START_SECONDS):
                process.kill(f"it was not heard of for {silence:.1f} s")


class Child:
    """A fresh interpreter that runs ``module.main()`` with a socket's descriptor and ``arguments`` (JSON) as its arguments.

    ``take`` is called with every message; ``ended`` once, when it is gone, with what is known of the reason.
    Raises OSError when no process can be started.
    """

    def __init__(
        self, module: str, arguments: Message, take: Callable[[Message], None], ended: Callable[[str], None],
        fds: Sequence[int] = (),
    ) -> None:
        self.gone = False
        self.started = False
        """Set by whoever takes its messages, when it has said that it is ready."""
        self.last_heard = asyncio.get_running_loop().time()
        self._take = take
        self._ended = ended
        self._killed = ""
        self._sock, self._log, self._process = _spawn(module, arguments, fds)
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()
        self._tasks = (asyncio.create_task(self._hear()), asyncio.create_task(self._speak()))

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def send(self, message: Message) -> None:
        """Send a message as soon as there is room for it."""
        self._outgoing.put_nowait(encode(message))

    def kill(self, why: str) -> None:
        """End the process now; ``ended`` is called as soon as its end of the socket is closed."""
        self._killed = self._killed or why
        self.gone = True
        self._process.kill()

    async def close(self) -> None:
        """End the process and wait until nothing of it is left."""
        self.gone = True
        self._process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reap()
        self._sock.close()
        self._log.close()

    async def _hear(self) -> None:
        loop, frames = asyncio.get_running_loop(), Frames()
        why = ""
        try:
            while data := await loop.sock_recv(self._sock, 1 << 16):
                self.last_heard = loop.time()
                for message in frames.feed(data):
                    self._take(message)
                await asyncio.sleep(0)  # receiving does not give way while there is something to receive
        except OSError:
            pass  # the way a socket ends whose other side was killed
        except (FrameError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            why = f"its messages cannot be read ({type(error).__name__}: {error})"
            self._process.kill()
        self.gone = True
        await self._reap()
        self._ended(self._killed or why or self._epitaph())

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                await loop.sock_sendall(self._sock, await self._outgoing.get())
        except OSError:
            return  # _hear notices the end

    async def _reap(self) -> None:
        """Wait for a process that has been killed or has closed its socket; kills it if it does not go by itself."""
        end = asyncio.get_running_loop().time() + _REAP_SECONDS
        while self._process.poll() is None:
            if asyncio.get_running_loop().time() > end - _REAP_SECONDS / 2:
                self._process.kill()
            if asyncio.get_running_loop().time() > end:
                return
            await asyncio.sleep(0.005)

    def _epitaph(self) -> str:
        status = self._process.returncode
        self._log.seek(0, 2)
        self._log.seek(max(0, self._log.tell() - 2000))
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        how = "it did not end" if status is None else f"exit status {status}"
        if status is not None and status < 0:
            how = f"killed by {signal.Signals(-status).name if -status in set(signal.Signals) else f'signal {-status}'}"
        return f"{how}{': ' + lines[-1][:200] if lines else ''}"


def _last_words() -> IO[bytes]:
    """Where a worker's standard error goes; nowhere, when no temporary file can be made."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("r+b")


def _spawn(module: str, arguments: Message, fds: Sequence[int]) -> tuple[socket.socket, IO[bytes], "subprocess.Popen[bytes]"]:
    """A fresh interpreter, not a fork: it inherits nothing but one socket, ``fds``, and a file for its last words."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    log = _last_words()
    command = [sys.executable, "-c", _BOOT, json.dumps(sys.path), module, str(theirs.fileno()), json.dumps(arguments)]
    with theirs, ExitStack() as on_failure:
        on_failure.callback(ours.close)
        on_failure.callback(log.close)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no text from outside
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, pass_fds=(theirs.fileno(), *fds)
        )
        on_failure.pop_all()
    return ours, log, process
