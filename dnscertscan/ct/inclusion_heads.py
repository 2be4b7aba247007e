"""The tree head of a log, taken in only together with all that were ever seen of it: they must be heads of one growing tree."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from dnscertscan.ct.clients import Answer, LogClient, Unavailable
from dnscertscan.ct.inclusion_evidence import LATER, UNSIGNED, Exhibit, Kind
from dnscertscan.ct.tree_store import MAX_NUMBER, TreeStore
from dnscertscan.model.ct import Log
from dnscertscan.pki.merkle import NOT_GROWN, consistency_problem
from dnscertscan.pki.tree_heads import TreeHead, tree_head_problem

_SPOILT = "; the log did not sign this answer, which may be spoilt on its way: it counts when it is the same in a later run"


@dataclass(frozen=True, slots=True)
class Fault:
    """A log contradicts itself; ``evidence`` is the file that shows it, ``reason`` says so when it could not be written.

    ``sure``: by what the log signed alone, or once more in a later run; else somebody may have spoilt it on its way.
    """

    reason: str
    evidence: str
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a log stands: the tree head to judge by, or a fault. ``open`` is why consistency is not proven in full."""

    head: TreeHead | None
    fault: Fault | None = None
    open: str = ""


class HeadWatch:
    """Takes in tree heads of logs. At most ``proofs`` proofs of consistency are asked for at a time."""

    def __init__(self, store: TreeStore, proofs: int) -> None:
        self._store, self._proofs = store, proofs

    def known_fault(self, log: Log, at: datetime) -> Fault | None:
        """What the signed tree heads at hand say against the log; nothing is asked."""
        found = self._store.conflict(log.log_id)
        # A stored tree head proves only what it is signed for.
        if found is None or any(tree_head_problem(head, log) for head in found):
            return None
        one, two = found
        if one.size == two.size:
            kind, said = Kind.FORK, f"it signed two trees of {one.size} entries with different roots"
        else:
            kind = Kind.SHRUNK
            said = f"it signed a tree of {one.size} entries at {_time(one)}, and later ({_time(two)}) one of {two.size}"
        return self.charge(Exhibit(kind, said, log, found), at)

    def charge(self, exhibit: Exhibit, at: datetime) -> Fault:
        """The fault, with the evidence on disk."""
        kept = exhibit.kept(self._store.evidence) if exhibit.kind in UNSIGNED else None
        sure = exhibit.kind not in UNSIGNED or _is_bound(exhibit) or (kept is not None and at - kept[1] >= LATER)
        said = exhibit.statement if sure else f"{exhibit.statement}{_SPOILT}"
        try:
            return Fault(said, str(kept[0] if kept else exhibit.keep(self._store.evidence, at)), sure)
        except OSError as problem:
            return Fault(f"{said} (the evidence could not be written: {problem.strerror})", "", sure)

    async def take(self, log: Log, client: LogClient, at: datetime) -> Standing:
        """Fetch the present tree head, keep it, and prove it consistent with the others. Raises :class:`Unavailable`."""
        head, answer = await client.head()
        if head.timestamp > MAX_NUMBER:
            raise Unavailable("the tree head has a time beyond all calendars")
        problem = tree_head_problem(head, log)
        self._store.add(log.log_id, head, answer.url, at, problem)
        if problem:
            raise Unavailable(problem)
        if fault := self.known_fault(log, at):
            return Standing(None, fault)
        unproved = self._store.unproved(log.log_id)
        for number, (one, two) in enumerate(unproved):
            if number == self._proofs:
                return Standing(head, open=f"tree heads whose consistency is left to later runs: {len(unproved) - number}")
            try:
                fault = await self._connect(log, client, one, two, at)
            except Unavailable as reason:
                return Standing(head, open=f"consistency with the tree of {one.size} entries is not proven: {reason}")
            if fault:
                return Standing(None, fault)
        return Standing(head)

    async def _connect(self, log: Log, client: LogClient, one: TreeHead, two: TreeHead, at: datetime) -> Fault | None:
        answers: tuple[Answer, ...] = ()
        for _ in range(2):
            # A proof that does not hold is asked for again: an answer may be spoilt on its way.
            proof = await client.consistency(one.size, two.size)
            problem = consistency_problem(one.size, one.root, two.size, two.root, proof.hashes)
            if not problem:
                self._store.link(log.log_id, one, two, at)
                return None
            client.forget()
            if not problem.startswith(NOT_GROWN):
                raise Unavailable(problem)
            answers += proof.answers
        trees = f"{two.size} entries at {_time(two)} does not begin with the one of {one.size} at {_time(one)}"
        said = f"the tree of {trees}: {problem}"
        return self.charge(Exhibit(Kind.INCONSISTENT, said, log, (one, two), proof.hashes, answers), at)


def _time(head: TreeHead) -> str:
    return head.at.isoformat(timespec="seconds")


def _is_bound(exhibit: Exhibit) -> bool:
    """Whether a proof of consistency leads to the later root that was signed: then its hashes are in that tree, unspoilt.

    (RFC 9162 2.1.4.2.) From a tree of a power of two the proof begins with the earlier root itself, so that the two cannot be
    told apart; what was asked for twice counts then.
    """
    if exhibit.kind is not Kind.INCONSISTENT or not exhibit.proof:
        return False
    one, two = exhibit.heads
    if one.size & (one.size - 1) == 0:
        return True
    first, last = one.size - 1, two.size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    root = exhibit.proof[0]
    for node in exhibit.proof[1:]:
        if first & 1 or first == last:
            root = sha256(b"\x01" + node + root).digest()
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            root = sha256(b"\x01" + root + node).digest()
        first, last = first >> 1, last >> 1
    return root == two.root
