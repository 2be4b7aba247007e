"""One SCT whose inclusion is in question, and the words of each verdict on it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dnscertscan.ct.clients import Answer, Proof
from dnscertscan.ct.inclusion_evidence import Exhibit, Kind
from dnscertscan.ct.inclusion_heads import Fault
from dnscertscan.ct.tree_store import Proven
from dnscertscan.model.ct import Inclusion, InclusionVerdict, Log, LogKind, Sct
from dnscertscan.model.text import visible
from dnscertscan.pki.sct import signed_data
from dnscertscan.pki.tbs import Entry
from dnscertscan.pki.tree_heads import TreeHead

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """``leaf`` is the leaf hash of ``entry`` under ``sct``; ``at`` the time of the verdict."""

    sct: Sct
    entry: Entry
    log: Log
    leaf: bytes
    at: datetime

    @property
    def index(self) -> int | None:
        """Where the entry must be, as the SCT says; None for a log that does not say."""
        return self.sct.leaf_index if self.log.kind is LogKind.STATIC else None

    @property
    def due(self) -> int:
        """When it must be in the tree: milliseconds since 1970."""
        return self.sct.timestamp + max(self.log.mmd, 0) * 1000

    @property
    def is_young(self) -> bool:
        """Whether the log has time left."""
        return (self.at - _EPOCH) // _MILLISECOND < self.due

    def unknown(self, reason: str, head: TreeHead | None = None) -> Inclusion:
        """It could not be learnt."""
        return self._found(InclusionVerdict.UNKNOWN, reason, head)

    def included(self, head: TreeHead, index: int, remark: str) -> Inclusion:
        """Proven just now; ``remark`` is what is worth saying all the same."""
        reason = f"entry {index} of the tree of {head.size} entries" + (f" ({remark})" if remark else "")
        return self._found(InclusionVerdict.INCLUDED, reason, head, index=index)

    def proven_before(self, proven: Proven) -> Inclusion:
        """Proven in an earlier run."""
        at = _EPOCH + timedelta(milliseconds=min(proven.timestamp, 1 << 47))
        return Inclusion(
            InclusionVerdict.INCLUDED, f"entry {proven.index} of the tree of {proven.size} entries, proven in an earlier run",
            self.log.log_id, self.leaf, proven.size, at, proven.index, cached=True,
        )

    def pending(self, head: TreeHead) -> Inclusion:
        """Not there, and not due."""
        reason = f"not in the tree of {head.size} entries yet; the log has {self.log.mmd} s from {_words(self.sct.at)} on"
        return self._found(InclusionVerdict.PENDING, reason, head)

    def stale(self, head: TreeHead) -> Inclusion:
        """Not there, but the tree head is of a time when it was not due."""
        shown = f"but the newest tree head that the log shows is of {_words(head.at)}, too old to decide"
        reason = f"not in the tree of {head.size} entries, {shown}"
        return self._found(InclusionVerdict.UNKNOWN, reason, head)

    def too_late(self, head: TreeHead) -> str:
        """The statement that the log has broken its promise."""
        after = (head.timestamp - self.sct.timestamp) // 1000
        return f"not in the tree of {head.size} entries that the log signed {after} s after the SCT; {self.log.mmd} s are allowed"

    def missing(self, head: TreeHead, fault: Fault) -> Inclusion:
        """Not there, and due."""
        return self._found(InclusionVerdict.NOT_INCLUDED, fault.reason, head, fault.evidence)

    def misbehaved(self, fault: Fault, head: TreeHead | None = None) -> Inclusion:
        """The log contradicts itself, or seems to."""
        verdict = InclusionVerdict.MISBEHAVIOUR if fault.sure else InclusionVerdict.UNKNOWN
        return self._found(verdict, fault.reason, head, fault.evidence)

    def exhibit(self, kind: Kind, said: str, head: TreeHead, proof: Proof | None, answers: tuple[Answer, ...]) -> Exhibit:
        """What shows a fault of the log about this entry."""
        return Exhibit(
            kind, said, self.log, (head,), proof.hashes if proof else (), answers, self.sct, signed_data(self.sct, self.entry),
            proof.index if proof else self.index, proof.leaf if proof else b"",
        )

    def _found(
        self, verdict: InclusionVerdict, reason: str, head: TreeHead | None, evidence: str = "", index: int | None = None
    ) -> Inclusion:
        size, at = (head.size, head.at) if head else (None, None)
        return Inclusion(verdict, visible(reason, 600), self.log.log_id, self.leaf, size, at, index, evidence)


def _words(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
