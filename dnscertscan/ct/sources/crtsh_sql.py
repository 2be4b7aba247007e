"""crt.sh's PostgreSQL, open to guests: certificates themselves, with the key of their CA. Needs the extra ``crtsh-sql``."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from dnscertscan.ct.budget import OutOfTimeError, Pace, backoff
from dnscertscan.ct.search_asking import Means, NoAnswerError
from dnscertscan.ct.search_cache import Kept
from dnscertscan.ct.search_reading import MAX_ID, MAX_TEXT, Problems, concerns, read_certificate
from dnscertscan.ct.search_values import Row
from dnscertscan.ct.sources.base import KeepingSource, goes_on, unexpired
from dnscertscan.errors import UsageError
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible
from dnscertscan.web.addresses import addresses_of, system_addresses
from dnscertscan.web.places import NotFetched

if TYPE_CHECKING:
    import psycopg

NAME = "crt.sh-sql"
DEFAULT = "postgresql://guest@crt.sh:5432/certwatch"
_CONNECT, _STATEMENT = 15.0, 60.0
"""Seconds for a connection, and for one query (the server is told, too)."""
_PAGE, _MAX_PAGES, _MAX_DER = 500, 40, 1 << 17
_LATE = 1_000_000
"""Rows with smaller ids than the last one seen may become visible later (about two hours of crt.sh)."""
_PER_MINUTE, _BURST = 60.0, 5
# One message of two statements is one implicit transaction: the limit of time is for nobody else behind the connection pool. The
# hits are computed on their own, or else ORDER BY and LIMIT lead the planner through all certificates by id.
_QUERY = """
SET LOCAL statement_timeout = {milliseconds};
WITH hits AS MATERIALIZED (
  SELECT c.ID, c.ISSUER_CA_ID, c.CERTIFICATE FROM certificate c
    WHERE plainto_tsquery('certwatch', %(domain)s) @@ identities(c.CERTIFICATE)
      AND coalesce(x509_notAfter(c.CERTIFICATE), 'infinity'::timestamp) >= %(now)s
)
SELECT hits.ID, CASE WHEN octet_length(hits.CERTIFICATE) <= {largest} THEN hits.CERTIFICATE END, ca.PUBLIC_KEY,
    (SELECT min(ctle.ENTRY_TIMESTAMP) FROM ct_log_entry ctle WHERE ctle.CERTIFICATE_ID = hits.ID),
    pg_last_xact_replay_timestamp()
  FROM hits LEFT JOIN ca ON ca.ID = hits.ISSUER_CA_ID AND ca.ID > 0
  WHERE hits.ID > %(after)s ORDER BY hits.ID LIMIT {page}
