"""HTTP for logs and search services: configured URLs, no redirects, no proxies, no cookies; any status is an answer."""

import asyncio
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Self

from dnscertscan.model.text import visible
from dnscertscan.web.addresses import Resolve, addresses_of, system_addresses
from dnscertscan.web.exchange import TRIED, Unreachable, get, new_client, read_body, seconds_to_wait
from dnscertscan.web.places import NotFetched, Place, read_url

if TYPE_CHECKING:
    import httpx

__all__ = ["AddressError", "Http", "HttpError", "Reply", "seconds_to_wait"]
_IDENTITY = ("", "identity")
_GZIP = 31


class HttpError(Exception):
    """There is no answer, and why; the text is one line, safe to show."""


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


class Http:
    """A client: connections are kept per host for as long as it lives. ``timeout`` is seconds for one whole answer."""

    def __init__(self, *, timeout: float, resolve: Resolve = system_addresses) -> None:
        self._timeout, self._resolve = timeout, resolve
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._addresses: dict[str, Sequence[str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def get(self, url: str, *, max_bytes: int, fields: Mapping[str, str] | None = None) -> Reply:
        """GET ``url``; :class:`HttpError` when there is no whole answer of at most ``max_bytes`` octets within the time."""
        try:
            place = read_url(url, allow_private=True)
        except NotFetched as error:
            raise AddressError(visible(str(error), 500)) from error
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(place, max_bytes, fields)
        except TimeoutError as error:
            raise HttpError(f"no whole answer from {place.authority} within {self._timeout:g} s") from error
        except NotFetched as error:
            raise HttpError(visible(str(error), 500)) from error

    async def _get(self, place: Place, max_bytes: int, fields: Mapping[str, str] | None) -> Reply:
        if place.authority not in self._addresses:
            self._addresses[place.authority] = await addresses_of(place.host, place.port, self._resolve)
        addresses = self._addresses[place.authority][:TRIED]
        problem = ""
        for address in addresses:
            try:
                return await get(self._client(place, addresses), place, address, lambda found: _read(found, max_bytes), fields)
            except Unreachable as error:
                problem = str(error)
        raise HttpError(f"no connection to {place.authority} ({visible(problem, 200)})")

    def _client(self, place: Place, addresses: Sequence[str]) -> "httpx.AsyncClient":
        """One client per host, so that no connection that one name opened is used for another."""
        key = f"{place.scheme}://{place.authority}"
        if key not in self._clients:
            client = new_client(self._timeout, len(addresses))
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
            self._clients[key] = client
        return self._clients[key]


async def _read(response: "httpx.Response", max_bytes: int) -> Reply:
    status = f"{response.status_code} {visible(response.reason_phrase, 60)}".rstrip()
    coding = response.headers.get("content-encoding", "").strip().lower()
    body = await read_body(response, max_bytes)
    if coding in ("gzip", "x-gzip"):
        body = _inflate(body, max_bytes)
    elif coding not in _IDENTITY:
        raise NotFetched(f"the answer is coded as {visible(coding, 40)}, which was not asked for")
    fields = response.headers
    return Reply(response.status_code, status, body, fields.get("content-type", ""), fields.get("retry-after", ""))


def _inflate(packed: bytes, max_bytes: int) -> bytes:
    """Some servers compress without being asked; a few octets must not become gigabytes."""
    engine = zlib.decompressobj(_GZIP)
    try:
        body = engine.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise NotFetched("the compressed answer cannot be read") from error
    if len(body) > max_bytes:
        raise NotFetched(f"the answer is longer than {max_bytes} octets")
    if not engine.eof or engine.unused_data:
        raise NotFetched("the compressed answer is cut off, or something follows it")
    return body
