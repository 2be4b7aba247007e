"""Zone transfers from servers that lie, stall or never end, and the one line that says so."""

import os
import random
import struct
import time
from collections.abc import Callable

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import pytest
from servers.hostile_dns import Peer, answer, scripted

from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.zones.axfr import MAX_COMPLAINTS, AxfrServer, AxfrSource, TsigKey
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.transfer import Limits, Progress
from dnscertscan.zones.transfer_failure import explain

SOA = "example.com. 300 IN SOA ns.example.com. admin.example.com. 7 3600 900 604800 300"
OTHER_SOA = SOA.replace(" 7 ", " 8 ")
WWW = "www.example.com. 300 IN A 192.0.2.1"
SECONDS = 0.6
Script = Callable[[Peer], None]


def fetch(
    script: Script, *, key: TsigKey | None = None, seconds: float = SECONDS, max_bytes: int = 10**6, max_records: int = 10**4
) -> Fetched:
    with scripted(script) as port:
        source = AxfrSource("example.com", (AxfrServer("127.0.0.1", port),), key, seconds, seconds, max_bytes, max_records)
        start = time.monotonic()
        fetched = source.fetch()
        assert time.monotonic() - start < seconds + 2
    return fetched


def failure(script: Script, **options: object) -> str:
    fetched = fetch(script, **options)  # type: ignore[arg-type]  # the options of fetch, passed on
    assert fetched.zones == ()
    (problem,) = fetched.problems
    assert problem.fault is ZoneFault.FAILED
    assert problem.message.startswith("zone example.com: transfer failed: 127.0.0.1:")
    assert "\n" not in problem.message
    return problem.message


def records(*lines: str) -> Script:
    """Answers with one message of these records and waits."""

    def script(peer: Peer) -> None:
        peer.send(answer(peer.query(), *lines).to_wire())
        peer.wait()

    return script


def test_an_honest_answer_is_taken() -> None:
    """The scripted server is able to give a zone, so the failures below are the scripts' doing."""
    (zone,) = fetch(records(SOA, WWW, SOA)).zones
    assert [(record.type, record.data) for record in zone.records if record.type == "A"] == [("A", "192.0.2.1")]
    assert zone.serial == 7


def test_a_silent_server() -> None:
    """A server that accepts and says nothing costs the time limit, no more."""

    def silent(peer: Peer) -> None:
        peer.wait()

    assert "the server is silent" in failure(silent)


def test_dripping_octets_do_not_extend_the_limit() -> None:
    """One octet now and then never resets the deadline."""

    def drip(peer: Peer) -> None:
        peer.request()
        for octet in struct.pack("!H", 500) + bytes(500):
            peer.socket.sendall(bytes([octet]))
            if peer.wait(0.05):
                return

    assert "no whole message: too slow, or no DNS server" in failure(drip)


def test_a_server_that_hangs_up() -> None:
    """Closed without a word."""

    def close(peer: Peer) -> None:
        peer.request()

    assert "connection closed without an answer" in failure(close)


def test_a_truncated_transfer_is_no_zone() -> None:
    """Half a zone is an error that says how far it came."""

    def truncate(peer: Peer) -> None:
        peer.send(answer(peer.query(), SOA, WWW).to_wire())

    assert "truncated: connection closed after 2 records" in failure(truncate)


def test_a_message_cut_in_the_middle() -> None:
    """A message that ends early is told from one that never came."""

    def cut(peer: Peer) -> None:
        wire = answer(peer.query(), SOA, WWW, SOA).to_wire()
        peer.socket.sendall(struct.pack("!H", len(wire)) + wire[:20])

    assert "truncated: connection closed after 22 octets, inside the first message" in failure(cut)


def stream_of_records(peer: Peer) -> None:
    query = peer.query()
    peer.send(answer(query, SOA).to_wire())
    number = 0
    while not peer.over.is_set():
        lines = [f"h{number + offset}.example.com. 300 IN A 192.0.2.1" for offset in range(100)]
        peer.send(answer(query, *lines).to_wire())
        number += 100


