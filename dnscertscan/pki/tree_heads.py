"""Signed tree heads of logs: the answer to get-sth, and checkpoints (RFC 6962 3.5, 4.3; C2SP static-ct-api, signed-note)."""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from dnscertscan.model.ct import Log
from dnscertscan.pki.merkle import EMPTY_ROOT, HASH, MAX_SIZE
from dnscertscan.pki.sct import signature_problem

MAX_OCTETS = 1 << 16
MAX_LINES = 100
_DASH = "— "
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TreeHead:
    """A tree head whose signature is not checked yet. ``timestamp`` is milliseconds since 1970, ``signature`` DigitallySigned.

    ``origin`` is the first line of a checkpoint, empty for get-sth; ``raw`` the answer as it came, to be kept as evidence.
    """

    size: int
    root: bytes
    timestamp: int
    signature: bytes = field(repr=False)
    origin: str = ""
    raw: bytes = field(default=b"", repr=False, compare=False)

    @property
    def at(self) -> datetime:
        """``timestamp`` as an aware time; the last moment there is for one beyond the calendar."""
        try:
            return _EPOCH + timedelta(milliseconds=self.timestamp)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)


def parse_sth(body: bytes) -> TreeHead | str:
    """The tree head in an answer to get-sth, or what is wrong with it; never raises."""
    if len(body) > MAX_OCTETS:
        return f"tree head of {len(body)} octets, at most {MAX_OCTETS} are read"
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return "tree head is not JSON"
    if not isinstance(fields, dict):
        return "tree head is not a JSON object"
    size, timestamp = _count(fields.get("tree_size")), _count(fields.get("timestamp"))
    root, signature = base64_octets(fields.get("sha256_root_hash")), base64_octets(fields.get("tree_head_signature"))
    if size is None or timestamp is None or root is None or signature is None:
        return "tree head lacks tree_size, timestamp, sha256_root_hash or tree_head_signature, or one of them cannot be read"
    return _checked(TreeHead(size, root, timestamp, signature, raw=body))


def parse_checkpoint(body: bytes, log: Log) -> TreeHead | str:
    """The tree head in a checkpoint that carries a signature line under ``log``'s key id, or what is wrong; never raises.

    Lines of other keys (witnesses, grease) are passed over. The origin must be that of ``log``: no signature covers it.
    """
    if len(body) > MAX_OCTETS:
        return f"checkpoint of {len(body)} octets, at most {MAX_OCTETS} are read"
    try:
        text, blank, signatures = body.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        return "checkpoint is not UTF-8"
    origin, size_text, root_text = (*text.split("\n", 3), "", "")[:3]
    root, due = base64_octets(root_text), origin_of(log)
    # A size is written in one way only: digits, no zero in front.
    size = int(size_text) if re.fullmatch(r"0|[1-9][0-9]{0,18}", size_text) else None
    if not blank or not origin or size is None or root is None:
        return "checkpoint that does not begin with lines of origin, size and root, a blank line before its signatures"
    if due and origin != due:
        return f"checkpoint of {origin[:200]!r}, {due!r} is due"
    found = _note_signatures(signatures, origin, key_id(origin, log.log_id))
    heads = [TreeHead(size, root, timestamp, signature, origin, body) for timestamp, signature in found]
    if not heads:
        return "checkpoint without a signature line of the log"
    # Key ids are short and may collide. When no line is good, the caller's own check of the first one says why.
    return _checked(next((head for head in heads if not tree_head_problem(head, log)), heads[0]))


def origin_of(log: Log) -> str:
    """The origin a static-ct log must name: its submission prefix without scheme and without slashes at the end."""
    return log.url.partition("://")[2].rstrip("/")


def key_id(origin: str, log_id: bytes) -> bytes:
    """Key id of an RFC6962NoteSignature: four octets."""
    return sha256(origin.encode("utf-8", "surrogatepass") + b"\n\x05" + log_id).digest()[:4]


def tree_head_problem(head: TreeHead, log: Log) -> str:
    """Why ``head`` is not signed by ``log`` (RFC 6962 3.5); empty when it is."""
    if len(head.signature) < 4 or int.from_bytes(head.signature[2:4], "big") != len(head.signature) - 4:
        return "tree head signature with a wrong length"
    signed = b"\0\1" + head.timestamp.to_bytes(8, "big") + head.size.to_bytes(8, "big") + head.root
    problem = signature_problem(log, head.signature[0], head.signature[1], head.signature[4:], signed)
    return f"tree head: {problem}" if problem else ""


def _checked(head: TreeHead) -> TreeHead | str:
    if head.size > MAX_SIZE:
        return f"tree head of {head.size} entries"
    if len(head.root) != HASH:
        return f"tree head with a root of {len(head.root)} octets"
    if head.size == 0 and head.root != EMPTY_ROOT:
        return "tree head of an empty tree with another root than that of no entries"
    return head


def _note_signatures(lines: str, name: str, wanted: bytes) -> Iterator[tuple[int, bytes]]:
    """Time and DigitallySigned of the signature lines by this name and key id (``— name base64``)."""
    start = f"{_DASH}{name} "
    for line in lines.split("\n")[:MAX_LINES]:
        octets = base64_octets(line[len(start) :]) if line.startswith(start) else None
        if octets is not None and octets[:4] == wanted and len(octets) > 12:
            yield int.from_bytes(octets[4:12], "big"), octets[12:]


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE else None


def base64_octets(value: Any) -> bytes | None:
    """The octets of a base64 text in JSON; None for anything else."""
    if not isinstance(value, str) or not value.isascii():
        return None
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        return None
