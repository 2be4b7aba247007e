"""All sources at once: order kept, a hanging source delays no other, a crash is not lost."""

import asyncio
import threading
import time

import pytest

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Zone, ZoneFault, ZoneProblem
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.stop import Stop
from dnscertscan.zones.base import Fetched


class Source:
    """Gives one empty zone after a while."""

    def __init__(self, name: str, wait: float = 0.0, problem: Exception | None = None) -> None:
        self.name, self._wait, self._problem = name, wait, problem

    def fetch(self) -> Fetched:
        """Wait, then give the zone or raise."""
        time.sleep(self._wait)
        if self._problem:
            raise self._problem
        trouble = ZoneProblem(ZoneFault.BAD_RECORD, self.name, "memory", f"one record of {self.name}")
        return Fetched((Zone(DnsName(self.name), None, (), "memory"),), (trouble,))


def fetch(sources: list[Source], told: list[str], deadline: float | None = None) -> AllZones:
    """Run :func:`fetch_all`, stopped after ``deadline`` seconds."""

    async def body() -> AllZones:
        stop = Stop()
        if deadline is not None:
            asyncio.get_running_loop().call_later(deadline, stop.now, "deadline")
        return await fetch_all(sources, lambda fetched: told.append(fetched.zones[0].name.text), stop)

    return asyncio.run(body())


def test_order_is_that_of_the_sources() -> None:
    """The slow first source stays the first."""
    told: list[str] = []
    sources = [Source("slow.example", 0.1), Source("quick.example")]
    result = fetch(sources, told)
    assert [zone.name.text for zone in result.zones] == ["slow.example", "quick.example"]
    assert [problem.zone for problem in result.problems] == ["slow.example", "quick.example"]
    assert told == ["quick.example", "slow.example"]


def test_sources_run_at_the_same_time() -> None:
    """Five sources of 0.2 s take far less than a second."""
    start = time.monotonic()
    fetch([Source(f"{number}.example", 0.2) for number in range(5)], [])
    assert time.monotonic() - start < 0.8


def test_a_crash_reaches_the_caller() -> None:
    """A bug in a source is not a missing zone."""
    with pytest.raises(ExceptionGroup) as caught:
        fetch([Source("a.example", problem=RuntimeError("told"))], [])
    assert caught.group_contains(RuntimeError, match="told")


def test_a_stopped_run_does_not_wait_for_a_hanging_source() -> None:
    """The deadline ends the wait though the thread hangs on; its zone is a failed one, the other one is kept."""
    start = time.monotonic()
    result = fetch([Source("a.example", 1.0), Source("b.example")], [], deadline=0.1)
    assert [zone.name.text for zone in result.zones] == ["b.example"]
    assert [(problem.fault, problem.source) for problem in result.problems] == [
        (ZoneFault.FAILED, "a.example"), (ZoneFault.BAD_RECORD, "memory"),
    ]
    assert time.monotonic() - start < 0.8
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "zone-source")
