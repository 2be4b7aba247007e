"""How every endpoint stands, for monitoring: the most urgent ones each by itself, all of them by zone; bounded in number."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import chain

from dnscertscan.model.ct import Logged
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.report import Place, Report, State, Tally, ZoneTotals
from dnscertscan.model.rotation import Rotation, rotation_of
from dnscertscan.model.text import visible
from dnscertscan.pki.parse import Facts, parse, serial_text
from dnscertscan.report.describe import observed_place, terminal_state

MAX_ENDPOINTS = 10_000
"""Endpoints that have values of their own: those with errors, then those that end first, and the silent (see below)."""
SILENT_SHARE = 4
"""One in so many of them is kept for endpoints that gave no certificate: one that dies must not lose its values by that. What
the one kind does not need the other gets."""
MAX_ZONES = 1_000
"""Zones that have values of their own: those with the most errors and warnings; what is left is :data:`OTHER_ZONES`."""
OTHER_ZONES = "(others)"
LABEL = 260
"""Characters of a text from outside that go into a label: the longest name there is, and a little more."""
_NO_ERRORS: Mapping[Place, int] = {}
_NEVER = datetime.max.replace(tzinfo=UTC)
_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What names the certificate an endpoint serves to its name; texts are visible and short, times None where unreadable."""

    sha256: str
    serial: str
    subject: str
    issuer: str
    not_before: datetime | None
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One endpoint. ``leaf`` ends first among those served to the name (several, where RSA and ECDSA are offered).

    ``chain_end`` is when the first certificate of all that is sent ends, also one that no client needs. ``ct`` is empty when
    nobody knows, or nobody looked.
    """

    place: Place
    zone: str
    scanned: bool
    leaf: Leaf | None
    chain_end: datetime | None
    valid: tuple[tuple[str, bool], ...]
    errors: int = 0
    """Findings of severity error about it."""
    rotation: Rotation | None = None
    """How such a certificate is meant to be rotated, where that is known."""
    due: datetime | None = None
    """When the first of its certificates has to be replaced at the latest, where that is known."""
    ct: str = ""

    @property
    def labels(self) -> tuple[str, str, str, str]:
        """(zone, fqdn, address, port): what tells this endpoint from others, safe to show."""
        address, port, name = self.place
        return self.zone, visible(name, LABEL), address, str(port)

    @property
    def begins(self) -> datetime | None:
        """When the leaf begins."""
        return self.leaf.not_before if self.leaf else None

    @property
    def ends(self) -> datetime | None:
        """When the leaf ends."""
        return self.leaf.not_after if self.leaf else None

    @property
    def urgency(self) -> tuple[int, datetime, Place]:
        """The smaller, the more urgent; no two are alike."""
        if not self.scanned:
            return 2, _NEVER, self.place
        certain = self.ends is not None and self.chain_end is not None
        return int(certain and not self.errors), self.chain_end or _EVER, self.place


@dataclass(slots=True)
class Standings:
    """The endpoints of one run. ``endpoints`` are sorted by place; ``omitted`` is how many more there are."""

    endpoints: list[Standing] = field(default_factory=list)
    omitted: int = 0
    states: Counter[State] = field(default_factory=Counter)
    """All endpoints, by how the look at them ended. Those that nobody looked at are neither in ``endpoints`` nor ``omitted``."""
    soonest: dict[str, datetime] = field(default_factory=dict)
    """Zone -> when the first leaf served in it ends, ``omitted`` endpoints included."""

    @classmethod
    def of(cls, report: Report, most: int = MAX_ENDPOINTS) -> "Standings":
        """Go through the findings once and the observations once; twice when there is something to tell about CT.

        At most ``most`` endpoints are chosen, and little more than twice as many held at any time.
        """
        made, speaking, silent = cls(), _First(most), _First(most)
        for one in made._all(report):
            (speaking if one.scanned else silent).add(one)
        quiet = silent.sorted()[:max(most // SILENT_SHARE, most - len(speaking.sorted()))]
        chosen = chain(speaking.sorted()[:most - len(quiet)], quiet)
        made.endpoints = _with_ct(report, sorted(chosen, key=lambda one: one.place))
        made.omitted = made.states[State.SCANNED] + made.states[State.FAILED] - len(made.endpoints)
        return made

    def _all(self, report: Report) -> Iterator[Standing]:
        errors = _errors(report.findings)
        for observation in report.observations:
            state = terminal_state(observation.outcome)[0]
            self.states[state] += 1
            if state is State.SKIPPED:
                continue
            made = standing(observation, report.valid, report.rotations, errors)
            if (end := made.ends) is not None:
                for zone in {origin.zone.text for origin in observation.target.provenance}:
                    self.soonest[zone] = min(end, self.soonest.get(zone, end))
            yield made


@dataclass(slots=True)
class _First:
    """The ``most`` most urgent of what is added."""

    most: int
    held: list[Standing] = field(default_factory=list)

    def add(self, one: Standing) -> None:
        self.held.append(one)
        if len(self.held) > self.most + self.most // 4 + 8:  # now and then: sorting what is nearly sorted takes little
            self.sorted()

    def sorted(self) -> list[Standing]:
        self.held.sort(key=lambda one: one.urgency)
        del self.held[self.most:]
        return self.held


def _errors(findings: Iterable[Finding]) -> Counter[Place]:
    """Findings of severity error by endpoint. What is about a whole name or zone concerns no endpoint by itself."""
    return Counter(
        (at.ip_address, at.port, at.fqdn)
        for at in (finding.subject for finding in findings if finding.severity >= Severity.ERROR)
        if at.ip_address and at.port is not None
    )


def standing(
    observation: Observation, valid: Mapping[Place, Mapping[str, bool]], rotations: Sequence[Rotation] = (),
    errors: Mapping[Place, int] = _NO_ERRORS,
) -> Standing:
    """How one endpoint stands."""
    place, outcome = observed_place(observation), observation.outcome
    chains = [one.chain for one in outcome.deployments if one.sni and one.chain] if isinstance(outcome, Handshake) else []
    ends = [parse(certificate).not_after for chain in chains for certificate in chain]
    known = [end for end in ends if end is not None]
    leaves = sorted((parse(chain[0]) for chain in chains), key=lambda one: (one.not_after or _EVER, one.sha256))
    zones = [origin.zone for origin in observation.target.provenance]
    rotated = [rotation_of(rotations, zones, leaf.issuer.text) for leaf in leaves] if rotations else []
    dues = [due for leaf, rotation in zip(leaves, rotated, strict=False) if rotation and (due := _due(leaf, rotation))]
    return Standing(
        place, zone_label(observation.target), terminal_state(outcome)[0] is State.SCANNED, _leaf(leaves[0]) if leaves else None,
        min(known) if known else None, tuple(sorted(valid.get(place, {}).items())), errors.get(place, 0),
        rotated[0] if rotated else None, min(dues, default=None),
    )


def _due(leaf: Facts, rotation: Rotation) -> datetime | None:
    if leaf.not_before is None or leaf.not_after is None:
        return None
    try:
        return rotation.due(leaf.not_before, leaf.not_after)
    except OverflowError:  # a certificate of the year 1, or 9999
        return None


def _leaf(facts: Facts) -> Leaf:
    return Leaf(
        facts.sha256, serial_text(facts.serial), visible(facts.subject.text, LABEL), visible(facts.issuer.text, LABEL),
        facts.not_before, facts.not_after,
    )


def zone_label(target: Target) -> str:
    """The zones that lead to a target, as findings name them, safe to show."""
    return visible(", ".join(sorted({origin.zone.text for origin in target.provenance})), LABEL)


def _with_ct(report: Report, chosen: list[Standing]) -> list[Standing]:
    """The same with what CT says of the leaf, where that is known."""
    if report.transparency is None:
        return chosen
    at = {one.place: number for number, one in enumerate(chosen)}
    for observation in report.observations:
        number = at.get(observed_place(observation))
        leaf = chosen[number].leaf if number is not None else None
        if number is not None and leaf is not None:
            audit = report.transparency(observation).get(leaf.sha256)
            if audit is not None and audit.logged is not Logged.UNKNOWN:
                chosen[number] = replace(chosen[number], ct=str(audit.logged))
    return chosen


@dataclass(frozen=True, slots=True)
class ZoneNames:
    """How zones are named in labels: most as they are, safe to show; beyond :data:`MAX_ZONES` all alike."""

    kept: frozenset[str]

    @classmethod
    def of(cls, totals: Iterable[ZoneTotals], tally: Tally, most: int = MAX_ZONES) -> "ZoneNames":
        """Keep those with the most errors, then warnings; the first in the alphabet where that is the same."""
        def rank(zone: str) -> tuple[int, int, str]:
            counted = tally.by_zone.get(zone, Counter())
            return -counted[Severity.ERROR], -counted[Severity.WARNING], zone

        names = {*(zone.zone for zone in totals), *tally.by_zone}
        return cls(frozenset(nsmallest(most, names, key=rank)))

    def label(self, zone: str) -> str:
        """What the zone is called; the name of no zone is ``-``."""
        return (visible(zone, LABEL) or "-") if zone in self.kept else OTHER_ZONES
