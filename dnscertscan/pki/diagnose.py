"""One chain, one name, one time, some trust stores: everything that is wrong with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.pki.constraints import Comparisons
from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.judged import JudgedChain
from dnscertscan.pki.names import offer
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.paths import Anchors, Cut, Overheard, Path, Pool, Search, pool_of
from dnscertscan.pki.rules_certificate import certificate_faults, eku_faults, issuer_faults
from dnscertscan.pki.rules_leaf import common_name, lifetime_faults, purpose_faults
from dnscertscan.pki.rules_path import constraint_faults, link_faults, path_length_faults
from dnscertscan.pki.shape import Sent, better_leaves, distinct, order_fault, shape_faults
from dnscertscan.pki.signatures import Budget
from dnscertscan.pki.staple import no_staple_fault, staple_faults
from dnscertscan.pki.trust import Surroundings, trust_faults
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.pki.verdicts import StoreResult, agree
from dnscertscan.pki.wording import fault, is_error


def examine(
    chain: Sequence[Certificate], name: str, stores: Sequence[TrustStore], at: datetime, *, known: Iterable[Certificate] = (),
    staple: bytes | None = None, public: bool = True, handshake_seen: bool = True,
) -> Diagnosis:
    """Diagnose ``chain`` (leaf first, as received) for ``name`` at the aware time ``at``; never raises for what is in the chain.

    ``name`` is a DNS name in A-labels (underscores and a final dot allowed), an IP literal, or empty: then no name is checked.
    ``known`` are certificates seen elsewhere: they tell a missing intermediate from an unknown root and never make a chain valid.
    ``staple`` is the OCSP response (DER) the server stapled. ``public``: the stores hold public CAs, so the limits on
    lifetime of the CA/Browser Forum apply. ``handshake_seen``: the chain comes from a handshake, so ``staple`` being None means
    that nothing was stapled, not that nobody knows.
    """
    judged = examine_chain(chain, stores, at, known=known, staple=staple, public=public, handshake_seen=handshake_seen)
    return judged.for_name(name)


def examine_chain(
    chain: Sequence[Certificate], stores: Sequence[TrustStore], at: datetime, *, known: Iterable[Certificate] = (),
    staple: bytes | None = None, public: bool = True, handshake_seen: bool = True,
) -> JudgedChain:
    """The part of :func:`examine` that the name has none in, and nearly all of its cost: ask the result for each name."""
    if not chain:
        empty = fault("cert-unparseable", None, "the list of certificates is empty", "configure the server's certificate")
        return JudgedChain(Diagnosis(None, (empty,), {store.name: False for store in stores}))
    return _Examination(chain, stores, at, known).run(staple, public=public, handshake_seen=handshake_seen)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The best path to one store and what is wrong with it, the leaf by itself excepted."""

    path: Path
    faults: tuple[Fault, ...]

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        errors = sum(map(is_error, self.faults))
        size = len(self.path.certificates)
        return not self.path.anchored, errors, size if self.path.anchored else -size, len(self.faults)


