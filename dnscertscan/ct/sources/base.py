"""What sources over the network have in common: the cache before the question, and no answer that looks like an empty one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_address

from dnscertscan.ct.search_asking import Means, NoAnswerError
from dnscertscan.ct.search_cache import Kept
from dnscertscan.ct.search_values import Row
from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Verdict
from dnscertscan.model.text import visible
from dnscertscan.web.places import NotFetched, read_url

AGAIN = timedelta(days=7)
"""So often a list is read from its beginning: rows that were there may have been revoked, or mended."""


def unexpired(rows: Iterable[Row], at: datetime) -> dict[str, Row]:
    """By their keys, those of certificates that are not over."""
    return {row.key: row for row in rows if row.issuance.not_after is None or row.issuance.not_after >= at}


def goes_on(kept: Kept | None, at: datetime) -> Kept | None:
    """``kept``, where its list is to be read on from; None where it is to be read from the beginning."""
    due = kept is not None and not kept.truncated and (kept.began is None or at - kept.began >= AGAIN)
    return None if due else kept


def service_url(name: str, base: str, token: str) -> str:
    """``base`` without final slash, if it can be asked and a token is safe there; :class:`UsageError` otherwise."""
    try:
        place = read_url(base, allow_private=True)
    except NotFetched as error:
        raise UsageError(f"the place of the search source {name}: {visible(str(error), 200)}") from error
    if token and place.scheme != "https" and not _is_loopback(place.host):
        raise UsageError(f"the search source {name} has a token and an http URL: a token is only sent over https")
    return base.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class KeepingSource:
    """A source whose answers are kept under ``identity``: everything that makes one answer differ from another."""

    outside = True

    def __init__(self, name: str, identity: str, means: Means) -> None:
        self.name, self._identity, self._means = name, identity, means

    async def _ask(self, domain: DnsName, kept: Kept | None) -> Kept:
        """The answer of now, going on from the one that is kept; :class:`NoAnswerError` when there is none."""
        raise NotImplementedError

    async def search(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        """See :class:`~dnscertscan.ct.search_values.Source`."""
        found = await self.begin(domain, since)
        while (more := await self.go_on(domain, since)) is not None:
            found = more
        return found

    async def begin(self, domain: DnsName, since: datetime | None = None) -> SearchResult:
        """See :class:`~dnscertscan.ct.search_values.Stepwise`; here it is all there is."""
        kept = await self._load(domain)
        if kept is not None and not kept.truncated and self._means.clock() - kept.as_of < self._means.max_age:
            return self._result(domain, kept).since(since)
        if self._means.cache:
            await self._means.cache.tried(self._identity, domain)
        try:
            found = await self._ask(domain, kept)
        except NoAnswerError as error:
            return self._no_answer(domain, kept, str(error), ours=error.ours).since(since)
        await self._store(domain, found)
        return self._result(domain, found).since(since)

    async def go_on(self, domain: DnsName, since: datetime | None = None) -> SearchResult | None:  # noqa: ARG002 - the same for all sources
        """See :class:`~dnscertscan.ct.search_values.Stepwise`."""
        return None

    async def in_order(self, domains: Sequence[DnsName]) -> Sequence[DnsName]:
        """See :class:`~dnscertscan.ct.search_values.Stepwise`."""
        tries = await self._means.cache.tries(self._identity) if self._means.cache else {}
        return sorted(domains, key=lambda domain: tries.get(domain.text, ""))

    async def kept(self, domain: DnsName, reason: str, *, ours: bool, since: datetime | None = None) -> SearchResult:
        """See :class:`~dnscertscan.ct.search_values.Stepwise`."""
        return self._no_answer(domain, await self._load(domain), reason, ours=ours).since(since)

    def _no_answer(self, domain: DnsName, kept: Kept | None, reason: str, *, ours: bool) -> SearchResult:
        old = self._result(domain, kept) if kept else SearchResult(self.name, domain, Verdict.UNAVAILABLE)
        return replace(old, verdict=Verdict.UNAVAILABLE, complete=False, truncated=ours, reason=reason)

    async def aclose(self) -> None:
        """Nothing to give back: connections belong to the client."""

    async def _load(self, domain: DnsName) -> Kept | None:
        return await self._means.cache.load(self._identity, domain) if self._means.cache else None

    async def _store(self, domain: DnsName, kept: Kept) -> None:
        if self._means.cache:
            await self._means.cache.store(self._identity, domain, kept)

    def _result(self, domain: DnsName, kept: Kept) -> SearchResult:
        issuances = tuple(row.issuance for row in kept.rows)
        verdict = Verdict.FOUND if issuances else Verdict.ABSENT
        complete = kept.complete and not kept.truncated and not kept.problems
        return SearchResult(
            self.name, domain, verdict, issuances, kept.as_of, complete, kept.truncated, kept.reason, kept.problems
        )
