"""Finding the ways from a leaf to an anchor, within fixed bounds (RFC 4158; RFC 5280 6.1 leaves the building to us).

Candidates come from the store first, then from what was sent. A path never holds the same subject and key twice, which is what
keeps renewed and cross-signed copies of one CA from multiplying.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.dn import DistinguishedName, Key
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.signatures import Budget
from dnscertscan.pki.truststore import TrustStore

MAX_INTERMEDIATES = 10
MAX_NODES = 300
MAX_PATHS = 60


class Link(IntEnum):
    """How sure it is that one certificate issued the next one down; lower is better."""

    SIGNED = 0
    OTHER_KEY_ID = 1
    """Signed, but authorityKeyIdentifier names another key or serial: OpenSSL does not follow it."""
    NOT_SIGNED = 2
    """The names fit, the signature does not."""


class Cut(IntEnum):
    """Why a path ends where it ends."""

    NO_ISSUER = 0
    ANCHOR = 1
    SELF_SIGNED = 2
    DEPTH = 3
    BUDGET = 4


@dataclass(frozen=True, slots=True)
class Path:
    """Leaf first. ``links[i]`` is between certificate i and its issuer i + 1."""

    certificates: tuple[Facts, ...]
    links: tuple[Link, ...]
    end: Cut

    @property
    def anchored(self) -> bool:
        """Whether it reaches a trust anchor over good signatures."""
        return self.end is Cut.ANCHOR and Link.NOT_SIGNED not in self.links


class Pool:
    """Certificates to build from, by subject; the first of equal ones counts."""

    def __init__(self, certificates: Iterable[Facts]) -> None:
        self._by_subject: dict[Key, list[Facts]] = {}
        for facts in certificates:
            self._by_subject.setdefault(facts.subject.key, []).append(facts)

    def by_subject(self, name: DistinguishedName) -> tuple[Facts, ...]:
        """Those with this subject, in the order given."""
        return tuple(self._by_subject.get(name.key, ()))


class _LastPool:
    """The pool of the tuple asked for last: in a run the same long tuple comes again and again."""

    def __init__(self) -> None:
        self._certificates: tuple[Certificate, ...] = ()
        self._pool = Pool(())

    def of(self, certificates: Iterable[Certificate]) -> Pool:
        if certificates is not self._certificates:
            kept = tuple(certificates)
            pool = Pool(facts for facts in map(parse, kept) if not facts.problem)
            self._certificates, self._pool = kept, pool
        return self._pool


_LAST = _LastPool()


def pool_of(certificates: Iterable[Certificate]) -> Pool:
    """All that can be read of ``certificates``; asked twice for the same tuple, it is made once."""
    return _LAST.of(certificates)


def key_id_fits(issuer: Facts, child: Facts) -> bool:
    """Whether the child's authorityKeyIdentifier, where there is one, can mean this issuer (X509_check_akid of OpenSSL)."""
    authority = child.extensions.authority_key
    if authority is None:
        return True
    own = issuer.extensions.subject_key
    if authority.key_id is not None and own is not None and authority.key_id != own:
        return False
    if authority.serial is not None and authority.serial != issuer.serial:
        return False
    return not authority.issuers or authority.issuers[0].key == issuer.issuer.key


class _Fit(IntEnum):
    """What the key identifiers say of an issuer; lower is better."""

    NAMED = 0
    UNKNOWN = 1
    """One of the two says nothing."""
    OTHER = 2
    """They contradict each other: OpenSSL does not take it."""


def _fit(issuer: Facts, child: Facts) -> _Fit:
    if not key_id_fits(issuer, child):
        return _Fit.OTHER
    authority = child.extensions.authority_key
    by_key = authority is not None and authority.key_id is not None and issuer.extensions.subject_key is not None
    by_serial = authority is not None and authority.serial is not None
    return _Fit.NAMED if by_key or by_serial else _Fit.UNKNOWN


_FITS = tuple(_Fit)
_Step = tuple[Facts, Link]
"""A possible issuer and how sure it is."""


class Anchors(Protocol):
    """What a search asks of a store."""

    def has(self, facts: Facts) -> bool:
        """Whether this very certificate is an anchor."""

    def by_subject(self, name: DistinguishedName) -> tuple[Facts, ...]:
        """Anchors with this subject."""


