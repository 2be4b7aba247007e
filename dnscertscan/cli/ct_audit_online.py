"""What `ct audit` asks others on request: logs for proof of inclusion, search services for the certificate."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dnscertscan.assembly import utc_now
from dnscertscan.ct.audit_make import Auditor
from dnscertscan.ct.audit_points import proof_points
from dnscertscan.ct.audit_report import Audited, Point, Proof, Status
from dnscertscan.ct.audit_search import domain_of, search_points
from dnscertscan.ct.clients import Limits
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.registrable import sort_domains
from dnscertscan.ct.sources import SOURCES
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.errors import OutputError
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import Sightings
from dnscertscan.model.text import visible
from dnscertscan.pipeline.ct_search import Search, Services
from dnscertscan.settings.models import CtSearch
from dnscertscan.settings.values import parse_search

_ANSWER_SECONDS = 20.0
_LEAST = 0.1
_NO_HOME = "there is no folder to keep tree heads in: set HOME or XDG_STATE_HOME"
_KINDS = {"crtsh": "crt.sh", "crtsh-sql": "crt.sh-sql"}
"""As people write them -> as the sources call themselves."""


def wanted_sources(texts: Sequence[str], configured: Sequence[CtSearch]) -> tuple[CtSearch, ...]:
    """``KIND[:PLACE]``, each; place, token and pace are those of the configuration where it has that service."""
    found = []
    for text in texts:
        kind, place = parse_search(text)
        known = next((one for one in configured if one.kind == kind and place in ("", one.place)), CtSearch(kind=kind))
        name = kind if kind in SOURCES else _KINDS.get(kind, kind)
        found.append(known.model_copy(update={"kind": name, "place": place or known.place}))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Online:
    """What to ask. ``folder`` keeps tree heads from run to run; without ``services`` nobody is searched for anything."""

    services: Services | None = None
    inclusion: bool = False
    folder: Path | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody is to be asked."""
        return self.inclusion or self.services is not None

    async def ask(self, audited: tuple[Audited, ...], auditor: Auditor, host: str, seconds: float) -> tuple[Audited, ...]:
        """The same certificates with what was answered within ``seconds``."""
        limit = max(seconds, _LEAST)
        domains = [domain_of(one.presented.leaf, host) for one in audited]
        proving = asyncio.create_task(self._prove(audited, auditor, limit))
        searching = asyncio.create_task(self._search(domains, limit))
        try:
            proven, found = await proving, await searching
        finally:
            for task in (proving, searching):
                task.cancel()
            await asyncio.gather(proving, searching, return_exceptions=True)
        told = []
        for one, domain, proofs in zip(audited, domains, proven.proofs, strict=True):
            points = [*one.points, *proven.points, *proof_points(proofs)]
            if found is not None:
                points += search_points(one.presented.leaf, one.audit, domain, found, auditor.at)
            told.append(replace(one, proofs=proofs, points=tuple(points)))
        return tuple(told)

    async def _prove(self, audited: Sequence[Audited], auditor: Auditor, seconds: float) -> "_Proven":
        """The logs' own words on each certificate."""
        nothing: tuple[tuple[Proof, ...], ...] = tuple(() for _ in audited)
        if not self.inclusion:
            return _Proven(nothing)
        asked = [(number, *question) for number, one in enumerate(audited) for question in auditor.questions(one)]
        if self.folder is None:
            return _Proven(nothing, (Point(Status.WARNING, f"no log was asked: {_NO_HOME}"),))
        limits = Limits(seconds=seconds, timeout=min(10.0, seconds))
        try:
            with TreeStore(self.folder, auditor.at) as store:
                async with InclusionProver(store, clock=utc_now, limits=limits) as prover:
                    answers = await prover.prove_all([question for _, _, question in asked], auditor.at)
        except OutputError as problem:
            return _Proven(nothing, (Point(Status.WARNING, f"no log was asked: {visible(str(problem), 300)}"),))
        proofs: list[list[Proof]] = [[] for _ in audited]
        for (number, result, _), answer in zip(asked, answers, strict=True):
            proofs[number].append(Proof(result, answer))
        return _Proven(tuple(map(tuple, proofs)))

    async def _search(self, domains: Sequence[DnsName | None], seconds: float) -> Sightings | None:
        if self.services is None:
            return None
        limited = replace(self.services, seconds=min(seconds, self.services.seconds), timeout=_ANSWER_SECONDS)
        search = Search(limited, sort_domains({domain for domain in domains if domain is not None}), utc_now, _nothing)
        try:
            return await search.task
        finally:
            search.task.cancel()


@dataclass(frozen=True, slots=True)
class _Proven:
    """Proofs of each certificate, and what is to be said of all of them."""

    proofs: tuple[tuple[Proof, ...], ...]
    points: tuple[Point, ...] = ()


def _nothing(_line: str) -> None:
    """What is noted stands in the answers, too, and is told with each certificate."""
