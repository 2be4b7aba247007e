"""One HTTP request and its answer: to a checked address, never more than a number of octets, no cookies, no proxies."""

import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from dnscertscan.model.text import visible
from dnscertscan.web.places import NotFetched, Place

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({429, 503})
TRIED = 3
"""Addresses of one host that are tried."""


class Unreachable(NotFetched):
    """The host itself does not answer, so that asking it again is a waste of time."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A body, or where it is instead, or what the server said about when to come back."""

    body: bytes = b""
    location: str = ""
    retry_after: str = ""
    status: str = ""


async def ask(place: Place, addresses: Sequence[str], *, timeout: float, max_bytes: int, section: str = "") -> Reply:  # noqa: ASYNC109 - a limit per connection step for httpx; the caller bounds the whole
    """GET ``place`` from the first of ``addresses`` that takes a connection; :class:`NotFetched` for everything but an answer.

    ``section`` of the configuration, if there is one, has the limit of octets; the message names it.
    """
    problem = "no address"
    tried = addresses[:TRIED]
    for address in tried:
        # A client per request: no cookies, and no connection that one name opened is used for another.
        async with new_client(timeout, len(tried)) as client:
            try:
                return await get(client, place, address, lambda response: _read(response, max_bytes, section))
            except Unreachable as error:
                problem = str(error)
    raise Unreachable(f"no connection to {place.authority} ({problem})")


def new_client(timeout: float, addresses: int = 1) -> "httpx.AsyncClient":
    """A client without proxies and redirects; ``timeout`` seconds for each step, connecting to all ``addresses`` is one."""
    import httpx  # noqa: PLC0415 - a fifth of a second, paid only by runs that fetch

    limits = httpx.Timeout(timeout, connect=timeout / max(addresses, 1))
    return httpx.AsyncClient(verify=_context(), trust_env=False, follow_redirects=False, timeout=limits)


async def get(
    client: "httpx.AsyncClient", place: Place, address: str, read: "Callable[[httpx.Response], Awaitable[T]]",
    fields: Mapping[str, str] | None = None,
) -> T:
    """What ``read`` makes of the answer of ``address`` to GET ``place``; its body is not read yet. ``fields`` are sent along.

    Raises :class:`Unreachable` with the words of the problem when there is no connection, :class:`NotFetched` when it fails.
    """
    import httpx  # noqa: PLC0415 - a fifth of a second, paid only by runs that fetch

    headers = {"Host": place.authority, "User-Agent": "dnscertscan", "Accept-Encoding": "identity", **(fields or {})}
    try:
        request = client.build_request("GET", place.at(address), headers=headers, extensions={"sni_hostname": place.host})
        response = await client.send(request, stream=True)
        try:
            return await read(response)
        finally:
            await response.aclose()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(_words(error) or "no connection") from error
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise NotFetched(f"the connection failed: {type(error).__name__} {_words(error)}".rstrip()) from error


async def _read(response: "httpx.Response", max_bytes: int, section: str) -> Reply:
    status = f"{response.status_code} {visible(response.reason_phrase, 60)}".rstrip()
    if response.status_code in REDIRECTS and (location := response.headers.get("location")):
        return Reply(location=location)
    if response.status_code in _LATER:
        return Reply(retry_after=response.headers.get("retry-after", ""), status=status)
    if response.status_code != 200:
        raise NotFetched(f"the server answered {status}")
    if (coding := response.headers.get("content-encoding", "identity").strip().lower()) not in ("", "identity"):
        raise NotFetched(f"the answer is compressed ({visible(coding, 40)}) although that was not asked for")
    return Reply(await read_body(response, max_bytes, f" (max_mebibytes in [{section}] is the limit)" if section else ""))


async def read_body(response: "httpx.Response", max_bytes: int, hint: str = "") -> bytes:
    """The octets as they came, at most ``max_bytes`` of them; :class:`NotFetched`, with ``hint`` behind, when there are more."""
    too_long = NotFetched(f"the answer is longer than {max_bytes} octets{hint}")
    length = response.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > max_bytes:
        raise too_long
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > max_bytes:
            raise too_long
    return bytes(body)


def seconds_to_wait(retry_after: str, now: datetime) -> float | None:
    """What a Retry-After field asks for (RFC 9110 10.2.3), in seconds; None when it cannot be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max((when.replace(tzinfo=when.tzinfo or UTC) - now).total_seconds(), 0.0)


def _words(error: Exception) -> str:
    return visible(str(error), 200)


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    """The system's trust anchors; what is fetched is signed itself, this only says who may learn what is asked for."""
    return ssl.create_default_context()
