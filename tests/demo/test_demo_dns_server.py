"""The demonstration's DNS server, asked by dig, dnspython and BIND."""

import socket
import subprocess
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.xfr
import dns.zone
import pytest
from servers import bind, bind_secondary, demo_dns
from servers.dns_process import Key, soa

ZONES = {
    "demo.test": soa("demo.test") + "www 300 IN A 127.0.0.10\nwww 300 IN A 127.0.0.11\nwww 300 IN AAAA ::1\n"
    "alias 300 IN CNAME www\nfar 300 IN CNAME shop.partner.test.\naway 300 IN CNAME www.elsewhere.example.\n"
    "*.wild 300 IN A 127.0.0.12\n*.wild 300 IN TXT \"any\"\nfixed.wild 300 IN TXT \"here\"\n*.tame 300 IN CNAME www\n"
    "deep.empty.between 300 IN A 127.0.0.13\n"
    "loop-a 300 IN CNAME loop-b\nloop-b 300 IN CNAME loop-a\n"
    "old 300 IN DNAME partner.test.\no 300 IN DNAME partner.test.\n"
    "lost 300 IN CNAME nothing\n-dash 300 IN A 127.0.0.14\n@ 300 IN MX 10 www\n",
    "partner.test": soa("partner.test") + "shop 300 IN A 127.0.0.20\n",
    "big.test": soa("big.test") + "".join(f"h{n} 300 IN A 127.0.{n // 250}.{n % 250}\n" for n in range(2000))
    + "".join(f"many 300 IN TXT \"{n:0100}\"\n" for n in range(40)),
}
QUESTIONS = [
    ("www.demo.test", "A"), ("WWW.Demo.Test", "AAAA"), ("www.demo.test", "TXT"), ("demo.test", "SOA"), ("demo.test", "NS"),
    ("demo.test", "MX"), ("alias.demo.test", "A"), ("alias.demo.test", "CNAME"), ("alias.demo.test", "TXT"),
    ("away.demo.test", "A"), ("none.demo.test", "A"), ("x.wild.demo.test", "A"),
    ("x.y.wild.demo.test", "A"), ("x.wild.demo.test", "MX"), ("fixed.wild.demo.test", "A"), ("x.fixed.wild.demo.test", "A"),
    ("wild.demo.test", "A"), ("*.wild.demo.test", "A"), ("x.tame.demo.test", "A"), ("x.tame.demo.test", "CNAME"),
    ("empty.between.demo.test", "A"), ("between.demo.test", "A"), ("x.between.demo.test", "A"),
    ("old.demo.test", "DNAME"), ("old.demo.test", "A"),
    ("lost.demo.test", "A"), ("-dash.demo.test", "A"), ("www.elsewhere.example", "A"), ("many.big.test", "TXT"),
]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with demo_dns.serve(ZONES) as port:
        yield port


@pytest.fixture(scope="module")
def named_port() -> Iterator[int]:
    with bind.serve(ZONES, addresses=("127.0.0.1",)) as port:
        yield port


def dig(port: int, *arguments: str) -> str:
    command = ["dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=3", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=20)
    assert "Warning" not in done.stdout
    assert done.stderr == ""
    return done.stdout


def records(section: list[dns.rrset.RRset]) -> set[str]:
    return {line for rrset in section for line in rrset.to_text().lower().splitlines()}


