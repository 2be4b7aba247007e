"""Running a scan inside a test: targets in, observations out, within a time that fails the test instead of holding it."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from time import monotonic

from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan.demo.authority import Credential
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, Handshake, Observation
from dnscertscan.scan import ScanSettings
from dnscertscan.scan.loop import Loop
from dnscertscan.scan.probe import Probe, Reading
from dnscertscan.scan.probe_engine import ProbeEngine
from dnscertscan.scan.sslyze import SslyzeEngine


def clock() -> datetime:
    """The present: real servers and SSLyze's verdicts live in it."""
    return datetime.now(UTC)


def target(port: int, name: str = "a.test", address: str = "127.0.0.1", service: str = "tls") -> Target:
    return Target(Endpoint(address, port, service), DnsName(name))


def engine(**settings: float) -> SslyzeEngine:
    settings.setdefault("workers", 1)
    return SslyzeEngine(ScanSettings(**settings), clock)  # type: ignore[arg-type]  # ints where the field wants ints


def observe(targets: Iterable[Target], *, limit: float = 60.0, **settings: float) -> list[Observation]:
    """All observations, in the order they came."""
    async def run() -> list[Observation]:
        async with asyncio.timeout(limit):
            return [observation async for observation in engine(**settings).scan(targets)]

    return asyncio.run(run())


def probe_engine(*, first_only: bool = False, **settings: float) -> ProbeEngine:
    settings.setdefault("workers", 2)
    return ProbeEngine(ScanSettings(**settings), clock, first_only=first_only)  # type: ignore[arg-type]  # ints where the field wants ints


def probe(targets: Iterable[Target], *, limit: float = 60.0, first_only: bool = False, **settings: float) -> list[Observation]:
    """All observations of the fast engine, in the order they came."""
    async def run() -> list[Observation]:
        async with asyncio.timeout(limit):
            return [observation async for observation in probe_engine(first_only=first_only, **settings).scan(targets)]

    return asyncio.run(run())


def check(one: Target, *, timeout: float = 3.0, **settings: float) -> Reading | Failure:
    """What our own check alone makes of a target."""
    limits = ScanSettings(timeout=timeout, **settings)  # type: ignore[arg-type]  # ints where the field wants ints
    loop = Loop()
    try:
        return loop.run(Probe(one, limits, monotonic() + timeout, lambda: None).read())
    finally:
        loop.close()


def check_all(targets: Mapping[str, Target], *, timeout: float) -> dict[str, tuple[Reading | Failure, float]]:
    """Our own check of many targets at the same time: outcome and seconds by name."""
    found: dict[str, tuple[Reading | Failure, float]] = {}
    loop, start = Loop(), monotonic()
    for name, one in targets.items():
        talk = Probe(one, ScanSettings(timeout=timeout), start + timeout, lambda: None).read()
        loop.start(talk, lambda outcome, name=name: found.update({name: (outcome, monotonic() - start)}))
    while len(found) < len(targets):
        loop.turn(1.0)
    loop.close()
    return {name: found[name] for name in targets}


def handshake(observation: Observation) -> Handshake:
    """The outcome, which must be a handshake."""
    assert isinstance(observation.outcome, Handshake), observation.outcome
    return observation.outcome


def der(credential: Credential) -> tuple[bytes, ...]:
    """The list a server with this credential sends."""
    return tuple(certificate.public_bytes(Encoding.DER) for certificate in credential.chain)