class _Examination:
    """The work on one chain; everything it remembers lives as long as the one call."""

    def __init__(
        self, chain: Sequence[Certificate], stores: Sequence[TrustStore], at: datetime, known: Iterable[Certificate]
    ) -> None:
        certificates, positions, repeats, ignored = distinct(chain)
        self.sent = Sent(tuple(parse(certificate) for certificate in certificates), positions, tuple(repeats), ignored)
        self.leaf = self.sent.facts[0]
        self.stores, self.at, self.budget = stores, at, Budget()
        self.comparisons = Comparisons()
        self.pool = Pool(facts for facts in self.sent.facts[1:] if not facts.problem)
        self.known = known if isinstance(known, tuple) else tuple(known)
        self._judged: dict[object, tuple[Fault, ...]] = {}
        self._searched: list[tuple[Overheard, _Verdict]] = []

    def run(self, staple: bytes | None, *, public: bool, handshake_seen: bool) -> JudgedChain:
        ref = self.sent.ref(self.leaf)
        if self.leaf.problem:
            return self._unreadable(ref)
        verdicts = [self._best(store) for store in self.stores or (TrustStore("", ()),)]
        results = [StoreResult(store.name, found.path, found.faults) for store, found in zip(self.stores, verdicts, strict=False)]
        best = min(verdicts, key=lambda verdict: verdict.rank)
        path = best.path
        faults = [*certificate_faults(self.leaf, ref, self.at, is_anchor=path.anchored and len(path.certificates) == 1)]
        name_at = len(faults)
        faults += self._purpose_faults(ref, path, public=public)
        faults += agree(results) if results else best.faults
        order, order_at = order_fault(self.sent, path), len(faults)
        faults += [order] if order else []
        faults += shape_faults(self.sent, path, self.budget, self.at)
        if staple is not None:
            faults += staple_faults(self.leaf, ref, self._issuer(path), staple, self.at)
        elif self.leaf.extensions.must_staple:
            faults.append(no_staple_fault(ref, handshake_seen=handshake_seen))
        everywhere = any(is_error(found) and not found.stores for found in faults)
        valid_for = {result.store: not everywhere and result.trusted for result in results}
        plain = Diagnosis(ref, tuple(faults), valid_for, tuple(self.sent.ref(facts) for facts in path.certificates))
        names = self.leaf.extensions.alt_names
        return JudgedChain(
            plain, readable=True, offer=None if names is None else offer(names), common=common_name(self.leaf), name_at=name_at,
            order_at=(order_at, order_at + bool(order)), better=better_leaves(self.sent),
        )

    def _unreadable(self, ref: CertificateRef) -> JudgedChain:
        faults = [*certificate_faults(self.leaf, ref, self.at, is_anchor=False)]
        path = Path((self.leaf,), (), Cut.NO_ISSUER)
        shape = shape_faults(self.sent, path, self.budget, self.at)
        faults += (found for found in shape if found.slug != "chain-extra-cert")
        return JudgedChain(Diagnosis(ref, tuple(faults), {store.name: False for store in self.stores}, (ref,)))

    def _purpose_faults(self, ref: CertificateRef, path: Path, *, public: bool) -> list[Fault]:
        faults = [*eku_faults(self.leaf, ref), *purpose_faults(self.leaf, ref)]
        if public and path.anchored:
            faults += lifetime_faults(self.leaf, ref)
        return faults

    def _best(self, store: TrustStore) -> _Verdict:
        if self.budget.is_ample:  # else a search may have seen more than another one over the same anchors would now
            for before, verdict in self._searched:
                if before.answers_like(store):
                    return verdict
        overheard = Overheard(store)
        found = self._search(overheard)
        self._searched.append((overheard, found))
        return found

    def _search(self, anchors: Anchors) -> _Verdict:
        best: _Verdict | None = None
        for path in Search(self.pool, anchors, self.budget, self.at).paths(self.leaf):
            verdict = _Verdict(path, self._judge(path))
            if best is None or verdict.rank < best.rank:
                best = verdict
            if path.anchored and not any(map(is_error, verdict.faults)):
                break
        if best is None:  # the search always yields once; said here for the type checker and for whoever changes it
            best = _Verdict(Path((self.leaf,), (), Cut.BUDGET), ())
        return best

    def _judge(self, path: Path) -> tuple[Fault, ...]:
        key = (*(facts.sha256 for facts in path.certificates), path.links, path.end)
        if key not in self._judged:
            self._judged[key] = tuple(self._path_faults(path))
        return self._judged[key]

    def _path_faults(self, path: Path) -> list[Fault]:
        certificates = path.certificates
        refs = [self.sent.ref(facts) for facts in certificates]
        last = len(certificates) - 1
        faults: list[Fault] = []
        for index in range(1, len(certificates)):
            facts, ref = certificates[index], refs[index]
            faults += certificate_faults(facts, ref, self.at, is_anchor=path.end is Cut.ANCHOR and index == last)
            faults += issuer_faults(facts, ref, is_last=index == last)
            faults += eku_faults(facts, ref)
        faults += link_faults(path, refs)
        faults += path_length_faults(certificates, refs)
        faults += constraint_faults(certificates, refs, self.comparisons)
        faults += trust_faults(path, refs, Surroundings(self._elsewhere, self.pool.by_subject, self._is_anchor, self.budget))
        return faults

    def _elsewhere(self, name: DistinguishedName) -> Sequence[Facts]:
        return (*pool_of(self.known).by_subject(name), *(facts for store in self.stores for facts in store.by_subject(name)))

    def _is_anchor(self, facts: Facts) -> bool:
        return any(store.has(facts) for store in self.stores)

    def _issuer(self, path: Path) -> Facts | None:
        if len(path.certificates) > 1:
            return path.certificates[1]
        return self.leaf if self.leaf.names_itself else None

