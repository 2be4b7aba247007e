"""The common message in the middle of a large transfer, read without dnspython: many times as quick, and no garbage.

Only what is beyond doubt is read here: an answer section with records of class IN inside the zone, no SOA, nothing else but a
TSIG. For every other message the answer is None, and dnspython reads it (and reports what is wrong with it).
"""

import re
import struct
from dataclasses import dataclass
from ipaddress import IPv6Address

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

PlainRecord = tuple[str, str, str, int]
"""Owner (absolute), type, rdata, TTL: as dnspython writes them."""

_A, _CNAME, _SOA, _AAAA, _OPT, _FIRST_META = 1, 5, 6, 28, 41, 128
_IN = 1
_HEADER = struct.Struct("!HHHHHH")
_FIXED = struct.Struct("!HHIH")
_MEANING = 0b1111_1000_0000_1111
"""The header's bits for reply, opcode and rcode."""
_LABEL = re.compile(rb"[A-Za-z0-9_*-]{1,63}")
_MAX_NAME = 254
_MAX_DEPTH = 16
_MAX_TTL = 0x7FFFFFFF


class _NotPlainError(Exception):
    """Something that dnspython has to judge."""


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """``records`` of the answer section, which ends at ``end``; ``tsig`` is the owner and rdata of a signature after it."""

    records: list[PlainRecord]
    end: int
    tsig: tuple[dns.name.Name, dns.rdata.Rdata] | None


def read_plain(wire: bytes, query_id: int, zone: str) -> PlainMessage | None:
    """The message, or None when it is not plain. ``zone`` is absolute, with final dot, in lower case."""
    if len(wire) < _HEADER.size:
        return None
    number, flags, questions, answers, authority, additional = _HEADER.unpack_from(wire)
    if number != query_id or flags & _MEANING != 0x8000 or questions or authority or additional > 1:
        return None
    try:
        return _Reader(wire, zone).message(answers, additional)
    except (_NotPlainError, IndexError, KeyError, ValueError, struct.error, dns.exception.DNSException):
        return None


class _Reader:
    def __init__(self, wire: bytes, zone: str) -> None:
        self._wire = wire
        self._inside = zone if zone == "." else f".{zone}"
        self._zone = zone
        self._names: dict[int, str] = {}

    def message(self, answers: int, additional: int) -> PlainMessage:
        records = []
        at = _HEADER.size
        for _ in range(answers):
            owner, at = self._name(at)
            kind, rdclass, ttl, length = _FIXED.unpack_from(self._wire, at)
            at += _FIXED.size
            lower = owner.lower()
            if rdclass != _IN or kind in (_SOA, _OPT) or kind >= _FIRST_META or at + length > len(self._wire):
                raise _NotPlainError
            if lower != self._zone and not lower.endswith(self._inside):
                raise _NotPlainError
            word, data = self._data(kind, at, length)
            records.append((owner, word, data, ttl if ttl <= _MAX_TTL else 0))  # RFC 2181 section 8
            at += length
        tsig = self._tsig(at) if additional else None
        if not additional and at != len(self._wire):
            raise _NotPlainError
        return PlainMessage(records, at, tsig)

    def _tsig(self, at: int) -> tuple[dns.name.Name, dns.rdata.Rdata]:
        owner, octets = dns.name.from_wire(self._wire, at)
        kind, rdclass, _, length = _FIXED.unpack_from(self._wire, at + octets)
        start = at + octets + _FIXED.size
        if kind != dns.rdatatype.TSIG or rdclass != dns.rdataclass.ANY or start + length != len(self._wire):
            raise _NotPlainError
        return owner, dns.rdata.from_wire(dns.rdataclass.ANY, dns.rdatatype.TSIG, self._wire, start, length)

    def _data(self, kind: int, at: int, length: int) -> tuple[str, str]:
        wire = self._wire
        if kind == _A and length == 4:
            return "A", f"{wire[at]}.{wire[at + 1]}.{wire[at + 2]}.{wire[at + 3]}"
        if kind == _AAAA and length == 16:
            return "AAAA", str(IPv6Address(wire[at : at + length]))
        if kind == _CNAME:
            target, end = self._name(at)
            if end != at + length:
                raise _NotPlainError
            return "CNAME", target
        rdata = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType.make(kind), wire, at, length)
        return dns.rdatatype.to_text(rdata.rdtype), rdata.to_text()

    def _name(self, start: int, depth: int = 0) -> tuple[str, int]:
        """The name at ``start`` with final dot, and the offset after it (RFC 1035 4.1.4: pointers lead back)."""
        wire, at, labels, tail = self._wire, start, [], ""
        while length := wire[at]:
            if length >= 0xC0:
                tail = self._earlier((length & 0x3F) << 8 | wire[at + 1], start, depth)
                at += 1
                break
            label = wire[at + 1 : at + 1 + length]
            if len(label) != length or not _LABEL.fullmatch(label):
                raise _NotPlainError
            labels.append(label.decode("ascii"))
            at += 1 + length
        text = f"{'.'.join(labels)}.{'' if tail == '.' else tail}" if labels else tail or "."
        if len(text) > _MAX_NAME:
            raise _NotPlainError
        return text, at + 1

    def _earlier(self, at: int, before: int, depth: int) -> str:
        known = self._names.get(at)
        if known is None:
            if at >= before or depth > _MAX_DEPTH:
                raise _NotPlainError
            known = self._names[at] = self._name(at, depth + 1)[0]
        return known
