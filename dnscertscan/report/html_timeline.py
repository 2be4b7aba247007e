"""When certificates end: one bar a day, and the days on which many of them end together."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.paths import key_id_fits
from dnscertscan.report.html_chain import short

DAYS = 400
"""Days shown: a little more than the longest life of a public certificate. Later ends are one bar at the right."""
LEFT, TOP, STEP, TALL = 44, 30, 2, 110
WIDTH, HEIGHT = LEFT + DAYS * STEP + 56, TOP + TALL + 24
"""Of the drawing and its parts, in its own units."""
_SOON, _NEAR = 14, 30
_CLUSTER, _SHARE = 3, 10
_PEAK, _TIMES, _AROUND = 10, 5, 14
_CLUSTERS, _EXAMPLES = 12, 3
_UNREAD = -(10**7)
_LOOKED_AT = 100
"""Certificates of one list among which its path is looked for."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Bar:
    """One day's bar."""

    x: float
    y: float
    height: float
    urgency: str
    title: str
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Cluster:
    """A day on which many certificates end together.

    That is at least 3 and a tenth of all that end in the time shown, or at least 10 and five times as many as usual. Usual is
    the median of the days on which any end: of all such days, or of those up to 14 days away where that is more.
    """

    day: date
    left: int
    certificates: int
    endpoints: int
    authorities: int
    """How many of the certificates are CA certificates: all below them fails with them."""
    examples: tuple[str, ...]
    label_x: float = 0
    """Where its label stands in the drawing; 0 when there is no room for one."""


