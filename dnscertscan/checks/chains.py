"""The diagnosis of each deployment: its chain is judged once for all the names it is served for, and remembered."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment
from dnscertscan.pki.diagnose import examine_chain
from dnscertscan.pki.fault import Diagnosis
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.truststore import TrustStore

UNKNOWN_ISSUER = "issuer-not-found"
_MOST, _MOST_OCTETS = 8192, 16 << 20
"""A healthy chain takes about 4 kB."""


class Examine(Protocol):
    """:func:`dnscertscan.pki.diagnose.examine`, or something that keeps its promise."""

    def __call__(
        self, chain: Sequence[Certificate], name: str, stores: Sequence[TrustStore], at: datetime, *,
        known: Sequence[Certificate] = (), staple: bytes | None = None, public: bool = True,
    ) -> Diagnosis:
        """What is wrong with ``chain`` (leaf first) for ``name``."""


class _Judged(Protocol):
    def for_name(self, name: str) -> Diagnosis: ...

    @property
    def weight(self) -> int: ...


class Chains:
    """Judges chains with the stores of one kind. At most 8192 are remembered, in about 16 MiB, each with the name asked last.

    ``examine`` None stands for the examination of this project, which can tell chain and name apart; another one is asked for
    each name.
    """

    def __init__(
        self, examine: Examine | None, public: Sequence[TrustStore], private: Sequence[TrustStore], at: datetime
    ) -> None:
        self._examine, self._stores, self._at = examine, {True: public, False: private}, at
        self._known: Sequence[Certificate] = ()
        self._knowing = 0
        self._kept: Kept[bytes, _Remembered] = Kept(_MOST, _MOST_OCTETS, _weight)

    def knows(self, certificates: Sequence[Certificate]) -> None:
        """Certificates seen elsewhere, which may be issuers that a chain lacks: such a chain is judged again."""
        if certificates is not self._known:
            self._known = certificates
            self._knowing += 1

    def diagnosis(self, deployment: Deployment, name: str, *, public: bool) -> Diagnosis:
        """What the public or the private stores say of ``deployment`` for ``name``."""
        key = _key(deployment, public)
        kept = self._kept.get(key)
        if kept is None or (kept.knowing != self._knowing and kept.lacks_issuer):
            kept = _Remembered(self._judge(deployment, public), self._knowing, name)
            self._kept.put(key, kept)
        return kept.for_name(name)

    def _judge(self, deployment: Deployment, public: bool) -> _Judged:
        if self._examine is not None:
            return _Asking(self._examine, deployment, self._stores[public], self._at, self._known, public)
        return examine_chain(
            deployment.chain, self._stores[public], self._at, known=self._known, staple=deployment.staple, public=public,
        )


def _key(deployment: Deployment, public: bool) -> bytes:
    parts = [certificate.sha256 for certificate in deployment.chain]
    parts.append("public" if public else "private")
    if deployment.staple is not None:
        parts.append(sha256(deployment.staple).hexdigest())
    return sha256(",".join(parts).encode()).digest()


class _Remembered:
    """A judged chain and the name asked last, which is often asked again. ``knowing``: what was known when it was judged."""

    __slots__ = ("_diagnosis", "_judged", "_name", "knowing", "lacks_issuer", "weight")

    def __init__(self, judged: _Judged, knowing: int, name: str) -> None:
        self._judged, self._name, self.knowing = judged, name, knowing
        self._diagnosis = judged.for_name(name)
        self.lacks_issuer = any(fault.slug == UNKNOWN_ISSUER for fault in self._diagnosis.faults)
        self.weight = judged.weight

    def for_name(self, name: str) -> Diagnosis:
        if name != self._name:
            self._name, self._diagnosis = name, self._judged.for_name(name)
        return self._diagnosis


def _weight(remembered: _Remembered) -> int:
    return remembered.weight


class _Asking:
    """A chain and an examination that wants to know the name."""

    weight = 1000

    def __init__(
        self, examine: Examine, deployment: Deployment, stores: Sequence[TrustStore], at: datetime, known: Sequence[Certificate],
        public: bool,
    ) -> None:
        self._examine, self._deployment, self._stores, self._at = examine, deployment, stores, at
        self._known, self._public = known, public

    def for_name(self, name: str) -> Diagnosis:
        return self._examine(
            self._deployment.chain, name, self._stores, self._at, known=self._known, staple=self._deployment.staple,
            public=self._public,
        )
