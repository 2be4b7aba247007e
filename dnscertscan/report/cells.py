"""CSV (RFC 4180) whose cells neither a terminal nor a spreadsheet can be made to act on."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from dnscertscan.model.text import visible
from dnscertscan.report.base import in_chunks

Value = str | int | None

# What spreadsheets take for the start of a formula; the full-width forms count in East Asian locales (OWASP, CSV Injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def cell(value: Value) -> str:
    """One cell: None is empty, numbers stay numbers, text is made visible and, if it could be a formula, given an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    shown = visible(value)
    return f"'{shown}" if value.startswith(_FORMULA_STARTS) else shown


def csv_document(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """A CSV document in pieces: header always, lines ended by CRLF, quotes only where needed (RFC 4180 section 2)."""
    return in_chunks(_lines(header, rows))


def _lines(header: Sequence[str], rows: Iterable[Sequence[Value]]) -> Iterator[str]:
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(header)
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([cell(value) for value in row])
        yield buffer.getvalue()
