"""What an authoritative server says about the zones it holds: messages in, messages out, no sockets.

The lookup is RFC 1034 4.3.2 with DNAME (RFC 6672 3.2) and wildcards (RFC 4592 3.3); transfers follow RFC 5936.
"""

from collections.abc import Iterable, Iterator, Mapping

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

MAX_ALIASES = 16
"""Aliases followed inside the zones for one question; the client asks on from there."""
TRANSFER_MESSAGE = 16384
"""Octets of records in one message of a transfer; one that has to carry a bigger record is bigger (up to 65535)."""
_TRANSFERS = frozenset({dns.rdatatype.AXFR, dns.rdatatype.IXFR})


def read_zones(texts: Mapping[str, str]) -> tuple[dns.zone.Zone, ...]:
    """Zones from master file texts, by zone name. Raises :class:`dns.exception.DNSException` for a text that is no zone."""
    return tuple(dns.zone.from_text(text, origin=name, relativize=False) for name, text in texts.items())


class Answers:
    """Answers questions about zones whose names are absolute. ``transfer_needs_key``: refuse transfers that are not signed."""

    def __init__(self, zones: Iterable[dns.zone.Zone], *, transfer_needs_key: bool = False) -> None:
        self._zones = {_origin(zone): zone for zone in zones}
        self._transfer_needs_key = transfer_needs_key
        # Every name that exists, empty non-terminals included (RFC 4592 2.2.2).
        self._existing = {origin: frozenset(_with_ancestors(zone, origin)) for origin, zone in self._zones.items()}

    def respond(self, query: dns.message.Message, *, tcp: bool) -> Iterator[dns.message.Message]:
        """The response to ``query``, for a transfer over TCP one or more messages."""
        if query.opcode() != dns.opcode.QUERY:
            yield _error(query, dns.rcode.NOTIMP)
        elif len(query.question) != 1:
            yield _error(query, dns.rcode.FORMERR)
        elif query.question[0].rdtype in _TRANSFERS:
            yield from self._transfer(query, tcp=tcp)
        else:
            response = dns.message.make_response(query)
            self._look_up(response, query.question[0])
            yield response

    def _zone_of(self, name: dns.name.Name) -> dns.zone.Zone | None:
        while name not in self._zones:
            if name == dns.name.root:
                return None
            name = name.parent()
        return self._zones[name]

    def _look_up(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        name, seen = question.name, set[dns.name.Name]()
        zone = self._zone_of(name)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        while zone is not None and name not in seen and len(seen) <= MAX_ALIASES:
            seen.add(name)
            target = self._step(response, zone, name, question.rdtype)
            if target is None:
                return
            name, zone = target, self._zone_of(target)

    def _step(
        self, response: dns.message.Message, zone: dns.zone.Zone, name: dns.name.Name, rdtype: dns.rdatatype.RdataType
    ) -> dns.name.Name | None:
        """Put what ``zone`` says about ``name`` into ``response``; the name to look for next when it is an alias."""
        encloser = self._closest_encloser(zone, name)
        if (redirect := _dname_above(zone, name)) is not None:
            return _redirected(response, redirect, name)
        node = zone.get_node(name if encloser == name else dns.name.Name((b"*", *encloser.labels)))
        if node is None and encloser != name:
            response.set_rcode(dns.rcode.NXDOMAIN)
        found = [] if node is None else _matching(node, rdtype)
        for rdataset in found:
            response.answer.append(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))
        if not found:
            origin = _origin(zone)
            soa = zone.get_rrset(origin, dns.rdatatype.SOA)
            response.authority.extend([soa] if soa else [])
        elif found[0].rdtype == dns.rdatatype.CNAME and rdtype not in (dns.rdatatype.CNAME, dns.rdatatype.ANY):
            target: dns.name.Name = found[0][0].target
            return target
        return None

    def _closest_encloser(self, zone: dns.zone.Zone, name: dns.name.Name) -> dns.name.Name:
        existing = self._existing[_origin(zone)]
        while name not in existing:
            name = name.parent()
        return name

    def _transfer(self, query: dns.message.Message, *, tcp: bool) -> Iterator[dns.message.Message]:
        zone = self._zones.get(query.question[0].name)
        if zone is None:
            yield _error(query, dns.rcode.NOTAUTH)
        elif self._transfer_needs_key and not query.had_tsig:
            yield _error(query, dns.rcode.REFUSED)
        elif not tcp and query.question[0].rdtype == dns.rdatatype.AXFR:
            yield _error(query, dns.rcode.FORMERR)
        elif not tcp or _is_current(query, zone):
            # RFC 1995 2 and 4: the SOA alone says "you have it already" or, over UDP, "come back over TCP".
            yield from _messages(query, [[_soa(zone)]])
        else:
            yield from _messages(query, _batches(zone))


