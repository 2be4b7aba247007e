"""The lines that end every run: what was there, what became of it, and whether anything is missing."""

from collections import Counter
from collections.abc import Mapping

from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import FailureKind
from dnscertscan.model.records import ZoneFault
from dnscertscan.model.report import Coverage, Report, State, ZoneTotals
from dnscertscan.model.text import visible
from dnscertscan.report.describe import is_unrouted


def summary(report: Report) -> list[str]:
    """One line for the run, one per zone when there are several, then what is missing.

    That is one line where no IPv6 target could be tried, and one for each reason why the run is incomplete.
    The sentence never changes with the numbers (no singular), so that scripts can match it.
    """
    coverage = report.coverage
    states = {state: coverage.count(state) for state in State}
    tally = report.tally()
    lines = [_sentence(sum(zone.records for zone in coverage.totals), states, tally.severities)]
    if len(coverage.totals) > 1:
        lines += [f"{visible(zone.zone, 260)}: {_zone_sentence(zone, tally.by_zone)}" for zone in coverage.totals]
    if unrouted := _unrouted(coverage):
        lines.append(f"no IPv6 route from here: {unrouted} targets could not be tried")
    lines += [f"INCOMPLETE: {reason}" for reason in incomplete_reasons(report)]
    return lines


def incomplete_reasons(report: Report) -> list[str]:
    """Why the run is not complete, one clause each; empty when it is."""
    if report.complete:
        return []
    coverage = report.coverage
    reasons = [f"inconclusive: {visible(report.inconclusive)}"] if report.inconclusive else []
    reasons += [visible(problem.message) for problem in coverage.problems if problem.fault is ZoneFault.FAILED]
    if bad := sum(1 for problem in coverage.problems if problem.fault is ZoneFault.BAD_RECORD):
        reasons.append(f"{_number(bad, 'record')} could not be used (reason bad-record in the coverage file)")
    words: Counter[str] = Counter()
    for (_, reason), count in coverage.counts().items():
        words[reason] += count
    if late := words[FailureKind.DEADLINE]:
        reasons.append(f"the run ended before {_number(late, 'target')} could be looked at (reason deadline)")
    if died := words[FailureKind.ENGINE]:
        reasons.append(f"the scanner itself failed on {_number(died, 'target')} (reason engine)")
    return reasons or ["not every name could be looked up, or the run was cut short; the coverage file has the reasons"]


def _unrouted(coverage: Coverage) -> int:
    """How many IPv6 targets could not be tried, if that is all there were; 0 else. The rows are read only when that may be."""
    if not any(reason == FailureKind.UNREACHABLE.value for _, reason in coverage.counts()):
        return 0
    count = 0
    for row in coverage.rows:
        if ":" in row.ip_address and row.state is not State.SKIPPED:
            if not is_unrouted(row.ip_address, row.reason, row.detail):
                return 0
            count += 1
    return count


def _zone_sentence(zone: ZoneTotals, by_zone: Mapping[str, Counter[Severity]]) -> str:
    return _sentence(zone.records, {state: zone.count(state) for state in State}, by_zone.get(zone.zone, {}))


def _sentence(records: int, states: Mapping[State, int], severities: Mapping[Severity, int]) -> str:
    scanned, failed, skipped = (states.get(state, 0) for state in (State.SCANNED, State.FAILED, State.SKIPPED))
    errors, warnings = (severities.get(severity, 0) for severity in (Severity.ERROR, Severity.WARNING))
    return (
        f"{records} records -> {scanned + failed + skipped} targets: {scanned} scanned, {failed} unreachable, {skipped} skipped; "
        f"{errors} errors, {warnings} warnings"
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
