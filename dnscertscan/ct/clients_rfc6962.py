"""A log by the interface of RFC 6962 section 4: JSON, proofs made by the log itself."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import quote

from dnscertscan.ct.clients import MAX_ANSWER, Absent, Answer, Caller, Proof
from dnscertscan.model.ct import Log
from dnscertscan.model.text import visible
from dnscertscan.pki.merkle import hash_leaf, inclusion_problem
from dnscertscan.pki.tree_heads import TreeHead, base64_octets, parse_sth

MAX_ENTRY = 1 << 20
_MAX_HASHES = 64
_NOT_THERE = frozenset({400, 404})


class Rfc6962Client:
    """See :class:`~dnscertscan.ct.clients.LogClient`."""

    def __init__(self, log: Log, caller: Caller) -> None:
        self._caller, self._base = caller, log.url.rstrip("/") + "/ct/v1/"
        self._shown: TreeHead | None = None

    async def head(self) -> tuple[TreeHead, Answer]:
        """The answer to get-sth."""
        answer = await self._good("get-sth")
        head = parse_sth(answer.body)
        if isinstance(head, str):
            raise self._caller.unusable(f"get-sth: {head}")
        return head, answer

    async def inclusion(self, leaf: bytes, index: int | None, head: TreeHead) -> Proof | Absent:  # noqa: ARG002 - the log finds the place itself
        """The answer to get-proof-by-hash: a log that does not have it answers 404, some 400, and says so in words."""
        if head.size == 0:
            return Absent()
        # The + and / of base64 mean something else in a query.
        wanted = f"get-proof-by-hash?hash={quote(b64encode(leaf).decode(), safe='')}&tree_size={head.size}"
        answer = await self._caller.get(self._base + wanted)
        if answer.status in _NOT_THERE and _says_not_found(answer):
            return Absent((answer,))
        fields = self._fields(answer, "get-proof-by-hash")
        place = fields.get("leaf_index")
        if not isinstance(place, int) or isinstance(place, bool):
            raise self._caller.unusable("get-proof-by-hash: leaf_index is no number")
        return Proof(self._hashes(fields, "audit_path", "get-proof-by-hash"), (answer,), place, leaf)

    async def consistency(self, size: int, later: int) -> Proof:
        """The answer to get-sth-consistency."""
        answer = await self._good(f"get-sth-consistency?first={size}&second={later}")
        fields = self._fields(answer, "get-sth-consistency")
        return Proof(self._hashes(fields, "consistency", "get-sth-consistency"), (answer,))

    async def has_tree(self, head: TreeHead) -> None:
        """The last entry of the tree by get-entry-and-proof: a front end that lags behind its tree head does not have it."""
        if head.size == 0 or self._shown == head:
            return
        what = "get-entry-and-proof"
        answer = await self._good(f"{what}?leaf_index={head.size - 1}&tree_size={head.size}", MAX_ENTRY)
        fields = self._fields(answer, what)
        leaf, path = base64_octets(fields.get("leaf_input")), self._hashes(fields, "audit_path", what)
        if leaf is None:
            raise self._caller.unusable(f"{what}: leaf_input is not base64")
        if problem := inclusion_problem(hash_leaf(leaf), head.size - 1, head.size, path, head.root):
            raise self._caller.unusable(f"{what} of the last entry: {problem}")
        self._shown = head

    def forget(self) -> None:
        """Nothing is kept."""

    async def _good(self, request: str, max_bytes: int = MAX_ANSWER) -> Answer:
        answer = await self._caller.get(self._base + request, max_bytes)
        if answer.status != 200:
            raise self._caller.unusable(f"{request.partition('?')[0]}: the server answered {answer.status}{_words(answer)}")
        return answer

    def _fields(self, answer: Answer, what: str) -> dict[str, Any]:
        if answer.status != 200:
            raise self._caller.unusable(f"{what}: the server answered {answer.status}{_words(answer)}")
        try:
            fields = json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise self._caller.unusable(f"{what}: the answer is not JSON{_words(answer)}") from error
        if not isinstance(fields, dict):
            raise self._caller.unusable(f"{what}: the answer is not a JSON object")
        return fields

    def _hashes(self, fields: dict[str, Any], name: str, what: str) -> tuple[bytes, ...]:
        listed = fields.get(name)
        # An empty list is null in what Go programs write.
        hashes = [base64_octets(one) for one in listed or ()] if isinstance(listed, list | None) else [None]
        found = tuple(one for one in hashes[: _MAX_HASHES + 1] if one is not None)
        if name not in fields or len(found) != len(hashes):
            raise self._caller.unusable(f"{what}: {name} is no list of hashes")
        return found


def _says_not_found(answer: Answer) -> bool:
    """Whether these are the words of a log and not those of a proxy or of a web server without such a page."""
    text = answer.body.decode(errors="replace").lower()
    if "html" in answer.content_type.lower() or text.lstrip().startswith("<"):
        return False
    return answer.status == 404 or "not found" in text or "no leaf" in text or "unknown hash" in text


def _words(answer: Answer) -> str:
    text = visible(answer.body[:120].decode(errors="replace").strip(), 120)
    return f" ({text})" if text else ""
