"""The issuing certificates of a run, for naming one that a server forgets to send: those that many send, however many come."""

from collections.abc import Iterable, Iterator, Sequence

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.pki.parse import parse, weigh

MOST, MOST_OCTETS = 2048, 16 << 20
"""The public CAs of the world have about as many issuing certificates together; octets are those of memory."""
_COUNTERS = 1 << 20


class Issuers:
    """Certificates sent behind another one, at most ``MOST`` and in at most ``MOST_OCTETS``.

    When more were sent, those that most targets send are kept (counted in a table of fixed size, so that a few may rank higher
    than they ought to), of equal ones those with the lower digest. So a server with a new certificate for each name pushes
    out no CA that others use, and the order of the observations does not matter. What is fetched because somebody named it comes
    first. A certificate that is not kept makes a message less exact: the issuer is then unknown instead of missing.
    """

    def __init__(self, most: int = MOST, octets: int = MOST_OCTETS) -> None:
        self._most, self._octets = most, octets
        self._ranked: dict[str, Certificate] = {}
        self.all: tuple[Certificate, ...] = ()
        """Sorted by digest."""

    def learn(self, observations: Iterable[Observation]) -> None:
        """Take note of what was sent. Reads ``observations`` once, up to three times when more was sent than there is room."""
        seen = tuple(observations) if isinstance(observations, Iterator) else observations
        room = self._room(self._ranked.values())
        if not all(map(room.take, (certificate for observation in seen for certificate in _issuing(observation)))):
            room = self._room(self._ranked.values())
            for certificate in self._most_sent(seen):
                room.take(certificate)
        self._keep(room.taken)

    def add(self, certificates: Iterable[Certificate]) -> None:
        """Take note of certificates that came some other way."""
        room = self._room(sorted(certificates, key=_digest))
        for certificate in self._ranked.values():
            room.take(certificate)
        self._keep(room.taken)

    def _room(self, first: Iterable[Certificate]) -> "_Room":
        room = _Room(self._most, self._octets)
        for certificate in first:
            room.take(certificate)
        return room

    def _keep(self, ranked: dict[str, Certificate]) -> None:
        if ranked.keys() != self._ranked.keys():
            self.all = tuple(ranked[digest] for digest in sorted(ranked))
        self._ranked = ranked

    def _most_sent(self, seen: Iterable[Observation]) -> list[Certificate]:
        """The ``most`` certificates that most observations have, those first that have the highest count."""
        counts = _Counts()
        for observation in seen:
            for digest in {certificate.sha256 for certificate in _issuing(observation)}:
                counts.add(digest)
        best: dict[str, Certificate] = {}
        for observation in seen:
            best |= {one.sha256: one for one in _issuing(observation) if one.sha256 not in best}
            if len(best) > 2 * self._most:
                best = {one.sha256: one for one in counts.ranked(best.values())[: self._most]}
        return counts.ranked(best.values())[: self._most]


class _Room:
    """What fits; what is there already always does."""

    def __init__(self, most: int, octets: int) -> None:
        self._most, self._left = most, octets
        self.taken: dict[str, Certificate] = {}

    def take(self, certificate: Certificate) -> bool:
        """Keep it if it fits; False when it does not."""
        if certificate.sha256 in self.taken:
            return True
        weight = weigh(parse(certificate))
        if len(self.taken) >= self._most or weight > self._left:
            return False
        self._left -= weight
        self.taken[certificate.sha256] = certificate
        return True


class _Counts:
    """How often digests were added, up to 255 times: two tables, of which the lower count is nearly always right."""

    def __init__(self) -> None:
        self._tables = bytearray(_COUNTERS), bytearray(_COUNTERS)

    def add(self, digest: str) -> None:
        for table, place in zip(self._tables, _places(digest), strict=True):
            table[place] = min(table[place] + 1, 255)

    def ranked(self, certificates: Iterable[Certificate]) -> list[Certificate]:
        """The most frequent first, of equal ones the one with the lower digest."""
        return sorted(certificates, key=lambda one: (-min(
            table[place] for table, place in zip(self._tables, _places(one.sha256), strict=True)
        ), one.sha256))


def _places(digest: str) -> tuple[int, int]:
    return int(digest[:16], 16) % _COUNTERS, int(digest[16:32], 16) % _COUNTERS


def _digest(certificate: Certificate) -> str:
    return certificate.sha256


def _issuing(observation: Observation) -> Iterator[Certificate]:
    """What was sent behind the first certificates."""
    if isinstance(observation.outcome, Handshake):
        for deployment in observation.outcome.deployments:
            yield from deployment.chain[1:]


class ByName:
    """Finds possible issuers by their name. The names are read when they are first asked for: most chains have their issuer."""

    def __init__(self, anchors: Sequence[Certificate]) -> None:
        self._anchors = anchors
        self._known: Sequence[Certificate] | None = None
        self._names: dict[object, list[Certificate]] = {}

    def issuers_of(self, certificate: Certificate, known: Sequence[Certificate]) -> Sequence[Certificate]:
        """Those of ``known`` and of the anchors that have the name of the issuer of ``certificate``."""
        if known is not self._known:
            self._known, self._names = known, {}
            for one in (*known, *self._anchors):
                facts = parse(one)
                if not facts.problem:
                    self._names.setdefault(facts.subject.key, []).append(one)
        facts = parse(certificate)
        return () if facts.problem else self._names.get(facts.issuer.key, ())
