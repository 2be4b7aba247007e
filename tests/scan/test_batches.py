"""Batches over executors: every target comes back once with its provenance, also from executors that break."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from servers import hostile, nginx
from servers.nginx import Host
from servers.scanning import clock, der, handshake, target

from dnscertscan.demo.authority import Authority
from dnscertscan.errors import UsageError
from dnscertscan.model.endpoints import Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.model.records import Origin, Record
from dnscertscan.scan import ScanSettings
from dnscertscan.scan.batches import BatchEngine

SETTINGS = ScanSettings(workers=1, timeout=3.0)


def _observe(executor: Executor, targets: Iterable[Target], *, size: int = 200, gentle: bool = False) -> list[Observation]:
    async def run() -> list[Observation]:
        engine = BatchEngine(executor, "sslyze", SETTINGS, clock, size, in_flight=4)
        async with asyncio.timeout(60):
            return [observation async for observation in engine.scan(targets, gentle=gentle)]

    return asyncio.run(run())


def _with_record(plain: Target) -> Target:
    name = plain.server_name
    record = Record(name, "A", plain.endpoint.address, 300, Origin("zones.json", 1))
    return Target(plain.endpoint, name, (Provenance(record, DnsName("test")),))


def test_process_pool_whose_processes_are_renewed(ca: Authority) -> None:
    """Eight batches over two processes of three batches each, good and bad targets among them: all come back, once."""
    leaf = ca.leaf("a.test")
    context = multiprocessing.get_context("spawn")
    with (
        nginx.serve([Host("a.test", [leaf])]) as good, hostile.serve(hostile.close_at_once) as bad,
        ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=3) as pool,
    ):
        targets = [_with_record(target(bad if number % 5 == 4 else good, f"n{number}.test")) for number in range(32)]
        observations = _observe(pool, targets, size=4)
    found = {observation.target: observation for observation in observations}
    assert (len(observations), set(found)) == (32, set(targets))
    for number, one in enumerate(targets):
        assert found[one].target.provenance == one.provenance
        if number % 5 == 4:
            assert isinstance(found[one].outcome, Failure)
            assert found[one].outcome.kind is FailureKind.CLOSED
        else:
            (deployment,) = handshake(found[one]).deployments
            assert tuple(each.der for each in deployment.chain) == der(leaf)
    chains = [handshake(found[targets[number]]).deployments[0].chain[0] for number in (0, 30)]
    assert chains[0] is chains[1]  # of two batches, yet one object


class Flawed(Executor):
    """An executor that behaves as told, by the number of the submission."""

    def __init__(self, *ways: str) -> None:
        self.ways = list(ways)
        self._threads = ThreadPoolExecutor(2)

    def submit(self, fn, /, *args, **kwargs):
        way = self.ways.pop(0) if self.ways else "work"
        if way == "refuse":
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future = Future()
        match way:
            case "raise":
                future.set_exception(OSError("the worker was lost"))
            case "cancel":
                future.cancel()
            case "forget":
                future.set_result([])
            case "work":
                return self._threads.submit(fn, *args, **kwargs)
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._threads.shutdown(wait)


@pytest.mark.parametrize("way", ["refuse", "raise", "cancel"])
def test_a_batch_is_tried_once_more(way: str) -> None:
    """One mishap costs nothing but time."""
    with hostile.serve(hostile.reset) as port, Flawed(way) as executor:
        (observation,) = _observe(executor, [target(port)])
    assert isinstance(observation.outcome, Failure)
    assert observation.outcome.kind is FailureKind.RESET


@pytest.mark.parametrize(("ways", "words"), [
    (("refuse", "refuse"), "cannot schedule new futures"), (("raise", "refuse", "raise"), "cannot schedule new futures"),
    (("raise", "raise"), "OSError: the worker was lost"), (("cancel", "cancel"), "no answer"),
    (("forget",), "no answer for this target"),
])
def test_what_does_not_come_back_is_a_failure_of_the_engine(ways: tuple[str, ...], words: str) -> None:
    """Every target of a batch that is lost twice says so, and why."""
    with Flawed(*ways) as executor:
        observations = _observe(executor, [target(9, name) for name in ("a.test", "b.test")])
    assert sorted(observation.target.server_name.text for observation in observations) == ["a.test", "b.test"]
    for observation in observations:
        assert isinstance(observation.outcome, Failure)
        assert observation.outcome.kind is FailureKind.ENGINE
        assert words in observation.outcome.detail


def test_a_pool_that_breaks_under_way() -> None:
    """A process of the pool is killed: the pool is done for, and each target not yet observed is told so."""
    context, names = multiprocessing.get_context("spawn"), [f"n{number}.test" for number in range(6)]
    with hostile.serve(hostile.silent) as port, ProcessPoolExecutor(1, mp_context=context) as pool:
        pid = pool.submit(os.getpid).result()

        async def run() -> list[Observation]:
            engine, targets = BatchEngine(pool, "sslyze", SETTINGS, clock, 2), [target(port, name) for name in names]
            asyncio.get_running_loop().call_later(0.5, os.kill, pid, signal.SIGKILL)
            async with asyncio.timeout(30):
                return [observation async for observation in engine.scan(targets)]

        observations = asyncio.run(run())
    assert sorted(observation.target.server_name.text for observation in observations) == names
    failures = [observation.outcome for observation in observations if isinstance(observation.outcome, Failure)]
    assert [failure.kind for failure in failures] == [FailureKind.ENGINE] * 6


def test_the_same_target_twice() -> None:
    """Equal targets of one batch are two observations."""
    with hostile.serve(hostile.reset) as port, Flawed() as executor:
        assert len(_observe(executor, [target(port), target(port)])) == 2


def test_an_unknown_engine_is_said_at_once() -> None:
    """Not by every worker of a cluster."""
    with Flawed() as executor, pytest.raises(UsageError, match="unknown scan engine 'sslize'"):
        BatchEngine(executor, "sslize", SETTINGS, clock)
