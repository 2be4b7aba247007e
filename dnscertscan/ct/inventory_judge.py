"""Which issuances are ours: judged one by one, so that none hides another. Pure: no files, no network, no clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from dnscertscan.ct.audit_issuers import Issuers, Pins
from dnscertscan.ct.audit_report import Status
from dnscertscan.ct.inventory_values import Decision, Item, Kind, State
from dnscertscan.ct.known import Local
from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Sighting, Sightings, Verdict
from dnscertscan.model.text import visible
from dnscertscan.pki.parse import parse

ENDED = timedelta(days=30)
"""An issuance that ended longer ago is counted, and not judged."""
_LOCAL = "local files"
_STEP = "put the certificate of its CA into one of the paths, or name it with --issuer if it may issue"


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known and what was decided: ``remembered`` are issuances known in earlier runs (TBS hash -> from where, when).

    An unknown issuance is a warning while it is younger than ``grace``: it may be on its way to where it is expected. ``met``
    has when a run met it first.
    """

    local: Local = field(default_factory=Local)
    pins: Pins = field(default_factory=Pins)
    remembered: Mapping[str, str] = field(default_factory=dict)
    decisions: Sequence[Decision] = ()
    grace: timedelta = timedelta(hours=24)
    met: Mapping[str, datetime] = field(default_factory=dict)


def judge(sightings: Sightings, domains: Sequence[DnsName], expected: Expected, at: datetime) -> tuple[Item, ...]:
    """Every issuance that concerns one of ``domains`` with its state, what needs a person first, then the youngest."""
    examiner = _Examiner(expected, at)
    seen = [(one, examiner.issuer_of(one.issuance)) for one in sightings.issuances.values() if concerned(one.issuance, domains)]
    conflicts = examiner.conflicts(sightings, seen)
    items = [examiner.item(sighting, issuer, conflicts) for sighting, issuer in seen]
    return tuple(sorted(items, key=_order))


def concerned(issuance: Issuance, domains: Iterable[DnsName]) -> bool:
    """Whether one of the names is one of ``domains``, below it, or a wildcard that covers it; read up to a NUL, too."""
    names = {part for name in issuance.names for part in (name, name.partition("\0")[0])}
    return any(
        name == domain.text or name.endswith(f".{domain.text}") or name == f"*.{domain.parent.text}"
        for domain in domains for name in names
    )


def _order(item: Item) -> tuple[bool, int, float, str]:
    when = item.issuance.not_before
    place = list(State).index(item.state)
    return (not item.needs_a_person, place, -when.timestamp() if when else 0.0, item.issuance.tbs_sha256)


@dataclass(frozen=True, slots=True)
class _Issuer:
    """The key that signed it (empty: not known), and whether the pins allow that; ``reason`` is why not, or why nobody knows."""

    key: str
    allowed: bool | None
    reason: str = ""


