"""The ledger: what was not looked at makes a run incomplete, and rows that nobody reads cost nothing."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.model.records import Origin, Record
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.pipeline.ledger import cut_short, is_complete, make_coverage
from dnscertscan.resolve.mapping import Plan

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def planned(count: int) -> Plan:
    zone = DnsName("a.example")
    targets = []
    for at in range(count):
        name = DnsName(f"n{at}.a.example")
        record = Record(name, "A", f"192.0.2.{at}", 1, Origin("z.json", at))
        targets.append(Target(Endpoint(f"192.0.2.{at}", 443), name, (Provenance(record, zone),)))
    return Plan(tuple(targets), (), (), {zone.text: count}, {})


def refused(targets: Iterable[Target]) -> list[Observation]:
    return [Observation(target, Failure(FailureKind.REFUSED, "x"), "test", NOW, 0.1) for target in targets]


@pytest.mark.parametrize(("seen", "complete"), [((0, 1, 2), True), ((0, 1), False), ((0, 2), False), ((), False)])
def test_a_target_without_observation_makes_the_run_incomplete(seen: tuple[int, ...], complete: bool) -> None:
    """Also when nobody stopped the run: it is not complete while one target was not looked at."""
    plan = planned(3)
    coverage = make_coverage((), (), plan, refused(plan.targets[at] for at in seen), None)
    assert len(coverage.rows) == 3
    assert coverage.count(State.SKIPPED) == 3 - len(seen)
    assert is_complete(coverage, None) is complete
    assert not is_complete(coverage, "interrupted")


def test_rows_of_a_run_cut_short_are_made_when_they_are_read() -> None:
    """However many there are: none is read before somebody asks for it; what was not asked for any more is skipped."""
    reads: list[int] = []

    class Rows(tuple):
        def __iter__(self):
            for at in range(len(self)):
                yield self[at]

        def __getitem__(self, at):
            reads.append(at)
            return super().__getitem__(at)

    details = ("x -> not asked", "x -> NXDOMAIN", "y -> not asked")
    failed = State.FAILED, "lookup-failed"
    rows = Rows(CoverageRow("a.example", f"r{at}", "x", "", None, *failed, text) for at, text in enumerate(details))
    short = cut_short(Plan((), rows, (), {}, {}), "not asked").unscanned
    assert (len(short), reads) == (3, [])
    first = next(iter(short))
    assert (first.state, first.reason, reads) == (State.SKIPPED, "deadline", [0])
    assert [row.reason for row in short] == [row.reason for row in short[:]] == ["deadline", "lookup-failed", "deadline"]
    assert [row.record for row in short[1:]] == ["r1", "r2"]
    assert short[-1].state is State.SKIPPED
