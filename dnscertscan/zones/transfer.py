"""One zone transfer from one address (AXFR, RFC 5936; TSIG, RFC 8945): dnspython's state machine, our socket and limits."""

import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.transaction
import dns.tsig
import dns.wire
import dns.xfr

from dnscertscan.zones.connect import Address, MessageStream
from dnscertscan.zones.plain_messages import PlainRecord, read_plain

Receive = Callable[[str, str, str, int], None]
"""Takes one record: owner (absolute), type, rdata, TTL."""
Complain = Callable[[str], None]
"""Takes one line about a record that cannot be used."""

_FATAL = (
    dns.message.BadTSIG,
    dns.message.BadEDNS,
    dns.message.UnknownTSIGKey,
    dns.tsig.BadTime,
    dns.tsig.BadSignature,
    dns.tsig.BadKey,
    dns.tsig.BadAlgorithm,
    dns.tsig.PeerError,
    NotImplementedError,
)
"""Errors in a message that are about the message, not about one record in it."""


class NotATransferError(Exception):
    """What arrived is no transfer of this zone; the text says why."""


class TooManyRecordsError(Exception):
    """The transfer has more records than allowed."""


@dataclass(slots=True)
class Progress:
    """How far a transfer came, for the message when it fails."""

    records: int = 0
    messages: int = 0
    connected: bool = False
    octets: int = 0
    head: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting and for everything together, octets and records at most."""

    connect_seconds: float
    transfer_seconds: float
    max_bytes: int
    max_records: int


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the records of a transfer go, and the complaints about those that cannot be read."""

    record: Receive
    complain: Complain


def transfer(
    zone: dns.name.Name, address: Address, port: int, key: dns.tsig.Key | None, limits: Limits, sink: Sink, progress: Progress
) -> None:
    """Transfer ``zone`` into ``sink``; returns only when the whole zone was received and, with a key, authenticated.

    Raises OSError, StreamClosedError or StreamTooLongError for the connection, dns.exception.DNSException (TransferError
    for an rcode, dns.tsig errors), NotATransferError or TooManyRecordsError for what was sent. Records already in the
    sink are worthless then.
    """
    query = dns.message.make_query(zone, dns.rdatatype.AXFR)
    if key is not None:
        query.use_tsig(key)
    wire = query.to_wire()
    stream = MessageStream(address, port, limits.connect_seconds, limits.transfer_seconds, limits.max_bytes)
    with stream, dns.xfr.Inbound(_Manager(zone, sink)) as inbound:
        progress.connected = True
        try:
            stream.send(wire)
            _receive(query, zone, stream, inbound, limits, sink, progress)
        finally:
            progress.octets, progress.head = stream.received, stream.head


def _receive(
    query: dns.message.Message,
    zone: dns.name.Name,
    stream: MessageStream,
    inbound: dns.xfr.Inbound,
    limits: Limits,
    sink: Sink,
    progress: Progress,
) -> None:
    done = False
    context: _Context = None
    origin = zone.to_text().lower()
    while not done:
        wire = stream.receive()
        plain, context = _plain(wire, query, context, origin) if progress.messages else (None, context)
        if plain is not None:
            progress.messages += 1
            progress.records += len(plain)
            if progress.records > limits.max_records:
                raise TooManyRecordsError
            for record in plain:
                sink.record(*record)
            continue
        message = _parse(wire, query, context, sink)
        if message.id != query.id or not message.flags & dns.flags.QR or message.opcode() != dns.opcode.QUERY:
            raise NotATransferError("it answered with a message that is no reply to the request (wrong id or no answer at all)")
        context = message.tsig_ctx
        answer = message.answer
        is_first = progress.messages == 0
        if is_first and not message.rcode() and not (answer and answer[0].rdtype == dns.rdatatype.SOA and answer[0].name == zone):
            raise NotATransferError("the answer does not begin with the SOA of the zone")
        progress.messages += 1
        progress.records += len(answer)
        if progress.records > limits.max_records:
            raise TooManyRecordsError
        for rrset in answer:
            if not rrset.name.is_subdomain(zone):  # the state machine would drop it without a word
                sink.complain(f"record {rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}: is outside the zone")
        done = inbound.process_message(message)
        if query.had_tsig and (is_first or done) and not message.had_tsig:  # RFC 8945 section 5.3.1
            raise NotATransferError("missing TSIG")  # dnspython 2.9 sees it first


