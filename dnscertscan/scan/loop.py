"""A small event loop for very many short conversations: one epoll, plain coroutines, one table of deadlines.

Theory of operation. A conversation is a coroutine that yields what it waits for: its socket until a moment (:func:`wait`), or
another conversation's word (:class:`Signal`). Sockets are registered once and edge-triggered where there is epoll, so the usual
operation costs no system call of the loop; whoever waits must have found the socket empty (or full) before, and tries again
after. A closed socket leaves epoll by itself. A conversation has one moment at a time at which its patience ends: it is then
thrown a TimeoutError. All times are ``time.monotonic()``.
"""

import select
import selectors
from collections.abc import Callable, Coroutine, Generator
from heapq import heappop, heappush
from itertools import count
from time import monotonic
from types import TracebackType, coroutine
from typing import Any, Protocol, TypeVar

_T = TypeVar("_T")
Talk = Coroutine[tuple["int | Signal", float, int], int | None, Any]
"""A conversation: what it yields is (socket or signal, until, flags)."""
FRESH, WRITE = 1, 2
"""Flags of a wait: this connection waits for the first time; it wants to send (or to be connected)."""
READABLE = 1
ENDING = 2
"""What a wait gives: something may be there to read; the peer has closed or broken the connection."""
_NEVER = float("inf")


@coroutine
def wait(fd: int, until: float, flags: int = 0) -> Generator[tuple["int | Signal", float, int], int, int]:
    """Until the socket is worth another try: READABLE and ENDING as far as known. Raises TimeoutError without errno."""
    return (yield fd, until, flags)


class Signal:
    """Conversations wait for it with :meth:`heard`; :meth:`fire` lets all of them go on."""

    __slots__ = ("waiting",)

    def __init__(self) -> None:
        self.waiting: list[tuple[Loop, _Task]] = []

    @coroutine
    def heard(self, until: float) -> Generator[tuple["int | Signal", float, int], int, int]:
        """Until it is fired; raises TimeoutError."""
        return (yield self, until, 0)

    def fire(self) -> None:
        """Wake everybody who waits now."""
        waiting, self.waiting = self.waiting, []
        for loop, task in waiting:
            loop.wake(self, task)


class Caught:
    """Keeps an exception that nobody foresaw: a bug of ours that one peer brings out must not end the conversations of others."""

    error: Exception | None = None

    def __enter__(self) -> "Caught":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        if isinstance(error, Exception):
            self.error = error
        return self.error is not None


class _Task:
    """A running conversation: ``on`` is what it waits for, ``timer`` its earliest entry in the table of deadlines."""

    __slots__ = ("done", "flags", "on", "talk", "timer", "until")

    def __init__(self, talk: Talk, done: Callable[[Any], None]) -> None:
        self.talk = talk
        self.done = done
        self.on: int | Signal | None = None
        self.until = 0.0
        self.timer = _NEVER
        self.flags = 0


class _Poller(Protocol):
    def want(self, fd: int, flags: int) -> None: ...
    def forget(self, fd: int) -> None: ...
    def poll(self, seconds: float) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


class _Epoll:
    """Linux: registered once, edge-triggered."""

    _IN_EDGES = getattr(select, "EPOLLIN", 0) | getattr(select, "EPOLLET", 0) | getattr(select, "EPOLLRDHUP", 0)
    _EDGES = _IN_EDGES | getattr(select, "EPOLLOUT", 0)
    _END = 0x2018  # EPOLLRDHUP, EPOLLHUP, EPOLLERR

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.close = self._epoll.close

    def want(self, fd: int, flags: int) -> None:
        if flags & FRESH:
            self._epoll.register(fd, self._EDGES if flags & WRITE else self._IN_EDGES)
        elif flags & WRITE:
            self._epoll.modify(fd, self._EDGES)

    def forget(self, fd: int) -> None:
        """It stays registered until it is closed."""

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        ending = self._END
        return [
            (fd, READABLE | ENDING if mask & ending else mask & READABLE) for fd, mask in self._epoll.poll(seconds)
        ]


class _Selected:
    """Elsewhere: registered for one wait at a time."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def want(self, fd: int, flags: int) -> None:
        self._selector.register(fd, selectors.EVENT_WRITE if flags & WRITE else selectors.EVENT_READ)

    def forget(self, fd: int) -> None:
        self._selector.unregister(fd)

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        ready = [key.fd for key, _ in self._selector.select(seconds)]
        for fd in ready:
            self._selector.unregister(fd)
        return [(fd, READABLE) for fd in ready]


class Loop:
    """Runs conversations; :meth:`turn` is one round. For one thread."""

    def __init__(self) -> None:
        self._poller: _Poller = _Epoll() if hasattr(select, "epoll") else _Selected()
        self._waiting: dict[int, _Task] = {}
        self._woken: list[_Task] = []
        self._deadlines: list[tuple[float, int, _Task]] = []
        self._order = count()

    def start(self, talk: Talk, done: Callable[[Any], None]) -> None:
        """Begin a conversation; ``done`` is called with what it returns. What it raises comes out of here or of :meth:`turn`."""
        self._go_on(_Task(talk, done), None)

    def turn(self, seconds: float) -> None:
        """Wait for at most ``seconds`` until something happens, and let everybody go on who can."""
        seconds = max(0.0, min(seconds, self._deadlines[0][0] - monotonic() if self._deadlines else seconds))
        happened = self._poller.poll(0.0 if self._woken else seconds)
        woken, self._woken = self._woken, []
        for task in woken:
            self._go_on(task, 0)
        for fd, what in happened:
            if (task_ := self._waiting.pop(fd, None)) is not None:
                self._go_on(task_, what)
        if self._deadlines and self._deadlines[0][0] <= (now := monotonic()):
            self._expire(now)

    def run(self, talk: Coroutine[Any, Any, _T]) -> _T:
        """One conversation (and what it starts) from its beginning to its end: its value, or what it raises."""
        ended: list[_T] = []
        self.start(talk, ended.append)
        while not ended:
            self.turn(60.0)
        return ended[0]

    def wake(self, signal: Signal, task: _Task) -> None:
        """Let a conversation go on in the next round if it still waits for ``signal``."""
        if task.on is signal:
            task.on = None
            self._woken.append(task)

    def close(self) -> None:
        """Break off every conversation that waits for a socket."""
        waiting, self._waiting = self._waiting, {}
        for task in waiting.values():
            task.talk.close()
        self._poller.close()

    def _go_on(self, task: _Task, what: int | None, error: TimeoutError | None = None) -> None:
        task.on = None
        try:
            on, until, flags = task.talk.send(what) if error is None else task.talk.throw(error)
        except StopIteration as end:
            task.done(end.value)
            return
        task.on, task.until = on, until
        if isinstance(on, int):
            self._waiting[on] = task
            self._poller.want(on, flags)
        else:
            on.waiting.append((self, task))
        if until < task.timer:
            task.timer = until
            heappush(self._deadlines, (until, next(self._order), task))

    def _expire(self, now: float) -> None:
        while self._deadlines and self._deadlines[0][0] <= now:
            at, _, task = heappop(self._deadlines)
            if at != task.timer:
                continue  # an earlier entry of the task has taken its place
            task.timer = _NEVER
            if task.on is None:
                continue  # it is over, or about to go on
            if task.until > now:
                task.timer = task.until
                heappush(self._deadlines, (task.until, next(self._order), task))
                continue
            if isinstance(task.on, int):
                del self._waiting[task.on]
                self._poller.forget(task.on)
            self._go_on(task, 0, TimeoutError())
