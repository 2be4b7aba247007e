"""Asking for the inventory: which domains, all sources once, and what in the answers keeps us from saying that all is well."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dnscertscan.ct.budget import Budget
from dnscertscan.ct.http import Http
from dnscertscan.ct.inventory_judge import concerned, moment, unidentified
from dnscertscan.ct.known import Local
from dnscertscan.ct.registrable import Domains, sort_domains
from dnscertscan.ct.search import Wanted, open_sources, search_all
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_cache import Cache
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.ct.search_values import Note
from dnscertscan.ct.sources import certspotter
from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.text import visible
from dnscertscan.pki.extensions import SCT_LIST
from dnscertscan.pki.parse import parse

SETTLED = timedelta(days=3)
"""A certificate that was logged so long ago is in every answer that is worth something."""
QUIET = timedelta(hours=24)
"""A certspotter that read no log for so long is not running."""
_ONE_ANSWER = 30.0


@dataclass(frozen=True, slots=True)
class Scope:
    """``asked`` are the domains that services are asked for, ``meant`` what the user means: only what concerns that counts."""

    asked: Domains
    meant: tuple[DnsName, ...]


def scope(domains: Sequence[str], local: Local) -> Scope:
    """The domains named, or else those of the local certificates and CSRs; :class:`UsageError` when there is none."""
    names = [DnsName.parse(name) for name in domains or local.names]
    meant = [DnsName(name.text[2:]) if name.text.startswith("*.") else name for name in names]
    asked = sort_domains(meant)
    if not asked.public and not asked.internal:
        why = f" ({asked.left_out[0][0].display}: {asked.left_out[0][1]})" if asked.left_out else ""
        where = "of --domain" if domains else "in the local certificates and CSRs"
        raise UsageError(f"no domain to ask for among the names {where}{why}; name one with --domain example.com")
    every = (*asked.public, *asked.internal)
    left_out = {name for name, _ in asked.left_out}
    return Scope(asked, tuple(name for name in meant if name not in left_out) if domains else every)


async def ask(
    domains: Domains, wanted: Sequence[Wanted], environment: Mapping[str, str], budget: float, clock: Callable[[], datetime],
    cache: Path | None, note: Note,
) -> Sightings:
    """All sources for all domains, within ``budget`` seconds; :class:`UsageError` for a source that cannot be opened."""
    seconds = Budget(budget)
    kept = Cache(cache, clock, note) if cache else None
    async with Http(timeout=min(_ONE_ANSWER, budget)) as http:
        try:
            sources = open_sources(wanted, Means(http, seconds, clock, note, kept), environment)
            try:
                return await search_all(domains, sources, seconds, clock, note)
            finally:
                for source in sources:
                    await source.aclose()
        finally:
            if kept:
                await kept.aclose()


def undecided(found: Sightings, asked: Scope, local: Local, at: datetime) -> Iterator[str]:
    """Why nobody can say that all is well, one line each, safe to show."""
    for domain in (*asked.asked.public, *asked.asked.internal):
        answers = [answer for answer in found.answers if answer.domain == domain]
        if not answers:
            yield f"{domain.display}: no source may be asked for an internal domain but one here: certspotter:FOLDER"
        for answer in answers:
            yield from (f"{answer.source}, {domain.display}: {words}" for words in _lacking(answer, domain, local, at))
    rows = list(unidentified(found, asked.meant))
    if rows:
        names = visible(", ".join(rows[0].names[:3]), 200)
        lists = ", ".join(sorted({row.source for row in rows}))
        step = "whether they are yours is not known; later runs go on with them"
        yield f"{len(rows)} certificates in the lists of {lists} were not fetched yet, the first for {names}: {step}"


def _lacking(answer: SearchResult, domain: DnsName, local: Local, at: datetime) -> Iterator[str]:
    if answer.verdict is Verdict.UNAVAILABLE:
        yield f"no answer: {visible(answer.reason, 300)}"
        return
    if answer.truncated:
        yield f"only a part of the answer: {visible(answer.reason, 300)}"
    if answer.problems:
        yield f"{len(answer.problems)} rows cannot be used, as {visible(answer.problems[0], 300)}"
    if answer.source == certspotter.NAME and (answer.as_of is None or answer.as_of < at - QUIET):
        last = f"last read a log with success on {moment(answer.as_of)}" if answer.as_of else "has never read a log with success"
        yield f"certspotter {last}: is it running?"
    if answer.verdict is Verdict.ABSENT and answer.source != certspotter.NAME:
        logged = next(_logged(domain, local, at), "")
        if logged:
            yield f"the answer is that there are no certificates, and it is wrong: the one in {logged} is in CT logs"


def _logged(domain: DnsName, local: Local, at: datetime) -> Iterator[str]:
    """Where valid certificates for ``domain`` are that have SCTs, and had them for a while."""
    for certificate, where in local.certificates:
        facts = parse(certificate)
        found = read_certificate(certificate.der, "", None)
        if found is None or SCT_LIST not in facts.extensions.present or not concerned(found, [domain]):
            continue
        if facts.not_before and facts.not_after and facts.not_before < at - SETTLED and facts.not_after > at:
            yield where


def unseen(found: Sightings, asked: Scope, local: Local, at: datetime) -> int:
    """How many valid local certificates for the names meant no source has."""
    count = 0
    for certificate, _ in local.certificates:
        one = read_certificate(certificate.der, "", None)
        if one is not None and concerned(one, asked.meant) and one.not_after is not None and one.not_after > at:
            count += one.tbs_sha256 not in found.issuances
    return count
