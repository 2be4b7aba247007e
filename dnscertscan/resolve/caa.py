"""Who may issue for a name: its CAA records, from the loaded zones where they have the say, else by asking (RFC 8659 3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CAA

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Zone
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CaaAnswer, CaaRecord
from dnscertscan.resolve.chase import Status
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.zone_index import ZoneIndex, ZoneTree

_MAX_ALIASES = 16
_CRITICAL = 128
MAX_RECORDS = 1000
"""Records of one RRset that are read; a bigger one no CA would get in one piece (64 KiB), and it decides nothing here."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What is at one name: rdata texts, an alias that leads on, or why it is not known."""

    records: tuple[str, ...] = ()
    alias: DnsName | None = None
    problem: str = ""


class _View:
    """One view of one zone, as far as CAA goes.

    An export of hosts alone does not say what else there is: a zone without SOA, NS and any CAA record has no say.
    """

    def __init__(self, zone: Zone, tree: ZoneTree) -> None:
        self.tree = tree
        self._at: dict[str, list[str]] = {}
        self._sets: dict[str, tuple[str, ...]] = {}
        self._wildcards: dict[DnsName, None] = {}
        self.has_say = False
        for record in zone.records:
            if record.type == "CAA":
                self._at.setdefault(record.name.text, []).append(record.data)
                self.has_say = True
                if record.name.is_wildcard:
                    self._wildcards[record.name] = None
            elif record.type in ("SOA", "NS") and record.name == zone.name:
                self.has_say = True

    def say(self, name: DnsName) -> _Said | None:
        """What the zone's own server would answer; None where it would not, since the name is delegated, or nobody can tell."""
        held = self.tree.answer(name)
        if held is None or not self.has_say:
            return None
        if len(held.aliases) > 1:
            return _Said(problem="the zone has several aliases there")
        if held.aliases:
            return _Said(alias=held.aliases[0].target)
        owner = name.text
        if owner not in self._at:
            owner = next((one.text for one in self._wildcards if self.tree.covers(one, name)), "")
        if owner not in self._sets:
            self._sets[owner] = tuple(sorted(set(self._at.get(owner, ()))))
        return _Said(self._sets[owner])


class CaaFinder:
    """Finds the relevant RRset of names. What resolvers and records do wrong is in the answer, nothing is raised for it."""

    def __init__(self, zones: Sequence[Zone], resolver: Resolver) -> None:
        self._resolver = resolver
        self._index = ZoneIndex(zones)
        self._answers: dict[DnsName, tuple[tuple[str, ...], CaaAnswer]] = {}
        self._views: dict[DnsName, list[_View]] = {}
        for zone, tree in zip(zones, self._index.trees, strict=True):
            self._views.setdefault(zone.name, []).append(_View(zone, tree))

    async def find(self, name: DnsName) -> CaaAnswer:
        """The first RRset on the way from ``name`` (no wildcard) to the root; a name that fails to answer ends the way."""
        place = name
        while place.text:
            said = await self._ask(place)
            if said.problem:
                return CaaAnswer(problem=f"CAA of {place.display}: {said.problem}")
            if said.records:
                return self._answer(place, said.records)
            place = place.parent
        return CaaAnswer()

    def _answer(self, place: DnsName, texts: tuple[str, ...]) -> CaaAnswer:
        """The RRset that was found at ``place``, read once for all names that it is in charge of."""
        known, answer = self._answers.get(place, ((), None))
        if answer is None or known != texts:
            answer = _read(place, texts)
            self._answers[place] = texts, answer
        return answer

    async def _ask(self, name: DnsName) -> _Said:
        """What is at ``name`` itself, aliases followed; climbing goes on from the name and not from where they lead."""
        place = name
        for _ in range(_MAX_ALIASES):
            said = self._zones_say(place) or await self._resolver_says(place)
            if said.alias is None:
                return said
            place = said.alias
        return _Said(problem=f"more than {_MAX_ALIASES} aliases one after the other")

    def _zones_say(self, name: DnsName) -> _Said | None:
        zone = self._index.zone_of(name)
        if zone is None:
            return None
        words = [view.say(name) for view in self._views[zone]]
        if None in words:
            return None
        if len(set(words)) > 1:
            return _Said(problem=f"the views of the zone {zone.display} say different things; which one CAs see is not known")
        return words[0]

    async def _resolver_says(self, name: DnsName) -> _Said:
        reply = await self._resolver.records(name, "CAA")
        return _Said(problem=reply.reason or "no answer") if reply.status is Status.FAILED else _Said(reply.addresses)


def _read(place: DnsName, texts: tuple[str, ...]) -> CaaAnswer:
    if len(texts) > MAX_RECORDS:
        return CaaAnswer(place, problem=f"CAA of {place.display}: {len(texts)} records, more than {MAX_RECORDS} are not read")
    read: list[CaaRecord] = []
    for text in texts:
        record = read_caa(text)
        if record is None:
            return CaaAnswer(place, problem=f"CAA of {place.display}: the record {visible(text, 100)!r} cannot be read")
        read.append(record)
    return CaaAnswer(place, tuple(read))


def read_caa(text: str) -> CaaRecord | None:
    """A record from its rdata text (RFC 8659 4.1.1, or RFC 3597 5); None for what is none."""
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.CAA, text)
    except (dns.exception.DNSException, ValueError):
        return None
    if not isinstance(rdata, dns.rdtypes.ANY.CAA.CAA):
        return None
    value = rdata.value.decode("utf-8", "backslashreplace")
    return CaaRecord(bool(rdata.flags & _CRITICAL), rdata.tag.decode("ascii", "replace").lower(), value)
