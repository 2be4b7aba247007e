"""Following a name to its addresses: a pure generator that asks only what the loaded zones do not hold (sans I/O).

Theory of operation: names to look at lie on a stack, each with the alias steps that led there. Views can give a name more
than one alias, so this is a depth-first walk of a graph: every name is looked at once, a step to a name of its own path is a
loop. The generator yields a :class:`Question`, is sent the :class:`Answer`, and returns the :class:`Resolution`.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop, Resolution, Verdict
from dnscertscan.resolve.addresses import canonical
from dnscertscan.resolve.nametext import impossible
from dnscertscan.resolve.zone_index import Held, ZoneIndex

MAX_HOPS = 16
MAX_NAMES = 64
"""Names looked at in one chase; only views that disagree wildly can reach it."""
FAMILIES = ("A", "AAAA")
NXDOMAIN = "NXDOMAIN"
NO_DATA = "no data"


class Status(StrEnum):
    """What a resolver's answer amounts to, for the last name of its alias chain."""

    DATA = "data"
    NO_DATA = "no-data"
    NXDOMAIN = "nxdomain"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Question:
    """A name the loaded zones do not hold, and the address record types wanted."""

    name: DnsName
    families: tuple[str, ...] = FAMILIES


@dataclass(frozen=True, slots=True)
class Answer:
    """What resolvers said. ``hops`` start at the name asked for and follow each other.

    ``reason`` says what failed; beside DATA it says which address family could not be asked.
    """

    status: Status
    hops: tuple[Hop, ...] = ()
    addresses: tuple[str, ...] = ()
    reason: str = ""


Path = tuple[Hop, ...]


def chase(
    name: DnsName, index: ZoneIndex, max_hops: int = MAX_HOPS, via: Hop | None = None
) -> Generator[Question, Answer, Resolution]:
    """Follow ``name`` through zones and resolvers. Every end is a verdict in the result; nothing is raised.

    With ``via`` the first step is that one, whatever else the zones say about ``name``: the chase of one record.
    ``Resolution.reason`` is set beside RESOLVED only when one address family could not be asked.
    """
    walk = _Walk(name, max_hops)
    if via is None:
        walk.look_at(name, ())
    else:
        walk.follow(via, ())
    while step := walk.next_step():
        current, path = step
        held = index.lookup(current)
        if held is not None and held.whole:
            walk.take_held(held, path)
            continue
        answer = yield Question(current)
        if held is not None and answer.status is Status.FAILED and not answer.hops:
            walk.take_held(held, path)  # nobody knows better: what the export lacks does not exist
        else:
            walk.take_answer(answer, path, index)
    return walk.resolution()


class _Walk:
    """The state of one chase."""

    def __init__(self, name: DnsName, max_hops: int) -> None:
        self._name = name
        self._max_hops = max_hops
        self._stack: list[tuple[DnsName, Path]] = []
        self._seen: set[DnsName] = set()
        self._addresses: set[str] = set()
        self._way: Path = ()
        self._partial = ""
        self._ends: list[tuple[Verdict, Path, str]] = []

    def next_step(self) -> tuple[DnsName, Path] | None:
        """The next name not yet looked at, with the way that led there."""
        while self._stack:
            name, path = self._stack.pop()
            if name in self._seen:
                continue
            if len(self._seen) >= MAX_NAMES:
                self._end(Verdict.TOO_LONG, path, f"more than {MAX_NAMES} names")
                return None
            self._seen.add(name)
            return name, path
        return None

    def look_at(self, name: DnsName, path: Path) -> None:
        """Put a name on the stack, unless it cannot exist."""
        if fault := impossible(name):
            if path and path[-1].type == "DNAME":
                self._end(Verdict.FAILED, path, f"YXDOMAIN ({fault})")  # RFC 6672 2.2
            else:
                self._end(Verdict.DANGLING, path, f"impossible name ({fault})")
            return
        self._stack.append((name, path))

    def step(self, hop: Hop, path: Path) -> Path | None:
        """The path with one more alias, or None when that ended it."""
        longer = (*path, hop)
        if hop.target == self._name or any(hop.target == earlier.target for earlier in path):
            self._end(Verdict.LOOP, longer, "alias loop")
        elif len(longer) > self._max_hops:
            self._end(Verdict.TOO_LONG, longer, f"more than {self._max_hops} aliases")
        else:
            return longer
        return None

    def follow(self, hop: Hop, path: Path) -> None:
        """Go on at the target of an alias."""
        longer = self.step(hop, path)
        if longer is not None:
            self.look_at(hop.target, longer)

    def take_held(self, held: Held, path: Path) -> None:
        """Use what the loaded zones say."""
        self._found(tuple(canonical(record.data) for record in held.addresses), path)
        for alias in reversed(held.aliases):  # the stack turns them round again
            self.follow(alias, path)
        if not held.addresses and not held.aliases:
            self._end(Verdict.DANGLING, path, NO_DATA if held.exists else NXDOMAIN)

    def take_answer(self, answer: Answer, path: Path, index: ZoneIndex) -> None:
        """Use what a resolver said; a name of a loaded zone in its chain is answered by the zone."""
        for hop in answer.hops:
            longer = self.step(hop, path)
            if longer is None:
                return
            path = longer
            if impossible(hop.target) or index.lookup(hop.target) is not None:
                self.look_at(hop.target, path)
                return
        match answer.status:
            case Status.DATA if answer.addresses:
                self._found(answer.addresses, path)
                self._partial = self._partial or answer.reason
            case Status.NXDOMAIN:
                self._end(Verdict.DANGLING, path, NXDOMAIN)
            case Status.FAILED:
                self._end(Verdict.FAILED, path, answer.reason)
            case _ if answer.hops:
                self.look_at(path[-1].target, path)  # a chain without its end: the server knows no more than that
            case _:
                self._end(Verdict.DANGLING, path, NO_DATA)

    def resolution(self) -> Resolution:
        """The verdict: resolved when any way led to an address, else the first end met."""
        if self._addresses:
            return Resolution(self._name, self._way, Verdict.RESOLVED, tuple(sorted(self._addresses)), self._partial)
        verdict, path, reason = self._ends[0]
        return Resolution(self._name, path, verdict, (), reason)

    def _found(self, addresses: tuple[str, ...], path: Path) -> None:
        if addresses and not self._addresses:
            self._way = path
        self._addresses.update(addresses)

    def _end(self, verdict: Verdict, path: Path, reason: str) -> None:
        self._ends.append((verdict, path, reason))
