"""The dry run's answer: which address, port and name would be scanned or skipped, and why."""

from collections.abc import Set as AbstractSet

from tabulate import tabulate

from dnscertscan.model.report import Coverage, CoverageRow
from dnscertscan.model.text import visible
from dnscertscan.report.cells import csv_document

HEADERS = ("ip_address", "port", "fqdn", "verdict", "reason", "record", "zone")


def render_targets(coverage: Coverage, planned: AbstractSet[tuple[str, int, str]], style: str) -> bytes:
    """``table`` or ``csv``, UTF-8. ``planned`` are the (address, port, name) that a scan would look at."""
    rows = [_row(row, planned) for row in coverage.rows]
    if style == "csv":
        return b"".join(csv_document(HEADERS, rows))
    scanned = sum(1 for row in rows if row[3] == "scan")
    shown = [[visible(cell, 300) for cell in row] for row in rows]
    counted = f"{len(rows)} rows: {scanned} to scan, {len(rows) - scanned} not"
    return f"{tabulate(shown, headers=HEADERS, disable_numparse=True)}\n\n{counted}\n".encode()


def _row(row: CoverageRow, planned: AbstractSet[tuple[str, int, str]]) -> tuple[str, ...]:
    port = row.port or 0
    wanted = row.reason == "deadline" and (row.ip_address, port, row.fqdn) in planned
    verdict, reason = ("scan", "") if wanted else ("skip", f"{row.reason}: {row.detail}" if row.detail else row.reason)
    return row.ip_address, str(row.port or ""), row.fqdn, verdict, reason, row.record, row.zone
