"""crt.sh over HTTP: a list of rows as JSON, and one request for each certificate, since a row has no TBS hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from dnscertscan.ct.budget import Pace
from dnscertscan.ct.search_asking import Asker, Means, NoAnswerError
from dnscertscan.ct.search_cache import Kept
from dnscertscan.ct.search_reading import (
    MAX_NAMES,
    Problems,
    UnreadableError,
    completed,
    concerns,
    moment_of,
    number_of,
    read_certificate,
    read_names,
    read_rows,
    read_serial,
    text_of,
)
from dnscertscan.ct.search_values import Row
from dnscertscan.ct.sources.base import KeepingSource, service_url, unexpired
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult
from dnscertscan.pki.bundle import read_chain

NAME = "crt.sh"
DEFAULT = "https://crt.sh"
_PER_MINUTE, _BURST = 60.0, 5
MAX_FETCHED = 100
"""Certificates that are fetched for one domain in one run; the others are in later runs, newest first."""
_STEP = 5
"""Certificates that are fetched for one domain before the next one has its turn."""
_MAX_CERTIFICATE = 1 << 18
_PATIENCE = 2
_NOT_ALL = "crt.sh does not say when a list is not whole"


class CrtSh(KeepingSource):
    """``base`` is the URL of the service.

    What its answers mean: an array with rows is *found*; it is never complete, since lists are cut off without a word and logs
    are read with delay. ``[]`` comes under load as well: *absent*, not complete. An empty body, a page, an error text of its
    database with status 200, 404 and 5xx are no answer. Where one of the two questions (the domain, the names below it) got no
    answer, what the other one gave counts, truncated; ``[]`` to the other one alone is no answer.
    """

    def __init__(self, means: Means, base: str = DEFAULT, token: str = "", per_minute: float | None = None) -> None:
        self._base = service_url(NAME, base, token)
        super().__init__(NAME, f"{NAME} {self._base}", means)
        fields = {"Authorization": f"Bearer {token}"} if token else None
        self._open: dict[DnsName, _Work] = {}
        self._asker = Asker(NAME, means, Pace(per_minute or _PER_MINUTE, _BURST, means.budget.tick), fields)

    async def _ask(self, domain: DnsName, kept: Kept | None) -> Kept:
        problems = Problems()
        as_of, reason, truncated, rows = self._means.clock(), _NOT_ALL, False, {}
        failure: NoAnswerError | None = None
        for identity in (domain.text, f"%.{domain.text}"):
            try:
                for raw in await self._asker.get(self._list_url(identity), lambda body: read_rows(body, NAME)):
                    row = read_row(raw, domain, problems)
                    if row is not None:
                        rows[row.key] = row
            except NoAnswerError as error:
                failure = error
                if error.ours:
                    break
        if failure is not None:
            if not rows:
                raise failure
            truncated, reason = True, f"only a part of the list: {failure}"
        # Logs forget nothing: what was there is there, whatever a list that was cut off says.
        rows = unexpired(kept.rows if kept else (), as_of) | rows
        done = {row.key: row for row in kept.rows if row.issuance.tbs_sha256 and row.key in rows} if kept else {}
        for key, der in (await self._cached([key for key in rows if key not in done])).items():
            done[key] = _joined(rows[key], der, problems)
        work = _Work(Kept(as_of, False, truncated, "", reason), rows, done, problems, _order(rows, done))
        if work.left:
            self._open[domain] = work
        return work.answer()

    def _list_url(self, identity: str) -> str:
        return f"{self._base}/?{urlencode({'q': identity, 'output': 'json', 'exclude': 'expired', 'deduplicate': 'Y'})}"

    async def go_on(self, domain: DnsName, since: datetime | None = None) -> SearchResult | None:
        """Some more certificates; the answer is kept when no more are due."""
        work = self._open.get(domain)
        if work is None:
            return None
        for _ in range(_STEP):
            if not work.left:
                break
            await self._fetch(work)
        if not work.left:
            del self._open[domain]
            await self._store(domain, work.answer())
        return self._result(domain, work.answer()).since(since)

    async def _fetch(self, work: "_Work") -> None:
        """The next certificate. After two that do not come in a row there is no next one."""
        key, work.asked = work.left.pop(0), work.asked + 1
        try:
            der = await self._asker.get(f"{self._base}/?{urlencode({'d': key})}", _read_der, _MAX_CERTIFICATE)
        except NoAnswerError as error:
            work.failed, work.reason = work.failed + 1, f"certificates are missing: {error}"
            if error.ours or work.failed >= _PATIENCE:
                work.left = []
            return
        work.failed = 0
        if self._means.cache:
            await self._means.cache.keep_certificate(self._identity, key, der)
        work.done[key] = _joined(work.rows[key], der, work.problems)

    async def _cached(self, keys: list[str]) -> dict[str, bytes]:
        return await self._means.cache.certificates(self._identity, keys) if self._means.cache else {}


@dataclass(slots=True)
class _Work:
    """A list whose certificates are being fetched. ``left`` are those that are to be asked for in this run."""

    kept: Kept
    rows: Mapping[str, Row]
    done: dict[str, Row]
    problems: Problems
    left: list[str]
    reason: str = ""
    asked: int = 0
    failed: int = 0

    def __post_init__(self) -> None:
        self.left = self.left[:MAX_FETCHED]

    def answer(self) -> Kept:
        """As far as it is."""
        missing = len(self.rows) - len(self.done)
        reason = self.reason or self.kept.reason
        if missing and not self.failed:
            reason = f"{missing} certificates are not fetched yet (at most {MAX_FETCHED} in a run for a domain)"
        found = tuple(self.done.get(key, row) for key, row in self.rows.items())
        return Kept(self.kept.as_of, False, self.kept.truncated or missing > 0, "", reason, found, self.problems.lines)


def _order(rows: Mapping[str, Row], done: Mapping[str, Row]) -> list[str]:
    """What to fetch first: one of each (CA, serial), newest first; then the others, which are most often the same issuance."""
    seen = {row.group for row in done.values() if row.group}
    first: list[str] = []
    then: list[str] = []
    left = (row for key, row in rows.items() if key not in done)
    newest = sorted(left, key=lambda row: (_started(row), int(row.key)), reverse=True)
    for row in newest:
        (then if row.group in seen else first).append(row.key)
        if row.group:
            seen.add(row.group)
    return first + then


def _started(row: Row) -> str:
    return row.issuance.not_before.isoformat() if row.issuance.not_before else ""


def _joined(row: Row, der: bytes, problems: Problems) -> Row:
    """The row with what its certificate says, if it is that of the row."""
    place = f"crt.sh id {row.key}"
    found = read_certificate(der, NAME, row.issuance.first_seen)
    if found is None:
        problems.add(place, "its certificate cannot be read")
        return row
    if row.issuance.serial and found.serial != row.issuance.serial:
        problems.add(place, f"the certificate has serial {found.serial}, the row {row.issuance.serial}")
        return row
    return Row(row.key, completed(row.issuance, found), row.group)


def _read_der(body: bytes) -> bytes:
    """The certificate of a download, which is PEM or DER."""
    if body[:1] == b"\x30":
        return body
    certificates, _ = read_chain(body) if b"-----BEGIN CERTIFICATE" in body else ((), ())
    if not certificates:
        start = body[:200].lstrip()
        raise UnreadableError(f"{NAME} sent {'a web page' if start[:1] == b'<' else 'something else'} in place of a certificate")
    return certificates[0].der


def read_row(raw: object, domain: DnsName, problems: Problems) -> Row | None:
    """One row of the list; None (and a problem) for what is none or is about other names. It has no TBS hash."""
    if not isinstance(raw, dict):
        problems.add("row", f"{type(raw).__name__} where a row is due")
        return None
    number = number_of(raw, "id")
    if number is None:
        problems.add("row", f"id {str(raw.get('id'))[:40]} is no positive number")
        return None
    place = f"{NAME} id {number}"
    texts = [text for text in (raw.get("name_value"), raw.get("common_name")) if isinstance(text, str)]
    listed = [name for text in texts for name in text.split("\n", MAX_NAMES)]
    names = read_names(listed, place, problems)
    if not concerns(names, domain):
        if not any("@" in name for name in listed):
            problems.add(place, f"no name within {domain.display}")
        return None
    serial = read_serial(text_of(raw, "serial_number", 200))
    if not serial:
        problems.add(place, "its serial number cannot be read")
    issuer_id = number_of(raw, "issuer_ca_id")
    issuance = Issuance(
        "", None, None, text_of(raw, "issuer_name"), "", serial, names, moment_of(raw, "not_before"),
        moment_of(raw, "not_after"), None, NAME, _seen(raw), None, False,
    )
    return Row(str(number), issuance, f"{issuer_id}:{serial}" if issuer_id and serial else "")


def _seen(raw: Mapping[str, object]) -> datetime | None:
    return moment_of(raw, "entry_timestamp") or moment_of(raw, "min_entry_timestamp")
