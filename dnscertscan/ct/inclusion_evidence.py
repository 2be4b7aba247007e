"""Evidence against a log: one JSON file for each fault, with all that somebody else needs to check it; never overwritten."""

import json
import os
import tempfile
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from dnscertscan.ct.clients import Answer
from dnscertscan.model.ct import Log, Sct
from dnscertscan.pki.tree_heads import TreeHead

FORMAT = "dnscertscan-ct-evidence-1"


class Kind(StrEnum):
    """What a log did."""

    FORK = "two-roots-for-one-size"
    SHRUNK = "later-tree-head-is-smaller"
    INCONSISTENT = "consistency-proof-does-not-hold"
    NOT_PROVEN = "inclusion-proof-does-not-hold"
    OTHER_LEAF = "other-entry-at-the-index-of-the-sct"
    NOT_INCLUDED = "not-included-after-mmd"


UNSIGNED = frozenset({Kind.INCONSISTENT, Kind.NOT_PROVEN})
"""These hang on proofs and tiles that nobody signed: a mirror may have spoilt them, and once proves nothing against the log."""
LATER = timedelta(hours=1)
"""A run so much later than another one asks anew, whatever caches there are."""
_READ = 500
_HOW = {
    Kind.FORK: "Both tree heads have a good signature by the key of the log, the same size, and different roots.",
    Kind.SHRUNK: "Both tree heads have a good signature by the key of the log; the later one has the smaller tree_size.",
    Kind.INCONSISTENT: "Both tree heads have a good signature by the key of the log. The proof, as the log answered (twice), does"
    " not lead from the root of the first to that of the second (RFC 6962 2.1.2).",
    Kind.NOT_PROVEN: "The tree head has a good signature by the key of the log. The proof, as the log answered (twice), does not"
    " lead from the leaf to its root (RFC 6962 2.1.1).",
    Kind.OTHER_LEAF: "The SCT has a good signature by the key of the log and names an index (leaf_index). The proof leads from"
    " another leaf hash (leaf_in_the_log) at this index to the root of the tree head, which that key signed, too.",
    Kind.NOT_INCLUDED: "The SCT has a good signature by the key of the log. The tree head has one, too, and is later than the SCT"
    " by more than the MMD, and the log does not have the entry: see its answers (none: the index is behind the tree).",
}


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What a fault is shown by. ``leaf_input`` is the MerkleTreeLeaf that ``sct`` is over, ``leaf`` a hash the log has there."""

    kind: Kind
    statement: str
    log: Log
    heads: Sequence[TreeHead]
    proof: Sequence[bytes] = ()
    answers: Sequence[Answer] = ()
    sct: Sct | None = None
    leaf_input: bytes = b""
    index: int | None = None
    leaf: bytes = b""

    @property
    def _facts(self) -> dict[str, Any]:
        """All that does not depend on when and how it was asked."""
        return {
            "format": FORMAT, "kind": self.kind, "statement": self.statement, "how_to_check": _HOW[self.kind],
            "log": {
                "log_id": _b64(self.log.log_id), "key": _b64(self.log.key), "description": self.log.description,
                "operator": self.log.operator, "interface": self.log.kind, "url": self.log.url,
                "monitoring_url": self.log.monitoring_url, "mmd": self.log.mmd,
            },
            "tree_heads": [_head(head) for head in self.heads],
            "proof": [_b64(node) for node in self.proof],
            "sct": _b64(self.sct.raw) if self.sct else None, "leaf_input": _b64(self.leaf_input), "leaf_index": self.index,
            "leaf_in_the_log": _b64(self.leaf),
        }

    def kept(self, folder: Path) -> tuple[Path, datetime] | None:
        """The file, and its time, that shows the same fault about the same entry, or the same two trees, by other answers."""
        with suppress(OSError):
            for path in sorted(folder.glob(f"*-{self.kind}-*.json"))[-_READ:]:
                with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):  # not ours, or spoilt: it shows nothing
                    found = json.loads(path.read_bytes())
                    if self._about(found) == self._about(self._facts):
                        return path, datetime.fromisoformat(found["found"])
        return None

    def _about(self, facts: dict[str, Any]) -> object:
        entry = facts["leaf_input"]
        if self.kind is not Kind.NOT_PROVEN:
            entry = [(head["tree_size"], head["sha256_root_hash"]) for head in facts["tree_heads"]]
        return facts["kind"], facts["log"]["log_id"], entry

    def keep(self, folder: Path, found: datetime) -> Path:
        """Write the file, private to its owner; one that shows the same already stays as it is. Raises OSError."""
        facts = self._facts
        digest = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = next(folder.glob(f"*-{digest[:24]}.json"), None)
        if known is not None:
            return known
        path = folder / f"{found.astimezone(UTC):%Y%m%dT%H%M%SZ}-{self.kind}-{digest[:24]}.json"
        facts |= {"found": found.isoformat(), "answers": [_answer(answer) for answer in self.answers]}
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(json.dumps(facts, indent=1) + "\n")
            # Unlike a rename it replaces nothing: another run may have been quicker.
            with suppress(FileExistsError):
                path.hardlink_to(name)
        finally:
            Path(name).unlink(missing_ok=True)
        return path


def _head(head: TreeHead) -> dict[str, Any]:
    """The fields as get-sth names them, and the answer they were in, octet by octet."""
    return {
        "tree_size": head.size, "timestamp": head.timestamp, "sha256_root_hash": _b64(head.root),
        "tree_head_signature": _b64(head.signature), "origin": head.origin, "answer": _b64(head.raw),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {"url": answer.url, "status": answer.status, "content_type": answer.content_type, "body": _b64(answer.body)}


def _b64(octets: bytes) -> str:
    return b64encode(octets).decode()
