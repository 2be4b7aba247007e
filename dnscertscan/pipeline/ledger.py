"""The coverage ledger: every record x address x port x name gets exactly one row, and the totals are counted from the rows."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import overload

from dnscertscan.model.observations import FailureKind, Observation
from dnscertscan.model.records import HOST_TYPES, Zone, ZoneFault, ZoneProblem
from dnscertscan.model.report import Coverage, CoverageRow, State, ZoneTotals
from dnscertscan.report.describe import terminal_state
from dnscertscan.resolve.mapping import Plan, coverage_row

_PROBLEM_REASONS = {ZoneFault.FAILED: "zone-failed", ZoneFault.BAD_RECORD: "bad-record"}
_NOT_LOOKED_AT = FailureKind.DEADLINE.value
"""What the run did not come to, whatever kept it from that."""
Shelve = Callable[[Iterable[CoverageRow]], Collection[CoverageRow]]
"""Keeps rows, sorted by :func:`row_order`; those that are equal in it stay in their order."""


def row_order(row: CoverageRow) -> tuple[str, str, str, int, str, str]:
    """The order of the coverage file."""
    return row.zone, row.fqdn, row.ip_address, row.port or 0, row.record, row.state


def _in_memory(rows: Iterable[CoverageRow]) -> tuple[CoverageRow, ...]:
    return tuple(sorted(rows, key=row_order))


def make_coverage(
    zones: Sequence[Zone],
    problems: Sequence[ZoneProblem],
    plan: Plan | None,
    observations: Iterable[Observation],
    stopped: str | None,
    shelve: Shelve = _in_memory,
) -> Coverage:
    """Account for everything that was to be looked at. ``stopped`` is the reason when the run was cut short.

    ``observations`` are in the order of their targets. Rows are made one by one and held by nobody but ``shelve``.
    """
    rows: Iterable[CoverageRow]
    if plan is None:
        rows = chain.from_iterable(_not_planned(zone, stopped or "not resolved") for zone in zones)
        counts: Mapping[str, int] = _count(zones, hosts=True)
        others = _count(zones, hosts=False)
    else:
        rows = _planned(plan, observations, stopped or "not looked at")
        counts, others = plan.host_records, plan.other_records
    bad = Counter(_place_of(problem) for problem in problems if problem.fault is ZoneFault.BAD_RECORD)
    counts = {zone: counts.get(zone, 0) + bad[zone] for zone in (*counts, *(zone for zone in bad if zone not in counts))}
    by_zone: dict[str, Counter[tuple[State, str]]] = {zone: Counter() for zone in (*counts, *others)}

    def counted() -> Iterator[CoverageRow]:
        for row in chain(rows, map(_of_problem, problems)):
            by_zone.setdefault(row.zone, Counter())[row.state, row.reason] += 1
            yield row

    kept = shelve(counted())
    totals = (ZoneTotals(zone, counts.get(zone, 0), others.get(zone, 0), dict(by_zone[zone])) for zone in sorted(by_zone))
    return Coverage(kept, tuple(totals), tuple(problems))


def _planned(plan: Plan, observations: Iterable[Observation], otherwise: str) -> Iterator[CoverageRow]:
    """A row for everything in the plan; both targets and observations are sorted, so one pass joins them."""
    yield from plan.unscanned
    seen = iter(observations)
    observation = next(seen, None)
    for target in plan.targets:
        state, reason, detail, seconds = State.SKIPPED, _NOT_LOOKED_AT, otherwise, None
        if observation is not None and observation.target == target:
            state, reason, detail = terminal_state(observation.outcome)
            seconds = observation.seconds
            observation = next(seen, None)
        yield coverage_row(target, target.provenance[0], state, reason, detail, seconds)


def _of_problem(problem: ZoneProblem) -> CoverageRow:
    """The row of a zone that could not be read, or of a record that cannot be used."""
    reason = _PROBLEM_REASONS[problem.fault]
    place = _place_of(problem)
    return CoverageRow(place, problem.record, "", "", None, State.FAILED, reason, problem.message, origin=problem.source)


def _place_of(problem: ZoneProblem) -> str:
    return problem.zone or problem.source


def cut_short(plan: Plan, reason: str) -> Plan:
    """The plan of a run that was stopped while it resolved: names that were not asked for any more are skipped, not failed."""
    known = (origin for origin in plan.resolutions if not (origin.resolution and reason in origin.resolution.reason))
    return replace(plan, unscanned=_CutShort(plan.unscanned, reason), resolutions=tuple(known))


class _CutShort(Sequence[CoverageRow]):
    """Rows as they are read: a plan makes its rows one by one, and here they are not held either."""

    def __init__(self, rows: Sequence[CoverageRow], reason: str) -> None:
        self._rows = rows
        self._reason = reason

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[CoverageRow]:
        return map(self._skipped, self._rows)

    @overload
    def __getitem__(self, at: int) -> CoverageRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[CoverageRow]: ...
    def __getitem__(self, at: int | slice) -> CoverageRow | Sequence[CoverageRow]:
        rows = self._rows[at]
        return self._skipped(rows) if isinstance(rows, CoverageRow) else _CutShort(rows, self._reason)

    def _skipped(self, row: CoverageRow) -> CoverageRow:
        return replace(row, state=State.SKIPPED, reason=_NOT_LOOKED_AT) if self._reason in row.detail else row


def _not_planned(zone: Zone, reason: str) -> Iterable[CoverageRow]:
    for record in zone.records:
        if record.type in HOST_TYPES:
            text = f"{record.name.display}. {record.type} {record.data}"
            yield CoverageRow(
                zone.name.text, text, record.name.text, "", None, State.SKIPPED, _NOT_LOOKED_AT, reason,
                origin=record.origin.locator,
            )


def _count(zones: Iterable[Zone], *, hosts: bool) -> Mapping[str, int]:
    """Records per zone that name hosts, or that do not."""
    counts: Counter[str] = Counter()
    for zone in zones:
        counts[zone.name.text] += sum(1 for record in zone.records if (record.type in HOST_TYPES) is hosts)
    return counts


def is_complete(coverage: Coverage, stopped: str | None) -> bool:
    """Whether everything was looked at: no zone, record or target lost, no engine failure, not cut short."""
    if stopped or coverage.problems:
        return False
    return not any(reason in (FailureKind.ENGINE.value, _NOT_LOOKED_AT) for _, reason in coverage.counts())
