"""The coverage ledger: every record x address x port x name gets exactly one row, and the totals are counted from the rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dnscertscan.model.observations import FailureKind, Observation
from dnscertscan.model.records import HOST_TYPES, Zone, ZoneFault, ZoneProblem
from dnscertscan.model.report import Coverage, CoverageRow, State, ZoneTotals
from dnscertscan.report.describe import terminal_state
from dnscertscan.resolve.mapping import Plan, coverage_row

_PROBLEM_REASONS = {ZoneFault.FAILED: "zone-failed", ZoneFault.BAD_RECORD: "bad-record"}


def make_coverage(
    zones: Sequence[Zone],
    problems: Sequence[ZoneProblem],
    plan: Plan | None,
    observations: Iterable[Observation],
    stopped: str | None,
) -> Coverage:
    """Account for everything that was to be looked at. ``stopped`` is the reason when the run was cut short."""
    if plan is None:
        rows = [_not_planned(zone, stopped or "not resolved") for zone in zones]
        flat = [row for group in rows for row in group]
        counts: Mapping[str, int] = Counter(row.zone for row in flat)
        others = _others(zones)
    else:
        flat = list(plan.unscanned)
        seen = {observation.target: observation for observation in observations}
        for target in plan.targets:
            observation = seen.get(target)
            if observation is None:
                state, reason, detail, seconds = State.SKIPPED, "deadline", stopped or "not looked at", None
            else:
                state, reason, detail = terminal_state(observation.outcome)
                seconds = observation.seconds
            flat.append(coverage_row(target, target.provenance[0], state, reason, detail, seconds))
        counts, others = plan.host_records, plan.other_records
    flat += [_of_problem(problem) for problem in problems]
    bad = Counter(_place_of(problem) for problem in problems if problem.fault is ZoneFault.BAD_RECORD)
    counts = {zone: counts.get(zone, 0) + bad[zone] for zone in (*counts, *(zone for zone in bad if zone not in counts))}
    flat.sort(key=lambda row: (row.zone, row.fqdn, row.ip_address, row.port or 0, row.record, row.state))
    return Coverage(tuple(flat), _totals(flat, counts, others), tuple(problems))


def _of_problem(problem: ZoneProblem) -> CoverageRow:
    """The row of a zone that could not be read, or of a record that cannot be used."""
    reason = _PROBLEM_REASONS[problem.fault]
    place = _place_of(problem)
    return CoverageRow(place, problem.record, "", "", None, State.FAILED, reason, problem.message, origin=problem.source)


def _place_of(problem: ZoneProblem) -> str:
    return problem.zone or problem.source


def _totals(rows: Iterable[CoverageRow], hosts: Mapping[str, int], others: Mapping[str, int]) -> tuple[ZoneTotals, ...]:
    by_zone: dict[str, Counter[tuple[State, str]]] = {zone: Counter() for zone in (*hosts, *others)}
    for row in rows:
        by_zone.setdefault(row.zone, Counter())[row.state, row.reason] += 1
    return tuple(ZoneTotals(zone, hosts.get(zone, 0), others.get(zone, 0), dict(by_zone[zone])) for zone in sorted(by_zone))


def cut_short(plan: Plan, reason: str) -> Plan:
    """The plan of a run that was stopped while it resolved: names that were not asked for any more are skipped, not failed."""

    def skipped(row: CoverageRow) -> CoverageRow:
        return replace(row, state=State.SKIPPED, reason="deadline") if reason in row.detail else row

    known = (origin for origin in plan.resolutions if not (origin.resolution and reason in origin.resolution.reason))
    return replace(plan, unscanned=tuple(map(skipped, plan.unscanned)), resolutions=tuple(known))


def _not_planned(zone: Zone, reason: str) -> Iterable[CoverageRow]:
    for record in zone.records:
        if record.type in HOST_TYPES:
            text = f"{record.name.display}. {record.type} {record.data}"
            yield CoverageRow(
                zone.name.text, text, record.name.text, "", None, State.SKIPPED, "deadline", reason, origin=record.origin.locator
            )


def _others(zones: Iterable[Zone]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for zone in zones:
        counts[zone.name.text] += sum(1 for record in zone.records if record.type not in HOST_TYPES)
    return counts


def is_complete(coverage: Coverage, observations: Iterable[Observation], stopped: str | None) -> bool:
    """Whether everything was looked at: no zone or record lost, no engine failure, not cut short."""
    if stopped or coverage.problems:
        return False
    return not any(terminal_state(observation.outcome)[1] == FailureKind.ENGINE.value for observation in observations)
