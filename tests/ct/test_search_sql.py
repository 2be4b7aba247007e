"""crt.sh's PostgreSQL, a real one: certificates with the key of their CA, page by page; errors are never an empty table."""

import hashlib
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from ct.crtsh_database import Certwatch, database
from ct.searching import DOMAIN, NOW, certificate, identity, run
from servers.dns_process import free_port

from dnscertscan.ct.budget import Budget
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.sources import crtsh_sql
from dnscertscan.ct.sources.crtsh_sql import CrtShSql
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Verdict


@pytest.fixture(scope="module")
def server() -> Iterator[Certwatch]:
    with database() as certwatch:
        yield certwatch


@pytest.fixture
def certwatch(server: Certwatch) -> Certwatch:
    server.clear()
    return server


def search(place: str, domain: DnsName = DOMAIN, **changed: object) -> SearchResult:
    """One search with a connection of its own."""

    async def work(means: Means) -> SearchResult:
        source = CrtShSql(means, place, per_minute=60_000)
        try:
            return await source.search(domain)
        finally:
            await source.aclose()

    return run(work, **changed)[0]


def test_certificates_with_the_key_of_their_ca(certwatch: Certwatch) -> None:
    """Identity, names, first entry; an issuer that crt.sh does not know has no key; other domains stay away."""
    final, precert = certificate("www.watched.com", "watched.com"), certificate("mail.watched.com", precert=True)
    certwatch.add(5, final, ca_key=b"\x30key", seen=NOW - timedelta(days=2))
    certwatch.add(6, precert)
    certwatch.add(7, certificate("www.xwatched.com"))
    result = search(certwatch.place)
    assert (result.verdict, result.complete, result.truncated, result.as_of) == (Verdict.FOUND, True, False, NOW)
    one, two = result.issuances
    assert (one.tbs_sha256, one.names) == (identity(final), ("www.watched.com", "watched.com"))
    assert one.first_seen == NOW - timedelta(days=2)
    assert one.issuer_spki_sha256 == hashlib.sha256(b"\x30key").hexdigest()
    assert (two.tbs_sha256, two.precert, two.issuer_spki_sha256, two.first_seen) == (identity(precert), True, None, None)


def test_no_rows_are_absent(certwatch: Certwatch) -> None:
    """A query that ends without rows is an answer; expired certificates are not asked for; names are only values."""
    certwatch.add(1, certificate("www.watched.com", days=-200))
    for domain in (DOMAIN, DnsName("x'; drop table certificate; --"), DnsName("%s")):
        result = search(certwatch.place, domain)
        assert (result.verdict, result.complete) == (Verdict.ABSENT, True)


def test_pages_and_what_is_new(certwatch: Certwatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All pages; within the hour nothing is asked; later only ids that are new, and a few before them."""
    monkeypatch.setattr(crtsh_sql, "_PAGE", 2)
    monkeypatch.setattr(crtsh_sql, "_LATE", 1)
    ders = {number: certificate(f"h{number}.watched.com") for number in range(1, 6)}
    for number, der in ders.items():
        certwatch.add(number, der)
    path = tmp_path / "search.sqlite"
    first = search(certwatch.place, path=path)
    assert [one.tbs_sha256 for one in first.issuances] == [identity(der) for der in ders.values()]
    certwatch.clear()
    certwatch.add(6, certificate("new.watched.com"))
    assert search(certwatch.place, path=path) == first
    later = search(certwatch.place, path=path, clock=lambda: NOW + timedelta(hours=2))
    assert (len(later.issuances), later.complete) == (6, True)


def test_a_list_that_breaks_off(certwatch: Certwatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More pages than one run reads: truncated, and the next run ends it."""
    monkeypatch.setattr(crtsh_sql, "_PAGE", 2)
    monkeypatch.setattr(crtsh_sql, "_MAX_PAGES", 2)
    for number in range(1, 6):
        certwatch.add(number, certificate(f"h{number}.watched.com"))
    first = search(certwatch.place, path=tmp_path / "search.sqlite")
    assert (first.complete, first.truncated, len(first.issuances)) == (False, True, 4)
    second = search(certwatch.place, path=tmp_path / "search.sqlite")
    assert (second.complete, second.truncated, len(second.issuances)) == (True, False, 5)


def test_errors_are_no_answer(certwatch: Certwatch) -> None:
    """A table that is gone, nobody there, no such host or role: unavailable, in one line."""
    certwatch.run("ALTER TABLE ca RENAME TO elsewhere")
    try:
        gone = search(certwatch.place)
    finally:
        certwatch.run("ALTER TABLE elsewhere RENAME TO ca")
    assert (gone.verdict, gone.reason) == (Verdict.UNAVAILABLE, 'crt.sh-sql: relation "ca" does not exist (2 attempts)')
    for place in (f"postgresql://guest@127.0.0.1:{free_port(('127.0.0.1',))}/x", certwatch.place.replace("guest", "nobody")):
        result = search(place)
        assert (result.verdict, result.complete) == (Verdict.UNAVAILABLE, False)
        assert result.reason.isprintable()


def test_a_query_that_takes_too_long(certwatch: Certwatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server ends it at its limit; the budget ends it sooner; no query goes on behind our back."""
    certwatch.run("ALTER FUNCTION identities(bytea) RENAME TO quick")
    certwatch.run("CREATE FUNCTION identities(c bytea) RETURNS tsvector LANGUAGE sql VOLATILE AS "
                  "$$ SELECT pg_sleep(60); SELECT to_tsvector('x') $$")
    certwatch.add(1, certificate("www.watched.com"))
    try:
        before = time.monotonic()
        ours = search(certwatch.place, budget=Budget(0.4))
        assert time.monotonic() - before < 5
        assert (ours.verdict, ours.truncated) == (Verdict.UNAVAILABLE, True)
        monkeypatch.setattr(crtsh_sql, "_STATEMENT", 0.2)
        theirs = search(certwatch.place)
        assert "canceling statement due to statement timeout" in theirs.reason
        assert (theirs.verdict, theirs.truncated) == (Verdict.UNAVAILABLE, False)
        active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND usename = 'guest'"
        assert certwatch.run(active) == []
    finally:
        certwatch.run("DROP FUNCTION identities(bytea)")
        certwatch.run("ALTER FUNCTION quick(bytea) RENAME TO identities")


def test_rows_that_are_over_go(certwatch: Certwatch, tmp_path: Path) -> None:
    """Also those of an answer that is kept: the table has them no more, and nobody needs them."""
    certwatch.add(1, certificate("old.watched.com"))
    certwatch.add(2, certificate("www.watched.com", days=80))
    path = tmp_path / "search.sqlite"
    assert len(search(certwatch.place, path=path).issuances) == 2
    certwatch.clear()
    later = search(certwatch.place, path=path, clock=lambda: NOW + timedelta(days=85))
    assert ([one.names for one in later.issuances], later.complete) == ([("www.watched.com",)], True)


def test_a_certificate_that_nobody_can_read(certwatch: Certwatch) -> None:
    """It is named, and the answer is not complete: it might be the one that is missing."""
    der = certificate("www.watched.com")
    certwatch.add(3, der)
    certwatch.run("UPDATE read_by_x509 SET CERTIFICATE = 'junk'")
    certwatch.run("UPDATE certificate SET CERTIFICATE = 'junk'")
    result = search(certwatch.place)
    assert (result.verdict, result.complete) == (Verdict.ABSENT, False)
    assert result.problems == ("crt.sh id 3: its certificate is missing, too long, or cannot be read",)
