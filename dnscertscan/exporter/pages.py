"""What the exporter answers: a request's first line and headers in, a whole answer out. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from gzip import compress
from http import HTTPStatus

from dnscertscan.exporter.state import Moment, State
from dnscertscan.report.exposition import CONTENT_TYPE

_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_INDEX = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>dnscertscan exporter</title></head>
<body><h1>dnscertscan exporter</h1>
<p><a href="/metrics">Metrics</a> for Prometheus, <a href="/health">health</a> for whoever keeps this process running.</p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Request:
    """What counts of a request: names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def takes_gzip(self) -> bool:
        """Whether Accept-Encoding names gzip, and not with ``q=0`` (RFC 9110 12.5.3)."""
        for item in self.headers.get("accept-encoding", "").split(","):
            coding, _, weight = item.partition(";")
            if coding.strip().lower() == "gzip":
                return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        return False


def read_request(head: bytes | None) -> Request | None:
    """The request of everything before the empty line; None when it is none (RFC 9112 3)."""
    if head is None:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(parts[0], parts[1].partition("?")[0], headers)


def answer(request: Request | None, state: State, now: Callable[[], Moment]) -> bytes:
    """The whole answer; the connection is closed after it."""
    if request is None:
        return _whole(HTTPStatus.BAD_REQUEST, b"this is no HTTP request\n")
    if request.method not in ("GET", "HEAD"):
        return _whole(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD are answered\n", allow="GET, HEAD")
    match request.path:
        case "/metrics":
            made = _metrics(request, state, now())
        case "/health" | "/healthz" | "/-/healthy":
            good, line = state.health(now())
            status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            made = _whole(status, f"{'ok' if good else 'unhealthy'}: {line}\n".encode())
        case "/":
            made = _whole(HTTPStatus.OK, _INDEX, kind=_HTML)
        case _:
            made = _whole(HTTPStatus.NOT_FOUND, b"there are /metrics and /health\n")
    return made.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else made


def _metrics(request: Request, state: State, now: Moment) -> bytes:
    """The last results and the exporter's own; gzip members follow each other as texts do (RFC 1952 2.2)."""
    own, page = state.own_metrics(now), state.page
    if request.takes_gzip:
        return _whole(HTTPStatus.OK, page.packed + compress(own, 6, mtime=0), kind=CONTENT_TYPE, content_encoding="gzip")
    return _whole(HTTPStatus.OK, page.plain + own, kind=CONTENT_TYPE)


def _whole(status: HTTPStatus, body: bytes, *, kind: str = _TEXT, **headers: str) -> bytes:
    fields = {
        "content-type": kind, "content-length": str(len(body)), "connection": "close", "cache-control": "no-store",
        "vary": "accept-encoding", "x-content-type-options": "nosniff", **headers,
    }
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in fields.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1") + body
