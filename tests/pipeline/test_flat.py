"""A run's results lie on disk: its memory does not grow with them, and a run that goes on from a journal tells the same."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from report import factory

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.model.report import Report
from dnscertscan.pipeline import Event, Parts, Stop, run
from dnscertscan.pipeline.events import Planned, Stopped, TargetObserved
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.report import FORMATS
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, record_text
from dnscertscan.store.header import Header
from dnscertscan.store.journal import Journal
from dnscertscan.zones.json_file import JsonFileSource

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class InMemory:
    """An engine that knows the answers: every third target is closed, the others show a chain for another name."""

    name = "in-memory"

    def __init__(self, most: int | None = None) -> None:
        self.asked: list[Target] = []
        self._most = most

    async def scan(self, targets: Iterable[Target], *, gentle: bool = False) -> AsyncIterator[Observation]:
        for target in targets:
            if len(self.asked) == self._most:
                return
            self.asked.append(target)
            closed = int(target.server_name.text[1:6]) % 3 == 0
            outcome = Failure(FailureKind.REFUSED, "refused") if closed else factory.handshake()
            yield Observation(target, outcome, self.name, NOW, 0.01)
            await asyncio.sleep(0)


def parts(place: Path, count: int, engine: InMemory, journal: Journal | None = None) -> Parts:
    """A run over ``count`` names of one zone."""
    records = [{"type": "A", "name": f"n{at:05}", "ttl": 1, "target": f"10.0.{at >> 8}.{at & 255}"} for at in range(count)]
    place.write_text(json.dumps({"a.example": records}))
    anchors = TrustStore("none", ())
    judge = Judge(CheckPolicy(), (anchors,), (), NOW, record_text=record_text)
    resolver = Resolver((("127.0.0.1", 1),))
    return Parts([JsonFileSource(place)], resolver, MapSettings(), engine, judge, lambda: NOW, journal=journal)


def ran(made: Parts, events: list[Event] | None = None) -> Report:
    held: list[Report] = []

    async def whole() -> None:
        held.append(await run(made, events.append if events is not None else lambda _: None, Stop()))

    asyncio.run(whole())
    return held[0]


def octets(report: Report) -> dict[str, bytes]:
    return {name: b"".join(style.render(report)) for name, style in FORMATS.items()}


def test_a_report_without_a_journal_is_readable(tmp_path: Path) -> None:
    """Whoever calls the pipeline gets collections that can be read again and again until the report is closed."""
    with ran(parts(tmp_path / "z.json", 30, InMemory())) as report:
        assert (len(report.observations), len(report.coverage.rows), len(report.valid)) == (30, 30, 30)
        assert len(report.findings) == len(list(report.findings)) == sum(report.severities().values()) > 20
        assert [one.target for one in report.observations] == sorted(one.target for one in report.observations)
        assert octets(report) == octets(report)
        assert [one.sha256 for one in report.certificates()] == sorted({one.sha256 for one in factory.credential_chain()})


def test_going_on_from_a_journal(tmp_path: Path) -> None:
    """Only those are asked that the journal does not know; all are told of; the report is that of one run from its start."""
    whole = ran(parts(tmp_path / "z.json", 40, InMemory()))
    place = tmp_path / "journal"
    first = Journal.create(place, Header("{}", NOW))
    ran(parts(tmp_path / "z.json", 40, InMemory(most=15), first)).close()
    first.close()
    second, engine, events = Journal.open(place), InMemory(), list[Event]()
    report = ran(parts(tmp_path / "z.json", 40, engine, second), events)
    told = [event for event in events if isinstance(event, TargetObserved)]
    assert (len(engine.asked), len({event.observation.target for event in told})) == (25, 40)
    assert [(event.done, event.total) for event in told] == [(number, 40) for number in range(1, 41)]
    assert octets(report) == octets(whole)
    second.close()


def test_targets_that_are_no_more(tmp_path: Path) -> None:
    """A name that has left the zone leaves the report; a new one is asked."""
    journal = Journal.create(tmp_path / "journal", Header("{}", NOW))
    ran(parts(tmp_path / "z.json", 10, InMemory(), journal)).close()
    journal.close()
    for count, asked in ((6, 0), (12, 2)):
        again, engine = Journal.open(tmp_path / "journal"), InMemory()
        with ran(parts(tmp_path / "z.json", count, engine, again)) as report:
            assert (len(report.observations), len(report.coverage.rows), len(engine.asked)) == (count, count, asked)
        again.close()


def test_stopped_while_everything_is_judged_again(tmp_path: Path) -> None:
    """The stop is seen, and told once; the report has every target and its verdicts, and does not say that it is complete."""
    made, events = parts(tmp_path / "z.json", 60, InMemory()), list[Event]()

    async def whole() -> Report:
        stop = Stop()
        # What comes last before the final judging: from here on nothing waits for anything outside.
        learn = made.judge.learn
        made.judge.learn = lambda seen: (asyncio.get_running_loop().call_later(0, stop.now, "out of time"), learn(seen))
        return await run(made, events.append, stop)

    with asyncio.run(whole()) as report:
        assert (report.complete, len(report.observations), len(report.valid), len(report.coverage.rows)) == (False, 60, 60, 60)
        assert [event.reason for event in events if isinstance(event, Stopped)] == ["out of time"]


@pytest.fixture
def growth(tmp_path: Path):
    """The most memory that a run of ``count`` targets and all its outputs took beyond zones and plan, in octets."""

    def measure(count: int) -> int:
        before = [0]

        def observer(event: Event) -> None:
            if isinstance(event, Planned):
                tracemalloc.reset_peak()
                before[0] = tracemalloc.get_traced_memory()[0]

        made = parts(tmp_path / "z.json", count, InMemory())
        made.engine.asked = Forgetful()
        tracemalloc.start()
        try:
            report = asyncio.run(run(made, observer, Stop()))
            for style in FORMATS.values():
                for _ in style.render(report):
                    pass
            report.close()
            return tracemalloc.get_traced_memory()[1] - before[0]
        finally:
            tracemalloc.stop()

    return measure


class Forgetful(list):
    """Counts nothing, so that it takes no memory."""

    def append(self, item: object) -> None:
        pass


def test_memory_does_not_grow_with_the_results(growth) -> None:
    """1,000 more targets, most with two findings, cost less than one finding with its texts does in memory."""
    growth(100)
    small, large = growth(300), growth(1_300)
    assert large - small < 1_000 * 1_000, (small, large)
