"""Fetching: every failing mode is a reason in words, within its limits; nothing is asked twice."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from servers.dns_process import free_port
from servers.http_site import Site, answer, in_turn

from dnscertscan.outside import Answer, Cache, Fetcher
from dnscertscan.web.exchange import seconds_to_wait

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def fetcher(**changed: object) -> Fetcher:
    """Short limits, loopback permitted, no cache."""
    settings = {"timeout": 1.0, "max_bytes": 100_000, "budget": 20.0, "cache": None, "clock": lambda: NOW, "allow_private": True}
    return Fetcher(**{**settings, **changed})


def get(url: str, **changed: object) -> Answer:
    """One URL."""
    return asyncio.run(fetcher(**changed).get(url))


def test_an_answer(site: Site) -> None:
    """The octets as they are; the host's own name in the Host header; no compression asked for."""
    site.pages["/a?b=1"] = b"\x30\x00octets"
    assert get(site.url("/a?b=1")) == Answer(site.url("/a?b=1"), b"\x30\x00octets")
    headers = site.headers["/a?b=1"]
    assert headers["Host"] == f"127.0.0.1:{site.port}"
    assert headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in headers


def test_the_name_is_resolved_once_and_its_address_asked(site: Site) -> None:
    """What was checked is what is connected to; the server sees the name."""
    site.pages["/a"] = b"x"
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"]

    assert get(f"http://crl.example:{site.port}/a", resolve=resolve).body == b"x"
    assert asked == [("crl.example", site.port)]
    assert site.headers["/a"]["Host"] == f"crl.example:{site.port}"


FAILING = {
    "missing": (None, "the server answered 404"),
    "broken": (answer(500), "the server answered 500"),
    "no content": (answer(204), "the server answered 204"),
    "gzip": (answer(200, b"x", content_encoding="gzip"), "compressed"),
    "too long": (b"0" * 100_001, "longer than 100000 octets"),
    "busy": (answer(503), "the server answered 503"),
    "busy for long": (answer(429, retry_after="3600"), "come back in 3600 s, which is too late"),
    "busy for ever": (answer(503, retry_after="0"), "the server still answers 503"),
    "elsewhere": (answer(302, location="ldap://a.example/"), "redirects to ldap://a.example/: only http and https"),
    "loop": (answer(301, location="/page"), "more than 3 redirects"),
    "lost": (answer(302), "the server answered 302"),
}


@pytest.mark.parametrize("case", FAILING)
def test_failing_modes(site: Site, case: str) -> None:
    """No body, one reason."""
    page, words = FAILING[case]
    if page is not None:
        site.pages["/page"] = page
    found = get(site.url("/page"))
    assert found.body is None
    assert words in found.problem


@pytest.mark.parametrize(("kind", "words"), [("drip", "no whole answer within 1 s"), ("endless", "longer than 100000 octets")])
def test_slow_and_endless_bodies(site: Site, kind: str, words: str) -> None:
    """Held by the time limit and by the size limit."""
    site.pages["/page"] = getattr(site, kind)
    started = time.monotonic()
    assert words in get(site.url("/page")).problem
    assert time.monotonic() - started < 5


def test_redirects_are_followed(site: Site) -> None:
    """Three of them."""
    for number in range(3):
        site.pages[f"/{number}"] = answer(302, location=f"/{number + 1}")
    site.pages["/3"] = b"there"
    assert get(site.url("/0")).body == b"there"


def test_retry_after_is_honoured(site: Site) -> None:
    """Waits as long as asked, then gets the answer."""
    site.pages["/a"] = in_turn(answer(503, retry_after="1"), answer(200, b"now"))
    started = time.monotonic()
    assert get(site.url("/a")).body == b"now"
    assert time.monotonic() - started >= 1
    assert site.asked["/a"] == 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30), ("soon", None), ("", None), ("-1", None),
     (format_datetime(NOW - timedelta(seconds=30)), 0), ("\u0663", None)],
)
def test_retry_after_forms(text: str, seconds: float | None) -> None:
    """Seconds or an HTTP date; anything else is no request to wait."""
    assert seconds_to_wait(text, NOW) == seconds


