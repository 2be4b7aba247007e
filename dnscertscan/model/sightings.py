"""What search services have said of the certificates that CT has: found, absent, or no answer at all, which is never absent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName


class Verdict(StrEnum):
    """FOUND: the source has issuances. ABSENT: it answered, and has none. UNAVAILABLE: it gave no answer that can be used."""

    FOUND = "found"
    ABSENT = "absent"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer of one source for one domain and everything below it.

    ``as_of``: up to when the answer holds; None when there never was one. ``complete``: the source vouches that this is
    everything it has, so that what is not in it is absent there; only then may anybody conclude from a missing issuance.
    ``truncated``: we stopped before the end (budget, limits); the next run goes on. ``reason`` is one line, safe to show, for
    whatever is not plain. An UNAVAILABLE answer may still carry what was kept of an earlier one. Issuances whose certificate
    was not fetched have an empty ``tbs_sha256``. ``problems`` are rows that could not be read, safe to show.
    """

    source: str
    domain: DnsName
    verdict: Verdict
    issuances: tuple[Issuance, ...] = ()
    as_of: datetime | None = None
    complete: bool = False
    truncated: bool = False
    reason: str = ""
    problems: tuple[str, ...] = ()

    def since(self, moment: datetime | None) -> "SearchResult":
        """The same without issuances that are known to be older; one without any date stays."""
        if moment is None:
            return self
        return replace(self, issuances=tuple(found for found in self.issuances if is_since(found, moment)))


def is_since(issuance: Issuance, moment: datetime) -> bool:
    """Whether it was logged, or else made, at ``moment`` or later, or nobody knows when."""
    when = issuance.first_seen or issuance.not_before
    return when is None or when >= moment


def unavailable(source: str, domain: DnsName, reason: str) -> SearchResult:
    """No answer."""
    return SearchResult(source, domain, Verdict.UNAVAILABLE, reason=reason)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One issuance as all sources together know it; ``issuance.der`` is the certificate rather than the precertificate.

    ``sources`` are the names of those that have it, ``forms`` the distinct certificates and precertificates by SHA-256.
    """

    issuance: Issuance
    sources: tuple[str, ...]
    forms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """One issuer, one serial number, two or more TBS hashes (sorted): a serious fault of a CA, or of a source.

    ``certain``: the key of the issuer is known and the same; otherwise its name and authorityKeyIdentifier are.
    """

    issuer_spki_sha256: str
    issuer: str
    serial: str
    tbs: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class Sightings:
    """What CT has, as far as anybody said. ``issuances`` by TBS hash.

    ``unidentified`` are rows whose certificate nobody fetched: they have names and serial number, no TBS hash. ``answers`` are
    all answers without their issuances; ``left_out`` names nobody was asked for, and why. ``at`` is when the search began.
    """

    issuances: Mapping[str, Sighting] = field(default_factory=dict)
    unidentified: tuple[Issuance, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    answers: tuple[SearchResult, ...] = ()
    left_out: tuple[tuple[DnsName, str], ...] = ()
    at: datetime | None = None

    @property
    def unavailable(self) -> Mapping[DnsName, tuple[SearchResult, ...]]:
        """Which sources gave no answer for which domain."""
        found: dict[DnsName, tuple[SearchResult, ...]] = {}
        for answer in self.answers:
            if answer.verdict is Verdict.UNAVAILABLE:
                found[answer.domain] = (*found.get(answer.domain, ()), answer)
        return found

    def complete_as_of(self, name: DnsName) -> datetime | None:
        """Up to when some source vouches for everything it has for ``name``; None: nothing follows from what is missing."""
        moments = (
            answer.as_of for answer in self.answers
            if answer.complete and answer.verdict is not Verdict.UNAVAILABLE and name.is_within(answer.domain)
        )
        return max((moment for moment in moments if moment is not None), default=None)
