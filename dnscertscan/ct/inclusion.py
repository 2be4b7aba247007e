"""Whether logs have what their SCTs promise: proofs asked of the logs themselves (RFC 6962 2.1.1, 4.5; C2SP static-ct-api).

    with TreeStore(folder, now) as store:
        async with InclusionProver(store, clock=clock) as prover:
            found = await prover.prove_all([Question(sct, entry, log), ...], now)      # or prover.prove(sct, entry, log, now)

One prover is for one run: what it has answered, and a log that it gave up, stays so.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from dnscertscan.ct.clients import Absent, Caller, Limits, LogClient, Proof, Unavailable
from dnscertscan.ct.clients_rfc6962 import Rfc6962Client
from dnscertscan.ct.clients_static import StaticClient
from dnscertscan.ct.http import Http
from dnscertscan.ct.inclusion_case import Case
from dnscertscan.ct.inclusion_evidence import UNSIGNED, Exhibit, Kind
from dnscertscan.ct.inclusion_heads import Fault, HeadWatch, Standing
from dnscertscan.ct.loglist_fields import url_problem
from dnscertscan.ct.tree_store import Proven, TreeStore
from dnscertscan.errors import OutputError
from dnscertscan.model.ct import Inclusion, Log, LogKind, Sct, SctVerdict
from dnscertscan.pki.merkle import OTHER_ROOT, inclusion_problem, leaf_hash
from dnscertscan.pki.sct import verify
from dnscertscan.pki.tbs import Entry
from dnscertscan.pki.tree_heads import TreeHead

_FRESH = timedelta(minutes=10)
"""A tree head is used for so long."""
_EXHIBITS = 20
"""Files of evidence that are written of one log in one run."""


class Question(NamedTuple):
    """One SCT, the entry it is over, and the log it is of."""

    sct: Sct
    entry: Entry
    log: Log


class _Spoilt(NamedTuple):
    """A proof of the right form that does not hold."""

    proof: Proof


@dataclass(slots=True)
class _Book:
    """What a run knows of one log. ``problem`` is why it has no tree head."""

    client: LogClient
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    standing: Standing | None = None
    taken: datetime | None = None
    problem: str = ""
    examined: bool = False
    exhibits: int = 0
    answers: dict[bytes, Inclusion] = field(default_factory=dict)


class InclusionProver:
    """Asks logs, many at a time, each one in turn. ``clock`` is what a date in Retry-After is compared with.

    ``store`` keeps what was learnt from run to run; one that cannot be written makes UNKNOWN verdicts, no exception.
    ``http`` (by default one of its own) is closed by whoever made it.
    """

    def __init__(
        self, store: TreeStore, *, clock: Callable[[], datetime], limits: Limits | None = None, http: Http | None = None
    ) -> None:
        self._store, self._clock, self._limits = store, clock, limits or Limits()
        self._http, self._is_mine = http or Http(timeout=self._limits.timeout), http is None
        self._watch = HeadWatch(store, self._limits.proofs)
        self._books: dict[bytes, _Book] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        if self._is_mine:
            await self._http.aclose()

    async def prove_all(self, questions: Sequence[Question], at: datetime) -> tuple[Inclusion, ...]:
        """The answers in the order of the questions; it takes as long as the slowest log may."""
        by_log: dict[bytes, list[int]] = {}
        for number, question in enumerate(questions):
            by_log.setdefault(question.log.log_id, []).append(number)
        found: dict[int, Inclusion] = {}

        async def one_log(numbers: list[int]) -> None:
            for number in numbers:
                found[number] = await self.prove(*questions[number], at)

        async with asyncio.TaskGroup() as group:
            for numbers in by_log.values():
                group.create_task(one_log(numbers))
        return tuple(found[number] for number in range(len(questions)))

    async def prove(self, sct: Sct, entry: Entry, log: Log, at: datetime) -> Inclusion:
        """Whether ``log`` has what ``sct`` promises, as of ``at`` (aware). Each entry of a log is asked for once in a run."""
        case = Case(sct, entry, log, leaf_hash(sct, entry), at)
        book = self._book(log)
        async with book.lock:
            if case.leaf not in book.answers:
                book.answers[case.leaf] = await self._settle(book, case)
            return book.answers[case.leaf]

    async def check(self, log: Log, at: datetime) -> Standing:
        """Only the tree head: fetched, kept, proven consistent with all others; :class:`Unavailable`, :class:`OutputError`."""
        book = self._book(log)
        async with book.lock:
            return await self._stand(book, log, at)

    def _book(self, log: Log) -> _Book:
        if log.log_id not in self._books:
            caller = Caller(self._http, self._limits, self._clock)
            static = log.kind is LogKind.STATIC
            self._books[log.log_id] = _Book(StaticClient(log, caller) if static else Rfc6962Client(log, caller))
        return self._books[log.log_id]

    async def _settle(self, book: _Book, case: Case) -> Inclusion:
        verdict, reason = verify(case.sct, case.log, case.entry)
        if verdict is not SctVerdict.VALID:
            return case.unknown(f"an invalid SCT promises nothing: {reason}")
        try:
            return await self._learn(book, case)
        except Unavailable as problem:
            return case.unknown(str(problem), book.standing.head if book.standing else None)
        except OutputError as problem:
            return case.unknown(str(problem))

    async def _learn(self, book: _Book, case: Case) -> Inclusion:
        """What is known against the log comes first, then what was proven before; only then the log is asked."""
        if not book.examined:
            known, book.examined = self._watch.known_fault(case.log, case.at), True
            book.standing = Standing(None, known) if known else None
        fault = book.standing.fault if book.standing else None
        if fault and fault.sure:
            return case.misbehaved(fault)
        if proven := self._store.included(case.log.log_id, case.leaf):
            return case.proven_before(proven)
        standing = await self._stand(book, case.log, case.at)
        if standing.fault:
            return case.misbehaved(standing.fault)
        return await self._ask(book, case, standing.head) if standing.head else case.unknown("the log has no tree head")

    async def _stand(self, book: _Book, log: Log, at: datetime) -> Standing:
        """The tree head of this run; a log that did not give one is not asked again."""
        if book.problem:
            raise Unavailable(book.problem)
        done = book.standing
        if done and (done.fault or (book.taken and abs(at - book.taken) < _FRESH)):
            return done
        place = log.monitoring_url if log.kind is LogKind.STATIC else log.url
        try:
            if problem := url_problem(place):
                raise Unavailable(f"the log cannot be asked: {problem}")
            book.standing, book.taken = await self._watch.take(log, book.client, at), at
        except (Unavailable, OutputError) as reason:
            if not book.standing:
                book.problem = str(reason)
                raise
            book.taken = at  # the tree head of before is good enough
        return book.standing

    async def _ask(self, book: _Book, case: Case, head: TreeHead) -> Inclusion:
        found = await self._proof(book, case, head)
        if isinstance(found, Absent):
            if case.is_young:
                return case.pending(head)
            if head.timestamp < case.due:
                return case.stale(head)
            await book.client.has_tree(head)
            found = await self._proof(book, case, head)
        if isinstance(found, Absent):
            exhibit = case.exhibit(Kind.NOT_INCLUDED, case.too_late(head), head, None, found.answers)
            return case.missing(head, self._charge(book, exhibit, case.at))
        if isinstance(found, Fault):
            return case.misbehaved(found, head)
        if found.leaf != case.leaf:
            said = f"entry {found.index} of the tree of {head.size} entries is another one than the SCT promises at this index"
            exhibit = case.exhibit(Kind.OTHER_LEAF, said, head, found, found.answers)
            return case.misbehaved(self._charge(book, exhibit, case.at), head)
        remark = book.standing.open if book.standing else ""
        try:
            self._store.include(case.log.log_id, case.leaf, Proven(found.index, head.size, head.timestamp), case.at)
        except OutputError as problem:
            remark = str(problem)
        return case.included(head, found.index, remark)

    async def _proof(self, book: _Book, case: Case, head: TreeHead) -> Proof | Absent | Fault:
        """A proof that holds, for whichever leaf. One that does not is asked for again: it may be spoilt on its way."""
        first = await self._judged(book, case, head)
        if not isinstance(first, _Spoilt):
            return first
        second = await self._judged(book, case, head)
        if not isinstance(second, _Spoilt):
            return second
        said = f"its proof for entry {second.proof.index} does not lead to the root of the tree of {head.size} it signed"
        answers = first.proof.answers + second.proof.answers
        return self._charge(book, case.exhibit(Kind.NOT_PROVEN, said, head, second.proof, answers), case.at)

    async def _judged(self, book: _Book, case: Case, head: TreeHead) -> "Proof | Absent | _Spoilt":
        found = await book.client.inclusion(case.leaf, case.index, head)
        if isinstance(found, Absent):
            return found
        problem = inclusion_problem(found.leaf, found.index, head.size, found.hashes, head.root)
        if not problem:
            return found
        book.client.forget()
        if problem != OTHER_ROOT:
            raise Unavailable(f"the log's proof cannot be used: {problem}")
        return _Spoilt(found)

    def _charge(self, book: _Book, exhibit: Exhibit, at: datetime) -> Fault:
        """The fault, with a file of evidence unless this log has filled enough of them."""
        book.exhibits += 1
        if book.exhibits > _EXHIBITS:
            said = f"{exhibit.statement} (evidence was kept of the first {_EXHIBITS} such entries)"
            return Fault(said, "", exhibit.kind not in UNSIGNED)
        return self._watch.charge(exhibit, at)
