"""The demonstration fleet starts quickly, carries its errors to the caller and ends without a trace."""

import asyncio
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import dns.message
import dns.query
import dns.tsig
import dns.xfr
import dns.zone
import pytest

from dnscertscan.demo import fleet as fleet_module
from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.errors import UsageError


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def was_dropped(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_ends_without_a_trace() -> None:
    """After the end: no thread, no descriptor, no port; open connections of silent and other servers were dropped."""
    before, threads = descriptors(), threading.active_count()
    with DemoFleet(datetime.now(UTC)) as fleet:
        waiting = [
            socket.create_connection((fleet.addresses[f"{label}.demo.test"][0], fleet.tls_port), 5)
            for label in ("silent", "good-rsa", "plain-http") for _ in range(10)
        ]
        waiting.append(socket.create_connection((fleet.dns_address, fleet.dns_port), 5))
    for connection in waiting:
        with connection:
            assert was_dropped(connection)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((fleet.dns_address, fleet.dns_port), 5)
    fleet.stop()
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_async_use_and_two_at_once() -> None:
    """`async with` does not block the caller's loop, and two fleets live side by side."""
    async def both() -> None:
        async with DemoFleet(datetime.now(UTC)) as one, DemoFleet(datetime.now(UTC)) as two:
            assert one.dns_port != two.dns_port
            for fleet in (one, two):
                _, writer = await asyncio.open_connection(fleet.dns_address, fleet.dns_port)
                writer.close()
                await writer.wait_closed()

    before, threads = descriptors(), threading.active_count()
    asyncio.run(both())
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_start_is_quick() -> None:
    """Under 1.5 s, the best of three since the machine may be busy and RSA keys take what they take."""
    times = []
    for _ in range(3):
        begin = datetime.now(UTC)
        with DemoFleet(begin):
            times.append((datetime.now(UTC) - begin).total_seconds())
    assert min(times) < 1.5


def test_addresses_that_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without the addresses: one clear error, nothing left open."""
    before, threads = descriptors(), threading.active_count()
    monkeypatch.setattr(fleet_module, "_NETWORK", "192.0.2")
    message = r"cannot listen on loopback address 192\.0\.2\.\d+: Cannot assign"
    with pytest.raises(UsageError, match=message), DemoFleet(datetime.now(UTC)):
        pass
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_errors_in_the_thread_reach_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong while the servers start is raised by start(), and everything is closed again."""
    def refuse(*_: object) -> None:
        raise ssl.SSLError("cannot load")

    before, threads = descriptors(), threading.active_count()
    monkeypatch.setattr(fleet_module, "behaviour", refuse)
    with pytest.raises(ssl.SSLError, match="cannot load"), DemoFleet(datetime.now(UTC)):
        pass
    assert (descriptors(), threading.active_count()) == (before, threads)


def test_misuse() -> None:
    """A naive time and a second start are refused."""
    with pytest.raises(ValueError, match="time zone"):
        DemoFleet(datetime(2026, 1, 1))  # noqa: DTZ001 - the naive time is what is refused
    with DemoFleet(datetime.now(UTC)) as fleet, pytest.raises(RuntimeError, match="already"):
        fleet.start()


def test_transfer_key() -> None:
    """With a key, only signed transfers are given."""
    key = dns.tsig.Key("demo-key", b"secret" * 5, "hmac-sha256")
    with DemoFleet(datetime.now(UTC), transfer_key=key) as fleet:
        zone = dns.zone.Zone("demo.test")
        query = dns.message.make_query("demo.test", "AXFR")
        query.use_tsig(key)
        dns.query.inbound_xfr(fleet.dns_address, zone, query, port=fleet.dns_port, timeout=5)
        assert len(zone.nodes) > 50
        with pytest.raises(dns.xfr.TransferError, match="REFUSED"):
            dns.query.inbound_xfr(fleet.dns_address, dns.zone.Zone("demo.test"), port=fleet.dns_port, timeout=5)