@dataclass(slots=True)
class Calendar:
    """Ends of certificates counted by day: some hundred numbers and twelve octets per certificate, however large the fleet."""

    started: datetime
    ended: int = 0
    later: int = 0
    unread: int = 0
    days: Counter[int] = field(default_factory=Counter)
    authorities: Counter[int] = field(default_factory=Counter)
    endpoints: Counter[int] = field(default_factory=Counter)
    _digests: "array[int]" = field(default_factory=lambda: array("Q"))
    _ends: "array[int]" = field(default_factory=lambda: array("q"))
    _names: dict[int, list[str]] = field(default_factory=dict)

    def add(self, certificates: Iterable[Certificate]) -> None:
        """Count every certificate once; they come in the order of digests."""
        for certificate in certificates:
            facts = parse(certificate)
            left = self._left(facts.not_after)
            self._digests.append(_prefix(certificate))
            self._ends.append(left)
            self._count(left, facts)

    def _count(self, left: int, facts: Facts) -> None:
        if left == _UNREAD:
            self.unread += 1
        elif left < 0:
            self.ended += 1
        elif left >= DAYS:
            self.later += 1
        else:
            self.days[left] += 1
            self.authorities[left] += facts.is_ca
            names = self._names.setdefault(left, [])
            if len(names) < _EXAMPLES:
                names.append(short(facts.subject))

    def _left(self, end: datetime | None) -> int:
        if end is None:
            return _UNREAD
        return -1 if end < self.started else (end.date() - self.started.date()).days

    def serve(self, observation: Observation) -> None:
        """Count an endpoint on the day when what it serves to its own name first fails: its leaf ends, or an issuer on its path.

        What is sent beside the path may end at any time, and nothing fails.
        """
        if not isinstance(observation.outcome, Handshake):
            return
        chains = [deployment.chain for deployment in observation.outcome.deployments if deployment.sni and deployment.chain]
        ends = [end for chain in chains if (end := self._first(chain)) != _UNREAD]
        if ends:
            self.endpoints[min(ends)] += 1

    def _first(self, chain: Sequence[Certificate]) -> int:
        """The first end on the path; the path is looked for only where something that is sent ends before the leaf."""
        ends = [self._known(one) for one in chain]
        if all(ends[0] <= end or end == _UNREAD for end in ends) and ends[0] != _UNREAD:
            return ends[0]
        on_path = (self._left(facts.not_after) for facts in path_sent(chain))
        return min((end for end in on_path if end != _UNREAD), default=_UNREAD)

    def _known(self, certificate: Certificate) -> int:
        prefix = _prefix(certificate)
        at = bisect_left(self._digests, prefix)
        return self._ends[at] if at < len(self._digests) and self._digests[at] == prefix else _UNREAD

    def _peaks(self) -> Iterator[int]:
        """Days on which many end, see :class:`Cluster`."""
        everything = sum(self.days.values())
        usual = median(self.days.values()) if self.days else 0
        for left, count in self.days.items():
            around = [self.days[day] for day in range(left - _AROUND, left + _AROUND + 1) if day in self.days]
            high = count >= max(_PEAK, _TIMES * max(usual, median(around)))
            if high or count >= max(_CLUSTER, everything / _SHARE):
                yield left

    @property
    def total(self) -> int:
        """Certificates counted."""
        return len(self._ends)

    @property
    def most(self) -> int:
        """The tallest bar."""
        return max((*self.days.values(), self.ended, self.later, 1))

    def bars(self) -> Iterator[Bar]:
        """Ended, then day by day where one ends, then later."""
        if self.ended:
            yield self._bar(LEFT - 18, self.ended, "e", f"already ended: {self.ended}", wide=True)
        for left, count in sorted(self.days.items()):
            title = f"{self.day(left)}: {count}"
            yield self._bar(LEFT + left * STEP, count, urgency(left), title)
        if self.later:
            yield self._bar(LEFT + DAYS * STEP + 12, self.later, "o", f"later: {self.later}", wide=True)

    def _bar(self, x: float, count: int, kind: str, title: str, *, wide: bool = False) -> Bar:
        height = max(3.0, round(TALL * count / self.most, 1))
        return Bar(x, round(TOP + TALL - height, 1), height, kind, title, wide)

    def day(self, left: int) -> date:
        """The day that is ``left`` days from the start of the run."""
        return self.started.date() + timedelta(days=left)

    def months(self) -> Iterator[tuple[int, str]]:
        """(x, text) of the first day of each month shown."""
        for left in range(DAYS):
            day = self.day(left)
            if day.day == 1:
                yield LEFT + left * STEP, f"{day:%b} {day.year}" if day.month == 1 else f"{day:%b}"

    def by_month(self) -> list[tuple[str, int]]:
        """(``2026-12``, certificates) for those who read numbers."""
        counted: Counter[str] = Counter()
        for left, count in self.days.items():
            counted[f"{self.day(left):%Y-%m}"] += count
        return sorted(counted.items())

    def clusters(self) -> list[Cluster]:
        """In the order of days; those with the most certificates, when there are many."""
        days = sorted(self._peaks(), key=lambda left: (-self.days[left], left))
        labels: list[float] = []
        found = []
        for left in days[:_CLUSTERS]:
            x = min(max(LEFT + left * STEP, LEFT + 40), LEFT + DAYS * STEP - 40)
            if all(abs(x - other) >= 120 for other in labels):
                labels.append(x)
            found.append(Cluster(
                self.day(left), left, self.days[left], self.endpoints[left], self.authorities[left], tuple(self._names[left]),
                x if x in labels else 0,
            ))
        return sorted(found, key=lambda cluster: cluster.left)


def path_sent(chain: Sequence[Certificate]) -> list[Facts]:
    """The first certificate of a list and its issuers as far as they are sent: by name, and by key identifier where there is one.

    Of several that may be one's issuer (cross-signed ones) it is the one that ends last: clients that can, take it.
    """
    by_name: dict[object, list[Facts]] = {}
    for certificate in chain[:_LOOKED_AT]:
        facts = parse(certificate)
        by_name.setdefault(facts.subject.key, []).append(facts)
    path = [parse(chain[0])]
    while not path[-1].names_itself and len(path) <= len(chain):
        issuers = [one for one in by_name.pop(path[-1].issuer.key, ()) if key_id_fits(one, path[-1])]
        if not issuers:
            break
        path.append(max(issuers, key=lambda one: (one.not_after or _NEVER, one.sha256)))
    return path


def urgency(left: int) -> str:
    """The class of a bar: ``e`` within 14 days, ``w`` within 30, else ``o``."""
    if left < _SOON:
        return "e"
    return "w" if left < _NEAR else "o"


def _prefix(certificate: Certificate) -> int:
    return int(certificate.sha256[:16], 16)
