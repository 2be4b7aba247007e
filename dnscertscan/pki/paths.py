"""Finding the ways from a leaf to an anchor, within fixed bounds (RFC 4158; RFC 5280 6.1 leaves the building to us).

Candidates come from the store first, then from what was sent. A path never holds the same subject and key twice, which is what
keeps renewed and cross-signed copies of one CA from multiplying.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

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


class Search:
    """One search over one store. ``budget`` is shared by all searches of one diagnosis."""

    def __init__(self, pool: Pool, store: TrustStore, budget: Budget, at: datetime) -> None:
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
        candidates, complete = self._candidates(path)
        if not candidates:
            end = Cut.NO_ISSUER if complete else Cut.BUDGET
            yield self._end(path, links, Cut.SELF_SIGNED if path[-1].names_itself else end)
        for issuer, link in candidates:
            if self._found and (self._found >= MAX_PATHS or self._nodes >= MAX_NODES):
                return
            if len(path) > MAX_INTERMEDIATES and not self._store.has(issuer):
                yield self._end((*path, issuer), (*links, link), Cut.DEPTH)
                return
            yield from self._extend((*path, issuer), (*links, link))

    def _end(self, path: tuple[Facts, ...], links: tuple[Link, ...], end: Cut) -> Path:
        self._found += 1
        return Path(path, links, end)

    def _candidates(self, path: tuple[Facts, ...]) -> tuple[list[tuple[Facts, Link]], bool]:
        """Possible issuers of the last certificate, and whether all could be looked at within the budget."""
        child = path[-1]
        taken = {(facts.subject.key, facts.key.digest) for facts in path}
        good: list[tuple[Facts, Link]] = []
        unsigned: list[tuple[Facts, Link]] = []
        complete = True
        seen: set[str] = set()
        for issuer in (*self._store.by_subject(child.issuer), *self._pool.by_subject(child.issuer)):
            if issuer.sha256 in seen or (issuer.subject.key, issuer.key.digest) in taken:
                continue
            seen.add(issuer.sha256)
            signed, fits = self._budget.is_signed(issuer, child), key_id_fits(issuer, child)
            if signed is None:
                complete = False
            elif signed:
                good.append((issuer, Link.SIGNED if fits else Link.OTHER_KEY_ID))
            elif fits:
                unsigned.append((issuer, Link.NOT_SIGNED))
        found = good or unsigned
        return (sorted(found, key=self._promise) if len(found) > 1 else found), complete

    def _promise(self, candidate: tuple[Facts, Link]) -> tuple[int, bool, bool, bool]:
        issuer, link = candidate
        start, end = issuer.not_before, issuer.not_after
        in_time = start is not None and end is not None and start <= self._at <= end
        return link, not self._store.has(issuer), not in_time, not issuer.is_ca
