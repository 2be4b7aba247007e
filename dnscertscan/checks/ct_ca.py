"""Which CA made an issuance: by its key where that is known or can be proven, by what the map of CAs says otherwise."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.transparency import CtPolicy
from dnscertscan.pki.dn import Key
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.signatures import Budget

KEY_ID, NAME, ORGANISATION = "keyid:", "name:", "org:"
"""What :attr:`CtPolicy.ca_domains` may have beside CAA domains by the SHA-256 of keys: domains by key identifier (hexadecimal),
the name of a CA by ``name:`` and one of these, and by ``org:`` and an organisation (case folded). An organisation is no proof of
anything: it only tells that a certificate may be the renewal of another."""
MOST = 2048
"""Certificates of CAs that are kept of a run."""
_ORGANISATION = re.compile(r"(?:^|[,+] ?)O=((?:\\.|[^,+\\])*)")


def organisation(issuer: str) -> str:
    """The organisation in a name as RFC 4514 writes it, case folded; empty without one."""
    found = _ORGANISATION.search(issuer)
    return re.sub(r"\\(.)", r"\1", found[1]).strip().casefold() if found else ""


class Issuers:
    """The CAs of issuances. ``wanted`` are issuances whose CA matters; certificates of CAs come in by :meth:`learn`."""

    def __init__(self, policy: CtPolicy, wanted: Iterable[Issuance]) -> None:
        self._policy = policy
        self._names = {one.issuer for one in wanted if one.issuer_spki_sha256 is None and one.der is not None}
        self._seen: Kept[str, bool] = Kept(8192)
        self._certificates: dict[str, Certificate] = {}
        self._keys: dict[str, str | None] = {}

    def learn(self, certificates: Sequence[Certificate]) -> None:
        """Keep those that may have made one of the wanted issuances, and those that may issue by the policy."""
        for certificate in certificates:
            if self._seen.get(certificate.sha256) is not None:
                continue
            self._seen.put(certificate.sha256, True)
            if certificate.sha256 in self._certificates:
                continue
            facts = parse(certificate)
            useful = facts.subject.text in self._names or facts.key.digest.hex() in self._policy.issuers
            if useful and facts.is_ca and not facts.problem:
                self._keep(certificate)

    def _keep(self, certificate: Certificate) -> None:
        """Of too many those with the lower digests, so that the order does not matter."""
        self._certificates[certificate.sha256] = certificate
        if len(self._certificates) > MOST:
            del self._certificates[max(self._certificates)]

    def key(self, issuance: Issuance) -> str | None:
        """SHA-256 of the key that made it: as its source says, else of the certificate whose key signed it; None: not known."""
        if issuance.issuer_spki_sha256 is not None or issuance.der is None:
            return issuance.issuer_spki_sha256
        if issuance.tbs_sha256 not in self._keys:
            self._keys[issuance.tbs_sha256] = self._signer(issuance.der)
        return self._keys[issuance.tbs_sha256]

    def is_allowed(self, issuance: Issuance) -> bool | None:
        """Whether the policy lets its CA issue; None when that cannot be decided."""
        allowed, key = self._policy.issuers, self.key(issuance)
        if key is not None:
            return key in allowed
        if issuance.der is None:
            return None
        # Not signed by any of those that may, where all their certificates are at hand: then it is another one's.
        if allowed <= self._at_hand:
            return False
        name = self._about(issuance, NAME)
        expected = [self._policy.ca_domains.get(f"{NAME}{one}") for one in allowed]
        return None if name is None or None in expected or name in expected else False

    def is_of_allowed_ca(self, issuance: Issuance) -> bool:
        """Whether it is by another key of a CA that may issue, as the map of CAs has it."""
        name = self._about(issuance, NAME)
        return name is not None and any(self._policy.ca_domains.get(f"{NAME}{one}") == name for one in self._policy.issuers)

    def domains(self, issuance: Issuance) -> tuple[str, ...] | None:
        """By which CAA domains its CA goes; None when the map does not know its key nor the identifier of that."""
        return self._about(issuance, "")

    def _about(self, issuance: Issuance, prefix: str) -> tuple[str, ...] | None:
        known, key = self._policy.ca_domains, self.key(issuance)
        if key is not None and f"{prefix}{key}" in known:
            return known[f"{prefix}{key}"]
        if issuance.der is None or not known:
            return None
        authority = parse(Certificate(issuance.der)).extensions.authority_key
        return known.get(f"{prefix}{KEY_ID}{authority.key_id.hex()}") if authority and authority.key_id else None

    @cached_property
    def _by_subject(self) -> Mapping[Key, list[Facts]]:
        """What was learnt, by the name of the CA; from now on nothing is."""
        found: dict[Key, list[Facts]] = {}
        for digest in sorted(self._certificates):
            facts = parse(self._certificates[digest])
            if not facts.key.refused:
                found.setdefault(facts.subject.key, []).append(facts)
        return found

    @cached_property
    def _at_hand(self) -> frozenset[str]:
        """Keys that signatures can be checked with."""
        return frozenset(facts.key.digest.hex() for found in self._by_subject.values() for facts in found)

    def _signer(self, der: bytes) -> str | None:
        child, budget = parse(Certificate(der)), Budget()
        for facts in self._by_subject.get(child.issuer.key, ()):
            if budget.is_signed(facts, child):
                return facts.key.digest.hex()
        return None


def family(issuer: str, known: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """By what issuers of one CA are told: their very name, and the CA that their organisation belongs to, where the map knows it.

    Two issuers with anything in common are taken for one CA, when it comes to whether a certificate replaces another; one whose
    name no source tells is like no other.
    """
    if not issuer:
        return frozenset()
    return frozenset({f"dn:{issuer}", *known.get(f"{ORGANISATION}{organisation(issuer)}", ())})


def key_kind(facts: Facts) -> str:
    """``RSA``, ``EC`` and the like; empty when it cannot be read."""
    return facts.key.label.partition(" ")[0]
