"""The package's own DNS server in a thread with its own loop, for tests that talk to it with real clients."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.tsig

from dnscertscan.demo.dns_server import DnsServer, free_udp_and_tcp


@contextmanager
def serve(zones: Mapping[str, str], keys: Sequence[dns.tsig.Key] = ()) -> Iterator[int]:
    """Serve ``zones`` (name -> master file text) on 127.0.0.1; yields the port."""
    udp, tcp = free_udp_and_tcp()
    server = DnsServer(zones, udp, tcp, keys)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(5)
        yield udp.getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
