"""The coverage file: one row for every record, address, port and server name, and what became of it."""

from collections.abc import Iterator, Sequence

from dnscertscan.model.report import Report
from dnscertscan.report.cells import Value, csv_document

COLUMNS = ("zone", "record", "fqdn", "ip_address", "port", "state", "reason", "detail", "wildcard", "origin", "seconds")


def render_coverage(report: Report) -> Iterator[bytes]:
    """CSV with a header always; a zone or record that could not be read is a row in state ``failed``, too."""
    return csv_document(COLUMNS, _rows(report))


def _rows(report: Report) -> Iterator[Sequence[Value]]:
    for row in report.coverage.rows:
        seconds = None if row.seconds is None else f"{row.seconds:.3f}"
        yield (
            row.zone, row.record, row.fqdn, row.ip_address, row.port, str(row.state), row.reason, row.detail,
            row.wildcard, row.origin, seconds,
        )
