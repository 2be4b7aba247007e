"""All sources, all domains, one budget: whatever fails, the search ends in time, says so once, and concludes nothing."""

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from ct.searching import BAD, DOMAIN, NOW, Routes, certificate, crtsh_site, identity, run, sslmate_site, total
from servers.http_site import Site

from dnscertscan.ct import sources
from dnscertscan.ct.budget import Budget
from dnscertscan.ct.registrable import Domains, sort_domains
from dnscertscan.ct.search import Wanted, open_sources, search_all
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_values import Source
from dnscertscan.ct.sources import PLACES, SOURCES
from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict

TEN = sort_domains(DnsName(f"www.d{number}.com") for number in range(10))
ONE = sort_domains([DOMAIN])


@pytest.fixture
def crtsh() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def sslmate() -> Iterator[Site]:
    with Site() as running:
        yield running


def search(domains: Domains, *wanted: Wanted, **changed: object) -> tuple[Sightings, list[str]]:
    """Open the sources, ask, close."""

    async def work(means: Means) -> Sightings:
        opened = open_sources(wanted, means, {"TOKEN": "t"})
        try:
            return await search_all(domains, opened, means.budget, means.clock, means.note)
        finally:
            for source in opened:
                await source.aclose()

    return run(work, **changed)


def wanted(kind: str, site: Site) -> Wanted:
    return Wanted(kind, site.url(""), per_minute=60_000)


def test_one_issuance_of_two_sources(crtsh: Site, sslmate: Site) -> None:
    """The precertificate at one, the certificate at the other: one sighting; nothing is noted."""
    precert, final = certificate("www.watched.com", serial=77, precert=True), certificate("www.watched.com", serial=77)
    crtsh_site(crtsh, {1: precert})
    sslmate_site(sslmate, {1: final})
    found, notes = search(ONE, wanted("crt.sh", crtsh), wanted("sslmate", sslmate))
    ((key, sighting),) = found.issuances.items()
    assert (key, sighting.sources, sighting.issuance.precert) == (identity(final), ("crt.sh", "sslmate"), False)
    assert (notes, found.conflicts, dict(found.unavailable), found.at) == ([], (), {}, NOW)
    assert found.complete_as_of(DOMAIN) == NOW


@pytest.mark.parametrize("mode", BAD)
def test_everything_fails(crtsh: Site, sslmate: Site, mode: str) -> None:
    """In every mode: no issuance, nothing absent, one line for each source, and each is left alone after three domains."""
    crtsh.pages = sslmate.pages = Routes(lambda *_: BAD[mode])
    found, notes = search(TEN, wanted("crt.sh", crtsh), wanted("sslmate", sslmate), attempts=1)
    assert found.issuances == {}
    assert all(answer.verdict is Verdict.UNAVAILABLE and not answer.complete for answer in found.answers)
    assert len(found.answers) == 20
    assert set(found.unavailable) == set(TEN.public)
    assert all(found.complete_as_of(domain) is None for domain in TEN.public)
    assert len(notes) == 2
    assert all(note.isprintable() for note in notes)
    assert all(f"{name}: no answer for 10 of 10 domains (d0.com, d1.com, d2.com and 7 more)" in "\n".join(notes)
               for name in ("crt.sh", "sslmate"))
    if mode != "429":  # there the budget ends it sooner
        assert all("left alone for the rest of the run after 3 failures in a row" in note for note in notes)
        assert (total(crtsh), total(sslmate)) == (6, 3)


def test_a_silent_service_costs_the_budget(crtsh: Site, sslmate: Site) -> None:
    """One drips for ever: the other one's answers are there, in time, and the ten domains are accounted for."""
    crtsh.pages = Routes(lambda *_: crtsh.drip)
    sslmate_site(sslmate, {1: certificate("www.d3.com")})
    before = time.monotonic()
    found, notes = search(TEN, wanted("crt.sh", crtsh), wanted("sslmate", sslmate), budget=Budget(1), timeout=30.0)
    assert time.monotonic() - before < 4
    assert [answer.verdict for answer in found.answers if answer.source == "crt.sh"] == [Verdict.UNAVAILABLE] * 10
    assert len(found.issuances) == 1
    assert "was used up" in notes[0]


