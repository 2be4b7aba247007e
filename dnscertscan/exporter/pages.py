"""What the exporter answers: a request's first line and headers in, a whole answer out. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from dnscertscan.exporter.state import Moment, State
from dnscertscan.report.exposition import CONTENT_TYPE

_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_INDEX = b"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>dnscertscan exporter</title></head>
<body><h1>dnscertscan exporter</h1>
<ul>
<li><a href="/metrics">/metrics</a>: what Prometheus scrapes.</li>
<li><a href="/health">/health</a> (also /healthz, /-/ready): whether the results can be relied on, or 503 and why not.</li>
<li><a href="/livez">/livez</a> (also /-/healthy): 200 while this process serves, for whoever keeps it running.</li>
</ul>
</body></html>
"""
Parts = tuple[bytes, ...]
"""An answer in the pieces it consists of: the large ones are the same object for everybody who asks."""


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
    """The request of everything before the empty line; None when it is none (RFC 9112 3). Lines may end in LF alone (2.2)."""
    if head is None:
        return None
    first, *lines = (line.removesuffix("\r") for line in head.decode("latin-1").split("\n"))
    parts = first.split(" ")
    path = _path(parts[1]) if len(parts) == 3 and parts[2].startswith("HTTP/1.") else ""
    if not path:
        return None
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(parts[0], path, headers)


def _path(target: str) -> str:
    """The path of ``/path?query`` or ``http://host/path?query``, which a server has to take too (RFC 9112 3.2.2); else empty."""
    scheme, mark, rest = target.partition("?")[0].partition("://")
    if mark and scheme.lower() in ("http", "https"):
        return "/" + rest.partition("/")[2]
    return target.partition("?")[0] if target.startswith("/") else ""


def answer(request: Request | None, state: State, now: Callable[[], Moment]) -> Parts:
    """The whole answer; the connection is closed after it."""
    if request is None:
        return _whole(HTTPStatus.BAD_REQUEST, b"this is no HTTP request\n")
    if request.method not in ("GET", "HEAD"):
        return _whole(HTTPStatus.METHOD_NOT_ALLOWED, b"only GET and HEAD are answered\n", allow="GET, HEAD")
    match request.path:
        case "/metrics":
            made = _metrics(request, state, now())
        case "/health" | "/healthz" | "/-/ready":
            good, line = state.health(now())
            status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
            made = _whole(status, f"{'ok' if good else 'unhealthy'}: {line}\n".encode())
        case "/livez" | "/-/healthy":
            made = _whole(HTTPStatus.OK, b"ok: the exporter answers; /health says whether its results can be relied on\n")
        case "/":
            made = _whole(HTTPStatus.OK, _INDEX, kind=_HTML)
        case _:
            made = _whole(HTTPStatus.NOT_FOUND, b"there are /metrics, /health and /livez\n")
    return made[:1] if request.method == "HEAD" else made


def _metrics(request: Request, state: State, now: Moment) -> Parts:
    """The last results, then the exporter's own."""
    own, page = state.own_metrics(now), state.page
    if request.takes_gzip:
        return _whole(HTTPStatus.OK, *page.packed_with(own), kind=CONTENT_TYPE, content_encoding="gzip")
    return _whole(HTTPStatus.OK, page.plain, own, kind=CONTENT_TYPE)


def _whole(status: HTTPStatus, *body: bytes, kind: str = _TEXT, **headers: str) -> Parts:
    fields = {
        "content-type": kind, "content-length": str(sum(map(len, body))), "connection": "close", "cache-control": "no-store",
        "vary": "accept-encoding", "x-content-type-options": "nosniff", **headers,
    }
    lines = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in fields.items())
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n{lines}\r\n".encode("latin-1"), *body
