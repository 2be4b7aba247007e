"""Sources that are asked in steps: no domain is starved, what was found once stays found, a bug costs one answer."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ct.searching import BAD, DOMAIN, NOW, Routes, certificate, crtsh_row, crtsh_site, identity, run, sslmate_row, sslmate_site
from servers.http_site import Page, Site

from dnscertscan.ct.aside import aside
from dnscertscan.ct.budget import Budget
from dnscertscan.ct.registrable import Domains, sort_domains
from dnscertscan.ct.search import search_all
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_reading import Problems
from dnscertscan.ct.search_values import Stepwise
from dnscertscan.ct.sources import sslmate as sslmate_module
from dnscertscan.ct.sources.certspotter import CertSpotter
from dnscertscan.ct.sources.crtsh import CrtSh
from dnscertscan.ct.sources.sslmate import SslMate
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict

SIX = sort_domains(DnsName(f"www.d{number}.com") for number in range(6))
NEXT_DAY = NOW + timedelta(days=1)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def search(kind: type[CrtSh] | type[SslMate], site: Site, domains: Domains, **changed: object) -> Sightings:
    async def work(means: Means) -> Sightings:
        source = kind(means, site.url(""), per_minute=60_000)
        return await search_all(domains, [source], means.budget, means.clock, means.note)

    return run(work, **changed)[0]


def by_name(site: Site, fail: set[str]) -> dict[str, bytes]:
    """SSLMate with one certificate for each of the domains that are asked for; ``fail`` get 403."""
    ders: dict[str, bytes] = {}

    def route(_path: str, query: dict[str, str]) -> Page | None:
        name = query["domain"]
        if name in fail or "*" in fail:
            return BAD["403"]
        if "after" in query:
            return b"[]"
        number = len(ders) + 1
        der = ders.setdefault(name, certificate(f"rogue.{name}"))
        return _json([sslmate_row(number, der)])

    site.pages = Routes(route)
    return ders


def _json(rows: list[dict[str, object]]) -> bytes:
    return json.dumps(rows).encode()


def test_what_was_found_yesterday_is_there_when_the_source_is_left_alone(site: Site, tmp_path: Path) -> None:
    """Three domains fail, the others are not asked for: what is kept of all six counts, and all six are unavailable."""
    path, fail = tmp_path / "search.sqlite", set[str]()
    ders = by_name(site, fail)
    assert len(search(SslMate, site, SIX, path=path).issuances) == 6
    fail.add("*")
    site.asked.clear()
    found = search(SslMate, site, SIX, path=path, clock=lambda: NEXT_DAY)
    assert sum(site.asked.values()) == 3
    assert set(found.issuances) == set(map(identity, ders.values()))
    assert [(one.verdict, one.as_of, one.complete) for one in found.answers] == [(Verdict.UNAVAILABLE, NOW, False)] * 6
    assert sum("left alone" in one.reason for one in found.answers) == 3


def test_what_was_found_yesterday_is_there_when_the_time_is_up(site: Site, tmp_path: Path) -> None:
    """The first question hangs until the end of all time."""
    path = tmp_path / "search.sqlite"
    ders = by_name(site, set())
    search(SslMate, site, SIX, path=path)
    site.pages = Routes(lambda *_: site.drip)
    found = search(SslMate, site, SIX, path=path, clock=lambda: NEXT_DAY, budget=Budget(0.5), timeout=30.0)
    assert set(found.issuances) == set(map(identity, ders.values()))
    assert {(one.verdict, one.truncated) for one in found.answers} == {(Verdict.UNAVAILABLE, True)}


def test_who_was_asked_for_longest_ago_is_first(site: Site, tmp_path: Path) -> None:
    """The first three fail on the first day, and the source is left alone; on the second day it is the others' turn."""
    path, fail = tmp_path / "search.sqlite", {"d0.com", "d1.com", "d2.com"}
    by_name(site, fail)
    assert search(SslMate, site, SIX, path=path).issuances == {}
    second = search(SslMate, site, SIX, path=path, clock=lambda: NEXT_DAY)
    assert [one.verdict for one in second.answers] == [Verdict.UNAVAILABLE] * 3 + [Verdict.FOUND] * 3
    fail.clear()
    site.asked.clear()
    search(SslMate, site, SIX, path=path, clock=lambda: NEXT_DAY + timedelta(days=1))
    assert len({path.partition("&")[0] for path in site.asked}) == 6


def test_lists_of_all_domains_come_before_certificates(site: Site) -> None:
    """Then each domain has its turn: the one with many certificates holds up nobody."""
    asked: list[str] = []
    ders = {number: certificate(f"h{number}.d{0 if number < 20 else number - 20}.com") for number in (*range(1, 13), 21, 25)}

    def route(_path: str, query: dict[str, str]) -> Page | None:
        asked.append("list" if "q" in query else "big" if int(query["d"]) < 20 else "small")
        if "d" in query:
            return ders[int(query["d"])]
        domain = query["q"].removeprefix("%.")
        wanted = range(1, 20) if domain == "d0.com" else (20 + int(domain[1]),)
        return _json([crtsh_row(number, ders[number]) for number in wanted if number in ders])

    site.pages = Routes(route)
    found = search(CrtSh, site, SIX)
    assert set(found.issuances) == set(map(identity, ders.values()))
    assert not any(answer.truncated for answer in found.answers)
    assert asked == ["list"] * 12 + ["big"] * 5 + ["small"] * 2 + ["big"] * 7


