"""What is served, as far as it concerns what CT has: digests and dates of few things, whatever the number of targets."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import NamedTuple

from dnscertscan.checks.ct_ca import Issuers, family, key_kind
from dnscertscan.checks.ct_rows import Row, moment, names_key, names_of, wildcard_above
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.model.sightings import Sighting
from dnscertscan.model.transparency import CtPolicy
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import parse, refer, serial_text
from dnscertscan.pki.tbs import tbs_sha256

IsPublic = Callable[[Observation, Deployment], bool | None]


class Leaf(NamedTuple):
    """What is kept of a served certificate for a while."""

    ref: CertificateRef
    tbs: str
    key: str
    names: tuple[str, ...]
    names_key: bytes


@dataclass(frozen=True, slots=True)
class Stale:
    """A place that serves ``leaf`` while CT has newer ones for the same names, which :meth:`Seen.candidates` tells."""

    target: Target
    leaf: Leaf
    kind: str
    """Of its key; empty when it cannot be read."""
    alone: bool
    """Whether nothing else is served there for these names."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A served certificate with issuer and serial number of an issuance that has another TBS hash."""

    tbs: str
    ref: CertificateRef
    leaf_tbs: str
    target: Target


class Seen:
    """What one look at all observations, in any order, tells of ``rows`` (and of all ``sightings``, for serial numbers)."""

    def __init__(
        self, rows: Mapping[str, Row], sightings: Mapping[str, Sighting], policy: CtPolicy, issuers: Issuers, at: datetime,
    ) -> None:
        self.served: set[str] = set()
        """TBS hashes of rows that are served anywhere."""
        self.keys: set[str] = set()
        """Their keys, and those of other rows, that are served with whatever certificate."""
        self.looked: set[str] = set()
        """Names in rows for which a server was seen; a wildcard when one was for a name it covers."""
        self.unreached: dict[str, int] = {}
        """The same for which none was, at how many places."""
        self.covered: dict[str, dict[str, datetime]] = {}
        """Name -> what its CA is told by -> beginning of the newest served certificate that has the name."""
        self.oldest: dict[str, datetime] = {}
        """Name -> beginning of the oldest served certificate that has the name, of whatever CA."""
        self.wildcards: dict[tuple[str, str], datetime] = {}
        """Wildcard, what its CA is told by -> beginning of the oldest certificate for it, served or in CT, expired ones too."""
        self.stale: list[Stale] = []
        self.twins: dict[tuple[str, str], Twin] = {}
        self.public: dict[str, set[bool | None]] = {}
        """Issuer's name -> whether its served certificates are of a public CA."""
        self._rows, self._policy, self._issuers, self._at = rows, policy, issuers, at
        self._every = sightings
        self._row_keys = {row.issuance.key_sha256 for row in rows.values()}
        self._names = {name for row in rows.values() for name in row.names}
        self._covering = self._names | {wildcard_above(name) for name in self._names}
        self._by_names: dict[bytes, list[str]] = {}
        self._newest: dict[bytes, datetime] = {}
        self._latest: dict[tuple[bytes, str, bool], datetime | None] = {}
        self._families: dict[str, frozenset[str]] = {}
        for tbs, row in rows.items():
            if not row.issuance.names or row.issuance.revoked or row.begins_after(at):
                continue
            self._by_names.setdefault(row.names_key, []).append(tbs)
            if (start := row.issuance.not_before) is not None:
                self._newest[row.names_key] = max(start, self._newest.get(row.names_key, start))
        self._by_octets = {
            Certificate(row.issuance.der).sha256: tbs for tbs, row in rows.items()
            if row.issuance.der is not None and not row.issuance.precert
        }
        self._by_serial: dict[str, list[str]] = {}
        for tbs in sorted(sightings):
            one = sightings[tbs].issuance
            self._by_serial.setdefault(one.serial, []).append(tbs)
            self._wildcards((name.rstrip(".").lower() for name in one.names), one.issuer, one.not_before)
        self._doubted: frozenset[str] = frozenset()
        self._kinds: dict[str, str] = {}
        self._leaves: Kept[str, Leaf] = Kept(8192)

    def doubt(self, issuers: Iterable[str]) -> None:
        """Find out whether CAs of these names are public ones."""
        self._doubted = frozenset(issuers)

    def look(self, observation: Observation, is_public: IsPublic) -> tuple[()]:
        """Take note of one observation."""
        outcome, target = observation.outcome, observation.target
        name = target.server_name.text
        about = [one for one in (name, wildcard_above(name)) if one in self._names]
        if not isinstance(outcome, Handshake) or not outcome.deployments:
            for one in about:
                self.unreached[one] = self.unreached.get(one, 0) + 1
            return ()
        self.looked.update(about)
        here: list[tuple[Leaf, Certificate]] = []
        for deployment in outcome.deployments:
            if deployment.chain:
                leaf = self._leaf(deployment.chain[0])
                self._note(leaf)
                self._issuers.learn(deployment.chain[1:])
                if leaf.ref.issuer in self._doubted:
                    self.public.setdefault(leaf.ref.issuer, set()).add(is_public(observation, deployment))
                self._twins(leaf, deployment, target)
                if deployment.sni:
                    here.append((leaf, deployment.chain[0]))
        if not outcome.unanswered and outcome.engine_failure is None:
            self._stale(here, target)
        return ()

    def family(self, issuer: str) -> frozenset[str]:
        """By what the CA of this name is told (:func:`family`)."""
        if issuer not in self._families:
            self._families[issuer] = family(issuer, self._policy.ca_domains)
        return self._families[issuer]

    def candidates(self, names_key: bytes, kind: str, *, alone: bool) -> Iterator[Row]:
        """What could be served by now for a set of names, with a key of this kind; of any kind where that is not known."""
        for tbs in self._by_names.get(names_key, ()):
            row = self._rows[tbs]
            since, other = row.since, self._kind(row)
            is_out = row.issuance.not_before is not None and since is not None and self._at - since > self._policy.grace
            if is_out and (other == kind if other and kind else alone):
                yield row

    def _leaf(self, certificate: Certificate) -> Leaf:
        leaf = self._as_in_ct(certificate) or self._leaves.get(certificate.sha256)
        if leaf is None:
            facts = parse(certificate)
            names = names_of(facts)
            concerned = tuple(name for name in names if name in self._covering)
            digest = facts.key.digest.hex()
            leaf = Leaf(refer(facts, 0), tbs_sha256(certificate), digest, concerned, names_key(names))
            self._leaves.put(certificate.sha256, leaf)
        return leaf

    def _as_in_ct(self, certificate: Certificate) -> Leaf | None:
        """The same without reading it, where CT has these very octets: that is nearly all there is in a big fleet."""
        row = self._rows.get(self._by_octets.get(certificate.sha256, ""))
        if row is None:
            return None
        one = row.issuance
        shown = CertificateRef(0, certificate.sha256, one.subject, one.issuer, one.serial, one.not_before, one.not_after)
        return Leaf(shown, one.tbs_sha256, one.key_sha256 or "", row.names, row.names_key)

    def _note(self, leaf: Leaf) -> None:
        if leaf.tbs in self._rows:
            self.served.add(leaf.tbs)
        if leaf.key in self._row_keys:
            self.keys.add(leaf.key)
        start = leaf.ref.not_before
        if start is None or start > self._at:
            return
        self._wildcards(leaf.names, leaf.ref.issuer, start)
        for name in leaf.names:
            self.oldest[name] = min(self.oldest.get(name, start), start)
            newest = self.covered.setdefault(name, {})
            for mark in self.family(leaf.ref.issuer):
                newest[mark] = max(newest.get(mark, start), start)

    def _wildcards(self, names: Iterable[str], issuer: str, start: datetime | None) -> None:
        found = {name for name in names if name.startswith("*.") and name in self._covering} if start is not None else set()
        for key in ((name, mark) for name in found for mark in self.family(issuer)):
            if start is not None:
                self.wildcards[key] = min(self.wildcards.get(key, start), start)

    def _stale(self, here: list[tuple[Leaf, Certificate]], target: Target) -> None:
        """The newest certificate of each set of names and kind of key, when CT has newer ones that are not served here."""
        newest: dict[tuple[bytes, str], Leaf] = {}
        if not any(start < self._newest.get(leaf.names_key, start) for leaf, _ in here if (start := leaf.ref.not_before)):
            return
        for leaf, certificate in here:
            if leaf.names_key in self._by_names and leaf.ref.not_before is not None:
                group = (leaf.names_key, key_kind(parse(certificate)))
                if group not in newest or _age(newest[group]) < _age(leaf):
                    newest[group] = leaf
        for (key, kind), leaf in newest.items():
            alone = sum(other == key for other, _ in newest) == 1
            latest, own = self._begin(key, kind, alone=alone), leaf.ref.not_before
            if latest is not None and own is not None and latest > own:
                self.stale.append(Stale(target, leaf, kind, alone))

    def _begin(self, names_key: bytes, kind: str, *, alone: bool) -> datetime | None:
        """When the newest of the candidates begins: found once for all places, there may be thousands of both."""
        key = (names_key, kind, alone)
        if key not in self._latest:
            begins = (row.issuance.not_before for row in self.candidates(names_key, kind, alone=alone))
            self._latest[key] = max((start for start in begins if start is not None), default=None)
        return self._latest[key]

    def _kind(self, row: Row) -> str:
        one = row.issuance
        if one.tbs_sha256 not in self._kinds:
            self._kinds[one.tbs_sha256] = key_kind(parse(Certificate(one.der))) if one.der is not None else ""
        return self._kinds[one.tbs_sha256]

    def _twins(self, leaf: Leaf, deployment: Deployment, target: Target) -> None:
        if not leaf.ref.serial or not leaf.tbs or leaf.tbs in self._every:  # what CT has is compared where it is merged
            return
        for tbs in self._by_serial.get(leaf.ref.serial, ()):
            if self._is_same_issuer(self._every[tbs], leaf, deployment):
                twin = Twin(tbs, leaf.ref, leaf.tbs, target)
                known = self.twins.get((tbs, leaf.tbs))
                if known is None or target < known.target:
                    self.twins[tbs, leaf.tbs] = twin

    def _is_same_issuer(self, sighting: Sighting, leaf: Leaf, deployment: Deployment) -> bool:
        """By their keys where both are known; else by name and key identifier, which both must have."""
        one, served = sighting.issuance, parse(deployment.chain[0])
        if one.issuer_spki_sha256 is not None and len(deployment.chain) > 1:
            issuer = parse(deployment.chain[1])
            if issuer.subject.key == served.issuer.key:
                return issuer.key.digest.hex() == one.issuer_spki_sha256
        if one.der is None:
            return False
        other = parse(Certificate(one.der))
        mine, theirs = served.extensions.authority_key, other.extensions.authority_key
        if mine is None or theirs is None or not mine.key_id:
            return False
        same = mine.key_id == theirs.key_id and served.issuer.key == other.issuer.key
        return same and serial_text(other.serial) == leaf.ref.serial


