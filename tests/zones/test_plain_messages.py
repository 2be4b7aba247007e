"""The quick reader of transfer messages: it reads what dnspython reads, or leaves the message to dnspython."""

import struct
from collections.abc import Callable
from ipaddress import IPv6Address

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.hostile_axfr import SOA, WWW, Script, failure, fetch
from servers.hostile_dns import Peer, answer

from dnscertscan.zones.axfr import TsigKey
from dnscertscan.zones.plain_messages import PlainRecord, read_plain

KEY = TsigKey("xfr.example", "hmac-sha256", b"0123456789abcdef")
LABELS = st.lists(st.sampled_from(["www", "A-b", "*", "_x", "x" * 63, "a\\.b", "\\000"]), max_size=3)
OWNERS = LABELS.map(lambda labels: ".".join([*labels, "e.test."]))
RECORDS = st.one_of(
    st.tuples(OWNERS, st.just("A"), st.integers(0, 2**32 - 1).map(lambda n: ".".join(str(b) for b in n.to_bytes(4, "big")))),
    st.tuples(OWNERS, st.just("AAAA"), st.integers(0, 2**128 - 1).map(lambda n: str(IPv6Address(n)))),
    st.tuples(OWNERS, st.sampled_from(["CNAME", "DNAME", "NS"]), OWNERS),
    st.tuples(OWNERS, st.just("MX"), OWNERS.map("10 {}".format)),
    st.tuples(OWNERS, st.just("TXT"), st.just('"v=spf1" "-all"')),
)


def message(records: list[tuple[str, str, str]], ttl: int = 300) -> bytes:
    """A message in the middle of a transfer, names compressed."""
    reply = dns.message.Message(id=7)
    reply.flags = dns.flags.QR | dns.flags.AA
    reply.answer = [dns.rrset.from_text(owner, ttl, "IN", kind, data) for owner, kind, data in records]
    return reply.to_wire()


def by_dnspython(wire: bytes) -> list[PlainRecord]:
    """What dnspython makes of it."""
    read = dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True)
    return [(one.name.to_text(), dns.rdatatype.to_text(one.rdtype), one[0].to_text(), one.ttl) for one in read.answer]


def spelled(records: list[PlainRecord]) -> list[PlainRecord]:
    """IPv6 addresses in the one spelling that a zone will have."""
    return [(name, kind, str(IPv6Address(data)) if kind == "AAAA" else data, ttl) for name, kind, data, ttl in records]


@settings(deadline=None)  # a busy machine is no fault of the code
@given(st.lists(RECORDS, max_size=8), st.sampled_from([0, 300, 2**31 - 1]))
def test_records_are_those_of_dnspython(records: list[tuple[str, str, str]], ttl: int) -> None:
    """All of the message or nothing; names of odd octets are left to dnspython."""
    wire = message(records, ttl)
    plain = read_plain(wire, 7, "e.test.")
    if any("\\" in owner or (kind == "CNAME" and "\\" in data) for owner, kind, data in records):
        assert plain is None
    else:
        assert plain is not None
        assert spelled(plain.records) == spelled(by_dnspython(wire))
        assert (plain.end, plain.tsig) == (len(wire), None)


@settings(deadline=None, max_examples=400)
@given(st.lists(RECORDS, min_size=1, max_size=5), st.data())
def test_broken_messages_are_never_read_otherwise(records: list[tuple[str, str, str]], data: st.DataObject) -> None:
    """Octets changed, cut off or added: left to dnspython, or read as dnspython reads them."""
    wire = bytearray(message(records))
    for _ in range(data.draw(st.integers(0, 3))):
        wire[data.draw(st.integers(2, len(wire) - 1))] = data.draw(st.integers(0, 255))
    broken = bytes(wire)[: data.draw(st.integers(0, len(wire)))] if data.draw(st.booleans()) else bytes(wire)
    broken += data.draw(st.sampled_from([b"", b"\0"]))
    plain = read_plain(broken, 7, "e.test.")
    if plain is not None:
        assert spelled(plain.records) == spelled(by_dnspython(broken))