class _Examiner:
    def __init__(self, expected: Expected, at: datetime) -> None:
        self._expected, self._at = expected, at
        self._issuers = Issuers((*expected.pins.certificates, *expected.local.issuers))
        pinned = [parse(one) for one in expected.pins.certificates]
        self._named = frozenset(facts.key.digest.hex() for facts in pinned)
        self._roots = any(facts.is_self_issued for facts in pinned)
        self._decisions: dict[str, list[Decision]] = {}
        for decision in expected.decisions:
            self._decisions.setdefault(decision.tbs_sha256, []).append(decision)

    def issuer_of(self, issuance: Issuance) -> _Issuer:
        """By signature where the certificate and those of CAs are at hand; else by what the source says of the key."""
        pins, claimed = self._expected.pins, issuance.issuer_spki_sha256 or ""
        if issuance.der is not None:
            ancestry = self._issuers.ancestry((Certificate(issuance.der),))
            if ancestry.direct:
                whole = any(facts.is_self_issued for facts in ancestry.all)
                return self._pinned(ancestry.direct[0].key.digest.hex(), ancestry.keys, whole=whole)
            if claimed in self._named:  # its signature says otherwise
                claimed = ""
            if pins.keys and pins.keys <= self._named and not self._roots:
                return _Issuer(claimed, False, "its signature is by none of the keys of --issuer")
        if claimed:
            return self._pinned(claimed, frozenset({claimed}), whole=False)
        return _Issuer("", None, f"the key that signed it is not known: {_STEP}" if pins.keys else "")

    def _pinned(self, key: str, keys: frozenset[str], *, whole: bool) -> _Issuer:
        """By the keys of the CA that signed and of those above it; ``whole``: up to a root."""
        pins = self._expected.pins.keys
        if not pins:
            return _Issuer(key, None)
        if pins & keys:
            return _Issuer(key, True)
        if self._roots and not whole:
            return _Issuer(key, None, f"whether its CA (key {key}) is below a root of --issuer is not known: {_STEP}")
        return _Issuer(key, False, f"signed by the key {key} of a CA that is not among --issuer")

    def conflicts(self, sightings: Sightings, seen: Sequence[tuple[Sighting, _Issuer]]) -> Mapping[str, str]:
        """TBS hash -> what it stands against. Local certificates count, too: they may be all that shows the other one."""
        known = [replace(one.issuance, issuer_spki_sha256=issuer.key or None) for one, issuer in seen]
        for certificate, _ in self._expected.local.certificates:
            found = read_certificate(certificate.der, _LOCAL, None)
            if found is not None:
                known.append(replace(found, issuer_spki_sha256=self.issuer_of(found).key or None))
        again = merge([SearchResult("", DnsName(""), Verdict.FOUND, tuple(known))])
        told: dict[str, str] = {}
        for conflict in sorted((*sightings.conflicts, *again.conflicts), key=lambda one: one.certain):
            sure = "the same key" if conflict.certain else "the same name and key identifier"
            for one in conflict.tbs:
                others = ", ".join(other for other in conflict.tbs if other != one)
                told[one] = f"a CA with {sure} has signed the serial number {conflict.serial} twice: also for TBS {others}"
        return told

    def item(self, sighting: Sighting, issuer: _Issuer, conflicts: Mapping[str, str]) -> Item:
        """The state: alarms first, then what a person said, then what is known."""
        issuance = sighting.issuance
        tbs = issuance.tbs_sha256
        faults = {}
        if tbs in conflicts:
            faults[State.SERIAL_CONFLICT] = conflicts[tbs]
        if issuer.allowed is False:
            faults[State.WRONG_ISSUER] = issuer.reason
        decided, over = self._decided(tbs)
        refused = next((one for one in decided if one.kind is Kind.REJECT), None)
        if issuance.not_after is not None and issuance.not_after < self._at - ENDED:
            verdict = State.ENDED, Status.OK, "it ended long ago"
        elif refused:
            verdict = State.REJECTED, Status.CRITICAL, f"rejected by a person{_why(refused)}; a rejection has no end"
        elif faults:
            verdict = self._fault(faults, decided, issuance)
        else:
            verdict = self._known(issuance) or self._decided_about(issuer, decided) or self._unknown(issuance, over)
        place = refused.origin if refused and verdict[0] is State.REJECTED else ""
        remembered = verdict[0] is State.KNOWN and tbs not in self._expected.local.known.issuances
        return Item(issuance, sighting.sources, *verdict, frozenset(faults), issuer.key, place, remembered)

    def _fault(
        self, faults: Mapping[State, str], decided: Sequence[Decision], issuance: Issuance
    ) -> tuple[State, Status, str]:
        known = self._known(issuance)
        words = "; ".join([*faults.values(), *([known[2]] if known else [])])
        for one in decided:
            if one.kind is Kind.ACKNOWLEDGE and faults.keys() <= one.faults:
                return State.ACKNOWLEDGED, Status.OK, f"acknowledged until {moment(one.until)}{_why(one)}: {words}"
        if any(one.kind is Kind.ACCEPT for one in decided):
            words = f"{words}; what accepts it does not count: this can only be acknowledged, with --interactive"
        return next(iter(faults)), Status.CRITICAL, words

    def _known(self, issuance: Issuance) -> tuple[State, Status, str] | None:
        known, tbs, key = self._expected.local.known, issuance.tbs_sha256, issuance.key_sha256 or ""
        if tbs in known.issuances:
            return State.KNOWN, Status.OK, f"it is in {known.issuances[tbs]}"
        if key in known.keys:
            return State.KNOWN_KEY, Status.OK, f"its key is in {known.keys[key]}"
        if tbs in self._expected.remembered:
            return State.KNOWN, Status.OK, self._expected.remembered[tbs]
        return None

    @staticmethod
    def _decided_about(issuer: _Issuer, decided: Sequence[Decision]) -> tuple[State, Status, str] | None:
        """What is accepted; nothing of a CA that might be another one."""
        if issuer.reason:
            return State.ISSUER_UNDECIDED, Status.UNKNOWN, issuer.reason
        accepted = next((one for one in decided if one.kind is Kind.ACCEPT), None)
        if accepted is None:
            return None
        return State.ACCEPTED, Status.OK, f"accepted until {moment(accepted.until)}{_why(accepted)}"

    def _unknown(self, issuance: Issuance, over: Sequence[Decision]) -> tuple[State, Status, str]:
        words = "neither the certificate nor its key is in the local files"
        if over:
            last = max(over, key=lambda one: one.until)
            words = f"{words}; it was accepted until {moment(last.until)}{_why(last)}, which is over"
        if missing := self._expected.local.missing:
            return State.UNKNOWN, Status.UNKNOWN, f"{words}, but not all of them could be read ({missing[0]})"
        since = self._since(issuance)
        if since is not None and self._at - since < self._expected.grace:
            return State.UNKNOWN, Status.WARNING, f"{words}; it is new, from {moment(since + self._expected.grace)} on critical"
        return State.UNKNOWN, Status.CRITICAL, words

    def _since(self, issuance: Issuance) -> datetime | None:
        """Since when it is there: when it was logged, or else made, but never later than a run of ours has met it.

        A certificate may be post-dated: its CA writes into it what it likes.
        """
        told = issuance.first_seen or issuance.not_before
        return None if told is None else min(told, self._expected.met.get(issuance.tbs_sha256, self._at), self._at)

    def _decided(self, tbs: str) -> tuple[list[Decision], list[Decision]]:
        """What counts now, and what did once."""
        found = self._decisions.get(tbs, [])
        return [one for one in found if self._at <= one.until], [
            one for one in found if self._at > one.until and one.kind is Kind.ACCEPT
        ]


def _why(decision: Decision) -> str:
    said = f" ({visible(decision.reason, 200)})" if decision.reason else ""
    return f"{said} in {decision.origin}" if decision.origin else said


def moment(when: datetime) -> str:
    """A time as people read it."""
    return f"{when:%Y-%m-%d %H:%M} UTC"


def unidentified(sightings: Sightings, domains: Sequence[DnsName]) -> Iterator[Issuance]:
    """Rows without an identity that concern one of ``domains``: nobody can say whether they are ours."""
    return (one for one in sightings.unidentified if concerned(one, domains))
