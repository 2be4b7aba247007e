"""Zones as values from zone file text, and loopback UDP name servers that misbehave; shared by tests of the resolve stage."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.rdatatype
import dns.zonefile

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Zone


def zone(name: str, text: str, view: str = "", source: str = "test") -> Zone:
    """A Zone from ``$ORIGIN``-relative records (``www 300 A 192.0.2.1``); no SOA needed, names come out absolute."""
    rrsets = dns.zonefile.read_rrsets(text, origin=f"{name}.", relativize=False, default_ttl=300, rdclass=None)
    found = [(rrset, rdata) for rrset in rrsets for rdata in rrset]
    records = tuple(
        Record(
            DnsName.parse(rrset.name.to_text()),
            dns.rdatatype.to_text(rrset.rdtype),
            rdata.to_text(),
            rrset.ttl,
            Origin(source, number, view),
        )
        for number, (rrset, rdata) in enumerate(found, 1)
    )
    return Zone(DnsName(name), 1, records, source, view)


Behaviour = Callable[[bytes, int], bytes | None]
"""(query, number of queries before it) -> the reply, or None for silence."""


@contextmanager
def udp_server(behaviour: Behaviour) -> Iterator[tuple[tuple[str, int], list[bytes]]]:
    """A UDP server on a free loopback port; yields (address, port) and the list of queries as they came."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        over = threading.Event()
        queries: list[bytes] = []

        def serve() -> None:
            while not over.is_set():
                try:
                    wire, peer = server.recvfrom(4096)
                except TimeoutError:
                    continue
                reply = behaviour(wire, len(queries))
                queries.append(wire)
                if reply is not None:
                    server.sendto(reply, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname(), queries
        finally:
            over.set()
            thread.join()


def silent(_query: bytes, _number: int) -> bytes | None:
    """Never answers."""
    return None
