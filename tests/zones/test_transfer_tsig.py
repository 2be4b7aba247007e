"""Signed transfers: only what is signed with our key, to its end, becomes a zone."""

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.tsig
from servers.hostile_axfr import SOA, WWW, Script, failure, fetch
from servers.hostile_dns import Peer, answer

from dnscertscan.zones.axfr import TsigKey
from dnscertscan.zones.transfer import Limits, Progress
from dnscertscan.zones.transfer_failure import explain

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
