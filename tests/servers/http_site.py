"""A small HTTP server on loopback that counts requests and misbehaves on demand: redirects, drips, endless bodies."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

Handler = Callable[[BaseHTTPRequestHandler], None]
Page = bytes | Handler


class Site:
    """``with Site() as site: site.pages["/a.crl"] = b"..."``; ``site.asked`` counts the requests per path."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: Counter[str] = Counter()
        self.headers: dict[str, dict[str, str]] = {}
        self._stop = threading.Event()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        """The whole URL of a page."""
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        site = self

        class Serve(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked[self.path] += 1
                site.headers[self.path] = dict(self.headers)
                page = site.pages.get(self.path)
                with suppress(OSError):
                    if callable(page):
                        page(self)
                    else:
                        answer(200 if page is not None else 404, page or b"not here")(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Serve)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """One octet every tenth of a second, for ever."""
        handler.send_response(200)
        handler.end_headers()
        while not self._stop.wait(0.1):
            handler.wfile.write(b"0")

    def endless(self, handler: BaseHTTPRequestHandler) -> None:
        """As many octets as the other side takes."""
        handler.send_response(200)
        handler.end_headers()
        while not self._stop.is_set():
            handler.wfile.write(b"0" * 65536)


def answer(status: int, body: bytes = b"", **headers: str) -> Handler:
    """A page with another status or with headers (``retry_after="1"``)."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return page


def in_turn(*pages: Handler) -> Handler:
    """Another answer each time; the last one stays."""
    left = list(pages)

    def page(handler: BaseHTTPRequestHandler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return page


def slow(seconds: float, page: Handler) -> Handler:
    """The same after a while."""

    def late(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        page(handler)

    return late