def test_an_endless_transfer_ends_at_each_limit() -> None:
    """Octets, records and time: whichever limit comes first ends it."""
    assert "more than 50000 octets: endless" in failure(stream_of_records, max_bytes=50_000, seconds=10.0)
    assert "more than 1000 records: endless" in failure(stream_of_records, max_records=1000, seconds=10.0)
    assert "not finished in 0.4 s" in failure(stream_of_records, max_bytes=10**9, max_records=10**9, seconds=0.4)


def test_no_soa() -> None:
    """An answer without SOA, or with another zone's, or empty, is no zone."""
    assert "does not begin with the SOA of the zone" in failure(records(WWW))
    assert "does not begin with the SOA of the zone" in failure(records(SOA.replace("example.com. 300", "example.net. 300", 1)))
    assert "does not begin with the SOA of the zone" in failure(records())


def test_the_zone_changes_during_the_transfer() -> None:
    """A different SOA at the end is not an end."""
    assert "the zone changed during the transfer" in failure(records(SOA, WWW, OTHER_SOA))


def test_records_after_the_end() -> None:
    """Nothing may follow the final SOA."""
    assert "answers after final SOA" in failure(records(SOA, WWW, SOA, WWW))


def test_wrong_id_and_echo() -> None:
    """A reply to another question, and our own question sent back, are no answers."""

    def wrong_id(peer: Peer) -> None:
        query = peer.query()
        query.id ^= 1
        peer.send(answer(query, SOA, WWW, SOA).to_wire())
        peer.wait()

    def echo(peer: Peer) -> None:
        peer.send(peer.request())
        peer.wait()

    assert "no reply to the request" in failure(wrong_id)
    assert "no reply to the request" in failure(echo)


def test_another_question_answered() -> None:
    """The question in the reply must be ours."""

    def other(peer: Peer) -> None:
        query = peer.query()
        reply = answer(query, SOA, WWW, SOA)
        reply.question = dns.message.make_query("example.net", "AXFR").question
        peer.send(reply.to_wire())
        peer.wait()

    assert "wrong question name" in failure(other)


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"220 mail.example.com ESMTP\r\n"]
)
def test_a_server_of_another_protocol_is_named(greeting: bytes) -> None:
    """What it said is the evidence, whether it then waits or hangs up."""

    def waiting(peer: Peer) -> None:
        peer.socket.sendall(greeting)
        peer.wait()

    def closing(peer: Peer) -> None:
        peer.socket.sendall(greeting)
        peer.request()

    for script in (waiting, closing):
        assert f"not a DNS server: it sent '{greeting[:8].decode()}" in failure(script)