def _plain(
    wire: bytes, query: dns.message.Message, context: "_Context", zone: str
) -> tuple[list[PlainRecord] | None, "_Context"]:
    """The records of a plain message, which is authenticated as dnspython does it; None when dnspython has to read it."""
    message = read_plain(wire, query.id, zone)
    if message is None or query.had_tsig != (context is not None):
        return None, context
    if message.tsig is None:
        if context is not None:
            # RFC 8945 section 5.3.1: covered by the next signature
            context.update(wire)  # type: ignore[no-untyped-call]  # dnspython has no types for it
        return message.records, context
    key = query.keyring
    if not isinstance(key, dns.tsig.Key):
        return None, context
    now = int(time.time())  # noqa: TID251 - a signature is good for some minutes of the real time, whatever clock a run has
    owner, rdata = message.tsig
    validate: Callable[..., _Context] = dns.tsig.validate
    return message.records, validate(wire, key, owner, rdata, now, query.mac, message.end, context, multi=True)


def _parse(wire: bytes, query: dns.message.Message, context: "_Context", sink: Sink) -> dns.message.Message:
    message = dns.message.from_wire(
        wire,
        keyring=query.keyring,
        request_mac=query.mac,
        xfr=True,
        tsig_ctx=context,
        multi=True,
        one_rr_per_rrset=True,  # else a second CNAME at one name would silently replace the first
        continue_on_error=True,
    )
    if message.errors:
        for problem in message.errors:
            if isinstance(problem.exception, _FATAL):
                raise problem.exception
        for owner, kind in _bad_records(wire, [problem.offset for problem in message.errors]):
            sink.complain(f"record {owner} {kind}: its rdata cannot be read")
    return message


_Context = dns.tsig.HMACTSig | dns.tsig.GSSTSig | None


def _bad_records(wire: bytes, offsets: list[int]) -> list[tuple[str, str]]:
    """Owner and type of the records whose rdata holds ``offsets``; raises NotATransferError when the message itself is broken."""
    parser = dns.wire.Parser(wire)
    _, _, questions, *counts = parser.get_struct("!HHHHHH")
    for _ in range(questions):
        parser.get_name()
        parser.get_bytes(4)
    found = []
    for _ in range(sum(counts)):
        owner = parser.get_name()
        kind, _, _, length = parser.get_struct("!HHIH")
        start = parser.current
        parser.get_bytes(length)
        if any(start <= offset <= parser.current for offset in offsets):
            found.append((owner.to_text(), dns.rdatatype.to_text(kind)))
    if parser.remaining() or len(found) < len(offsets):
        raise NotATransferError("malformed message")
    return found


class _Manager(dns.transaction.TransactionManager):
    """Gives the state machine a transaction that passes records on instead of building a zone in memory."""

    def __init__(self, zone: dns.name.Name, sink: Sink) -> None:
        self._zone = zone
        self._sink = sink

    def writer(self, replacement: bool = False) -> dns.transaction.Transaction:
        return _Passing(self, self._sink, replacement)

    def origin_information(self) -> tuple[dns.name.Name, bool, dns.name.Name]:
        return self._zone, False, self._zone

    def get_class(self) -> dns.rdataclass.RdataClass:
        return dns.rdataclass.IN


class _Passing(dns.transaction.Transaction):
    """Hands every record to the sink as text. Nothing to commit: the sink's owner drops everything when the transfer fails."""

    def __init__(self, manager: _Manager, sink: Sink, replacement: bool) -> None:
        super().__init__(manager, replacement)
        self._sink = sink

    def add(self, *args: Any) -> None:
        """Called by the state machine with an owner and an rdataset only."""
        owner: dns.name.Name = args[0]
        rdataset: dns.rdataset.Rdataset = args[1]
        name, kind = owner.to_text(), dns.rdatatype.to_text(rdataset.rdtype)
        if rdataset.rdclass != dns.rdataclass.IN:
            self._sink.complain(f"record {name} {kind}: class {dns.rdataclass.to_text(rdataset.rdclass)} instead of IN")
            return
        for rdata in rdataset:
            try:
                text = rdata.to_text()
            except (ValueError, IndexError, KeyError, struct.error, dns.exception.DNSException):
                self._sink.complain(f"record {name} {kind}: its rdata cannot be written as text")
            else:
                self._sink.record(name, kind, text, rdataset.ttl)

    replace = add

    def _end_transaction(self, commit: bool) -> None:
        """Nothing is held back, so nothing is done."""
