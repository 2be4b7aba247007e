"""What the fake services around CT share: an HTTP server on loopback that counts requests and fails on request.

    with Service() as service:                       # a subclass overrides ``respond``
        service.faults["ct/v1/get-sth"] = html(200)  # by the longest prefix of the path that fits
        service.faults["tile/"] = first(2, too_many(1))
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit

LIMIT_SECONDS = 30.0
"""Nothing hangs or drips for longer, whatever the client does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. ``path`` is below the service's prefix, without a slash in front, undecoded and without the query.

    ``at`` is when it came, seconds of the monotonic clock: what a client's pace is judged by.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    at: float

    def value(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.query.get(name, [default])[0]


class Wire:
    """The connection a fault writes to."""

    def __init__(self, handler: BaseHTTPRequestHandler, stop: threading.Event) -> None:
        self._handler = handler
        self._stop = stop

    def head(self, answer: Answer, length: int | None) -> None:
        """Status line and headers."""
        self._handler.send_response(answer.status)
        self._handler.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self._handler.send_header(name, value)
        if length is not None:
            self._handler.send_header("Content-Length", str(length))
        self._handler.end_headers()

    def send(self, answer: Answer) -> None:
        """A whole answer."""
        self.head(answer, len(answer.body))
        self.write(answer.body)

    def write(self, octets: bytes) -> None:
        """Octets, now."""
        self._handler.wfile.write(octets)
        self._handler.wfile.flush()

    def pause(self, seconds: float) -> bool:
        """Wait; True when the server ends meanwhile."""
        return self._stop.wait(seconds)


Fault = Callable[[Wire, Answer], None]
"""Gets the connection and what the answer would have been."""


def reply(status: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> Fault:
    """Another answer; ``headers`` with _ for -."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda wire, _: wire.send(Answer(status, body, kind, given))


def html(status: int = 502, text: str = "502 Bad Gateway") -> Fault:
    """A page for people where a program asks, with whatever status."""
    return reply(status, f"<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>\n".encode(), "text/html")


def too_many(retry_after: float | str = 1) -> Fault:
    """429 with Retry-After, seconds or a date."""
    return reply(429, b"Too Many Requests\n", retry_after=str(retry_after))


def cut(octets: int) -> Fault:
    """Announces the whole body, sends its first ``octets`` and closes."""
    def fault(wire: Wire, answer: Answer) -> None:
        wire.head(answer, len(answer.body))
        wire.write(answer.body[:octets])

    return fault


def shortened(octets: int) -> Fault:
    """A complete answer, but of the first ``octets`` only: JSON that ends in its middle."""
    return lambda wire, answer: wire.send(replace(answer, body=answer.body[:octets]))


def changed(edit: Callable[[bytes], bytes]) -> Fault:
    """The real answer with its body edited."""
    return lambda wire, answer: wire.send(replace(answer, body=edit(answer.body)))


def hang(wire: Wire, _: Answer) -> None:
    """Not one octet."""
    wire.pause(LIMIT_SECONDS)


def drip(seconds: float = 1.0) -> Fault:
    """The real answer, one octet every so often."""
    def fault(wire: Wire, answer: Answer) -> None:
        wire.head(answer, len(answer.body))
        for at in range(min(len(answer.body), int(LIMIT_SECONDS / seconds))):
            wire.write(answer.body[at : at + 1])
            if wire.pause(seconds):
                return

    return fault


def endless(wire: Wire, answer: Answer) -> None:
    """A body without end."""
    wire.head(answer, None)
    while not wire.pause(0):
        wire.write(b" " * 65536)


def closed(_: Wire, __: Answer) -> None:
    """The connection ends without an answer."""


def first(count: int, fault: Fault) -> Fault:
    """The fault ``count`` times, then the real answer."""
    left, lock = [count], threading.Lock()

    def counted(wire: Wire, answer: Answer) -> None:
        with lock:
            left[0] -= 1
            faulty = left[0] >= 0
        if faulty:
            fault(wire, answer)
        else:
            wire.send(answer)

    return counted


def over(count: int, seconds: float, fault: Fault) -> Fault:
    """The fault for every request beyond ``count`` within ``seconds``; the real answer for the others."""
    times: list[float] = []
    lock = threading.Lock()

    def loaded(wire: Wire, answer: Answer) -> None:
        now = time.monotonic()
        with lock:
            times[:] = [*(one for one in times if now - one < seconds), now]
            faulty = len(times) > count
        if faulty:
            fault(wire, answer)
        else:
            wire.send(answer)

    return loaded


class Service:
    """An HTTP server on 127.0.0.1 while it is entered. ``asked`` counts requests by path, ``requests`` has the last ones."""

    def __init__(self, prefix: str = "") -> None:
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.prefix = f"/{prefix.strip('/')}/" if prefix else "/"
        self.lock = threading.RLock()
        self._port = 0

    def respond(self, request: Request) -> Answer:
        """The good answer; called with :attr:`lock` held."""
        raise NotImplementedError

    def place(self, request: Request) -> str:
        """What ``asked`` counts and the keys of ``faults`` are compared with: the path."""
        return request.path

    @property
    def url(self) -> str:
        """Base URL, with a slash at its end; of the time it was last entered."""
        return f"http://127.0.0.1:{self._port}{self.prefix}"

    def __enter__(self) -> Self:
        service, self._stop = self, threading.Event()

        class Serve(BaseHTTPRequestHandler):
            timeout = LIMIT_SECONDS

            def do_GET(self) -> None:
                service._serve(self)

            do_POST = do_GET  # noqa: N815 - the name is http.server's

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self._server = Server(("127.0.0.1", self._port), Serve)
        self._port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = min(int(handler.headers.get("Content-Length") or 0), 1 << 24)
        with suppress(OSError):
            body = handler.rfile.read(length)
            wire = Wire(handler, self._stop)
            if not parts.path.startswith(self.prefix):
                wire.send(Answer(404, b"no such place\n", "text/plain"))
                return
            query = parse_qs(parts.query, keep_blank_values=True)
            path = parts.path.removeprefix(self.prefix)
            request = Request(handler.command, path, query, dict(handler.headers), body, time.monotonic())
            with self.lock:
                place = self.place(request)
                self.asked[place] += 1
                self.requests = [*self.requests[-999:], request]
                answer = self.respond(request)
                fault = self._fault(place)
            if fault is None:
                wire.send(answer)
            else:
                fault(wire, answer)

    def _fault(self, place: str) -> Fault | None:
        fitting = [prefix for prefix in self.faults if place.startswith(prefix)]
        return self.faults[max(fitting, key=len)] if fitting else None