def test_terminal_controls_in_a_greeting_do_not_reach_the_message() -> None:
    """Escape sequences from the other side stay out."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"\x1b[31mred\x07" * 5)
        peer.wait()

    assert "\x1b" not in failure(script)


@pytest.mark.parametrize(
    ("rcode", "words"),
    [
        (dns.rcode.SERVFAIL, "SERVFAIL: the server cannot give the zone now"),
        (dns.rcode.NXDOMAIN, "NXDOMAIN: the server does not know this zone"),
        (dns.rcode.NOTIMP, "NOTIMP: the server does not do zone transfers"),
        (dns.rcode.FORMERR, "FORMERR: the server does not understand"),
        (dns.rcode.YXDOMAIN, "YXDOMAIN: the server answered with an error"),
        (dns.rcode.Rcode.make(14), "RCODE 14: the server answered with an error"),
    ],
)
def test_every_rcode_is_explained(rcode: dns.rcode.Rcode, words: str) -> None:
    """An error answer is never an empty zone."""

    def script(peer: Peer) -> None:
        peer.send(answer(peer.query(), rcode=rcode).to_wire())
        peer.wait()

    assert words in failure(script)


KEY = TsigKey("xfr.example", "hmac-sha256", b"0123456789abcdef")


def signed(*lines: str, secret: bytes = KEY.secret, name: str = KEY.name, tsig_error: int = 0, sign: bool = True) -> Script:
    """A server that verifies nothing and signs as told."""

    def script(peer: Peer) -> None:
        request = dns.message.from_wire(peer.request(), keyring=KEY.wire_key())
        reply = answer(request, *lines)
        if sign:
            reply.use_tsig(dns.tsig.Key(name, secret, "hmac-sha256"), tsig_error=tsig_error)
            reply.request_mac = request.mac
        peer.send(reply.to_wire())
        peer.wait()

    return script


def test_answers_that_are_not_signed_as_asked() -> None:
    """With a key, only an answer signed with it is believed; a false clock is named as such."""
    (zone,) = fetch(signed(SOA, WWW, SOA), key=KEY).zones
    assert len(zone.records) == 2
    assert "not signed" in failure(signed(SOA, WWW, SOA, sign=False), key=KEY)
    assert "the answer's signature was not made with TSIG key" in failure(signed(SOA, WWW, SOA, secret=b"other"), key=KEY)
    assert "the answer's signature was not made with TSIG key" in failure(signed(SOA, WWW, SOA, name="other.example"), key=KEY)
    assert "BADTIME: this machine's clock" in failure(signed(tsig_error=dns.rcode.BADTIME), key=KEY)


def test_an_unsigned_end_of_a_signed_transfer_is_refused() -> None:
    """Records slipped in after the first signed message do not become a zone."""

    def script(peer: Peer) -> None:
        request = dns.message.from_wire(peer.request(), keyring=KEY.wire_key())
        reply = answer(request, SOA)
        reply.use_tsig(KEY.wire_key())
        reply.request_mac = request.mac
        peer.send(reply.to_wire(multi=True))
        peer.send(answer(request, WWW, SOA).to_wire())
        peer.wait()

    assert "TSIG" in failure(script, key=KEY)


def test_a_signed_answer_without_a_key_of_ours() -> None:
    """A signature we cannot check is not taken for granted."""

    def script(peer: Peer) -> None:
        reply = answer(peer.query(), SOA, WWW, SOA)
        reply.use_tsig(KEY.wire_key())
        peer.send(reply.to_wire())
        peer.wait()

    assert "the answer's signature was not made with a key we have (none was given)" in failure(script)


def test_our_own_clock_check_is_explained() -> None:
    """A reply whose time is off by our clock gives the same advice as the server's own BADTIME."""
    line = explain(dns.tsig.BadTime(), Progress(), Limits(1, 1, 1, 1), "xfr")
    assert line.startswith("BADTIME: this machine's clock and the server's differ")


def raw_answer(query: dns.message.Message, *rrs: tuple[str, int, int, bytes]) -> bytes:
    """A reply with hand-made RRs (owner, type, class, rdata) between two SOAs."""
    soa = answer(query, SOA).answer[0]
    ends = ("example.com.", 6, 1, soa[0].to_wire() or b"")
    wire = struct.pack("!HHHHHH", query.id, 0x8400, 0, len(rrs) + 2, 0, 0)
    for owner, kind, rdclass, rdata in (ends, *rrs, ends):
        wire += dns.name.from_text(owner).to_wire() + struct.pack("!HHIH", kind, rdclass, 300, len(rdata)) + rdata
    return wire


def problems(script: Script) -> list[ZoneProblem]:
    fetched = fetch(script)
    (zone,) = fetched.zones
    assert ("www.example.com", "192.0.2.1") in [(record.name.text, record.data) for record in zone.records]
    assert all(problem.fault is ZoneFault.BAD_RECORD for problem in fetched.problems)
    return list(fetched.problems)


def test_a_bad_record_is_reported_and_the_others_are_kept() -> None:
    """An address of five octets, another class, a name outside the zone: one line each, the zone stays."""

    def script(peer: Peer) -> None:
        good = ("www.example.com.", 1, 1, bytes([192, 0, 2, 1]))
        five = ("bad.example.com.", 1, 1, bytes(5))
        chaos = ("chaos.example.com.", 16, 3, b"\x01x")
        outside = ("www.example.net.", 1, 1, bytes([192, 0, 2, 2]))
        peer.send(raw_answer(peer.query(), five, good, chaos, outside))
        peer.wait()

    lines = [problem.message for problem in problems(script)]
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [
        "record bad.example.com. A",
        "record www.example.net. A",
        "record chaos.example.com. TXT",
    ]
    assert "rdata cannot be read" in lines[0]
    assert "outside the zone" in lines[1]
    assert "class CH instead of IN" in lines[2]


