"""The trust anchors of one store, found by subject and by key identifier."""

from collections.abc import Iterable

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.bundle import read_bundle
from dnscertscan.pki.dn import DistinguishedName, Key
from dnscertscan.pki.parse import Facts, parse

__all__ = ["SYSTEM", "TrustStore", "read_bundle"]

SYSTEM = "System"
"""Name of the store of the machine itself: an administrator may have put anchors there that no browser has."""


class TrustStore:
    """Anchors under one name. Exact duplicates count once; ``unusable`` are those that cannot be read as certificates."""

    __slots__ = ("_by_digest", "_by_key_id", "_by_subject", "name", "unusable")

    def __init__(self, name: str, certificates: Iterable[Certificate]) -> None:
        self.name = name
        self._by_digest: dict[str, Facts] = {}
        self._by_subject: dict[Key, list[Facts]] = {}
        self._by_key_id: dict[bytes, list[Facts]] = {}
        unusable: dict[str, Certificate] = {}
        for certificate in certificates:
            facts = parse(certificate)
            if facts.problem:
                unusable[facts.sha256] = certificate
            elif facts.sha256 not in self._by_digest:
                self._by_digest[facts.sha256] = facts
                self._by_subject.setdefault(facts.subject.key, []).append(facts)
                if facts.extensions.subject_key is not None:
                    self._by_key_id.setdefault(facts.extensions.subject_key, []).append(facts)
        self.unusable = tuple(unusable.values())

    def __contains__(self, certificate: object) -> bool:
        return isinstance(certificate, Certificate) and certificate.sha256 in self._by_digest

    def __len__(self) -> int:
        return len(self._by_digest)

    def __repr__(self) -> str:
        return f"TrustStore({self.name!r}, {len(self)} anchors)"

    @property
    def anchors(self) -> tuple[Certificate, ...]:
        """All usable anchors in the order given."""
        return tuple(facts.certificate for facts in self._by_digest.values())

    def has(self, facts: Facts) -> bool:
        """Whether this very certificate is an anchor."""
        return facts.sha256 in self._by_digest

    def by_subject(self, name: DistinguishedName) -> tuple[Facts, ...]:
        """Anchors with this subject."""
        return tuple(self._by_subject.get(name.key, ()))

    def by_key_id(self, key_id: bytes) -> tuple[Facts, ...]:
        """Anchors with this subjectKeyIdentifier."""
        return tuple(self._by_key_id.get(key_id, ()))
