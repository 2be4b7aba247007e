"""Which stores decide about an endpoint, and what they say: the diagnosis of each deployment, made once and remembered."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dnscertscan.checks.policy import TrustMode
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.truststore import TrustStore

_CACHE_SIZE = 8192
_UNTRUSTED = frozenset({"issuer-not-found", "self-signed-leaf", "self-signed-in-chain", "chain-too-long", "store-disagreement"})
_UNKNOWN_ISSUER = "issuer-not-found"


class Examine(Protocol):
    """:func:`dnscertscan.pki.diagnose.examine`, or something that keeps its promise."""

    def __call__(
        self, chain: Sequence[Certificate], name: str, stores: Sequence[TrustStore], at: datetime, *,
        known: Sequence[Certificate] = (), staple: bytes | None = None, public: bool = True,
    ) -> Diagnosis:
        """What is wrong with ``chain`` (leaf first) for ``name``."""


@dataclass(frozen=True, slots=True)
class Word:
    """What the stores in charge say of one deployment: ``faults`` those of ``diagnosis`` and of the zone's trust policy."""

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
        self._cache: OrderedDict[tuple[object, ...], tuple[int, Diagnosis]] = OrderedDict()

    def learn(self, observations: Iterable[Observation]) -> None:
        """Remember every issuing certificate that was sent anywhere: it may be the intermediate another server forgets."""
        known = {certificate.sha256: certificate for certificate in self._known}
        for observation in observations:
            if isinstance(observation.outcome, Handshake):
                for deployment in observation.outcome.deployments:
                    known |= {certificate.sha256: certificate for certificate in deployment.chain[1:]}
        self._known = tuple(known[digest] for digest in sorted(known))

    def word(self, deployment: Deployment, name: str, mode: TrustMode) -> Word:
        """The judgement of the stores that ``mode`` puts in charge."""
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