class Elsewhere:
    """Where issuances are served that others do not have yet: the lowest addresses for each name, and how many there are."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = frozenset(wanted)
        self._places: dict[str, dict[str, _Few]] = {}

    def look(self, observation: Observation) -> tuple[()]:
        """Take note of one observation."""
        outcome, target = observation.outcome, observation.target
        if isinstance(outcome, Handshake):
            found = {tbs_sha256(one.chain[0]) for one in outcome.deployments if one.chain and one.sni}
            for tbs in found & self._wanted:
                few = self._places.setdefault(tbs, {}).setdefault(target.server_name.text, _Few())
                few.add(target)
        return ()

    def at(self, tbs: str, name: str) -> tuple[list[Target], int]:
        """The first targets of this name that serve it, and the number of all."""
        few = self._places.get(tbs, {}).get(name)
        return (few.first, few.count) if few else ([], 0)

    def names(self, tbs: str) -> list[str]:
        """For which names it is served."""
        return sorted(self._places.get(tbs, {}))


class _Few:
    __slots__ = ("count", "first")

    def __init__(self) -> None:
        self.first: list[Target] = []
        self.count = 0

    def add(self, target: Target) -> None:
        self.count += 1
        self.first = sorted([*self.first, target], key=_address)[:8]


def _address(target: Target) -> tuple[int, int, Target]:
    address = ip_address(target.endpoint.address)
    return address.version, int(address), target


def _age(leaf: Leaf) -> tuple[str, str]:
    return moment(leaf.ref.not_before), leaf.tbs


