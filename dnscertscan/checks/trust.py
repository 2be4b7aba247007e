"""Which stores decide about an endpoint, and what they say: the diagnosis of each deployment, made once and remembered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from dnscertscan.checks import crl
from dnscertscan.checks.chains import UNKNOWN_ISSUER, Chains, Examine
from dnscertscan.checks.issuers import ByName, Issuers
from dnscertscan.checks.policy import TrustMode
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment, Observation
from dnscertscan.pki.fault import Diagnosis, Fault
from dnscertscan.pki.truststore import SYSTEM, TrustStore
from dnscertscan.pki.wording import is_error

_UNTRUSTED = frozenset({"issuer-not-found", "self-signed-leaf", "self-signed-in-chain", "chain-too-long", "store-disagreement"})
_BAD_LINK = "signature-failure"


@dataclass(frozen=True, slots=True)
class Word:
    """What the stores in charge say of one deployment: ``faults`` those of ``diagnosis``, the trust policy, the lists."""

    diagnosis: Diagnosis
    faults: tuple[Fault, ...]
    valid_for: Mapping[str, bool]


class Examiner:
    """Asks the right stores."""

    def __init__(
        self, examine: Examine | None, public: Sequence[TrustStore], private: Sequence[TrustStore], at: datetime
    ) -> None:
        self._public = tuple(public)
        self._private = tuple(private)
        self._issuers = Issuers()
        self._verdicts: crl.Verdicts = {}
        self._anchors = {one.sha256: one for store in (*public, *private) for one in store.anchors}
        self._by_name = ByName(tuple(self._anchors.values()))
        self._names = {True: tuple(store.name for store in self._public), False: tuple(store.name for store in self._private)}
        self._chains = Chains(examine, self._public, self._private, at)

    def learn(self, observations: Iterable[Observation]) -> None:
        """Remember the issuing certificates that were sent anywhere: one may be the intermediate another server forgets."""
        self._issuers.learn(observations)
        self._chains.knows(self._issuers.all)

    def learn_issuers(self, certificates: Iterable[Certificate]) -> None:
        """The same for certificates that came some other way; none of them ever makes a chain valid."""
        self._issuers.add(certificates)
        self._chains.knows(self._issuers.all)

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

    @property
    def known(self) -> tuple[Certificate, ...]:
        """The issuing certificates of the run: another object when there are others."""
        return self._issuers.all

    def issuers_of(self, certificate: Certificate) -> Sequence[Certificate]:
        """Certificates of the run and anchors that have the name of the issuer of ``certificate``."""
        return self._by_name.issuers_of(certificate, self._issuers.all)

    def is_public(self, deployment: Deployment, name: str) -> bool | None:
        """True: a path leads to an anchor of a public store, whether or not the chain is valid; False: only to a private one.

        None: it leads to neither, only to an anchor of this machine's own store, or a signature on it is wrong.
        """
        for public in (True, False):
            if self._names[public]:
                diagnosis = self._chains.diagnosis(deployment, name, public=public)
                forged = any(fault.slug == _BAD_LINK for fault in diagnosis.faults)
                if not forged and any(store != SYSTEM for store in self._trusted(diagnosis, public=public)):
                    return public
        return None

    def orphans(self, deployment: Deployment, name: str, mode: TrustMode) -> Iterator[Certificate]:
        """Certificates of the deployment whose issuer was not sent and is in no store."""
        sent = {certificate.sha256: certificate for certificate in deployment.chain}
        for fault in self.word(deployment, name, mode).faults:
            if fault.slug == UNKNOWN_ISSUER and fault.certificate and fault.certificate.sha256 in sent:
                yield sent[fault.certificate.sha256]

    def word(self, deployment: Deployment, name: str, mode: TrustMode) -> Word:
        """The judgement of the stores that ``mode`` puts in charge, and of the revocation lists as far as they are known."""
        word = self._stores_word(deployment, name, mode)
        if not self._verdicts:
            return word
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
        diagnosis = self._chains.diagnosis(deployment, name, public=public)
        faults = diagnosis.faults
        led = self._trusted(diagnosis, public=public)
        if not led and (against := self._against_policy(deployment, name, public=public)):
            faults = (*faults, against)
        return Word(diagnosis, faults, diagnosis.valid_for)

    def _either(self, deployment: Deployment, name: str) -> Word:
        private = self._chains.diagnosis(deployment, name, public=False)
        public = self._chains.diagnosis(deployment, name, public=True)
        valid_for = {**public.valid_for, **private.valid_for}
        # When neither accepts it, the faults of the one it leads to are the useful ones; when it leads nowhere, the public word.
        ours = private.valid or (not public.valid and self._trusted(private, public=False))
        best = private if ours else public
        return Word(best, best.faults, valid_for)

    def _against_policy(self, deployment: Deployment, name: str, *, public: bool) -> Fault | None:
        """The fault of a chain that leads to stores of the other kind than the zone's policy asks for."""
        if not (self._private if public else self._public):
            return None
        other = self._chains.diagnosis(deployment, name, public=not public)
        found = self._trusted(other, public=not public)
        if not found:
            return None
        asked, served = ("a public CA", "a private CA") if public else ("a private CA", "a public CA")
        wanted = ", ".join(self._names[public]) or "none given"
        message = (
            f"certificate comes from {served}, the trust policy of the zone asks for {asked}: "
            f"trusted by {', '.join(found)}, no path to {wanted}"
        )
        return Fault("trust-policy", message, other.leaf)

    def _trusted(self, diagnosis: Diagnosis, *, public: bool) -> Sequence[str]:
        """Names of the stores of one kind that the chain leads to, be it valid or not."""
        names = self._names[public] if diagnosis.path else ()
        for fault in diagnosis.faults:
            if fault.slug in _UNTRUSTED:
                names = tuple(name for name in names if fault.stores and name not in fault.stores)
        return names
