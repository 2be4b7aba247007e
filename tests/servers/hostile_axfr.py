"""What tests of hostile transfers share: one zone, a fetch from a script, and the one line it must fail with."""

import struct
import time
from collections.abc import Callable

import dns.message
import dns.name
from servers.hostile_dns import Peer, answer, scripted

from dnscertscan.model.records import ZoneFault
from dnscertscan.zones.axfr import AxfrServer, AxfrSource, TsigKey
from dnscertscan.zones.base import Fetched

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


def raw_answer(query: dns.message.Message, *rrs: tuple[str, int, int, bytes]) -> bytes:
    """A reply with hand-made RRs (owner, type, class, rdata) between two SOAs."""
    soa = answer(query, SOA).answer[0]
    ends = ("example.com.", 6, 1, soa[0].to_wire() or b"")
    wire = struct.pack("!HHHHHH", query.id, 0x8400, 0, len(rrs) + 2, 0, 0)
    for owner, kind, rdclass, rdata in (ends, *rrs, ends):
        wire += dns.name.from_text(owner).to_wire() + struct.pack("!HHIH", kind, rdclass, 300, len(rdata)) + rdata
    return wire