class Overheard:
    """A store, and all that a search asked it: a store with the same answers has the same paths, without another search."""

    def __init__(self, store: TrustStore) -> None:
        self._store = store
        self._anchors: dict[str, tuple[Facts, bool]] = {}
        self._subjects: dict[Key, tuple[DistinguishedName, tuple[Facts, ...]]] = {}

    def has(self, facts: Facts) -> bool:
        """Whether this very certificate is an anchor."""
        answer = self._store.has(facts)
        self._anchors[facts.sha256] = (facts, answer)
        return answer

    def by_subject(self, name: DistinguishedName) -> tuple[Facts, ...]:
        """Anchors with this subject."""
        answer = self._store.by_subject(name)
        self._subjects[name.key] = (name, answer)
        return answer

    def answers_like(self, store: TrustStore) -> bool:
        """Whether ``store`` says the same to everything that was asked."""
        return all(store.has(facts) is answer for facts, answer in self._anchors.values()) and all(
            store.by_subject(name) == answer for name, answer in self._subjects.values()
        )


class Search:
    """One search over one store. ``budget`` is shared by all searches of one diagnosis."""

    def __init__(self, pool: Pool, store: Anchors, budget: Budget, at: datetime) -> None:
        self._pool = pool
        self._store = store
        self._budget = budget
        self._at = at
        self._nodes = 0
        self._found = 0

    def paths(self, leaf: Facts) -> Iterator[Path]:
        """Ways up from ``leaf``, promising ones first, at least one and at most ``MAX_PATHS``."""
        yield from self._extend((leaf,), ())

    def _extend(self, path: tuple[Facts, ...], links: tuple[Link, ...]) -> Iterator[Path]:
        last = path[-1]
        self._nodes += 1
        if self._store.has(last):
            yield self._end(path, links, Cut.ANCHOR)
        elif last.names_itself and self._budget.is_signed(last, last) is not False:
            yield self._end(path, links, Cut.SELF_SIGNED)
        else:
            yield from self._climb(path, links)

    def _climb(self, path: tuple[Facts, ...], links: tuple[Link, ...]) -> Iterator[Path]:
        """Upwards by what key identifiers say: signatures of the next group are checked only when the search gets there."""
        child = path[-1]
        complete, signers, unsigned = True, set[bytes](), list[_Step]()
        for fit, group in self._groups(path):
            good: list[_Step] = []
            for issuer in group:
                if fit is _Fit.OTHER and not self._may_look(issuer, signers):
                    continue
                signed = self._budget.is_signed(issuer, child)
                if signed:
                    good.append((issuer, Link.OTHER_KEY_ID if fit is _Fit.OTHER else Link.SIGNED))
                    signers.add(issuer.key.digest)
                elif fit is not _Fit.OTHER:
                    complete = complete and signed is not None
                    unsigned += [(issuer, Link.NOT_SIGNED)] if signed is False else []
            yield from self._through(path, links, good)
            if self._is_over:
                return
        if not signers and unsigned:
            yield from self._through(path, links, unsigned)
        elif not signers:
            end = Cut.NO_ISSUER if complete else Cut.BUDGET
            yield self._end(path, links, Cut.SELF_SIGNED if child.names_itself else end)

    def _may_look(self, issuer: Facts, signers: set[bytes]) -> bool:
        """Whether to check one the child's key identifier speaks against: only to explain, so the budget must be ample."""
        return issuer.key.digest in signers if signers else self._budget.is_ample

    def _through(self, path: tuple[Facts, ...], links: tuple[Link, ...], steps: list[_Step]) -> Iterator[Path]:
        for issuer, link in sorted(steps, key=self._promise) if len(steps) > 1 else steps:
            if self._is_over:
                return
            if len(path) > MAX_INTERMEDIATES and not self._store.has(issuer):
                yield self._end((*path, issuer), (*links, link), Cut.DEPTH)
                return
            yield from self._extend((*path, issuer), (*links, link))

    @property
    def _is_over(self) -> bool:
        return self._found > 0 and (self._found >= MAX_PATHS or self._nodes >= MAX_NODES)

    def _end(self, path: tuple[Facts, ...], links: tuple[Link, ...], end: Cut) -> Path:
        self._found += 1
        return Path(path, links, end)

    def _groups(self, path: tuple[Facts, ...]) -> Iterator[tuple[_Fit, list[Facts]]]:
        """Those with the name of the last one's issuer, each once, best fit first; within a group the store comes first."""
        child = path[-1]
        seen = {facts.sha256 for facts in path}
        taken = {(facts.subject.key, facts.key.digest) for facts in path}
        groups: dict[_Fit, list[Facts]] = {fit: [] for fit in _FITS}
        for issuer in (*self._store.by_subject(child.issuer), *self._pool.by_subject(child.issuer)):
            if issuer.sha256 not in seen and (issuer.subject.key, issuer.key.digest) not in taken:
                seen.add(issuer.sha256)
                groups[_fit(issuer, child)].append(issuer)
        yield from groups.items()

    def _promise(self, candidate: _Step) -> tuple[int, bool, bool, bool]:
        issuer, link = candidate
        start, end = issuer.not_before, issuer.not_after
        in_time = start is not None and end is not None and start <= self._at <= end
        return link, not self._store.has(issuer), not in_time, not issuer.is_ca
