"""The fields of one log in any list format: base64 octets, moments, intervals, URLs; each refused in words."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dnscertscan.ct.loglist_values import Objection, Weight
from dnscertscan.model.ct import Log, LogKind, LogState
from dnscertscan.model.text import visible
from dnscertscan.pki.keys import MIN_RSA, load_key

MAX_TEXT, MAX_URL = 300, 2048
_MAX_MMD = 30 * 86400
_PLACEHOLDERS = ("example.com", "example.net", "example.org", "example", "invalid")
"""RFC 2606: nobody runs a log there. Google's list has such entries so that careless programs do not break."""


Pair = tuple[object, object]


class FieldError(ValueError):
    """A field that cannot be used; the text says which, and why."""


def octets(value: object, what: str, size: int | None = None) -> bytes:
    """Standard base64 (RFC 4648 4), strictly."""
    if not isinstance(value, str) or len(value) > 8192:
        raise FieldError(f"{what} is missing or no base64 text")
    try:
        found = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise FieldError(f"{what} is no base64 text") from None
    if size is not None and len(found) != size:
        raise FieldError(f"{what} has {len(found)} octets, {size} are due")
    return found


def moment(value: object, what: str) -> datetime:
    """An RFC 3339 time with its offset."""
    if not isinstance(value, str) or len(value) > 40:
        raise FieldError(f"{what} is missing or no time")
    try:
        found = datetime.fromisoformat(value)
        in_utc = found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        raise FieldError(f"{what} {visible(value, 40)} is no time") from None
    if in_utc is None:
        raise FieldError(f"{what} has no offset from UTC")
    return in_utc


def text(value: object, what: str, default: str = "") -> str:
    """A short text, raw."""
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise FieldError(f"{what} is no text of at most {MAX_TEXT} characters")
    return value


def interval(start: object, end: object) -> tuple[datetime, datetime]:
    """The notAfter dates of a shard, end exclusive."""
    first, last = moment(start, "start of its interval"), moment(end, "end of its interval")
    if first >= last:
        raise FieldError(f"its interval ends ({last:%Y-%m-%d}) before it starts ({first:%Y-%m-%d})")
    return first, last


def state(name: object, since: object) -> tuple[LogState, datetime]:
    """One state and its beginning; a state nobody knows is refused."""
    try:
        known = LogState(name) if isinstance(name, str) else None
    except ValueError:
        known = None
    if known is None:
        raise FieldError(f"state {visible(str(name), 40)} is unknown")
    return known, moment(since, f"time of its state {known}")


def count(value: object, what: str) -> int:
    """A number of seconds."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= _MAX_MMD:
        raise FieldError(f"{what} is no number of seconds from 1 to {_MAX_MMD}")
    return value


def is_placeholder(url: str) -> bool:
    """Whether the URL leads to a name reserved for documentation, behind which no log can be."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return any(host == name or host.endswith(f".{name}") for name in _PLACEHOLDERS)


def url_problem(url: str) -> str:
    """Why ``url`` is not to be asked; empty when it may be."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url or "@" in parts.netloc:
        return "its URL cannot be used"
    return "it is a placeholder at a name reserved for examples" if is_placeholder(url) else ""


def key_problem(spki: bytes) -> str:
    """Why a log cannot have this key (RFC 6962 2.1.4: ECDSA on P-256, or RSA of 2048 bits and more); empty when it can."""
    match load_key(spki):
        case ec.EllipticCurvePublicKey() as key if isinstance(key.curve, ec.SECP256R1):
            return ""
        case rsa.RSAPublicKey() as key if key.key_size >= MIN_RSA:
            return ""
        case None:
            return "its key cannot be loaded"
        case _:
            return f"its key is neither ECDSA on P-256 nor RSA of at least {MIN_RSA} bits"


def build(
    fields: Mapping[str, Any], kind: LogKind, operators: tuple[tuple[str, datetime | None], ...],
    states: Iterable[Pair], span: Pair | None, urls: Pair,
) -> tuple[Log, list[Objection]]:
    """One log out of fields that all formats share, with notes on what was made harmless; raises :class:`FieldError`."""
    notes: list[Objection] = []
    key = octets(fields.get("key"), "key")
    log_id = octets(fields.get("log_id"), "log_id", 32)
    if problem := key_problem(key):
        raise FieldError(problem)
    description = text(fields.get("description"), "description")
    seen = []
    for name, since in states:
        try:
            seen.append(state(name, since))
        except FieldError as problem_of_state:
            notes.append(note(label(log_id, description), f"{problem_of_state}: its SCTs are checked, but count for no policy"))
    places = [value if isinstance(value, str) else "" for value in urls]
    wanted = places if kind is LogKind.STATIC else places[:1]
    problem = next(filter(None, map(url_problem, wanted)), "")
    if problem:
        notes.append(note(label(log_id, description), f"{problem}: it is never asked anything"))
        places = ["", ""]
    log = Log(
        log_id, key, description, kind, places[0], places[1] if kind is LogKind.STATIC else "",
        count(fields.get("mmd"), "mmd"), interval(*span) if span else None,
        tuple(sorted(seen, key=lambda one: one[1])), operators,
    )
    return log, notes


def label(log_id: bytes, description: str) -> str:
    """How a log is named in a message."""
    return f"log {visible(description, 80) or 'without description'} ({log_id.hex()[:16]})"


def note(who: str, problem: str) -> Objection:
    """An objection that costs nothing."""
    return Objection(Weight.NOTE, f"{who}: {problem}")


def has_right_id(log: Log) -> bool:
    """Whether the log id is the digest of the key (RFC 6962 3.2)."""
    return sha256(log.key).digest() == log.log_id
