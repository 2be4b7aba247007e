"""Zone transfers from servers that lie, stall or never end, and the one line that says so."""

import os
import random
import struct

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.tsig
import pytest
from servers.hostile_axfr import OTHER_SOA, SOA, WWW, failure, fetch, records
from servers.hostile_dns import Peer, answer, scripted

from dnscertscan.model.records import ZoneFault
from dnscertscan.zones.axfr import AxfrServer, AxfrSource


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
