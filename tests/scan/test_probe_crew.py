"""The fast engine's processes: killed ones cost nothing, closed scans leave nothing, silence and second looks keep to limits."""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine, Iterator
from typing import TypeVar

import pytest
from servers import hostile, nginx
from servers.nginx import Host
from servers.scanning import der, probe, probe_engine, target

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation

_T = TypeVar("_T")
_ADDRESSES = tuple(f"127.0.{number}.1" for number in range(8))


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    return ca.leaf("good.test", "*.good.test")


@pytest.fixture(scope="module")
def good(leaf: Credential) -> Iterator[int]:
    """A good server on eight networks for the whole module."""
    with nginx.serve([Host("good.test", [leaf])], _ADDRESSES) as port:
        yield port


def _run(work: Coroutine[object, object, _T]) -> _T:
    """A hang fails the test instead of holding it."""
    return asyncio.run(asyncio.wait_for(work, 50))


def _by_target(observations: list[Observation]) -> dict[Target, Observation]:
    found = {observation.target: observation for observation in observations}
    assert len(found) == len(observations)
    return found


def test_a_killed_worker_costs_nothing(good: int) -> None:
    """SIGKILL to workers in the middle of a scan: every target is observed once, and well."""
    async def run() -> list[Observation]:
        scanner, found = probe_engine(workers=2), []
        async for observation in scanner.scan(target(good, f"n{n}.good.test", _ADDRESSES[n % 8]) for n in range(600)):
            found.append(observation)
            if len(found) in (20, 200):
                os.kill(scanner.worker_pids[0], signal.SIGKILL)
        return found

    found = _by_target(_run(run()))
    assert len(found) == 600
    assert all(isinstance(one.outcome, Handshake) for one in found.values())


def test_a_target_that_kills_workers_is_told_from_its_neighbours(good: int) -> None:
    """The target in flight when a worker dies a second time, alone with it, is given up; the others go on."""
    scanner = probe_engine(workers=1, timeout=20.0)

    def behave(visit: hostile.Visit) -> None:
        for pid in scanner.worker_pids if visit.number < 2 else ():
            os.kill(pid, signal.SIGKILL)
        visit.wait()

    async def run(deadly: int) -> list[Observation]:
        targets = [target(deadly, "deadly.test"), *(target(good, f"n{number}.good.test") for number in range(9))]
        return [observation async for observation in scanner.scan(targets)]

    with hostile.serve(behave) as deadly:
        found = _by_target(_run(run(deadly)))
    outcomes = {one.server_name.text: observation.outcome for one, observation in found.items()}
    given_up = outcomes.pop("deadly.test")
    assert isinstance(given_up, Failure)
    assert given_up.kind is FailureKind.ENGINE
    assert "two worker processes" in given_up.detail
    assert len(outcomes) == 9
    assert all(isinstance(outcome, Handshake) for outcome in outcomes.values())


def test_closing_early_leaves_no_process(good: int) -> None:
    """Whoever stops reading ends every worker process at once, and not more targets are pulled than there is room for."""
    pulled = 0

    def many() -> Iterator[Target]:
        nonlocal pulled
        for number in range(1_000_000):
            pulled += 1
            yield target(good, f"n{number}.good.test")

    async def run() -> tuple[int, ...]:
        scanner = probe_engine(workers=2, concurrency=10)
        observations = scanner.scan(many())
        await anext(observations)
        pids = scanner.worker_pids
        await observations.aclose()
        return pids

    pids = _run(run())
    assert pids
    assert pulled < 500
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_silence_costs_one_place(good: int) -> None:
    """A tenth of silent targets: the others are done at once, all within little more than one limit."""
    with hostile.serve(hostile.silent, "127.0.9.1") as silent:
        targets = [target(good, f"n{number}.good.test") for number in range(300)]
        targets[::10] = [target(silent, f"s{number}.test", "127.0.9.1") for number in range(30)]
        start = time.monotonic()
        observations = probe(targets, timeout=2.0)
        took = time.monotonic() - start
    assert len(_by_target(observations)) == 300
    assert sum(isinstance(one.outcome, Handshake) for one in observations[:270]) == 270
    assert took < 6.0


def test_gentle_scans_ask_one_at_a_time(leaf: Credential) -> None:
    """A second look has one target of an address in flight at a time."""
    secure = hostile.tls(der(leaf), leaf.key_pem)
    now, most = 0, 0

    def behave(visit: hostile.Visit) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        time.sleep(0.01)
        now -= 1
        secure(visit)

    async def run(port: int) -> list[Observation]:
        targets = [target(port, f"n{number}.good.test") for number in range(10)]
        return [one async for one in probe_engine().scan(targets, gentle=True)]

    with hostile.serve(behave) as port:
        observations = _run(run(port))
    assert (len(observations), most) == (10, 1)