def test_refused_and_unknown_hosts() -> None:
    """Connection refused, and a name that does not exist."""
    port = free_port(("127.0.0.1",))
    assert f"no connection to 127.0.0.1:{port}" in get(f"http://127.0.0.1:{port}/").problem
    assert "its host no-such-host.invalid has no address" in get("http://no-such-host.invalid/").problem


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_private_addresses_are_refused_by_default(host: str) -> None:
    """Also by name and in odd spellings; the port is not even connected to."""
    found = get(f"http://{host}/", allow_private=False)
    assert "not a public one" in found.problem or "names no host" in found.problem


def test_one_private_address_among_public_ones_is_refused() -> None:
    """A name is not asked at all when one of its addresses is inside: which one would be asked next time?"""
    found = get("http://inside.example/", allow_private=False, resolve=lambda *_: ["8.8.8.8", "10.0.0.1"])
    assert "10.0.0.1 is not a public one" in found.problem


def test_a_failed_url_is_not_asked_again(site: Site) -> None:
    """Failures are remembered for the run; a host that is away costs two timeouts, not hundreds."""
    away = free_port(("127.0.0.1",))

    async def work() -> list[Answer]:
        one = fetcher()
        twice = [await one.get(site.url("/missing")) for _ in range(2)]
        return twice + [await one.get(f"http://127.0.0.2:{away}/{number}") for number in range(4)]

    first, second, *others = asyncio.run(work())
    assert (first, site.asked["/missing"]) == (second, 1)
    assert ["no connection" in found.problem for found in others] == [True, True, False, False]
    assert "could not be reached before in this run" in others[3].problem


def test_the_budget_holds_over_all(site: Site) -> None:
    """When the seconds for all requests are used up, every other URL fails with that reason, at once."""
    site.pages["/slow"] = site.drip

    async def work() -> list[Answer]:
        one = fetcher(budget=0.5, timeout=10)
        return [await one.get(site.url("/slow")), await one.get(site.url("/other"))]

    started = time.monotonic()
    assert ["all fetching (0.5 s" in found.problem for found in asyncio.run(work())] == [True, True]
    assert time.monotonic() - started < 3
    assert site.asked["/other"] == 0


def test_a_host_is_asked_one_thing_at_a_time(site: Site) -> None:
    """Pauses between requests to one host, however many want something of it."""
    times: list[float] = []

    def page(handler: object) -> None:
        times.append(time.monotonic())
        answer(200, b"x")(handler)

    site.pages |= {f"/{number}": page for number in range(4)}

    async def work() -> None:
        one = fetcher()
        await asyncio.gather(*(one.get(site.url(f"/{number}")) for number in range(4)))

    asyncio.run(work())
    assert len(times) == 4
    assert min(later - earlier for earlier, later in pairwise(times)) >= 0.09


def test_a_resolver_that_hangs_holds_nobody() -> None:
    """The time limit covers the look-up of the name, and the end of the run does not wait for it."""
    started = time.monotonic()
    found = get("http://slow.example/", resolve=lambda *_: time.sleep(4) or ["127.0.0.1"])
    assert "no whole answer within 1 s" in found.problem
    assert time.monotonic() - started < 3


def test_kept_answers(site: Site, tmp_path: Path) -> None:
    """From disk until its time is over, at most a week; unless a fresh one is wanted."""
    site.pages["/a"] = b"old"
    now = [NOW]

    def run(*, fresh: bool = False) -> tuple[bytes | None, bool]:
        one = fetcher(cache=Cache(tmp_path / "c", NOW), clock=lambda: now[0])
        found = asyncio.run(one.get(site.url("/a"), fresh=fresh))
        assert one.keep(found, NOW + timedelta(days=30)) == ""
        return found.body, found.cached

    assert run() == (b"old", False)
    site.pages["/a"] = b"new"
    assert run() == (b"old", True)
    now[0] = NOW + timedelta(days=8)
    assert run() == (b"new", False)
    now[0] = NOW
    site.pages["/a"] = b"newer"
    assert run(fresh=True) == (b"newer", False)
    assert site.asked["/a"] == 3
