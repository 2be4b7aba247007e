"""SSLMate's API: all pages until the empty one, from where the last run stopped; nothing else is an end."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ct.searching import BAD, DOMAIN, NOW, Routes, certificate, identity, run, sslmate_row, sslmate_site, total
from servers.http_site import Page, Site

from dnscertscan.ct.sources.sslmate import SslMate
from dnscertscan.model.sightings import SearchResult, Verdict


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def search(site: Site, token: str = "", **changed: object) -> SearchResult:
    """One search for the watched domain."""
    return run(lambda means: SslMate(means, site.url(""), token, per_minute=60_000).search(DOMAIN), **changed)[0]


def test_all_pages(site: Site) -> None:
    """Five issuances in pages of two and the empty page: found and complete."""
    ders = {number: certificate(f"h{number}.watched.com", precert=number == 3) for number in range(1, 6)}
    sslmate_site(site, ders)
    result = search(site)
    assert (result.verdict, result.complete, result.truncated, result.problems) == (Verdict.FOUND, True, False, ())
    assert [one.tbs_sha256 for one in result.issuances] == [identity(der) for der in ders.values()]
    assert result.issuances[0].issuer_spki_sha256 == "ab" * 32
    assert (result.issuances[2].precert, result.issuances[2].cert_sha256) == (True, None)
    assert total(site) == 4
    assert "include_subdomains=true&match_wildcards=true&expand=dns_names&expand=issuer&expand=cert_der" in next(iter(site.asked))


def test_the_token_goes_along(site: Site) -> None:
    """As a Bearer token with each request; without one nothing is sent."""
    sslmate_site(site, {})
    search(site, token="k3_secret")
    search(site)
    ((_, headers),) = site.headers.items()
    assert "Authorization" not in headers
    search(site, token="k3_secret")
    assert next(iter(site.headers.values()))["Authorization"] == "Bearer k3_secret"


def test_an_empty_list_is_absent(site: Site) -> None:
    """Here it is the documented end of the list: a plain absent, of unexpired issuances."""
    sslmate_site(site, {})
    result = search(site)
    assert (result.verdict, result.complete, result.as_of) == (Verdict.ABSENT, True, NOW)
    assert result.reason == "unexpired issuances only"


@pytest.mark.parametrize("mode", BAD)
def test_no_answer_is_never_absent(site: Site, mode: str) -> None:
    """Whatever comes in place of a page: unavailable."""
    site.pages = Routes(lambda *_: BAD[mode])
    result = search(site)
    assert (result.verdict, result.issuances, result.complete) == (Verdict.UNAVAILABLE, (), False)
    assert result.reason.isprintable()
    assert result.reason


@pytest.mark.parametrize("mode", BAD)
def test_a_list_that_breaks_off(site: Site, mode: str, tmp_path: Path) -> None:
    """The first page counts, the answer is truncated; the next run goes on behind it and ends complete."""
    ders = {number: certificate(f"h{number}.watched.com") for number in range(1, 5)}
    sslmate_site(site, ders)
    whole = site.pages

    def route(path: str, query: dict[str, str]) -> Page | None:
        return BAD[mode] if query.get("after") == "2" else whole.get(f"{path}?after={query.get('after', 0)}")

    site.pages = Routes(route)
    path = tmp_path / "search.sqlite"
    first = search(site, path=path)
    assert (first.verdict, first.complete, first.truncated, len(first.issuances)) == (Verdict.FOUND, False, True, 2)
    assert "not complete: after 1 pages" in first.reason
    site.pages = whole
    site.asked.clear()
    second = search(site, path=path)
    assert (second.complete, second.truncated, len(second.issuances)) == (True, False, 4)
    assert all("after=" in asked for asked in site.asked)


def test_a_later_run_asks_for_what_is_new(site: Site, tmp_path: Path) -> None:
    """Nothing within the hour; then one page with the new ones and the empty one."""
    ders = {number: certificate(f"h{number}.watched.com") for number in range(1, 4)}
    sslmate_site(site, ders)
    path = tmp_path / "search.sqlite"
    first = search(site, path=path)
    asked = total(site)
    assert search(site, path=path) == first
    assert total(site) == asked
    ders[4] = certificate("new.watched.com")
    later = search(site, path=path, clock=lambda: NOW + timedelta(hours=2))
    assert [one.tbs_sha256 for one in later.issuances] == [identity(der) for der in ders.values()]
    assert total(site) == asked + 2


def test_pages_that_do_not_go_on(site: Site) -> None:
    """The same page for ever, or a last row without id: an end is made, and it is no complete answer."""
    row = sslmate_row(1, certificate("www.watched.com"))
    site.pages = Routes(lambda *_: json.dumps([row]).encode())
    same = search(site)
    assert (same.complete, same.truncated, total(site)) == (False, True, 2)
    site.pages = Routes(lambda *_: json.dumps([row, {"no": "id"}]).encode())
    assert (search(site).complete, search(site).truncated) == (False, True)


def test_a_row_that_cannot_be_used_makes_the_answer_incomplete(site: Site, tmp_path: Path) -> None:
    """Nothing follows from what is missing when something could not be read, also when the next run finds nothing new."""
    good = sslmate_row(2, certificate("www.watched.com"))

    def route(_path: str, query: dict[str, str]) -> Page | None:
        return b"[]" if "after" in query else json.dumps([17, good]).encode()

    site.pages = Routes(route)
    for hours in (0, 2):
        result = search(site, path=tmp_path / "search.sqlite", clock=lambda hours=hours: NOW + timedelta(hours=hours))
        assert (result.verdict, result.complete, result.problems) == (
            Verdict.FOUND, False, ("row: int where an issuance is due",)
        )


def test_a_tbs_hash_that_is_not_that_of_the_certificate(site: Site) -> None:
    """The certificate counts, and the difference is told."""
    der = certificate("www.watched.com")
    row = sslmate_row(1, der, tbs_sha256="00" * 32)
    site.pages = Routes(lambda _path, query: b"[]" if "after" in query else json.dumps([row]).encode())
    result = search(site)
    assert [one.tbs_sha256 for one in result.issuances] == [identity(der)]
    assert "not that of its certificate" in result.problems[0]


def test_an_odd_row_is_no_burden_for_ever(site: Site, tmp_path: Path) -> None:
    """Its problem ends with the row itself, and sooner when the service mends it; expired rows go, too."""
    fine, short = certificate("www.watched.com", days=80), certificate("old.watched.com")
    end = (NOW + timedelta(days=5)).isoformat()
    odd = sslmate_row(3, fine, cert_der=None, tbs_sha256=None, not_after=end)
    rows = [sslmate_row(1, short), sslmate_row(2, fine), odd]

    def route(_path: str, query: dict[str, str]) -> Page | None:
        return json.dumps([row for row in rows if int(str(row["id"])) > int(query.get("after", 0))]).encode()

    site.pages = Routes(route)

    def after(days: float, path: Path = tmp_path / "search.sqlite") -> SearchResult:
        return search(site, path=path, clock=lambda: NOW + timedelta(days=days))

    assert [after(days).complete for days in (0, 4)] == [False, False]
    assert after(6).complete
    assert len(after(7.5).issuances) == 3
    rows[:] = [rows[1]]  # the service has no expired ones
    assert {one.tbs_sha256 for one in after(81).issuances} == {identity(fine)}
    odd["not_after"] = None
    rows.append(odd)
    rows.insert(0, sslmate_row(1, short))
    other = tmp_path / "other.sqlite"
    assert [after(days, other).complete for days in (0, 6)] == [False, False]
    rows[-1] = sslmate_row(3, certificate("mended.watched.com", days=80))
    assert not after(6.5, other).complete
    mended = after(7, other)
    assert (mended.complete, len(mended.issuances)) == (True, 3)


def test_a_wildcard_above_the_domain_is_no_problem(site: Site) -> None:
    """The service is asked for wildcards that match, and gives those of the suffix as well; other names are a problem."""
    rows = [sslmate_row(1, certificate("www.watched.com")), sslmate_row(2, certificate("*.com"))]
    site.pages = Routes(lambda _path, query: b"[]" if "after" in query else json.dumps(rows).encode())
    result = search(site)
    assert (result.complete, result.problems, len(result.issuances)) == (True, (), 1)
    rows.append(sslmate_row(3, certificate("*.www.com")))
    assert (search(site).complete, len(search(site).problems)) == (False, 1)


@pytest.mark.parametrize(
    ("said", "revoked"),
    [
        ({"revoked": True}, True), ({"revoked": None}, False), ({"revoked": "yes"}, False), ({"revoked": False}, False),
        ({"revocation": {"time": "2026-05-30T00:00:00Z", "reason": 1}}, True), ({"revocation": {"time": None}}, False),
    ],
)
def test_what_is_revoked(site: Site, said: dict[str, object], revoked: bool, tmp_path: Path) -> None:
    """It is told with the issuance, of an answer that is kept as well; what is no plain yes is none."""
    row = sslmate_row(1, certificate("www.watched.com"), **said)
    site.pages = Routes(lambda _path, query: b"[]" if "after" in query else json.dumps([row]).encode())
    for _ in range(2):
        assert [one.revoked for one in search(site, path=tmp_path / "search.sqlite").issuances] == [revoked]
    assert total(site) == 2


def test_what_is_revoked_later(site: Site, tmp_path: Path) -> None:
    """The list is read from its beginning once a week, so that it is known then."""
    row = sslmate_row(1, certificate("www.watched.com"))
    site.pages = Routes(lambda _path, query: b"[]" if "after" in query else json.dumps([row]).encode())
    told = []
    for days in (0, 6, 7):
        row["revoked"] = days > 0
        result = search(site, path=tmp_path / "search.sqlite", clock=lambda days=days: NOW + timedelta(days=days))
        told += [one.revoked for one in result.issuances]
    assert told == [False, False, True]


def test_a_row_without_certificate(site: Site) -> None:
    """What the service says of it is all there is: its TBS hash, its names."""
    row = sslmate_row(1, certificate("www.watched.com"), tbs_sha256="AA" * 32, cert_der=None)
    site.pages = Routes(lambda _path, query: b"[]" if "after" in query else json.dumps([row]).encode())
    (one,) = search(site).issuances
    assert (one.tbs_sha256, one.der, one.names) == ("aa" * 32, None, ("www.watched.com",))
