"""What Certificate Transparency says: logs, lists of logs, SCTs, and the verdicts on them (RFC 6962, static-ct-api)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogState(StrEnum):
    """Where a log stands with the program that keeps the list."""

    PENDING = "pending"
    QUALIFIED = "qualified"
    USABLE = "usable"
    READONLY = "readonly"
    RETIRED = "retired"
    REJECTED = "rejected"


class LogKind(StrEnum):
    """The interface a log is read through."""

    RFC6962 = "rfc6962"
    STATIC = "static-ct"


@dataclass(frozen=True, slots=True)
class Log:
    """One log as a list describes it.

    ``log_id`` is 32 octets, ``key`` the SubjectPublicKeyInfo (DER), ``mmd`` seconds. ``url`` is the RFC 6962 base or the static
    submission prefix; ``monitoring_url`` is empty for RFC 6962. ``interval`` are the notAfter dates it takes, start inclusive,
    end exclusive. ``states`` are (state, since when), oldest first; ``operators`` (name, until when), the last one without end.
    """

    log_id: bytes
    key: bytes = field(repr=False)
    description: str
    kind: LogKind
    url: str
    monitoring_url: str
    mmd: int
    interval: tuple[datetime, datetime] | None
    states: tuple[tuple[LogState, datetime], ...]
    operators: tuple[tuple[str, datetime | None], ...]

    def state_at(self, moment: datetime) -> LogState | None:
        """The state at ``moment``; None before the first one that is known."""
        return next((state for state, since in reversed(self.states) if since <= moment), None)

    def operator_at(self, moment: datetime) -> str:
        """Who ran the log at ``moment``."""
        return next((name for name, until in self.operators if until is None or moment < until), self.operator)

    def as_of(self, moment: datetime) -> "Log":
        """The log as a list of ``moment`` would have it: nothing that came later is known."""
        past = tuple((name, until) for name, until in self.operators if until is not None and until <= moment)
        states = tuple((state, since) for state, since in self.states if since <= moment)
        return replace(self, states=states, operators=(*past, (self.operator_at(moment), None)))

    @property
    def operator(self) -> str:
        """Who runs the log now; empty when nobody is named."""
        return self.operators[-1][0] if self.operators else ""


def read_leaf_index(extensions: bytes) -> tuple[int | None, str]:
    """The leaf_index among the extensions of an SCT (static-ct-api), and why they cannot be read; unknown types are passed over.

    Each extension is one octet type, two octets length, content; leaf_index has type 0 and 5 octets. A type may occur once.
    """
    pos, found, seen = 0, None, set()
    while pos < len(extensions):
        if len(extensions) - pos < 3:
            return None, "SCT extensions end inside the header of one"
        kind, size = extensions[pos], int.from_bytes(extensions[pos + 1 : pos + 3], "big")
        content = extensions[pos + 3 : pos + 3 + size]
        pos += 3 + size
        if len(content) != size:
            return None, f"SCT extension of type {kind} is longer than what encloses it"
        if kind in seen:
            return None, f"SCT extension of type {kind} occurs twice"
        seen.add(kind)
        if kind == 0:
            if size != 5:
                return None, f"leaf_index has {size} octets, 5 are due"
            found = int.from_bytes(content, "big")
    return found, ""


@dataclass(frozen=True, slots=True)
class LogList:
    """A list of logs by log id. ``source`` is the file or URL, ``signed`` whether its signature was checked and is good.

    ``begins`` is how far back the history of its logs is known; None: it is not said.
    """

    name: str
    version: str
    timestamp: datetime
    logs: Mapping[bytes, Log] = field(repr=False)
    source: str
    signed: bool
    begins: datetime | None = None

    def as_of(self, moment: datetime) -> "LogList":
        """The list of that day: the logs that had a state by then, in the state they had; its age then is never negative.

        Before the history begins nobody knows what the lists had: then all logs stay, for a key is a key on any day, and the age
        is that of the oldest list, which is negative.
        """
        known = self.begins is None or moment >= self.begins
        logs = {
            log_id: log.as_of(moment) for log_id, log in self.logs.items() if not known or log.state_at(moment) is not None
        }
        return replace(self, logs=logs, timestamp=min(self.timestamp, moment if known else self.begins or moment))


@dataclass(frozen=True, slots=True)
class Sct:
    """A SignedCertificateTimestamp of version 1 (RFC 6962 3.2), as sent. ``timestamp`` is milliseconds since 1970, UTC."""

    raw: bytes = field(repr=False)
    version: int
    log_id: bytes
    timestamp: int
    extensions: bytes
    hash_algorithm: int
    signature_algorithm: int
    signature: bytes = field(repr=False)

    @property
    def at(self) -> datetime:
        """``timestamp`` as an aware time; the last moment there is for one beyond the calendar."""
        try:
            return _EPOCH + timedelta(milliseconds=self.timestamp)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    @property
    def leaf_index(self) -> int | None:
        """Index of the entry in a static-ct log; None without that extension, or when the extensions cannot be read."""
        return read_leaf_index(self.extensions)[0]


@dataclass(frozen=True, slots=True)
class BadSct:
    """Octets where an SCT (or a list of them) is due, and why they are none."""

    raw: bytes = field(repr=False)
    problem: str


class Delivery(StrEnum):
    """How an SCT reached the client."""

    EMBEDDED = "embedded"
    OCSP = "ocsp"
    TLS = "tls"


class SctVerdict(StrEnum):
    """What is known of one SCT. Only VALID is evidence that a log has promised the entry."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN_LOG = "unknown-log"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class SctResult:
    """The verdict on one SCT. ``operator`` is that of the SCT's time, ``state`` that of the check."""

    sct: Sct | BadSct
    delivery: Delivery
    verdict: SctVerdict
    reason: str
    log: Log | None
    operator: str
    state: LogState | None