"""


class CrtShSql(KeepingSource):
    """``place`` is the connection string; a password is ``token``, never in it.

    What its answers mean: a query that ends without rows is a plain *absent* as of the moment that the replica has reached; the
    answer is complete as far as crt.sh has read the logs. Errors (conflict with recovery, limits of the pool) are no answer.
    """

    def __init__(self, means: Means, place: str = DEFAULT, token: str = "", per_minute: float | None = None) -> None:
        self._parameters = _parameters(place, token)
        shown = {name: value for name, value in self._parameters.items() if name != "password"}
        super().__init__(NAME, f"{NAME} {sorted(shown.items())}", means)
        self._pace = Pace(per_minute or _PER_MINUTE, _BURST, means.budget.tick)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def aclose(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _ask(self, domain: DnsName, kept: Kept | None) -> Kept:
        as_of = self._means.clock()
        rows = unexpired(kept.rows if kept else (), as_of)
        before = goes_on(kept, as_of)
        problems = Problems.of(before.problems, before.ends, as_of) if before else Problems()
        began = before.began if before else as_of
        last = int(before.cursor) if before and before.cursor.isdigit() else 0
        after = last if before and before.truncated else max(last - _LATE, 0)

        def read(reason: str, cursor: int, *, whole: bool) -> Kept:
            found, ends = tuple(rows.values()), problems.ends(as_of)
            return Kept(as_of, whole, not whole, str(cursor), reason, found, problems.lines, ends, began)

        for number in range(_MAX_PAGES):
            try:
                page = await self._page(domain, after)
            except NoAnswerError as error:
                if not number:
                    raise
                return read(f"not complete: after {number} pages: {error}", after, whole=False)
            for record in page:
                as_of = min(as_of, _moment(record[4]) or as_of)
                row = read_record(record, domain, problems)
                if row is not None:
                    rows[row.key] = row
            ids = [record[0] for record in page if isinstance(record[0], int) and after < record[0] <= MAX_ID]
            after = max(ids, default=after)
            if len(page) < _PAGE:
                return read("as far as crt.sh has read the logs", max(after, last), whole=True)
            if not ids:
                return read("not complete: its pages do not go on", after, whole=False)
            await self._store(domain, read("not complete: not read to the end", after, whole=False))
        return read(f"not complete: more than {_MAX_PAGES * _PAGE} rows; the next run goes on", after, whole=False)

    async def _page(self, domain: DnsName, after: int) -> list[tuple[Any, ...]]:
        import psycopg  # noqa: PLC0415 - an extra, loaded only where it is used

        problem = ""
        now = self._means.clock().astimezone(UTC).replace(tzinfo=None) - timedelta(days=1)
        for attempt in range(1, self._means.attempts + 1):
            try:
                await self._pace.turn(self._means.budget)
                return await self._query({"domain": domain.text, "after": after, "now": now})
            except OutOfTimeError as error:
                raise NoAnswerError(f"{problem}; {error}" if problem else str(error), ours=not problem) from error
            except TimeoutError as error:
                if not self._means.budget.left:
                    await self._drop()
                    raise NoAnswerError(f"{NAME} was still silent when {self._means.budget.end}", ours=True) from error
                problem = f"no answer within {_STATEMENT:g} s"
            except (psycopg.Error, OSError, NotFetched) as error:
                problem = _words(error)
            await self._drop()
            if attempt < self._means.attempts:
                try:
                    await self._means.budget.wait(backoff(attempt, self._means.pause), "to ask again")
                except OutOfTimeError as error:
                    raise NoAnswerError(f"{NAME}: {problem}; {error}") from error
        raise NoAnswerError(f"{NAME}: {problem} ({self._means.attempts} attempts)")

    async def _query(self, values: dict[str, object]) -> list[tuple[Any, ...]]:
        query = _QUERY.format(milliseconds=int(_STATEMENT * 1000), largest=_MAX_DER, page=_PAGE)
        if self._connection is None:
            async with asyncio.timeout(min(_CONNECT, self._means.budget.left)):
                self._connection = await self._connect()
        async with asyncio.timeout(min(_STATEMENT + 5, self._means.budget.left)), self._connection.cursor() as cursor:
            await cursor.execute(query.encode(), values)
            cursor.nextset()
            return await cursor.fetchall()

    async def _connect(self) -> "psycopg.AsyncConnection[Any]":
        """Autocommit and no prepared statements, as its connection pool wants it; parameters are put in on our side."""
        import psycopg  # noqa: PLC0415 - an extra, loaded only where it is used

        parameters: dict[str, Any] = dict(self._parameters)
        host, port = str(parameters.get("host") or "localhost"), int(parameters.get("port") or 5432)
        if not host.startswith("/"):
            addresses = await addresses_of(host, port, system_addresses)
            parameters.update(host=",".join([host] * len(addresses)), hostaddr=",".join(addresses))
        connect = psycopg.AsyncConnection.connect
        return await connect(
            **parameters, autocommit=True, prepare_threshold=None, cursor_factory=psycopg.AsyncClientCursor,
            connect_timeout=int(_CONNECT),
        )

    async def _drop(self) -> None:
        """Whatever went wrong, the next try has a connection of its own."""
        with suppress(OSError):
            await self.aclose()


def _parameters(place: str, password: str) -> dict[str, Any]:
    try:
        from psycopg import ProgrammingError  # noqa: PLC0415 - an extra, loaded only where it is used
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415 - an extra, loaded only where it is used
    except ImportError as error:
        raise UsageError(f"the search source {NAME} needs psycopg: pip install 'dnscertscan[crtsh-sql]'") from error
    try:
        parameters: dict[str, Any] = dict(conninfo_to_dict(place))
    except ProgrammingError as error:
        raise UsageError(f"the place of the search source {NAME} is no PostgreSQL connection string") from error
    if "password" in parameters:
        raise UsageError(f"the place of the search source {NAME} has a password in it; name it as the token (env: or file:)")
    return parameters | ({"password": password} if password else {})


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return visible(lines[0] if lines else type(error).__name__, 200)


def _moment(found: object) -> datetime | None:
    if not isinstance(found, datetime):
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def read_record(record: tuple[Any, ...], domain: DnsName, problems: Problems) -> Row | None:
    """One record (id, certificate, key of the CA, first entry, ...); None and a problem for what is none."""
    number, der, key, first, *_ = record
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_ID:
        problems.add("row", f"id {str(number)[:40]} is no positive number")
        return None
    place = f"crt.sh id {number}"
    found = read_certificate(bytes(der), NAME, _moment(first)) if isinstance(der, bytes | memoryview | bytearray) else None
    if found is None:
        problems.add(place, "its certificate is missing, too long, or cannot be read")
        return None
    if not concerns(found.names, domain):
        return None  # an e-mail address or another name, not one of a server
    return Row(str(number), _with_key(found, key))


def _with_key(found: Issuance, key: object) -> Issuance:
    spki = bytes(key) if isinstance(key, bytes | memoryview | bytearray) else b""
    return replace(found, issuer=found.issuer[:MAX_TEXT], issuer_spki_sha256=sha256(spki).hexdigest() if len(spki) > 1 else None)
