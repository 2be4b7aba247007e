"""The HTTP client of logs and search services: whole answers within limits, or a reason."""

import asyncio
import gzip
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler

import pytest
from servers.dns_process import free_port
from servers.http_site import Site, answer

from dnscertscan.ct.http import AddressError, Http, HttpError, Reply


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def get(*urls: str, max_bytes: int = 100_000, timeout: float = 2.0, fields: Mapping[str, str] | None = None) -> Reply:
    """The answer to the last of the URLs, all asked with one client."""

    async def run() -> Reply:
        async with Http(timeout=timeout) as http:
            for url in urls[:-1]:
                await http.get(url, max_bytes=max_bytes, fields=fields)
            return await http.get(urls[-1], max_bytes=max_bytes, fields=fields)

    return asyncio.run(run())


def test_an_answer_with_its_status(site: Site) -> None:
    """Body, status and the fields that matter; a 404 is an answer, too; headers of the caller go along."""
    site.pages["/tile?x=1"] = b"\x00octets"
    reply = get(site.url("/tile?x=1"), fields={"Authorization": "Bearer t"})
    assert (reply.status, reply.body, reply.retry_after) == (200, b"\x00octets", "")
    sent = site.headers["/tile?x=1"]
    assert sent["Host"] == f"127.0.0.1:{site.port}"
    assert sent["Authorization"] == "Bearer t"
    site.pages["/busy"] = answer(429, b"later", Retry_After="7")
    busy = get(site.url("/busy"))
    assert (busy.status, busy.status_text, busy.retry_after) == (429, "429 Too Many Requests", "7")
    assert get(site.url("/none")).status == 404


def test_redirects_are_not_followed(site: Site) -> None:
    """A token must not travel to where an answer points."""
    site.pages["/a"] = answer(302, Location=site.url("/b"))
    assert get(site.url("/a")).status == 302
    assert site.asked["/b"] == 0


def test_no_cookies(site: Site) -> None:
    """What a server wants to be remembered by is forgotten."""
    site.pages["/a"] = answer(200, b"x", Set_Cookie="id=1; Path=/")
    get(site.url("/a"), site.url("/a"))
    assert "Cookie" not in site.headers["/a"]


def test_too_long_endless_and_slow_answers(site: Site) -> None:
    """Each its own reason, within the time."""
    site.pages.update({"/long": b"x" * 101, "/endless": site.endless, "/drip": site.drip})
    with pytest.raises(HttpError, match="longer than 100 octets"):
        get(site.url("/long"), max_bytes=100)
    with pytest.raises(HttpError, match="longer than 100000 octets"):
        get(site.url("/endless"))
    before = time.monotonic()
    with pytest.raises(HttpError, match=r"no whole answer from 127\.0\.0\.1:\d+ within 0\.5 s"):
        get(site.url("/drip"), timeout=0.5)
    assert time.monotonic() - before < 5


def test_a_body_that_is_cut_off(site: Site) -> None:
    """Fewer octets than announced are no answer."""

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"[1, 2")
        handler.close_connection = True

    site.pages["/cut"] = cut
    with pytest.raises(HttpError, match="failed: RemoteProtocolError"):
        get(site.url("/cut"))


def test_compressed_answers(site: Site) -> None:
    """gzip that nobody asked for is taken, within the same limit, and whole."""
    packed = gzip.compress(b"tile" * 1000)
    site.pages["/good"] = answer(200, packed, Content_Encoding="gzip")
    site.pages["/half"] = answer(200, packed[:-4], Content_Encoding="gzip")
    site.pages["/none"] = answer(200, b"plain", Content_Encoding="gzip")
    site.pages["/bomb"] = answer(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")
    site.pages["/more"] = answer(200, packed + b"x", Content_Encoding="gzip")
    site.pages["/br"] = answer(200, packed, Content_Encoding="br\x1b[31m")
    assert get(site.url("/good")).body == b"tile" * 1000
    for path, reason in (
        ("/half", "cut off"), ("/none", "cannot be read"), ("/bomb", "longer than 100000"), ("/more", "follows it"),
        ("/br", r"coded as br\\x1b"),
    ):
        with pytest.raises(HttpError, match=reason):
            get(site.url(path))


def test_nobody_listens() -> None:
    """The reason names host and port."""
    port = free_port()
    with pytest.raises(HttpError, match=f"no connection to 127.0.0.1:{port}"):
        get(f"http://127.0.0.1:{port}/")


def test_a_resolver_that_hangs_or_knows_nothing() -> None:
    """The time limit holds while names are looked up; no address is a reason."""

    async def run(http: Http) -> str:
        async with http:
            with pytest.raises(HttpError) as caught:
                await http.get("http://log.example/", max_bytes=10)
        return str(caught.value)

    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    def hangs(_host: str, _port: int) -> list[str]:
        time.sleep(3)
        return []

    before = time.monotonic()
    assert "within 0.2 s" in asyncio.run(run(Http(timeout=0.2, resolve=hangs)))
    assert time.monotonic() - before < 2.5
    assert asyncio.run(run(Http(timeout=1, resolve=unknown))) == "its host log.example has no address (Name or service not known)"
    assert asyncio.run(run(Http(timeout=1, resolve=lambda *_: []))) == "its host log.example has no address"


def test_the_next_address_is_tried(site: Site) -> None:
    """A host is there as long as one of its addresses answers."""
    site.pages["/x"] = b"here"

    async def run() -> bytes:
        async with Http(timeout=2, resolve=lambda *_: ["127.0.0.99", "127.0.0.1"]) as http:
            return (await http.get(f"http://log.example:{site.port}/x", max_bytes=10)).body

    assert asyncio.run(run()) == b"here"
    assert site.headers["/x"]["Host"] == f"log.example:{site.port}"


def test_a_url_that_cannot_be_asked() -> None:
    """Refused before anything is sent, in words that are safe to show."""
    for url in ("ftp://a/", "http://", "http://u:p@a/", "http://[::1", "http://a/\x1b[31m", ""):
        with pytest.raises(AddressError) as caught:
            get(url)
        assert str(caught.value).isprintable()
