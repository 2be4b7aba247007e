"""The fast engine's processes: killed ones cost nothing, closed scans leave nothing, silence and second looks keep to limits."""

import asyncio
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from servers import hostile, lying_worker, nginx
from servers.nginx import Host
from servers.scanning import der, probe, probe_engine, target

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.scan import ScanSettings, frames, in_flight, probe_crew
from dnscertscan.scan.child import Child
from dnscertscan.scan.frames import Message
from dnscertscan.scan.probe_crew import Crew
from dnscertscan.scan.probe_engine import ProbeEngine

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


async def _all(engine: ProbeEngine, targets: list[Target]) -> list[Observation]:
    return [observation async for observation in engine.scan(targets)]


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


@pytest.fixture
def liars(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], Path]]:
    """Lets the next processes of the engine lie."""
    monkeypatch.setattr(probe_crew, "_MODULE", "servers.lying_worker")
    files: list[Path] = []

    def arm(mode: str, times: int) -> Path:
        files.append(lying_worker.arm(mode, times))
        return files[-1]

    yield arm
    for file in files:
        file.unlink()


_REFUSED = '"o":[["refused","x"]],"r":[[NUMBER,'


@pytest.mark.parametrize("lie", [
    "{" + _REFUSED + "NaN,0]]}", "{" + _REFUSED + "1e300,0]]}", "{" + _REFUSED + "1e999,0]]}", "{" + _REFUSED + "0,-1]]}",
    '{"r":[[999,0,["refused","x"]]]}', '{"o":[[[],7,["x"],"none",[],null,[],null]],"r":[[NUMBER,0,0]]}', '{"what":1}', "[]", "{",
    '{"r":[[NUMBER,0,["refused","\\ud800"]]]}', "[" * 200_000, '{"r":' + "[" * 900 + "]" * 900 + "}", "floods", "dies",
])
def test_a_lie_costs_its_process_alone(good: int, liars: Callable[[str, int], Path], lie: str) -> None:
    """Whatever a worker says, the run goes on without it, its targets with another, and nothing of the lie is believed."""
    liars(lie, 1)
    found = _run(_all(probe_engine(workers=1), [target(good, f"n{number}.good.test") for number in range(20)]))
    assert len(_by_target(found)) == 20
    assert all(isinstance(one.outcome, Handshake) for one in found)


def test_a_target_is_carried_over_few_deaths(good: int, liars: Callable[[str, int], Path]) -> None:
    """Processes that start well and die with nothing in flight do not follow each other for ever."""
    marker = liars("dies", 100)
    found = _run(_all(probe_engine(workers=1), [target(good, f"n{number}.good.test") for number in range(20)]))
    assert len(_by_target(found)) == 20
    for one in found:
        assert isinstance(one.outcome, Failure)
        assert one.outcome.kind is FailureKind.ENGINE
        assert one.outcome.detail == "worker processes ended again and again before this target was done: exit status 7"
    assert marker.read_text() == '["dies", 97]'


def test_a_flood_does_not_hold_the_scanner(liars: Callable[[str, int], Path]) -> None:
    """A process that never stops talking, to somebody who believes everything: others get their turn all the time."""
    liars("floods", 1)

    async def run() -> float:
        loop, longest, heard = asyncio.get_running_loop(), 0.0, 0

        def take(_: Message) -> None:
            nonlocal heard
            heard += 1

        child = Child("servers.lying_worker", {}, take, lambda _: None)
        child.send({"targets": [[1]]})
        while heard < 300_000:
            before = loop.time()
            await asyncio.sleep(0.01)
            longest = max(longest, loop.time() - before)
        await child.close()
        return longest

    assert _run(run()) < 2.0


def test_large_results_do_not_share_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets that show much and are done together: no frame gets near the limit, no process is lost."""
    monkeypatch.setattr(frames, "MAX_FRAME", 4 << 20)
    together = threading.Barrier(16)

    def behave(visit: hostile.Visit) -> None:
        visit.hello()
        flight = hostile.flight([os.urandom(900_000)])
        visit.send(flight[:-9])
        together.wait(20)
        visit.send(flight[-9:])
        visit.hello()

    with hostile.serve(behave) as port:
        scanner = probe_engine(workers=1, per_address=16, first_only=True)
        found = _run(_all(scanner, [target(port, f"n{number}.test") for number in range(16)]))
    assert [type(one.outcome) for one in found] == [Handshake] * 16


@pytest.mark.parametrize(("concurrency", "size", "expected"), [
    (9, 2, [5, 4]), (100, 3, [34, 33, 33]), (3, 8, [1, 1, 1]), (1, 2, [1]), (10, 2, [5, 5]),
])
def test_shares_add_up(concurrency: int, size: int, expected: list[int]) -> None:
    """The processes together have exactly the limits of the scan; none has a share of nothing."""
    crew = Crew(ScanSettings(concurrency=concurrency, rate=60.0), size, first_only=False)
    assert [share.concurrency for share in crew.shares] == expected
    assert sum(share.rate for share in crew.shares) == pytest.approx(60.0)


def test_no_temporary_directory_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why no process can be started is what the system says, with advice for that."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nonexistent/for-tests"])
    (one,) = _run(_all(probe_engine(), [target(443)]))
    assert isinstance(one.outcome, Failure)
    assert one.outcome.kind is FailureKind.ENGINE
    assert "No usable temporary directory found in ['/nonexistent/for-tests']; set TMPDIR" in one.outcome.detail
    assert "free memory" not in one.outcome.detail


def test_a_worker_confines_itself(good: int) -> None:
    """A process of the engine has the memory limit of the settings."""
    def limit(pid: int) -> list[str]:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        return next(line for line in lines if line.startswith("Max data size")).split()[3:5]

    async def run() -> list[str]:
        scanner = probe_engine(workers=1, worker_memory=512 << 20)
        observations = scanner.scan(target(good, f"n{number}.good.test") for number in range(50))
        await anext(observations)
        limits = limit(scanner.worker_pids[0])
        await observations.aclose()
        return limits

    assert _run(run()) == [str(512 << 20)] * 2


def test_a_ruined_table_of_targets_in_flight(tmp_path: Path) -> None:
    """A process may do to its file what it likes."""
    file = tmp_path / "table"
    file.write_bytes(b"\x07\0\0\0\x01" + b"\x01" * 1000)
    with file.open("r+b") as table:
        assert in_flight.read(table, 1) == {7}
        table.truncate(3)
        assert in_flight.read(table, 1) == frozenset()
