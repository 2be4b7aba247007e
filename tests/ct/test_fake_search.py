"""The services that stand in for crt.sh and SSLMate say what is in the test logs, and fail as they are told to."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers.ct_issue import Issued, issue
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock
from servers.ct_log_der import der, tbs_sha256
from servers.ct_log_http import first, over, too_many
from servers.fake_search import FAILURES, NOTHING, CrtSh, SslMate
from servers.fake_search_sql import certwatch, fill

from dnscertscan.demo.authority import Authority

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Authority.root("Search Root", now=NOW)
CA = ROOT.intermediate("Search Issuer")
# The query that crt.sh shows to its guests for a search by identity, in its parts that matter.
GUESTS = """
WITH ci AS (
  SELECT min(sub.CERTIFICATE_ID) ID, min(sub.ISSUER_CA_ID) ISSUER_CA_ID, array_agg(DISTINCT sub.NAME_VALUE) NAMES,
      x509_commonName(sub.CERTIFICATE) COMMON_NAME, encode(x509_serialNumber(sub.CERTIFICATE), 'hex') SERIAL_NUMBER,
      encode(digest(sub.CERTIFICATE, 'sha256'), 'hex') FINGERPRINT
    FROM (SELECT cai.* FROM certificate_and_identities cai
        WHERE plainto_tsquery('certwatch', %(domain)s) @@ identities(cai.CERTIFICATE)
          AND cai.NAME_VALUE ILIKE '%%' || %(domain)s
          AND coalesce(x509_notAfter(cai.CERTIFICATE), 'infinity'::timestamp) >= %(now)s LIMIT 10000) sub
    GROUP BY sub.CERTIFICATE
)
SELECT ci.ID, ca.NAME, ci.COMMON_NAME, ci.NAMES, ci.SERIAL_NUMBER, ci.FINGERPRINT, le.ENTRY_TIMESTAMP
  FROM ci LEFT JOIN LATERAL (SELECT min(ctle.ENTRY_TIMESTAMP) ENTRY_TIMESTAMP FROM ct_log_entry ctle
      WHERE ctle.CERTIFICATE_ID = ci.ID) le ON TRUE, ca
  WHERE ci.ISSUER_CA_ID = ca.ID ORDER BY ci.ID