def _origin(zone: dns.zone.Zone) -> dns.name.Name:
    if zone.origin is None:
        raise ValueError("a zone to be served needs an origin")
    return zone.origin


def _soa(zone: dns.zone.Zone) -> dns.rrset.RRset:
    return zone.find_rrset(_origin(zone), dns.rdatatype.SOA)


def _dname_above(zone: dns.zone.Zone, name: dns.name.Name) -> dns.rrset.RRset | None:
    origin = _origin(zone)
    while name != origin:
        name = name.parent()
        if (rrset := zone.get_rrset(name, dns.rdatatype.DNAME)) is not None:
            return rrset
    return None


def _redirected(response: dns.message.Message, dname: dns.rrset.RRset, name: dns.name.Name) -> dns.name.Name | None:
    """Where the DNAME leads; it and the CNAME it stands for are put into the answer (RFC 6672 3.1)."""
    response.answer.append(dname)
    try:
        target = name.relativize(dname.name).derelativize(dname[0].target)
    except dns.name.NameTooLong:
        response.set_rcode(dns.rcode.YXDOMAIN)
        return None
    response.answer.append(dns.rrset.from_text(name, dname.ttl, "IN", "CNAME", target.to_text()))
    return target


def _with_ancestors(zone: dns.zone.Zone, origin: dns.name.Name) -> Iterator[dns.name.Name]:
    for name in zone:
        while name != origin:
            yield name
            name = name.parent()  # noqa: PLW2901 - the walk upwards starts at each name
    yield origin


def _matching(node: dns.node.Node, rdtype: dns.rdatatype.RdataType) -> list[dns.rdataset.Rdataset]:
    if rdtype == dns.rdatatype.ANY:
        return list(node.rdatasets)
    wanted = [rdataset for rdataset in node.rdatasets if rdataset.rdtype == rdtype]
    return wanted or [rdataset for rdataset in node.rdatasets if rdataset.rdtype == dns.rdatatype.CNAME]


def _is_current(query: dns.message.Message, zone: dns.zone.Zone) -> bool:
    """Whether an IXFR's client has this serial already (the zones here never change while they are served)."""
    held = [rrset[0].serial for rrset in query.authority if rrset.rdtype == dns.rdatatype.SOA]
    return query.question[0].rdtype == dns.rdatatype.IXFR and held == [_soa(zone)[0].serial]


def _batches(zone: dns.zone.Zone) -> Iterator[list[dns.rrset.RRset]]:
    """All records, the SOA first and last, in groups small enough for one message. RRsets may be split (RFC 5936 2.2)."""
    batch: list[dns.rrset.RRset] = []
    size = 0
    for rrset in _records(zone):
        cost = len(rrset.name.to_wire()) + 10 + len(rrset[0].to_wire())  # type: ignore[arg-type]  # bytes when no file is given
        if batch and size + cost > TRANSFER_MESSAGE:
            yield batch
            batch, size = [], 0
        batch.append(rrset)
        size += cost
    yield batch


def _records(zone: dns.zone.Zone) -> Iterator[dns.rrset.RRset]:
    yield _soa(zone)
    for name, ttl, rdata in zone.iterate_rdatas():
        if rdata.rdtype != dns.rdatatype.SOA:
            yield dns.rrset.from_rdata(name, ttl, rdata)
    yield _soa(zone)


def _messages(query: dns.message.Message, batches: Iterable[list[dns.rrset.RRset]]) -> Iterator[dns.message.Message]:
    for batch in batches:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        response.answer.extend(batch)
        yield response


def _error(query: dns.message.Message, rcode: dns.rcode.Rcode) -> dns.message.Message:
    response = dns.message.make_response(query)
    response.set_rcode(rcode)
    return response