def test_what_is_left_to_dnspython() -> None:
    """Another id, a query, an rcode, a SOA, a name outside the zone, another class, a pointer to itself."""
    good = message([("www.e.test.", "A", "192.0.2.1")])
    assert read_plain(good, 7, "e.test.") is not None
    assert read_plain(good, 7, ".") is not None
    assert read_plain(good, 8, "e.test.") is None
    assert read_plain(good, 7, "test2.") is None
    assert read_plain(message([("www.ee.test.", "A", "192.0.2.1")]), 7, "e.test.") is None
    assert read_plain(message([("e.test.", "SOA", "ns. admin. 1 2 3 4 5")]), 7, "e.test.") is None
    for flags in (0x0000, 0x8005, 0xA800):
        assert read_plain(good[:2] + struct.pack("!H", flags) + good[4:], 7, "e.test.") is None
    fixed = struct.pack("!HHIH", 1, 1, 300, 4) + b"\1\2\3\4"
    header = struct.pack("!HHHHHH", 7, 0x8400, 0, 1, 0, 0)
    assert read_plain(header + b"\xc0\x0c" + fixed, 7, ".") is None
    assert read_plain(header + b"\0" + fixed, 7, ".") is not None
    assert read_plain(header + b"\0" + fixed.replace(b"\0\1\0\1", b"\0\1\0\3"), 7, ".") is None
    assert read_plain(b"", 7, ".") is None


def test_pointers_in_a_long_row_end() -> None:
    """Each pointer leads to the one before: a few are followed, thousands are left to dnspython without deep recursion."""
    start = 26  # of the first pointer: after the header, the root, the fixed part of the record, and three octets
    pointers = b"".join(struct.pack("!H", 0xC000 | (start + 2 * number - (2 if number else 1))) for number in range(7990))
    null = struct.pack("!HHIH", 10, 1, 300, 3 + len(pointers)) + b"\1a\0" + pointers
    wire = struct.pack("!HHHHHH", 7, 0x8400, 0, 2, 0, 0) + b"\0" + null
    for number, followed in ((5, True), (7989, False)):
        owner = struct.pack("!H", 0xC000 | (start + 2 * number))
        plain = read_plain(wire + owner + struct.pack("!HHIH", 1, 1, 300, 4) + b"\1\2\3\4", 7, ".")
        assert (plain is not None) == followed


def in_three(middle: Callable[[bytes], bytes], *, sign_middle: bool = True, secret: bytes = KEY.secret) -> Script:
    """A signed transfer of three messages, the second one changed on its way."""

    def script(peer: Peer) -> None:
        request = dns.message.from_wire(peer.request(), keyring=KEY.wire_key())
        context = None
        for number, line in enumerate((SOA, WWW, SOA)):
            reply = answer(request, line)
            reply.question = []
            if number == 1 and not sign_middle:
                wire = reply.to_wire()
                context.update(wire)  # type: ignore[union-attr]  # made by the first message
            else:
                reply.use_tsig(dns.tsig.Key(KEY.name, secret if number == 1 else KEY.secret, "hmac-sha256"))
                reply.request_mac = request.mac
                wire = reply.to_wire(multi=True, tsig_ctx=context)
                context = reply.tsig_ctx
            peer.send(middle(wire) if number == 1 else wire)
        peer.wait()

    return script


def _as_it_is(wire: bytes) -> bytes:
    return wire


def _another_address(wire: bytes) -> bytes:
    return wire.replace(bytes([192, 0, 2, 1]), bytes([192, 0, 2, 66]))


@pytest.mark.parametrize("sign_middle", [True, False])
def test_every_message_of_a_signed_transfer_is_covered(sign_middle: bool) -> None:
    """A message in the middle, signed itself or covered by the next signature: one octet changed, and there is no zone."""
    (zone,) = fetch(in_three(_as_it_is, sign_middle=sign_middle), key=KEY).zones
    assert [record.data for record in zone.records][1:] == ["192.0.2.1"]
    line = failure(in_three(_another_address, sign_middle=sign_middle), key=KEY)
    assert "the answer's signature was not made with TSIG key" in line


def test_a_signature_by_another_key_in_the_middle() -> None:
    """It is the wrong secret, whatever the first message was signed with."""
    assert "BadSignature" in failure(in_three(_as_it_is, secret=b"another secret"), key=KEY)


def test_a_signed_message_in_an_unsigned_transfer() -> None:
    """A signature that we cannot check is refused in the middle as it is at the beginning."""

    def script(peer: Peer) -> None:
        request = peer.query()
        peer.send(answer(request, SOA).to_wire())
        reply = answer(request, WWW)
        reply.question = []
        reply.use_tsig(KEY.wire_key())
        peer.send(reply.to_wire())
        peer.wait()

    assert "was not made with a key we have (none was given)" in failure(script)


def test_the_limit_of_records_counts_quick_messages() -> None:
    """A server that never ends is stopped."""

    def script(peer: Peer) -> None:
        request = peer.query()
        peer.send(answer(request, SOA).to_wire())
        reply = answer(request, WWW)
        reply.question = []
        for _ in range(30):
            peer.send(reply.to_wire())
        peer.wait()

    assert "more than 20 records" in failure(script, max_records=20)
