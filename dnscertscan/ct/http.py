"""HTTP for logs and search services: configured URLs, no redirects, no proxies, no cookies, bounded in size and time."""

import asyncio
import socket
import ssl
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from dnscertscan.ct.aside import aside
from dnscertscan.model.text import visible

if TYPE_CHECKING:
    import httpx

Resolve = Callable[[str, int], Sequence[str]]
"""Blocking: the addresses of a host; raises OSError or UnicodeError."""
_TRIED = 3
"""Addresses of one host that are tried."""
_IDENTITY = ("", "identity")
_GZIP = 31
_PORTS = {"http": 80, "https": 443}


class HttpError(Exception):
    """There is no answer, and why; the text is one line, safe to show. An answer with a status other than 200 is no error."""


class AddressError(HttpError):
    """The URL cannot be asked at all: trying again is a waste of time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole. ``body`` is without its content coding; ``status_text`` is status and reason, safe to show."""

    status: int
    status_text: str
    body: bytes = field(repr=False)
    content_type: str = ""
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One URL taken apart: ``path`` with the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str) -> Place:
    """Take ``url`` apart; :class:`AddressError` unless it is http or https, with a host and without user information."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressError(f"the URL {visible(url, 200)} cannot be read") from error
    scheme, host = parts.scheme.lower(), (parts.hostname or "").rstrip(".")
    if scheme not in _PORTS or not host or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressError(f"the URL {visible(url, 200)} is not http or https with a host and without user information")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(scheme, host, _PORTS[scheme] if port is None else port, path)


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What getaddrinfo says, in its order."""
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """What a Retry-After field asks for (RFC 9110 10.2.3), in seconds; None when there is none that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max((when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds(), 0.0)


class Http:
    """A client: connections are kept per host for as long as it lives. ``timeout`` is seconds for one whole answer."""

    def __init__(
        self, *, timeout: float, resolve: Resolve = system_addresses, context: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout, self._resolve, self._context = timeout, resolve, context
        self._clients: dict[tuple[str, str, int], httpx.AsyncClient] = {}
        self._addresses: dict[tuple[str, int], Sequence[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def get(self, url: str, *, max_bytes: int, headers: Mapping[str, str] | None = None) -> Reply:
        """GET ``url``; :class:`HttpError` when there is no whole answer of at most ``max_bytes`` octets within the time."""
        place = read_url(url)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(place, max_bytes, headers or {})
        except TimeoutError as error:
            raise HttpError(f"no whole answer from {place.authority} within {self._timeout:g} s") from error

    async def _get(self, place: Place, max_bytes: int, headers: Mapping[str, str]) -> Reply:
        import httpx  # noqa: PLC0415 - a fifth of a second, paid only by runs that fetch

        tried = (await self._find(place))[:_TRIED]
        client = self._client(place)
        fields = {"Host": place.authority, "User-Agent": "dnscertscan", "Accept-Encoding": "identity", **headers}
        limits = httpx.Timeout(self._timeout, connect=self._timeout / max(len(tried), 1))
        problem = "no address"
        for address in tried:
            shown = f"[{address}]" if ":" in address else address
            try:
                async with client.stream(
                    "GET", f"{place.scheme}://{shown}:{place.port}{place.path}", headers=fields, timeout=limits,
                    extensions={"sni_hostname": place.host},
                ) as response:
                    return await _read(response, max_bytes)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = visible(str(error), 200) or "no connection"
            except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
                words = f"{type(error).__name__} {visible(str(error), 200)}".rstrip()
                raise HttpError(f"the connection to {place.authority} failed: {words}") from error
        raise HttpError(f"no connection to {place.authority} ({problem})")

    async def _find(self, place: Place) -> Sequence[str]:
        known = self._addresses.get((place.host, place.port))
        if known:
            return known
        try:
            found = await aside(lambda: self._resolve(place.host, place.port), OSError, UnicodeError)
        except (OSError, UnicodeError) as problem:
            why = getattr(problem, "strerror", None) or problem
            raise HttpError(f"its host {place.host} has no address ({visible(str(why), 200)})") from problem
        if not found:
            raise HttpError(f"its host {place.host} has no address")
        self._addresses[place.host, place.port] = found
        return found

    def _client(self, place: Place) -> "httpx.AsyncClient":
        """One client per host, so that no connection that one name opened is used for another."""
        import httpx  # noqa: PLC0415 - see above

        key = (place.scheme, place.host, place.port)
        if key not in self._clients:
            if self._context is None:
                self._context = ssl.create_default_context()
            client = httpx.AsyncClient(verify=self._context, trust_env=False, follow_redirects=False)
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._clients[key] = client
        return self._clients[key]


async def _read(response: "httpx.Response", max_bytes: int) -> Reply:
    status = f"{response.status_code} {visible(response.reason_phrase, 60)}".rstrip()
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > max_bytes:
        raise _too_long(max_bytes)
    coding = response.headers.get("content-encoding", "").strip().lower()
    body = bytearray()
    if coding in _IDENTITY:
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > max_bytes:
                raise _too_long(max_bytes)
    elif coding in ("gzip", "x-gzip"):
        await _inflate(response, max_bytes, body)
    else:
        raise HttpError(f"the answer is coded as {visible(coding, 40)}, which was not asked for")
    return Reply(
        response.status_code, status, bytes(body), response.headers.get("content-type", ""),
        response.headers.get("retry-after", ""),
    )


async def _inflate(response: "httpx.Response", max_bytes: int, body: bytearray) -> None:
    """Some servers of tiles compress without being asked; a few octets must not become gigabytes."""
    engine, taken = zlib.decompressobj(_GZIP), 0
    async for piece in response.aiter_raw():
        taken += len(piece)
        try:
            body += engine.decompress(piece, max_bytes + 1 - len(body))
        except zlib.error as error:
            raise HttpError("the compressed answer cannot be read") from error
        if len(body) > max_bytes or taken > max_bytes:
            raise _too_long(max_bytes)
    if not engine.eof or engine.unused_data:
        raise HttpError("the compressed answer is cut off, or something follows it")


def _too_long(max_bytes: int) -> HttpError:
    return HttpError(f"the answer is longer than {max_bytes} octets")
