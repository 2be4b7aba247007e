"""What the loaded zones say about a name, as their own server would answer (RFC 1034 4.3.2, RFC 4592, RFC 6672).

Each zone is one tree; several views of one zone are several trees, and a name's answer is the union of theirs. The most
specific loaded zone answers alone. ``None`` means: not ours to answer, ask a resolver.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop, Record, Zone
from dnscertscan.resolve.nametext import impossible, parents, substitute

ADDRESS_TYPES = frozenset({"A", "AAAA"})
MAX_ALIASES = 64
"""Aliases kept per name; a sane name has one per view."""


@dataclass(frozen=True, slots=True)
class Held:
    """The answer of the loaded zones. Without addresses and aliases: no data when ``exists``, NXDOMAIN otherwise.

    ``aliases`` lead on from the name asked for; the target of a DNAME is already substituted.

    ``whole`` is False when the name is missing in a zone that has neither SOA nor NS at its apex: an export of hosts alone,
    which does not say what it delegates, so that a resolver may know better.
    """

    addresses: tuple[Record, ...] = ()
    aliases: tuple[Hop, ...] = ()
    exists: bool = True
    whole: bool = True


class ZoneTree:
    """One view of one zone. Records outside the zone, or under names that cannot exist, answer nothing."""

    __slots__ = ("_bare", "_cuts", "_dnames", "_held", "_hosts", "_outside", "_where", "_whole", "name")

    def __init__(self, zone: Zone) -> None:
        self.name = zone.name
        self._hosts: dict[str, Record | list[Record]] = {}
        self._dnames: dict[str, list[Record]] = {}
        self._cuts: set[str] = set()
        self._bare: set[str] = {zone.name.text}  # names that exist, most of them without a host record
        self._held: dict[str, Held] = {}
        self._outside: dict[str, DnsName] = {}
        self._where = f"zone {zone.name.display}"
        self._whole = any(record.type in ("SOA", "NS") and record.name == zone.name for record in zone.records)
        for record in zone.records:
            if self._add_name(record.name):
                self._add_record(record)

    def _exists(self, text: str) -> bool:
        return text in self._hosts or text in self._bare

    def _add_name(self, name: DnsName) -> bool:
        """Make the empty non-terminals above the name exist (RFC 4592 2.2.2); the name itself does with its record."""
        if self._exists(name.text):
            return True
        if not name.is_within(self.name) or impossible(name):
            return False
        for above in parents(name.text):
            if self._exists(above):
                break
            self._bare.add(above)
        return True

    def _add_record(self, record: Record) -> None:
        owner = record.name.text
        if record.type in ADDRESS_TYPES or record.type == "CNAME":
            known = self._hosts.setdefault(owner, record)
            if isinstance(known, list):
                known.append(record)
            elif known is not record:
                self._hosts[owner] = [known, record]
            return
        self._bare.add(owner)
        if record.type == "DNAME":
            self._dnames.setdefault(owner, []).append(record)
        elif record.type == "NS" and owner != self.name.text:
            self._cuts.add(owner)

    def answer(self, name: DnsName) -> Held | None:
        """The answer for a name within this zone; None when the name is delegated and nothing is loaded for it."""
        text = name.text
        place = self._diversion(text)
        if place is not None and place not in self._cuts:
            return self._renamed(name, place)
        if place is not None and text not in self._hosts:
            return None
        owner = text if self._exists(text) else self._source_of_synthesis(text)
        if owner in self._hosts:
            return self._records(name, owner)
        exists = owner in self._bare
        return None if owner in self._cuts else Held(exists=exists, whole=exists or self._whole)

    def hop(self, record: Record, name: DnsName) -> Hop:
        """The step that an alias record of this zone is for ``name``: its owner, or a name that it stands for."""
        if name == record.name and name.text in self._hosts:
            for hop in self._records(name, name.text).aliases:
                if record.type == hop.type and record.data == f"{hop.target.text}.":
                    return hop
        return Hop(name, record.type, self._shared(record.target), self._where)

    def covers(self, wildcard: DnsName, name: DnsName) -> bool:
        """Whether ``name`` would be answered from ``wildcard``: it does not exist, and no nearer name does (RFC 4592 3.3.1)."""
        inside = name.is_within(self.name) and not impossible(name)
        return inside and not self._exists(name.text) and self._source_of_synthesis(name.text) == wildcard.text

    def _source_of_synthesis(self, text: str) -> str:
        encloser = next((above for above in parents(text) if self._exists(above)), self.name.text)
        return f"*.{encloser}" if encloser else "*"

    def _diversion(self, text: str) -> str | None:
        """The topmost zone cut at or above the name, or DNAME above it, whichever comes first from the apex."""
        if not self._cuts and not self._dnames:
            return None
        return next((at for at in self._downwards(text) if at in self._cuts or (at in self._dnames and at != text)), None)

    def _downwards(self, text: str) -> list[str]:
        """The names from the apex down to ``text``, both included."""
        path = [text]
        if text != self.name.text:
            for above in parents(text):
                path.append(above)
                if above == self.name.text:
                    break
        path.reverse()
        return path

    def _records(self, name: DnsName, owner: str) -> Held:
        """The host records at ``owner`` as an answer for ``name``. Kept where that is work, or steps would be made twice."""
        found = self._hosts[owner]
        if not isinstance(found, list) and found.type in ADDRESS_TYPES:
            return Held((found,))
        held = self._held.get(owner)
        if held is None:
            records = found if isinstance(found, list) else [found]
            targets = {record.target for record in records if record.type == "CNAME"}
            held = self._held[owner] = Held(
                tuple(record for record in records if record.type in ADDRESS_TYPES),
                tuple(Hop(records[0].name, "CNAME", self._shared(to), self._where) for to in sorted(targets)[:MAX_ALIASES]),
            )
        if name.text == owner or not held.aliases:
            return held
        return replace(held, aliases=tuple(replace(hop, name=name) for hop in held.aliases))

    def _renamed(self, name: DnsName, owner: str) -> Held:
        targets = {substitute(name.text, owner, record.target.text) for record in self._dnames[owner][:MAX_ALIASES]}
        return Held((), tuple(Hop(name, "DNAME", self._shared(DnsName(target)), self._where) for target in sorted(targets)))

    def _shared(self, name: DnsName) -> DnsName:
        """The object that stands for this name already, if there is one."""
        found = self._hosts.get(name.text)
        if found is None:
            return self._outside.setdefault(name.text, name)
        return found[0].name if isinstance(found, list) else found.name


class ZoneIndex:
    """All loaded zones. ``trees`` stands in the order of the zones given."""

    __slots__ = ("_by_name", "trees")

    def __init__(self, zones: Iterable[Zone]) -> None:
        self.trees = tuple(ZoneTree(zone) for zone in zones)
        self._by_name: dict[str, list[ZoneTree]] = {}
        for tree in self.trees:
            self._by_name.setdefault(tree.name.text, []).append(tree)

    def zone_of(self, name: DnsName) -> DnsName | None:
        """The most specific loaded zone that ``name`` is in, or None."""
        return next((DnsName(place) for place in _upwards(name.text) if place in self._by_name), None)

    def lookup(self, name: DnsName) -> Held | None:
        """What the most specific loaded zone says, all its views united; None when no loaded zone holds the name."""
        for place in _upwards(name.text):
            if trees := self._by_name.get(place):
                return _unite([tree.answer(name) for tree in trees])
        return None


def _upwards(text: str) -> Iterator[str]:
    yield text
    yield from parents(text)


def _unite(answers: list[Held | None]) -> Held | None:
    """Data of any view wins over silence of another; a delegation in any view wins over "does not exist" in another."""
    if len(answers) == 1:
        return answers[0]
    held = [answer for answer in answers if answer is not None]
    addresses = tuple(record for answer in held for record in answer.addresses)
    aliases = sorted((alias for answer in held for alias in answer.aliases), key=lambda alias: alias.target)
    if addresses or aliases:
        return Held(addresses, tuple(aliases[:MAX_ALIASES]))
    if len(held) < len(answers):
        return None
    return Held(exists=any(answer.exists for answer in held), whole=all(answer.whole for answer in held))