def test_certificates_of_a_run_that_was_cut_off_are_not_fetched_again(site: Site, tmp_path: Path) -> None:
    """The list and each certificate are kept at once, and the next run puts them together."""
    ders = {number: certificate(f"h{number}.watched.com") for number in range(1, 4)}
    crtsh_site(site, ders)
    path = tmp_path / "search.sqlite"

    async def cut(means: Means) -> None:
        source = CrtSh(means, site.url(""), per_minute=60_000)
        await source.begin(DOMAIN)
        await source._fetch(source._open[DOMAIN])

    run(cut, path=path)
    result = run(lambda means: CrtSh(means, site.url(""), per_minute=60_000).search(DOMAIN), path=path)[0]
    assert {one.tbs_sha256 for one in result.issuances} == set(map(identity, ders.values()))
    assert not result.truncated
    assert Counter(site.asked[asked] for asked in site.asked if "?d=" in asked) == {1: 3}


def test_a_bug_in_one_source_costs_one_answer(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is; the other domains and the other sources have their answers."""
    by_name(site, set())
    real = sslmate_module.read_row

    def broken(raw: object, domain: DnsName, problems: Problems) -> object:
        if domain.text == "d2.com":
            raise KeyError("x\x1b")
        return real(raw, domain, problems)

    monkeypatch.setattr(sslmate_module, "read_row", broken)
    found = search(SslMate, site, SIX)
    assert len(found.issuances) == 5
    (one,) = (answer for answer in found.answers if answer.verdict is Verdict.UNAVAILABLE)
    assert (one.domain.text, one.reason) == ("d2.com", r"KeyError: 'x\x1b' (a bug in dnscertscan; please report it)")


def test_a_bug_between_answers_costs_one_source(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the order is found out: every domain of this source is unavailable, the other source is not touched."""
    by_name(site, set())

    async def broken(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(CrtSh, "in_order", broken)

    async def work(means: Means) -> Sightings:
        sources = [CrtSh(means, site.url("")), SslMate(means, site.url(""), per_minute=60_000)]
        return await search_all(SIX, sources, means.budget, means.clock, means.note)

    found, notes = run(work)
    assert len(found.issuances) == 6
    silent = [answer for answer in found.answers if answer.verdict is Verdict.UNAVAILABLE]
    assert {(one.source, one.truncated) for one in silent} == {("crt.sh", False)}
    assert len(silent) == 6
    assert ["ZeroDivisionError" in note for note in notes] == [True]


@pytest.mark.parametrize("problem", [ValueError("year"), KeyError("x"), StopIteration(), RuntimeError("r")])
def test_work_aside_always_ends(problem: Exception) -> None:
    """Whatever it raises, the caller hears of it and does not wait."""

    def work() -> None:
        raise problem

    async def main() -> None:
        async with asyncio.timeout(5):
            await aside(work)

    with pytest.raises(RuntimeError if isinstance(problem, StopIteration) else type(problem)):
        asyncio.run(main())


def test_internal_domains_without_a_source_inside(site: Site, tmp_path: Path) -> None:
    """Nobody is asked for them, and that is in the result; with a source inside they are asked for there."""
    domains = sort_domains([DnsName("dc.corp.internal")])
    found = search(SslMate, site, domains)
    assert (found.answers, [name.text for name, _ in found.left_out]) == ((), ["corp.internal"])
    assert "no search service outside" in found.left_out[0][1]
    (tmp_path / "certs").mkdir()
    inside = run(lambda means: search_all(
        domains, [CertSpotter(means, str(tmp_path))], means.budget, means.clock, means.note
    ))[0]
    assert (len(inside.answers), inside.left_out) == (1, ())


def test_one_source_says_that_it_is_revoked(site: Site) -> None:
    """Then it is: the others did not look."""
    der = certificate("www.watched.com")
    sslmate_site(site, {1: der})
    row = run(lambda means: SslMate(means, site.url(""), per_minute=60_000).search(DOMAIN))[0].issuances[0]
    for revoked in (False, True):
        other = SearchResult("b", DOMAIN, Verdict.FOUND, (replace(row, source="b", revoked=revoked),))
        found = merge([SearchResult("a", DOMAIN, Verdict.FOUND, (row,)), other])
        assert found.issuances[identity(der)].issuance.revoked is revoked


def test_which_sources_go_in_steps(site: Site) -> None:
    """Those whose answers are kept; a folder is read at once."""

    async def work(means: Means) -> list[bool]:
        sources = (CrtSh(means, site.url("")), SslMate(means, site.url("")), CertSpotter(means, "."))
        return [isinstance(source, Stepwise) for source in sources]

    assert run(work)[0] == [True, True, False]
