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
from dnscertscan.pki.signatures import Budget, signed_itself
from dnscertscan.pki.tbs import is_signing_ca

KEY_ID, NAME, ORGANISATION = "keyid:", "name:", "org:"
"""What :attr:`CtPolicy.ca_domains` may have beside CAA domains by the SHA-256 of keys: domains by key identifier (hexadecimal),
the name of a CA by ``name:`` and one of these, and by ``org:`` and an organisation (case folded). An organisation is no proof of
anything: it only tells that a certificate may be the renewal of another."""
MOST = 2048
"""Certificates that are kept of a run: of CAs that have the name of an issuer, and as many of others that may be above them.

Anybody can serve certificates with the name of a CA. Those of the CAs that may issue are kept beside these, whatever the number.
"""
_ORGANISATION = re.compile(r"(?:^|[,+] ?)O=((?:\\.|[^,+\\])*)")


def organisation(issuer: str) -> str:
    """The organisation in a name as RFC 4514 writes it, case folded; empty without one."""
    found = _ORGANISATION.search(issuer)
    return re.sub(r"\\(.)", r"\1", found[1]).strip().casefold() if found else ""


class Issuers:
    """The CAs of issuances. ``wanted`` are issuances whose CA matters; certificates of CAs come in by :meth:`learn`.

    A key in :attr:`CtPolicy.issuers` counts for what it signed, and for every CA below it, where certificates at hand show by
    their signatures that they are.
    """

    def __init__(self, policy: CtPolicy, wanted: Iterable[Issuance]) -> None:
        self._policy = policy
        self._names = {one.issuer for one in wanted if one.issuer_spki_sha256 is None and one.der is not None}
        self._seen: Kept[str, bool] = Kept(8192)
        self._named: dict[str, Certificate] = {}
        self._others: dict[str, Certificate] = {}
        self._pinned: dict[str, tuple[tuple[int, str], Facts]] = {}
        self._below: dict[tuple[Key, str], Facts] = {}
        """CAs below those that may issue, by name and key: only these CAs can make more of them."""
        self._tops: set[str] = set()
        self._signers: dict[str, Facts | None] = {}
        for certificate in policy.issuer_certificates:
            facts = parse(certificate)
            self._pin(facts, 0)
            if _may_have_cas(facts):
                self._tops.add(facts.key.digest.hex())

    def learn(self, certificates: Sequence[Certificate]) -> None:
        """Keep those that may have made one of the wanted issuances, and those that may issue by the policy."""
        for certificate in reversed(certificates):  # from the top: what is above shows what is below
            if self._seen.get(certificate.sha256) is not None:
                continue
            self._seen.put(certificate.sha256, True)
            facts = parse(certificate)
            if not facts.is_ca or facts.problem or facts.key.refused:
                continue
            if facts.key.digest.hex() in self._policy.issuers:
                # Anybody can put the key of a CA into a certificate; only the CA can sign one with it.
                is_root = facts.names_itself and signed_itself(facts)
                self._pin(facts, 1 if is_root else 2)
                if is_root and _may_have_cas(facts):
                    self._tops.add(facts.key.digest.hex())
            elif not self._prove(facts):
                if facts.subject.text in self._names:
                    _keep(self._named, certificate)
                elif self._policy.issuers:
                    _keep(self._others, certificate)

    def _pin(self, facts: Facts, rank: int) -> None:
        """One certificate for each key, always the same one in whatever order they come."""
        key, order = facts.key.digest.hex(), (rank, facts.sha256)
        if not facts.key.refused and (key not in self._pinned or order < self._pinned[key][0]):
            self._pinned[key] = order, facts

    def _prove(self, facts: Facts) -> bool:
        """Whether it is signed by a CA that may issue, or by one below: then it is one below, too."""
        above = (*(one for _, one in self._pinned.values()), *self._below.values())
        budget = Budget()
        if any(one.subject.key == facts.issuer.key and budget.is_signed(one, facts) for one in above):
            self._below[facts.subject.key, facts.key.digest.hex()] = facts
            return True
        return False

    def key(self, issuance: Issuance) -> str | None:
        """SHA-256 of the key that made it: as its source says, else of the certificate whose key signed it; None: not known."""
        if issuance.issuer_spki_sha256 is not None or issuance.der is None:
            return issuance.issuer_spki_sha256
        signer = self._signer(issuance)
        return signer.key.digest.hex() if signer else None

    def is_allowed(self, issuance: Issuance) -> bool | None:
        """Whether the policy lets its CA issue; None when that cannot be decided."""
        allowed, key = self._policy.issuers, self.key(issuance)
        if key is not None and (key in allowed or key in self._keys_below):
            return True
        if key is None and issuance.der is None:
            return None
        is_at_hand = allowed <= self._pinned.keys()
        if key is not None:
            maker = self._maker(issuance)
            if issuance.precert and maker is not None and is_signing_ca(maker.certificate) and not is_at_hand:
                return None  # who certified the signing CA is who issued, and that may be one of those that may
            if not self._tops or (maker is not None and self._ends_elsewhere(maker)):
                return False
        elif is_at_hand and not self._tops:
            # Not signed by any of those that may, where all their certificates are at hand: then it is another one's.
            return False
        name = self._about(issuance, NAME)
        expected = [self._policy.ca_domains.get(f"{NAME}{one}") for one in allowed]
        return None if name is None or None in expected or name in expected else False

    def is_known(self, issuance: Issuance) -> bool:
        """Whether its CA is one that somebody knows: a certificate of it is at hand, or the map of CAs has it.

        Else a precertificate may be by a Precertificate Signing Certificate (RFC 6962 3.1) of another CA, which nobody serves.
        """
        return self._maker(issuance) is not None or self._about(issuance, NAME) is not None

    @property
    def why_open(self) -> str:
        """Why CAs are undecided although their keys are known; empty when nothing is to be said."""
        return "it may be below a root in issuers: add its certificate to issuers if it is" if self._tops else ""

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

    def _maker(self, issuance: Issuance) -> Facts | None:
        """A certificate with the key that made it."""
        if issuance.issuer_spki_sha256 is not None:
            return self._by_key.get(issuance.issuer_spki_sha256)
        return self._signer(issuance)

    def _signer(self, issuance: Issuance) -> Facts | None:
        if issuance.der is None:
            return None
        if issuance.tbs_sha256 not in self._signers:
            self._signers[issuance.tbs_sha256] = self._find_signer(parse(Certificate(issuance.der)))
        return self._signers[issuance.tbs_sha256]

    def _find_signer(self, child: Facts) -> Facts | None:
        """Every CA that may issue is tried, whatever its name; then those of the name, within a budget."""
        candidates, authority = self._by_subject, child.extensions.authority_key
        wanted = authority.key_id if authority else None

        def is_other(facts: Facts) -> bool:
            return wanted is None or facts.extensions.subject_key != wanted

        own = sorted((facts for _, facts in self._pinned.values()), key=is_other)
        budget = Budget(sum(facts.key.effort for facts in own))
        if found := next((facts for facts in own if budget.is_signed(facts, child)), None):
            return found
        below = sorted((facts for facts in self._below.values() if facts.subject.key == child.issuer.key), key=is_other)
        budget = Budget()
        named = sorted(candidates.get(child.issuer.key, ()), key=is_other)
        return next((facts for facts in (*below, *named) if budget.is_signed(facts, child)), None)

    def _ends_elsewhere(self, facts: Facts) -> bool:
        """Whether a way up from it, by signatures, ends at a root (that is none of those that may issue)."""
        budget, below, met = Budget(), [facts], set[str]()
        while below:
            child = below.pop()
            if child.sha256 in met:
                continue
            met.add(child.sha256)
            if child.names_itself and signed_itself(child):
                return True
            below += [one for one in self._by_subject.get(child.issuer.key, ()) if budget.is_signed(one, child)]
        return False

    @cached_property
    def _by_subject(self) -> Mapping[Key, list[Facts]]:
        """What was learnt of other CAs, by their names; from now on nothing is. What is ours by now is found out before."""
        rest = [parse(certificate) for pool in (self._named, self._others) for _, certificate in sorted(pool.items())]
        is_new = bool(self._pinned)
        while is_new:
            above = {facts.subject.key for facts in (*(one for _, one in self._pinned.values()), *self._below.values())}
            left = [facts for facts in rest if facts.issuer.key not in above or not self._prove(facts)]
            rest, is_new = left, len(left) < len(rest)
        found: dict[Key, list[Facts]] = {}
        for facts in rest:
            found.setdefault(facts.subject.key, []).append(facts)
        return found

    @cached_property
    def _by_key(self) -> Mapping[str, Facts]:
        """Certificates of other CAs by their key."""
        return {facts.key.digest.hex(): facts for found in self._by_subject.values() for facts in reversed(found)}

    @property
    def _keys_below(self) -> frozenset[str]:
        _ = self._by_subject
        return self._keys_proven

    @cached_property
    def _keys_proven(self) -> frozenset[str]:
        return frozenset(key for _, key in self._below)


def _may_have_cas(facts: Facts) -> bool:
    """Whether there may be CAs below it (RFC 5280 4.2.1.9)."""
    basic = facts.extensions.basic
    return basic is None or basic.path_length != 0


def _keep(pool: dict[str, Certificate], certificate: Certificate) -> None:
    """Of too many those with the lower digests, so that the order does not matter."""
    pool[certificate.sha256] = certificate
    if len(pool) > MOST:
        del pool[max(pool)]


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
