"""The demonstration fleet: a DNS server and many TLS servers on loopback, served from a thread of their own."""

import asyncio
import errno
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

import dns.tsig

from dnscertscan.demo.authority import pem
from dnscertscan.demo.connections import Connections
from dnscertscan.demo.dns_server import DnsServer, free_udp_and_tcp
from dnscertscan.demo.stories_certificates import Trust, certificate_stories
from dnscertscan.demo.stories_chains import chain_stories
from dnscertscan.demo.stories_servers import DNS_ADDRESS, NAME_SERVER, server_stories
from dnscertscan.demo.story import PARTNER, ZONE, Expectation, Server, Story
from dnscertscan.demo.tls_servers import Oddity, behaviour
from dnscertscan.demo.zone_text import Entry, base_entries, master_file, zones_json
from dnscertscan.errors import UsageError

_NETWORK = "127.53.0"
"""Addresses of the servers, counted from .1: all of 127.0.0.0/8 is this machine (RFC 1122 3.2.1.3), on Linux without set-up."""
_PORT_ATTEMPTS = 50


class DemoFleet:
    """A context manager, plain or ``async``: inside, the fleet answers; afterwards nothing of it is left.

    ``now`` (aware) is the moment the certificates are made for: the fleet's expectations hold for a scan at that time, give
    or take some hours. ``transfer_key`` makes zone transfers need that TSIG key. One object can be started once.
    The servers run in a thread with an event loop of its own, so the caller may block, or run a loop, as it likes.
    Raises :class:`~dnscertscan.errors.UsageError` when this machine has no free loopback addresses to serve on.
    """

    zone_name = ZONE
    partner_zone_name = PARTNER
    dns_address = DNS_ADDRESS

    def __init__(self, now: datetime, *, transfer_key: dns.tsig.Key | None = None) -> None:
        if now.tzinfo is None:
            raise ValueError("the time of the fleet needs a time zone")
        self._now = now
        self._keys = () if transfer_key is None else (transfer_key,)
        self._thread: threading.Thread | None = None
        self._ready: Future[Callable[[], object]] = Future()
        self.dns_port = 0
        self.tls_port = 0
        self.ca_pem = b""
        self.zones: Mapping[str, tuple[Entry, ...]] = {}
        self.addresses: Mapping[str, tuple[str, ...]] = {}
        self.expectations: tuple[Expectation, ...] = ()

    @property
    def zone_texts(self) -> Mapping[str, str]:
        """Zone name to master file text, as the DNS server serves it."""
        return {zone: master_file(entries) for zone, entries in self.zones.items()}

    def zones_json(self) -> str:
        """Both zones in the JSON shape of ``--from-zones-json``."""
        return zones_json(self.zones)

    def start(self) -> None:
        """Make the certificates, bind the sockets and serve. When it raises, nothing is left open."""
        if self._thread is not None:
            raise RuntimeError("this fleet was started already")
        sockets: list[socket.socket] = []
        try:
            self._start(sockets)
        except BaseException:
            self.stop()
            for bound in sockets:
                bound.close()
            raise

    def stop(self) -> None:
        """Drop all connections, close all sockets and end the thread. A second call does nothing."""
        if self._thread is None:
            return
        if self._ready.exception() is None:
            with suppress(RuntimeError):  # the loop is closed: it was stopped before
                self._ready.result()()
        self._thread.join()

    def _start(self, sockets: list[socket.socket]) -> None:
        trust = Trust.create(self._now)
        stories = (*server_stories(trust, ipv6=_has_ipv6()), *certificate_stories(trust), *chain_stories(trust))
        servers = list(dict.fromkeys(server for story in stories for server in story.servers))
        udp, tcp = free_udp_and_tcp(DNS_ADDRESS)
        sockets += (udp, tcp)
        places = _places(servers)
        tls = _bind_all(list(places.values()))
        sockets += tls
        self.dns_port, self.tls_port = udp.getsockname()[1], tls[0].getsockname()[1]
        self.ca_pem = pem([trust.root.certificate])
        self.addresses = {story.fqdn: tuple(places[server] for server in story.servers) for story in stories}
        self.zones = {zone: _entries(zone, stories, self.addresses) for zone in (ZONE, PARTNER)}
        self.expectations = tuple(story.expectation for story in stories)
        server = DnsServer(self.zone_texts, udp, tcp, self._keys)
        jobs = list(zip(servers, tls, strict=True))
        thread = threading.Thread(target=self._run, args=(server, jobs), name="demo-fleet", daemon=True)
        thread.start()
        self._thread = thread
        self._ready.result()

    def _run(self, dns_server: DnsServer, jobs: Sequence[tuple[Server, socket.socket]]) -> None:
        try:
            asyncio.run(self._serve(dns_server, jobs))
        except BaseException as error:  # carried to the caller of start(), whatever it is
            if self._ready.done():
                raise
            self._ready.set_exception(error)

    async def _serve(self, dns_server: DnsServer, jobs: Sequence[tuple[Server, socket.socket]]) -> None:
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        connections = Connections()
        try:
            await dns_server.start()
            for server, bound in jobs:
                if server.does is not Oddity.CLOSED_PORT:  # a bound socket that does not listen refuses, and keeps the port ours
                    connections.listen(bound, behaviour(server.does, connections))
            self._ready.set_result(lambda: loop.call_soon_threadsafe(ended.set))
            await ended.wait()
        finally:
            await connections.end()
            await dns_server.stop()
            for _server, bound in jobs:
                bound.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self.stop)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def _places(servers: Sequence[Server]) -> dict[Server, str]:
    """An address for each server, in order."""
    return {server: server.address or f"{_NETWORK}.{number}" for number, server in enumerate(servers, start=1)}


def _bind_all(addresses: Sequence[str]) -> list[socket.socket]:
    """One TCP socket per address, all bound (none listening yet) to one port that is free on all of them."""
    for _ in range(_PORT_ATTEMPTS):
        bound: list[socket.socket] = []
        port = 0
        try:
            for address in addresses:
                bound.append(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM))
                bound[-1].bind((address, port))
                port = bound[-1].getsockname()[1]
        except OSError as error:
            for one in bound:
                one.close()
            if error.errno != errno.EADDRINUSE:
                raise UsageError(
                    f"the demonstration cannot listen on loopback address {address}: {error.strerror}; it needs the addresses"
                    f" {_NETWORK}.1 to {_NETWORK}.{len(addresses)}, which Linux has without set-up"
                ) from None
        else:
            return bound
    raise UsageError(f"no port is free on all {len(addresses)} loopback addresses of the demonstration; try again")


def _entries(zone: str, stories: Sequence[Story], addresses: Mapping[str, Sequence[str]]) -> tuple[Entry, ...]:
    entries = list(base_entries(NAME_SERVER))
    for story in stories:
        if story.zone != zone:
            continue
        if story.alias:
            entries.append(Entry(story.name, "CNAME", f"{story.alias}."))
        entries += (Entry(story.name, "AAAA" if ":" in place else "A", place) for place in addresses[story.fqdn])
    return tuple(entries)