class Program(StrEnum):
    """Whose CT policy is meant."""

    CHROME = "chrome"
    APPLE = "apple"
    MOZILLA = "mozilla"


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """Whether a policy is met; None when that cannot be decided. ``reasons`` says why in any case."""

    program: Program
    compliant: bool | None
    reasons: tuple[str, ...]


class Logged(StrEnum):
    """Whether CT has the certificate; UNKNOWN whenever the evidence does not decide it."""

    LOGGED = "logged"
    NOT_LOGGED = "not-logged"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CtAudit:
    """What CT says of one served certificate. ``tbs_sha256`` is the identity of the issuance, empty when it cannot be read."""

    results: tuple[SctResult, ...]
    policies: tuple[PolicyResult, ...]
    logged: Logged
    tbs_sha256: str
    list_name: str
    list_version: str
    list_age_days: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Issuance:
    """One row of what CT has. Digests are lower-case hexadecimal, ``serial`` upper-case; None is what the source does not say.

    ``tbs_sha256`` is the same for precertificate and certificate; ``precert`` says which of the two ``der`` is. ``revoked``: the
    source says that it is; False is also what a source says that does not look.
    """

    tbs_sha256: str
    cert_sha256: str | None
    issuer_spki_sha256: str | None
    issuer: str
    subject: str
    serial: str
    names: tuple[str, ...]
    not_before: datetime | None
    not_after: datetime | None
    key_sha256: str | None
    source: str
    first_seen: datetime | None
    der: bytes | None = field(repr=False)
    precert: bool
    revoked: bool = False


class InclusionVerdict(StrEnum):
    """Whether a log has the entry that an SCT of it promises."""

    INCLUDED = "included"
    PENDING = "pending"
    NOT_INCLUDED = "not-included"
    MISBEHAVIOUR = "misbehaviour"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What asking the log of one SCT gave; ``reason`` is one line, safe to show.

    INCLUDED: proven against a tree head the log signed. PENDING: not there, and younger than the log's MMD. NOT_INCLUDED: not
    there, by a signed tree head later than the MMD allows. MISBEHAVIOUR: the log contradicts itself. UNKNOWN: not learnt.
    ``tree_size``, ``tree_head_at`` are those of the tree head it was judged by, ``index`` the place of the entry; None without.
    ``evidence`` names the file that proves a fault of the log, empty when none was written. ``cached``: proven in an earlier run.
    """

    verdict: InclusionVerdict
    reason: str
    log_id: bytes
    leaf_hash: bytes = field(repr=False)
    tree_size: int | None = None
    tree_head_at: datetime | None = None
    index: int | None = None
    evidence: str = ""
    cached: bool = False