"""


class World:
    """Two logs with three issuances: one with its certificate logged too, one wildcard, one that expires soon."""

    def __init__(self, alpha: CtLog, beta: CtLog, clock: HandClock) -> None:
        self.logs, self.clock = (alpha, beta), clock
        self.both = self._issue("watched.com", "www.watched.com", submit_final=True)
        self.wild = self._issue("*.watched.com")
        self.short = self._issue("short.watched.com", not_after=NOW + timedelta(days=2))
        self._issue("www.other.com")

    def _issue(self, *names: str, **options: Any) -> Issued:
        self.clock.now += timedelta(seconds=1)
        return issue(CA, *names, logs=self.logs, **options)


@pytest.fixture
def world() -> World:
    clock = HandClock(NOW)
    logs = [CtLog(name, [ROOT.certificate], clock=clock) for name in ("alpha", "beta")]
    return World(logs[0], logs[1], clock)


@pytest.fixture
def crtsh(world: World) -> Iterator[CrtSh]:
    with CrtSh(*world.logs, clock=world.clock) as service:
        yield service


@pytest.fixture
def sslmate(world: World) -> Iterator[SslMate]:
    with SslMate(*world.logs, clock=world.clock, token="secret", page_size=2) as service:
        yield service


def get(url: str, seconds: float = 0.4, **headers: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=seconds) as answer:
        return bytes(answer.read())


def listed(crtsh: CrtSh, query: str = "%.watched.com", **values: str) -> list[dict[str, Any]]:
    return list(json.loads(get(f"{crtsh.url}?{urllib.parse.urlencode({'q': query, 'output': 'json', **values})}")))


def test_crtsh_lists_and_hands_out(world: World, crtsh: CrtSh) -> None:
    """Precertificate and certificate are two rows, newest first, with the names that match; each is there to download."""
    rows = listed(crtsh)
    assert len(rows) == 4
    assert [row["entry_timestamp"] for row in rows] == [f"2026-11-20T12:00:0{second}.000" for second in (3, 2, 1, 1)]
    assert [row["name_value"] for row in rows] == ["short.watched.com", "*.watched.com", "www.watched.com", "www.watched.com"]
    assert {int(row["serial_number"], 16) for row in rows[2:]} == {world.both.certificate.serial_number}
    assert rows[0]["issuer_name"] == "O=Example Trust, CN=Search Issuer"
    assert {row["name_value"] for row in listed(crtsh, "watched.com")} >= {"watched.com\nwww.watched.com"}
    got = [x509.load_pem_x509_certificate(get(f"{crtsh.url}?d={row['id']}")) for row in rows]
    assert {der(one) for one in got[2:]} == {der(world.both.precert), der(world.both.certificate)}
    crtsh.binary = True
    assert get(f"{crtsh.url}?d={rows[0]['id']}") == der(world.short.precert)
    assert crtsh.asked["list"] == 2


def test_crtsh_filters(world: World, crtsh: CrtSh) -> None:
    """deduplicate leaves one row for a pair; exclude=expired leaves out what is over."""
    assert len(listed(crtsh, deduplicate="Y")) == 3
    world.clock.now += timedelta(days=3)
    assert len(listed(crtsh)) == 4
    assert len(listed(crtsh, exclude="expired")) == 3
    assert listed(crtsh, "%.nobody.com") == []


def test_sslmate_pages(world: World, sslmate: SslMate) -> None:
    """One issuance for a pair, unexpired, oldest first, two a page until there are no more; a wrong key is refused."""
    query = {"domain": "watched.com", "include_subdomains": "true", "match_wildcards": "true"}
    wanted = [("expand", name) for name in ("dns_names", "issuer", "cert_der")]
    found: list[dict[str, Any]] = []
    pages = []
    while not pages or pages[-1]:
        after = [("after", found[-1]["id"])] if found else []
        url = f"{sslmate.url}v1/issuances?{urllib.parse.urlencode([*query.items(), *wanted, *after])}"
        pages.append(json.loads(get(url, Authorization="Bearer secret")))
        found += pages[-1]
    assert [len(page) for page in pages] == [2, 1, 0]
    assert [one["tbs_sha256"] for one in found] == [one.tbs_sha256 for one in (world.both, world.wild, world.short)]
    octets = b64decode(found[0]["cert_der"])
    assert octets == world.both.certificate.public_bytes(Encoding.DER)
    assert tbs_sha256(x509.load_der_x509_certificate(octets)) == found[0]["tbs_sha256"]
    assert found[1]["dns_names"] == ["*.watched.com"]
    assert found[0]["issuer"]["friendly_name"] == "Search Issuer"
    with pytest.raises(urllib.error.HTTPError, match="401") as caught:
        get(url)
    caught.value.close()


def problem(url: str) -> str:
    """What a careless client runs into: the kind of error, or that the body is no JSON."""
    try:
        json.loads(get(url))
    except urllib.error.HTTPError as error:
        error.close()
        return f"{error.code} {error.headers.get('Retry-After', '')}".strip()
    except (OSError, ValueError, http.client.HTTPException) as error:
        return type(error).__name__
    return "none"


def test_every_failure(crtsh: CrtSh) -> None:
    """Each is another trouble for a client, and none is an answer; an empty array is one."""
    url = f"{crtsh.url}?q=%25.watched.com&output=json"
    met = {}
    for name, fault in FAILURES.items():
        crtsh.faults["list"] = fault
        met[name] = problem(url)
    assert met == {
        "502": "502", "503": "503", "429": "429 1", "404": "404", "html": "JSONDecodeError", "empty": "JSONDecodeError",
        "truncated": "JSONDecodeError", "cut": "IncompleteRead", "hang": "TimeoutError", "drip": "TimeoutError",
        "sql": "JSONDecodeError", "closed": "RemoteDisconnected",
    }
    crtsh.faults["list"] = NOTHING
    assert json.loads(get(url)) == []
    crtsh.faults["list"] = first(1, too_many(3))
    assert [problem(url), problem(url)] == ["429 3", "none"]
    crtsh.faults["list"] = over(2, 60, FAILURES["404"])
    assert [problem(url) for _ in range(4)] == ["none", "none", "404", "404"]


def test_database(world: World, crtsh: CrtSh) -> None:
    """A guest finds by the documented query what the web service lists, and changes nothing; the database grows with the logs."""
    with certwatch(*world.logs) as base:
        values = {"domain": "watched.com", "now": NOW.replace(tzinfo=None)}
        with psycopg.connect(base.place, autocommit=True) as guest:
            rows = guest.execute(GUESTS, values).fetchall()
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                guest.execute("DELETE FROM certificate")
            web = sorted(listed(crtsh, "watched.com"), key=lambda row: row["id"])
            assert [row[:3] for row in rows] == [(row["id"], row["issuer_name"], row["common_name"]) for row in web]
            assert [int(row[4], 16) for row in rows] == [int(row["serial_number"], 16) for row in web]
            assert [sorted(row[3]) for row in rows] == [row["name_value"].split("\n") for row in web]
            assert [row[6].isoformat(timespec="milliseconds") for row in rows] == [row["entry_timestamp"] for row in web]
            issue(CA, "new.watched.com", logs=world.logs)
            fill(base, *world.logs)
            assert len(guest.execute(GUESTS, values).fetchall()) == len(rows) + 1