@pytest.mark.parametrize(("name", "kind"), QUESTIONS)
def test_answers_as_bind_does(port: int, named_port: int, name: str, kind: str) -> None:
    """Same status, same AA bit, same records in the answer, same SOA with a negative answer as BIND for the same zones."""
    ours, theirs = (dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", 5, where) for where in (port, named_port))
    assert ours.rcode() == theirs.rcode()
    assert ours.flags & dns.flags.AA == theirs.flags & dns.flags.AA
    assert records(ours.answer) == records(theirs.answer)
    soas = [[rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA] for message in (ours, theirs)]
    assert soas[0] == soas[1]


@pytest.mark.parametrize(("name", "status", "owners"), [
    ("far.demo.test", "NOERROR", ["far.demo.test.", "shop.partner.test."]),
    ("loop-a.demo.test", "NOERROR", ["loop-a.demo.test.", "loop-b.demo.test."]),
    ("shop.old.demo.test", "NOERROR", ["old.demo.test.", "shop.old.demo.test.", "shop.partner.test."]),
    ("gone.old.demo.test", "NXDOMAIN", ["old.demo.test.", "gone.old.demo.test."]),
])
def test_follows_aliases_into_its_other_zones(port: int, name: str, status: str, owners: list[str]) -> None:
    """Aliases are followed through every zone held here (RFC 1034 4.3.2 3a; BIND stays in the first), a loop once around."""
    reply = dns.query.udp(dns.message.make_query(name, "A"), "127.0.0.1", 5, port)
    assert dns.rcode.to_text(reply.rcode()) == status
    assert [rrset.name.to_text() for rrset in reply.answer] == owners


def test_udp_cuts_and_tcp_completes(port: int) -> None:
    """An answer too big for the client's UDP size comes with TC; dig then asks again over TCP and has all of it."""
    query = dns.message.make_query("many.big.test", "TXT", use_edns=False)
    reply = dns.query.udp(query, "127.0.0.1", 5, port)
    assert reply.flags & dns.flags.TC
    assert len(reply.to_wire()) <= 512
    assert len(dig(port, "many.big.test", "TXT", "+short").splitlines()) == 40


def test_transfer_equals_the_text(port: int) -> None:
    """AXFR gives exactly the zone that was loaded, also when it takes several messages."""
    for name, text in ZONES.items():
        received = dns.zone.Zone(name, relativize=False)
        dns.query.inbound_xfr("127.0.0.1", received, port=port, timeout=5, lifetime=20)
        assert received == dns.zone.from_text(f"$TTL 300\n{text}", origin=name, relativize=False)
    assert "(messages 1," in dig(port, "demo.test", "AXFR")
    big = dig(port, "big.test", "AXFR")
    assert f"XFR size: {2000 + 40 + 4} records" in big
    assert "(messages 1," not in big


@pytest.mark.parametrize("signed", [False, True])
def test_bind_is_a_content_secondary(signed: bool) -> None:
    """BIND transfers every zone from us, with and without TSIG, and then serves the same records."""
    key = Key("xfr-key") if signed else None
    keys = [dns.tsig.Key(key.name, key.secret, key.algorithm)] if key else []
    zones = {name: f"$TTL 300\n{text}" for name, text in ZONES.items()}
    with demo_dns.serve(zones, keys) as primary, bind_secondary.serve(zones, primary, key) as secondary:
        for name, text in zones.items():
            received = dns.zone.Zone(name, relativize=False)
            dns.query.inbound_xfr("127.0.0.1", received, port=secondary, timeout=5, lifetime=20)
            assert received == dns.zone.from_text(text, origin=name, relativize=False)


def test_tsig_is_enforced() -> None:
    """With a key configured: unsigned transfers are refused, wrong keys and secrets are told apart, plain queries work."""
    key = Key("xfr-key")
    right = f"hmac-sha256:{key.name}:{key.base64}"
    with demo_dns.serve(ZONES, [dns.tsig.Key(key.name, key.secret, key.algorithm)]) as port:
        assert "records (messages" in dig(port, "big.test", "AXFR", "-y", right)
        assert "Transfer failed" in dig(port, "demo.test", "AXFR")
        assert "BADKEY" in dig(port, "demo.test", "SOA", "-y", f"hmac-sha256:stranger:{key.base64}")
        assert "BADSIG" in dig(port, "demo.test", "SOA", "-y", f"hmac-sha256:{key.name}:{Key('other').base64}")
        assert "127.0.0.10" in dig(port, "www.demo.test", "A", "+short")
        assert "127.0.0.10" in dig(port, "www.demo.test", "A", "+short", "-y", right)


def test_ixfr(port: int) -> None:
    """A client with the current serial gets the SOA alone; another one gets the whole zone over TCP."""
    assert dig(port, "partner.test", "IXFR=1", "+tcp").count("SOA\t") == 1
    whole = dig(port, "partner.test", "IXFR=0", "+tcp")
    assert whole.count("SOA\t") == 2
    assert "127.0.0.20" in whole


@pytest.mark.parametrize(("arguments", "status"), [
    (["+opcode=notify", "demo.test", "SOA"], "NOTIMP"), (["elsewhere.example", "A"], "REFUSED"),
    (["+tcp", "unknown.test", "AXFR", "+onesoa"], "Transfer failed"),
])
def test_refusals(port: int, arguments: list[str], status: str) -> None:
    """What it cannot do is answered, not ignored."""
    assert status in dig(port, *arguments)


@pytest.mark.parametrize("junk", [b"", b"\0" * 5, b"\xff" * 600, b"\x12\x34\0\0\0\1\0\0\0\0\0\0\x3f"])
def test_junk_is_survived(port: int, junk: bytes) -> None:
    """Octets that are no message are dropped or answered with FORMERR; the next question is answered."""
    with socket.socket(type=socket.SOCK_DGRAM) as udp, socket.create_connection(("127.0.0.1", port), 5) as tcp:
        udp.sendto(junk, ("127.0.0.1", port))
        tcp.sendall(len(junk).to_bytes(2, "big") + junk)
        query = dns.message.make_query("www.demo.test", "A")
        tcp.settimeout(5)
        dns.query.send_tcp(tcp, query)
        reply, _ = dns.query.receive_tcp(tcp, one_rr_per_rrset=False)
        if reply.id != query.id:
            assert reply.rcode() == dns.rcode.FORMERR
            reply, _ = dns.query.receive_tcp(tcp)
        assert reply.answer
    assert dns.query.udp(query, "127.0.0.1", 5, port).answer


def test_two_questions_on_one_connection_in_pieces(port: int) -> None:
    """Messages split and joined in the stream are read as sent."""
    wires = [dns.message.make_query("www.demo.test", kind).to_wire(prepend_length=True) for kind in ("A", "AAAA")]
    stream = b"".join(wires)
    with socket.create_connection(("127.0.0.1", port), 5) as tcp:
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (stream[:1], stream[1:20], stream[20:]):
            tcp.sendall(piece)
        kinds = [dns.query.receive_tcp(tcp)[0].answer[0].rdtype for _ in wires]
    assert kinds == [dns.rdatatype.A, dns.rdatatype.AAAA]


def test_name_too_long_after_dname(port: int) -> None:
    """A DNAME that makes the name too long gives YXDOMAIN (RFC 6672 2.2)."""
    name = ".".join(["a" * 63] * 3 + ["b" * 49, "o.demo.test"])
    reply = dns.query.tcp(dns.message.make_query(dns.name.from_text(name), "A"), "127.0.0.1", 5, port)
    assert reply.rcode() == dns.rcode.YXDOMAIN
