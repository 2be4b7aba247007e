"""crt.sh over HTTP: rows and certificates are found; nothing that is no list is ever taken for an empty one."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ct.searching import BAD, DOMAIN, NOW, OTHER, Routes, certificate, crtsh_row, crtsh_site, identity, run, total
from servers.http_site import Page, Site, answer, in_turn

from dnscertscan.ct.budget import Budget
from dnscertscan.ct.sources.crtsh import MAX_FETCHED, CrtSh
from dnscertscan.model.sightings import SearchResult, Verdict


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def search(site: Site, **changed: object) -> SearchResult:
    """One search for the watched domain."""
    return run(lambda means: CrtSh(means, site.url(""), per_minute=60_000).search(DOMAIN), **changed)[0]


def test_rows_become_issuances(site: Site) -> None:
    """Names, serial, dates and identity of certificate and precertificate, by the certificates that are fetched."""
    final, precert = certificate("www.watched.com", "watched.com"), certificate("mail.watched.com", precert=True)
    crtsh_site(site, {5: final, 9: precert})
    result = search(site)
    assert (result.verdict, result.complete, result.truncated, result.as_of) == (Verdict.FOUND, False, False, NOW)
    by_id = {one.tbs_sha256: one for one in result.issuances}
    assert set(by_id) == {identity(final), identity(precert)}
    assert by_id[identity(final)].names == ("www.watched.com", "watched.com")
    assert (by_id[identity(final)].precert, by_id[identity(precert)].precert) == (False, True)
    assert by_id[identity(precert)].cert_sha256 is None
    assert by_id[identity(final)].der == final
    assert str(by_id[identity(final)].first_seen) == "2026-05-30 01:02:03.456000+00:00"


def test_both_questions_are_asked(site: Site) -> None:
    """The domain itself and everything below it, both as values of the query, expired ones left out."""
    crtsh_site(site, {})
    search(site)
    assert set(site.asked) == {
        f"/?q={name}&output=json&exclude=expired&deduplicate=Y" for name in ("watched.com", "%25.watched.com")
    }


def test_an_empty_array_is_not_the_whole_truth(site: Site) -> None:
    """crt.sh says [] under load, too: absent, and not complete."""
    crtsh_site(site, {})
    result = search(site)
    assert (result.verdict, result.complete) == (Verdict.ABSENT, False)


@pytest.mark.parametrize("mode", BAD)
def test_no_answer_is_never_absent(site: Site, mode: str) -> None:
    """Whatever comes in place of a list: unavailable, with a reason that is safe to show."""
    site.pages = Routes(lambda *_: BAD[mode])
    result = search(site)
    assert (result.verdict, result.issuances, result.complete) == (Verdict.UNAVAILABLE, (), False)
    assert result.reason.isprintable()
    assert result.reason


def test_half_an_answer(site: Site) -> None:
    """One question answered with [], the other one with an error: nothing is absent. With rows: found, truncated."""
    row = certificate("www.watched.com")

    def route(_path: str, query: dict[str, str]) -> Page | None:
        if query.get("q") == "watched.com":
            return json.dumps(rows).encode()
        return BAD["502"] if "q" in query else row

    site.pages = Routes(route)
    rows: list[object] = []
    assert search(site).verdict is Verdict.UNAVAILABLE
    rows.append(crtsh_row(1, row))
    result = search(site)
    assert (result.verdict, result.truncated, len(result.issuances)) == (Verdict.FOUND, True, 1)
    assert "only a part of the list: crt.sh answered 502" in result.reason


def test_a_passing_fault_is_overcome(site: Site) -> None:
    """502, then HTML, then rows."""
    der = certificate("www.watched.com")
    page = in_turn(BAD["502"], BAD["html"], answer(200, json.dumps([crtsh_row(1, der)]).encode()))
    site.pages = Routes(lambda _path, query: der if "d" in query else page)
    assert search(site, attempts=3).verdict is Verdict.FOUND


def test_retry_after_is_kept_to(site: Site) -> None:
    """The next request comes when the service asked for it, not before."""
    der = certificate("www.watched.com")
    page = in_turn(answer(429, b"", Retry_After="1"), answer(200, json.dumps([crtsh_row(1, der)]).encode()))
    site.pages = Routes(lambda _path, query: der if "d" in query else page)
    before = time.monotonic()
    assert search(site).verdict is Verdict.FOUND
    assert time.monotonic() - before >= 0.9


def test_certificates_that_do_not_come(site: Site) -> None:
    """The row is there, without identity; the answer says so and is truncated."""
    der = certificate("www.watched.com")
    site.pages = Routes(lambda _path, query: BAD["html"] if "d" in query else json.dumps([crtsh_row(1, der)]).encode())
    result = search(site)
    assert (result.verdict, result.truncated) == (Verdict.FOUND, True)
    assert [one.tbs_sha256 for one in result.issuances] == [""]
    assert "certificates are missing" in result.reason


def test_a_certificate_of_another_row(site: Site) -> None:
    """A certificate with another serial number than its row gives the row no identity."""
    der = certificate("www.watched.com")
    other = certificate("x.watched.com")
    site.pages = Routes(lambda _path, query: other if "d" in query else json.dumps([crtsh_row(1, der)]).encode())
    result = search(site)
    assert [one.tbs_sha256 for one in result.issuances] == [""]
    assert "has serial" in result.problems[0]


def test_only_so_many_certificates_in_a_run(site: Site, tmp_path: Path) -> None:
    """Newest first; the next runs fetch the others and none of them again."""
    ders = {number: certificate("www.watched.com", days=number % 9) for number in range(1, MAX_FETCHED + 11)}
    crtsh_site(site, ders)
    first = search(site, path=tmp_path / "search.sqlite")
    assert first.truncated
    assert sum(bool(one.tbs_sha256) for one in first.issuances) == MAX_FETCHED
    assert sum("?d=" in path for path in site.asked) == MAX_FETCHED
    missing = [one for one in first.issuances if not one.tbs_sha256]
    assert max(one.not_before for one in missing if one.not_before) <= min(
        one.not_before for one in first.issuances if one.tbs_sha256 and one.not_before
    )
    second = search(site, path=tmp_path / "search.sqlite")
    assert not second.truncated
    assert {one.tbs_sha256 for one in second.issuances} == set(map(identity, ders.values()))
    assert all(count == 1 for path, count in site.asked.items() if "?d=" in path)


def test_a_fresh_answer_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    """Nothing is sent within the hour; after it the list, but no certificate, is fetched again."""
    der = certificate("www.watched.com")
    crtsh_site(site, {1: der})
    path = tmp_path / "search.sqlite"
    first = search(site, path=path)
    asked = total(site)
    assert search(site, path=path, clock=lambda: NOW + timedelta(minutes=59)) == first
    assert total(site) == asked
    later = search(site, path=path, clock=lambda: NOW + timedelta(minutes=61))
    assert later.as_of == NOW + timedelta(minutes=61)
    assert total(site) == asked + 2


def test_what_was_there_is_not_forgotten(site: Site, tmp_path: Path) -> None:
    """A list that is suddenly empty, and no answer at all: what the logs had an hour ago they still have."""
    der = certificate("www.watched.com")
    crtsh_site(site, {1: der})
    path = tmp_path / "search.sqlite"
    search(site, path=path)
    crtsh_site(site, {})
    empty = search(site, path=path, clock=lambda: NOW + timedelta(hours=2))
    assert (empty.verdict, [one.tbs_sha256 for one in empty.issuances]) == (Verdict.FOUND, [identity(der)])
    site.pages = Routes(lambda *_: BAD["502"])
    gone = search(site, path=path, clock=lambda: NOW + timedelta(hours=4))
    assert (gone.verdict, gone.as_of) == (Verdict.UNAVAILABLE, NOW + timedelta(hours=2))
    assert [one.tbs_sha256 for one in gone.issuances] == [identity(der)]


def test_serials_of_several_rows(site: Site) -> None:
    """Two rows of one CA and serial are both fetched: the same issuance, or a conflict to be seen."""
    one, two = certificate("www.watched.com", serial=4711), certificate("evil.watched.com", serial=4711)
    crtsh_site(site, {1: one, 2: two})
    assert {found.tbs_sha256 for found in search(site).issuances} == {identity(one), identity(two)}


def test_the_time_is_up(site: Site) -> None:
    """A service that drips costs the budget, not more, and that is no failure of the service."""
    site.pages = Routes(lambda *_: site.drip)
    before = time.monotonic()
    result = search(site, budget=Budget(0.5), timeout=30.0)
    assert time.monotonic() - before < 3
    assert (result.verdict, result.truncated) == (Verdict.UNAVAILABLE, True)
    assert "the time for all searches (0.5 s) was used up" in result.reason


def test_mail_certificates_are_none_of_ours(site: Site) -> None:
    """A row that was found by an e-mail address is left out without a word; one about other names is told."""
    der = certificate("x.y.org", ca=OTHER)
    site.pages = Routes(lambda *_: json.dumps([
        crtsh_row(1, der, name_value="joe@watched.com", common_name="Joe"), crtsh_row(2, der),
    ]).encode())
    result = search(site)
    assert (result.verdict, len(result.problems)) == (Verdict.ABSENT, 1)
    assert "id 2: no name within watched.com" in result.problems[0]
