"""The coverage file: one row for every record, address, port and server name, and what became of it."""

from collections.abc import Iterator, Sequence

from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.model.report import Report, State
from dnscertscan.report.cells import Value, csv_document

COLUMNS = ("zone", "record", "fqdn", "ip_address", "port", "state", "reason", "detail", "wildcard", "origin", "seconds")

_PROBLEM_REASON = {ZoneFault.FAILED: "zone-failed", ZoneFault.BAD_RECORD: "bad-record"}


def render_coverage(report: Report) -> Iterator[bytes]:
    """CSV with a header always; zones and records that could not be read come last, as rows in state ``failed``."""
    return csv_document(COLUMNS, _rows(report))


def _rows(report: Report) -> Iterator[Sequence[Value]]:
    for row in report.coverage.rows:
        seconds = None if row.seconds is None else f"{row.seconds:.3f}"
        yield (
            row.zone, row.record, row.fqdn, row.ip_address, row.port, str(row.state), row.reason, row.detail,
            row.wildcard, row.origin, seconds,
        )
    for problem in report.coverage.problems:
        yield _problem_row(problem)


def _problem_row(problem: ZoneProblem) -> Sequence[Value]:
    reason = _PROBLEM_REASON[problem.fault]
    return (problem.zone, "", "", "", None, str(State.FAILED), reason, problem.message, "", problem.source, None)