def test_pace_and_budget_together(crtsh: Site) -> None:
    """Sixty a minute: with five at once, more domains than time allows are not come to, at once and not after a wait."""
    crtsh_site(crtsh, {})
    before = time.monotonic()
    found, notes = search(TEN, Wanted("crt.sh", crtsh.url("")), budget=Budget(2.5))
    assert time.monotonic() - before < 4
    assert 5 <= total(crtsh) <= 8
    verdicts = [answer.verdict for answer in found.answers]
    assert Verdict.ABSENT in verdicts
    assert verdicts[-1] is Verdict.UNAVAILABLE
    assert len(notes) == 1


def test_internal_domains_stay_inside(crtsh: Site, tmp_path: Path) -> None:
    """No request has the name of an internal zone; a source on this machine is asked for it; it is said."""
    (tmp_path / "certs").mkdir()
    crtsh_site(crtsh, {})
    domains = sort_domains(map(DnsName, ("www.watched.com", "dc.corp.internal", "192.0.2.1")))
    found, notes = search(domains, wanted("crt.sh", crtsh), Wanted("certspotter", str(tmp_path)))
    asked = {(answer.source, answer.domain.text) for answer in found.answers}
    assert asked == {("crt.sh", "watched.com"), ("certspotter", "watched.com"), ("certspotter", "corp.internal")}
    assert not any("internal" in path for path in crtsh.asked)
    assert notes == ["internal domains are told to no search service outside: corp.internal"]
    assert found.left_out == ((DnsName("192.0.2.1"), "it is an address"),)


def test_a_source_that_comes_back_is_forgiven(crtsh: Site) -> None:
    """Two failures, one answer, two failures: all ten domains are asked for."""

    def route(_path: str, query: dict[str, str]) -> object:
        return b"[]" if query["q"].endswith(("d2.com", "d5.com", "d8.com")) else BAD["403"]

    crtsh.pages = Routes(route)  # type: ignore[arg-type] - pages of both kinds
    found, _ = search(TEN, wanted("crt.sh", crtsh))
    assert [answer.verdict is Verdict.ABSENT for answer in found.answers] == [False, False, True] * 3 + [False]
    assert not any("left alone" in answer.reason for answer in found.answers)


class Stuck:
    """A source that does not even listen to its budget."""

    name, outside = "stuck", True

    def __init__(self) -> None:
        self.cancelled = False

    async def search(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError(domain, since)

    async def aclose(self) -> None:
        """Nothing."""


def test_a_source_that_hangs_is_cancelled() -> None:
    """A second after the budget, at most; the caller's own cancellation reaches it, too."""
    stuck = Stuck()
    source: Source = stuck
    found, notes = run(lambda means: search_all(ONE, [source], Budget(0.1), means.clock, means.note))
    assert stuck.cancelled
    assert found.answers[0].verdict is Verdict.UNAVAILABLE
    assert len(notes) == 1
    again = Stuck()

    async def cancelled(means: Means) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await search_all(ONE, [again], Budget(30), means.clock, means.note)

    run(cancelled)
    assert again.cancelled


def test_nothing_to_ask() -> None:
    """No sources, no domains: an empty answer, nothing said."""
    assert search(ONE)[1] == []
    assert search(Domains((), (), ()), Wanted("sslmate", "http://127.0.0.1:1"))[0].answers == ()


def test_every_source_is_registered() -> None:
    """A file in the folder that is not listed would be a source nobody can name."""
    folder = Path(sources.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "base"}
    assert {factory.__module__.rpartition(".")[2] for factory in SOURCES.values()} == files


def test_opening_sources() -> None:
    """Every registered one; an unknown name, a missing folder, a token that is no reference or not set are usage errors."""
    assert set(SOURCES) == {"crtsh", "crtsh-sql", "sslmate", "certspotter"}
    assert set(PLACES) == set(SOURCES) - {"certspotter"}
    for bad, words in (
        (Wanted("sslmat"), "did you mean 'sslmate'"), (Wanted("certspotter"), "needs a place"),
        (Wanted("sslmate", token="geheim"), "must be a reference"), (Wanted("sslmate", token="env:NOT_THERE"), "is not set"),
        (Wanted("crt.sh-sql", "postgresql://guest:geheim@crt.sh/x"), "password"),
        (Wanted("crt.sh-sql", "what is this"), "no PostgreSQL"),
        (Wanted("sslmate", "http://api.example", token="env:TOKEN"), "https"), (Wanted("crt.sh", "ftp://crt.sh"), "http"),
    ):
        with pytest.raises(UsageError, match=words) as caught:
            search(ONE, bad)
        assert "geheim" not in str(caught.value)
