"""Which stores decide about an endpoint, and what they say: the diagnosis of each deployment, made once and remembered."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Protocol

from dnscertscan.checks import crl
from dnscertscan.checks.policy import TrustMode
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.pki.wording import is_error

_CACHE_SIZE = 8192
_UNTRUSTED = frozenset({"issuer-not-found", "self-signed-leaf", "self-signed-in-chain", "chain-too-long", "store-disagreement"})
_UNKNOWN_ISSUER = "issuer-not-found"
_BAD_LINK = "signature-failure"


class Examine(Protocol):
    """:func:`dnscertscan.pki.diagnose.examine`, or something that keeps its promise."""

    def __call__(
        self, chain: Sequence[Certificate], name: str, stores: Sequence[TrustStore], at: datetime, *,
        known: Sequence[Certificate] = (), staple: bytes | None = None, public: bool = True,
    ) -> Diagnosis:
        """What is wrong with ``chain`` (leaf first) for ``name``."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the stores in charge say of one deployment: ``faults`` those of ``diagnosis``, the trust policy, the lists."""

    diagnosis: Diagnosis
    faults: tuple[Fault, ...]
    valid_for: Mapping[str, bool]


class Examiner:
    """Asks the right stores. Diagnoses are remembered by chain, staple, name and stores (the last 8192)."""

    def __init__(self, examine: Examine, public: Sequence[TrustStore], private: Sequence[TrustStore], at: datetime) -> None:
        self._examine = examine
        self._public = tuple(public)
        self._private = tuple(private)
        self._at = at
        self._known: tuple[Certificate, ...] = ()
        self._verdicts: crl.Verdicts = {}
        self._anchors = {one.sha256: one for store in (*public, *private) for one in store.anchors}
        self._cache: OrderedDict[tuple[object, ...], tuple[int, Diagnosis]] = OrderedDict()

    def learn(self, observations: Iterable[Observation]) -> None:
        """Remember every issuing certificate that was sent anywhere: it may be the intermediate another server forgets."""
        handshakes = (one.outcome for one in observations if isinstance(one.outcome, Handshake))
        self.learn_issuers(
            certificate for outcome in handshakes for deployment in outcome.deployments for certificate in deployment.chain[1:]
        )

    def learn_issuers(self, certificates: Iterable[Certificate]) -> None:
        """The same for certificates that came some other way; none of them ever makes a chain valid."""
        known = {one.sha256: one for one in (*self._known, *certificates)}
        self._known = tuple(known[digest] for digest in sorted(known))

    def learn_revocation(self, verdicts: crl.Verdicts) -> None:
        """What the revocation lists say counts from now on."""
        self._verdicts = verdicts

    def links(self, deployment: Deployment, name: str, mode: TrustMode) -> Iterator[crl.Link]:
        """Each certificate and its issuer on the path to an anchor; none when there is no such path with good signatures.

        A chain that nobody trusts has no revocation list worth a look, and must not make anybody fetch what it names.
        """
        diagnosis = self.word(deployment, name, mode).diagnosis
        if not diagnosis.path or diagnosis.path[-1].sha256 not in self._anchors:
            return
        if any(fault.slug == _BAD_LINK for fault in diagnosis.faults):
            return
        known = self._anchors | {certificate.sha256: certificate for certificate in deployment.chain}
        for below, above in pairwise(diagnosis.path):
            yield crl.Link(known[below.sha256], known[above.sha256])

    def orphans(self, deployment: Deployment, name: str, mode: TrustMode) -> Iterator[Certificate]:
        """Certificates of the deployment whose issuer was not sent and is in no store."""
        sent = {certificate.sha256: certificate for certificate in deployment.chain}
        for fault in self.word(deployment, name, mode).faults:
            if fault.slug == _UNKNOWN_ISSUER and fault.certificate and fault.certificate.sha256 in sent:
                yield sent[fault.certificate.sha256]

    def word(self, deployment: Deployment, name: str, mode: TrustMode) -> Word:
        """The judgement of the stores that ``mode`` puts in charge, and of the revocation lists as far as they are known."""
        word = self._stores_word(deployment, name, mode)
        told = tuple(crl.look(word.diagnosis, self._verdicts))
        if not told:
            return word
        revoked = any(is_error(fault) for fault in told)
        valid_for = {store: valid and not revoked for store, valid in word.valid_for.items()}
        return replace(word, faults=(*word.faults, *told), valid_for=valid_for)

    def _stores_word(self, deployment: Deployment, name: str, mode: TrustMode) -> Word:
        if mode is TrustMode.EITHER:
            return self._either(deployment, name)
        public = mode is TrustMode.PUBLIC
        diagnosis = self._diagnose(deployment, name, public=public)
        faults = diagnosis.faults
        if not self._trusted(diagnosis, public=public) and (against := self._against_policy(deployment, name, public=public)):
            faults = (*faults, against)
        return Word(diagnosis, faults, diagnosis.valid_for)

    def _either(self, deployment: Deployment, name: str) -> Word:
        private = self._diagnose(deployment, name, public=False)
        public = self._diagnose(deployment, name, public=True)
        valid_for = {**public.valid_for, **private.valid_for}
        # When neither accepts it, the faults of the one it leads to are the useful ones; when it leads nowhere, the public word.
        ours = private.valid or (not public.valid and self._trusted(private, public=False))
        best = private if ours else public
        return Word(best, best.faults, valid_for)

    def _against_policy(self, deployment: Deployment, name: str, *, public: bool) -> Fault | None:
        """The fault of a chain that leads to stores of the other kind than the zone's policy asks for."""
        if not (self._private if public else self._public):
            return None
        other = self._diagnose(deployment, name, public=not public)
        found = self._trusted(other, public=not public)
        if not found:
            return None
        asked, served = ("a public CA", "a private CA") if public else ("a private CA", "a public CA")
        wanted = ", ".join(store.name for store in (self._public if public else self._private)) or "none given"
        message = (
            f"certificate comes from {served}, the trust policy of the zone asks for {asked}: "
            f"trusted by {', '.join(found)}, no path to {wanted}"
        )
        return Fault("trust-policy", message, other.leaf)

    def _trusted(self, diagnosis: Diagnosis, *, public: bool) -> list[str]:
        """Names of the stores of one kind that the chain leads to, be it valid or not."""
        names = [store.name for store in (self._public if public else self._private)] if diagnosis.path else []
        for fault in diagnosis.faults:
            if fault.slug in _UNTRUSTED:
                names = [name for name in names if fault.stores and name not in fault.stores]
        return names

    def _diagnose(self, deployment: Deployment, name: str, *, public: bool) -> Diagnosis:
        key = (tuple(certificate.sha256 for certificate in deployment.chain), deployment.staple, name, public)
        knowing, remembered = self._cache.get(key, (-1, None))
        if remembered is not None and (knowing == len(self._known) or all(f.slug != _UNKNOWN_ISSUER for f in remembered.faults)):
            self._cache.move_to_end(key)
            return remembered
        stores = self._public if public else self._private
        diagnosis = self._examine(
            deployment.chain, name, stores, self._at, known=self._known, staple=deployment.staple, public=public,
        )
        self._cache[key] = (len(self._known), diagnosis)
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return diagnosis
