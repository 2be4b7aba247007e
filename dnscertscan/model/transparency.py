"""What a run knows for its cross-check against Certificate Transparency, beside what it has seen served."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Inclusion, LogList, SctResult
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import Sightings


@dataclass(frozen=True, slots=True)
class CaaRecord:
    """One CAA record (RFC 8659 4.1): ``critical`` is the flag, ``tag`` in lower case, ``value`` raw text."""

    critical: bool
    tag: str
    value: str


@dataclass(frozen=True, slots=True)
class CaaAnswer:
    """The relevant CAA RRset of a name (RFC 8659 3): found at ``at`` on the way up, or nowhere (None, no records).

    ``problem`` is why it is not known, one line, safe to show; then nothing follows from it.
    """

    at: DnsName | None = None
    records: tuple[CaaRecord, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What the zones of the run say. ``names`` are owner names of records, wildcards among them.

    ``cuts`` are delegations: below them another zone, which may not be known, has the say. ``dangling`` are names whose alias
    leads nowhere. ``renamed`` have a DNAME, by which every name below them exists (RFC 6672). ``partial`` are zones whose records
    are not all there (hosts alone, say): that they lack a name means nothing.
    """

    zones: frozenset[DnsName] = frozenset()
    names: frozenset[DnsName] = field(default=frozenset(), repr=False)
    cuts: frozenset[DnsName] = frozenset()
    dangling: frozenset[DnsName] = frozenset()
    renamed: frozenset[DnsName] = frozenset()
    partial: frozenset[DnsName] = frozenset()


@dataclass(frozen=True, slots=True)
class Known:
    """Certificates, keys and CSRs known locally: digest -> where (a path, safe to show). Digests are lower-case hexadecimal."""

    keys: Mapping[str, str] = field(default_factory=dict)
    """By the SHA-256 of the SubjectPublicKeyInfo."""
    issuances: Mapping[str, str] = field(default_factory=dict)
    """By TBS hash."""


@dataclass(frozen=True, slots=True)
class CtPolicy:
    """What the operator expects of CT.

    ``issuers`` are the CAs that may issue, by SHA-256 of their key; empty: any. They stand for the CAs below them, too, where
    certificates show that; ``issuer_certificates`` are those of the CAs that were named by file.

    ``ca_domains`` says by which CAA domains a CA is named (RFC 8659 4.2), by the SHA-256 of the CA's key. Issuances younger than
    ``grace`` are not expected to be served yet; one that was not seen served after ``idle`` is told. ``accounts`` are the
    operator's own ACME accounts (RFC 8657). ``log_private``: private CAs are held to the same as public ones.
    """

    log_list: LogList
    apple: LogList | None = None
    issuers: frozenset[str] = frozenset()
    ca_domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    grace: timedelta = timedelta(hours=24)
    idle: timedelta = timedelta(days=7)
    accounts: tuple[str, ...] = ()
    log_private: bool = False
    issuer_certificates: tuple[Certificate, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class CtFacts:
    """What was learnt after the scan (or beside it): by asking logs, search services, the DNS and local files.

    ``inclusions``: leaf SHA-256 -> (SCT, what its log said). ``sightings`` is None when nobody searched. ``caa`` by the name that
    was asked for. ``unasked`` says why something that was wanted is missing (one line each, safe to show).
    """

    inclusions: Mapping[str, tuple[tuple[SctResult, Inclusion], ...]] = field(default_factory=dict)
    sightings: Sightings | None = None
    caa: Mapping[DnsName, CaaAnswer] = field(default_factory=dict)
    published: Published = field(default_factory=Published)
    known: Known = field(default_factory=Known)
    unasked: tuple[str, ...] = ()
    at: datetime | None = None
