"""SSLMate's Certificate Transparency Search API, version 1: unexpired issuances, oldest first, page by page."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode

from dnscertscan.ct.budget import Pace
from dnscertscan.ct.search_asking import Asker, Means, NoAnswerError
from dnscertscan.ct.search_cache import Kept
from dnscertscan.ct.search_reading import (
    MAX_TEXT,
    Problems,
    completed,
    concerns,
    digest_of,
    is_wildcard_over,
    moment_of,
    read_certificate,
    read_names,
    read_rows,
    text_of,
)
from dnscertscan.ct.search_values import Row
from dnscertscan.ct.sources.base import KeepingSource, goes_on, service_url, unexpired
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible

NAME = "sslmate"
DEFAULT = "https://api.certspotter.com"
_ANONYMOUS, _WITH_TOKEN = 100 / 60, 60.0
"""Requests a minute: a hundred an hour without an account."""
_MAX_PAGES, _MAX_DER = 200, 1 << 17
_ID = re.compile(r"[A-Za-z0-9_.:=+/-]{1,100}")
_EXPAND = ("dns_names", "issuer", "cert_der")


class SslMate(KeepingSource):
    """``base`` is the URL of the service, ``token`` (may be empty) goes with each request.

    What its answers mean: ``[]`` is the end of the list, and on the first page a plain *absent*: the service has no unexpired
    issuance. Anything else that is no array of objects, also the error objects it sends, is no answer. A list that was not
    read to its end is found and truncated, never complete; the next run goes on from there.
    """

    def __init__(self, means: Means, base: str = DEFAULT, token: str = "", per_minute: float | None = None) -> None:
        self._base = service_url(NAME, base, token)
        super().__init__(NAME, f"{NAME} {self._base}", means)
        fields = {"Authorization": f"Bearer {token}"} if token else None
        pace = Pace(per_minute or (_WITH_TOKEN if token else _ANONYMOUS), 10, means.budget.tick)
        self._asker = Asker(NAME, means, pace, fields)

    async def _ask(self, domain: DnsName, kept: Kept | None) -> Kept:
        as_of = self._means.clock()
        rows = unexpired(kept.rows if kept else (), as_of)
        before = goes_on(kept, as_of)
        problems = Problems.of(before.problems, before.ends, as_of) if before else Problems()
        cursor, began = (before.cursor, before.began) if before else ("", as_of)

        def stopped(reason: str) -> Kept:
            return _kept(Kept(as_of, False, True, cursor, f"not complete: {reason}", began=began), rows, problems)

        for number in range(_MAX_PAGES):
            try:
                page = await self._asker.get(self._url(domain, cursor), lambda body: read_rows(body, NAME))
                after = _last_id(page) if page else ""
            except NoAnswerError as error:
                if not number:
                    raise
                return stopped(f"after {number} pages: {error}")
            if not page:
                return _kept(Kept(as_of, True, False, cursor, "unexpired issuances only", began=began), rows, problems)
            for raw in page:
                row = read_row(raw, domain, problems)
                if row is not None:
                    rows[row.key] = row
            if not after or after == cursor:
                return stopped("its pages do not go on: the last id is missing or was there before")
            cursor = after
            await self._store(domain, stopped("not read to the end"))
        return stopped(f"more than {_MAX_PAGES} pages; the next run goes on")

    def _url(self, domain: DnsName, cursor: str) -> str:
        fields = [("domain", domain.text), ("include_subdomains", "true"), ("match_wildcards", "true")]
        fields += [("expand", name) for name in _EXPAND]
        return f"{self._base}/v1/issuances?{urlencode(fields + ([('after', cursor)] if cursor else []), quote_via=quote)}"


def _kept(kept: Kept, rows: Mapping[str, Row], problems: Problems) -> Kept:
    return replace(kept, rows=tuple(rows.values()), problems=problems.lines, ends=problems.ends(kept.as_of))


def _last_id(page: list[object]) -> str:
    last = page[-1]
    found = text_of(last, "id", 101) if isinstance(last, dict) else ""
    return found if _ID.fullmatch(found) else ""


def read_row(raw: object, domain: DnsName, problems: Problems) -> Row | None:
    """One issuance object; None (and a problem) for what is none or is about other names.

    The wildcard above the domain, for which the service was asked as well, is somebody else's and no problem.
    """
    problems.until = moment_of(raw, "not_after") if isinstance(raw, dict) else None
    if not isinstance(raw, dict):
        problems.add("row", f"{type(raw).__name__} where an issuance is due")
        return None
    key = text_of(raw, "id", 101)
    place = f"issuance {visible(key, 40)}"
    if not _ID.fullmatch(key):
        problems.add("row", f"an issuance without a usable id: {key[:60]}")
        return None
    listed = raw.get("dns_names")
    names = read_names(listed if isinstance(listed, list) else (), place, problems)
    claimed = digest_of(raw, "tbs_sha256") or ""
    issuer = raw.get("issuer")
    issuer = issuer if isinstance(issuer, dict) else {}
    row = Issuance(
        claimed, digest_of(raw, "cert_sha256"), digest_of(issuer, "pubkey_sha256"), text_of(issuer, "name"), "", "", names,
        moment_of(raw, "not_before"), moment_of(raw, "not_after"), digest_of(raw, "pubkey_sha256"), NAME, None, None, False,
        _is_revoked(raw),
    )
    found = _certificate(raw, row, place, problems)
    if not found.tbs_sha256:
        problems.add(place, "neither a certificate nor a TBS hash that could be read")
    if not concerns((*names, *found.names), domain):
        if is_wildcard_over((*names, *found.names), domain):
            return None
        problems.add(place, f"names outside {domain.display}: {', '.join(found.names[:3])}")
        return None
    return Row(key, found)


def _is_revoked(raw: Mapping[str, object]) -> bool:
    """As the service found it in CRLs and by OCSP; what is no plain yes is none."""
    more = raw.get("revocation")
    return raw.get("revoked") is True or (isinstance(more, dict) and moment_of(more, "time") is not None)


def _certificate(raw: Mapping[str, object], row: Issuance, place: str, problems: Problems) -> Issuance:
    """The row with what its certificate says; what the service says of it must not differ."""
    encoded = raw.get("cert_der")
    if not isinstance(encoded, str):
        return row
    try:
        der = b64decode(encoded, validate=True) if len(encoded) <= _MAX_DER * 2 else b""
    except (Base64Error, ValueError):
        der = b""
    found = read_certificate(der, NAME, None)
    if found is None:
        problems.add(place, "its certificate cannot be read")
        return row
    if row.tbs_sha256 and row.tbs_sha256 != found.tbs_sha256:
        problems.add(place, "its tbs_sha256 is not that of its certificate, which counts")
    # For a precertificate the service has the digest of the precertificate itself.
    return replace(completed(row, found), cert_sha256=found.cert_sha256, issuer=(found.issuer or row.issuer)[:MAX_TEXT])