@pytest.mark.parametrize(
    ("kind", "rdata"),
    [
        (5, b"\xc0\xff"),  # a compression pointer that points forward
        (5, b""),
        (5, b"\x3fshort"),  # a label longer than the rdata
        (28, bytes(15)),
        (16, b"\xffx"),
        (1, b"\xc0\x00\x02\x01\x00"),
    ],
)
def test_the_bad_record_is_the_one_that_is_named(kind: int, rdata: bytes) -> None:
    """However the rdata is broken, the complaint names that record and no neighbour."""

    def script(peer: Peer) -> None:
        good = [(f"{name}.example.com.", 1, 1, bytes([192, 0, 2, 1])) for name in ("www", "before", "after")]
        peer.send(raw_answer(peer.query(), *good[:2], ("bad.example.com.", kind, 1, rdata), good[2]))
        peer.wait()

    (problem,) = problems(script)
    assert "record bad.example.com. " in problem.message
    assert "its rdata cannot be read" in problem.message


def test_two_aliases_at_one_name_are_both_kept() -> None:
    """A forbidden second CNAME, and a CNAME beside an address, are not dropped silently."""
    (zone,) = fetch(
        records(SOA, WWW, "www.example.com. 300 IN CNAME a.example.com.", "www.example.com. 300 IN CNAME b.example.com.", SOA)
    ).zones
    assert [record.data for record in zone.records if record.name.text == "www.example.com"] == [
        "192.0.2.1",
        "a.example.com.",
        "b.example.com.",
    ]


def test_a_record_sent_twice_stands_once_with_the_smallest_ttl() -> None:
    """A zone is a set of records (RFC 2181 section 5)."""
    (zone,) = fetch(records(SOA, WWW, WWW.replace("300", "60"), WWW, SOA)).zones
    assert [record.ttl for record in zone.records if record.type == "A"] == [60]


def test_a_flood_of_bad_records_is_counted() -> None:
    """Millions of bad records do not become millions of lines."""

    def script(peer: Peer) -> None:
        good = ("www.example.com.", 1, 1, bytes([192, 0, 2, 1]))
        peer.send(raw_answer(peer.query(), good, *[(".", 1, 1, bytes(4))] * (MAX_COMPLAINTS + 500)))
        peer.wait()

    lines = problems(script)
    assert len(lines) == MAX_COMPLAINTS + 1
    assert "500 more records that cannot be used" in lines[-1].message


def test_garbage_never_escapes_as_an_exception() -> None:
    """Altered answers end in a zone or one line; no exception, no hang (fixed seed, repeatable)."""
    generator = random.Random(5936)

    def script(peer: Peer) -> None:
        lines = (SOA, WWW, "a.example.com. 300 IN MX 10 b.example.com.", 't.example.com. 300 IN TXT "x"', SOA)
        wire = bytearray(answer(peer.query(), *lines).to_wire())
        for _ in range(generator.randrange(1, 6)):
            wire[generator.randrange(2, len(wire))] = generator.randrange(256)
        peer.send(bytes(wire[: generator.randrange(len(wire))] if generator.random() < 0.2 else wire))

    zones = failures = 0
    with scripted(script) as port:
        for _ in range(300):
            fetched = AxfrSource("example.com", (AxfrServer("127.0.0.1", port),), None, 2.0, 2.0).fetch()
            assert len(fetched.zones) + sum(problem.fault is ZoneFault.FAILED for problem in fetched.problems) == 1
            zones += len(fetched.zones)
            failures += len(fetched.problems) > 0
    assert zones > 10
    assert failures > 50


def test_random_octets_are_one_line() -> None:
    """Pure noise is no transfer."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(os.urandom(200))
        peer.wait()

    assert "transfer failed" in failure(script)
