"""The dry run's answer: which address, port and name would be scanned or skipped, and why."""

import csv
import io
from collections.abc import Set as AbstractSet

from tabulate import tabulate

from dnscertscan.model.report import Coverage, CoverageRow
from dnscertscan.model.text import visible

HEADERS = ("ip_address", "port", "fqdn", "verdict", "reason", "record", "zone")


def render_targets(coverage: Coverage, planned: AbstractSet[tuple[str, int, str]], style: str) -> str:
    """``table`` or ``csv`` text. ``planned`` are the (address, port, name) that a scan would look at."""
    rows = [_row(row, planned) for row in coverage.rows]
    scanned = sum(1 for row in rows if row[3] == "scan")
    if style == "csv":
        text = io.StringIO()
        csv.writer(text).writerows([HEADERS, *rows])
        return text.getvalue()
    counted = f"{len(rows)} rows: {scanned} to scan, {len(rows) - scanned} not"
    return f"{tabulate(rows, headers=HEADERS, disable_numparse=True)}\n\n{counted}\n"


def _row(row: CoverageRow, planned: AbstractSet[tuple[str, int, str]]) -> tuple[str, ...]:
    port = row.port or 0
    wanted = row.reason == "deadline" and (row.ip_address, port, row.fqdn) in planned
    verdict, reason = ("scan", "") if wanted else ("skip", f"{row.reason}: {row.detail}" if row.detail else row.reason)
    cells = (row.ip_address, str(row.port or ""), row.fqdn, verdict, reason, row.record, row.zone)
    return tuple(visible(cell, 300) for cell in cells)
