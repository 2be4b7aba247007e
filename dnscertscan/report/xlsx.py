"""A workbook for spreadsheet programs: summary, findings and coverage, with dates as dates and no formula anywhere."""

import errno
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import SEEK_SET
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir
from typing import IO, Self

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format as CellFormat
from xlsxwriter.worksheet import Worksheet

from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.model.text import visible
from dnscertscan.report import coverage, csv_rows
from dnscertscan.report.base import CHUNK, utc
from dnscertscan.report.summary import summary

Value = str | int | float | datetime | None

_ROWS = 1_048_576
"""Rows of a sheet, the header among them; what is more goes to a further sheet."""
_FIRST_DAY, _LAST_DAY = datetime(1900, 3, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
"""Days that all spreadsheet programs count alike."""
_RED, _AMBER, _GREEN, _BLUE, _GREY = (
    {"bg_color": ground, "font_color": ink}
    for ground, ink in (
        ("#FFC7CE", "#9C0006"), ("#FFEB9C", "#7F6000"), ("#C6EFCE", "#006100"), ("#DDEBF7", "#1F4E78"), ("#EDEDED", "#595959"),
    )
)
_WIDTHS = {
    "status": 9, "state": 9, "message": 70, "fqdn": 34, "subject": 40, "issuer": 40, "ip_address": 22, "not_after": 19, "port": 7,
    "record": 44, "source": 44, "detail": 50, "origin": 30, "zone": 22, "rule": 24, "title": 44, "": 30,
}
FINDINGS = (*csv_rows.COLUMNS, "rule", "store")
"""The columns of the CSV report in their order, then what it has no column for."""


@dataclass(slots=True)
class _Book:
    """The workbook with the looks of its cells."""

    book: Workbook
    date: CellFormat
    head: CellFormat
    looks: dict[str, CellFormat] = field(default_factory=dict)

    def look(self, name: str, colours: dict[str, str]) -> CellFormat:
        """A format, made once."""
        if name not in self.looks:
            self.looks[name] = self.book.add_format(colours)
        return self.looks[name]


class _Table:
    """One table with a header, which goes on in a further sheet when its sheet is full."""

    def __init__(self, book: _Book, name: str, columns: Sequence[str]) -> None:
        self._book = book
        self._name = name
        self._columns = columns
        self._count = 0
        self._open()

    def _open(self) -> None:
        self._count += 1
        name = self._name if self._count == 1 else f"{self._name} {self._count}"
        self._sheet: Worksheet = self._book.book.add_worksheet(name)
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(self._columns):
            self._sheet.set_column(at, at, _WIDTHS.get(column, 14))
        _write_row(self._book, self._sheet, 0, self._columns, self._book.head)
        self._row = 1

    def add(self, values: Sequence[Value]) -> None:
        """One more row."""
        if self._row == _ROWS:
            self.close()
            self._open()
        _write_row(self._book, self._sheet, self._row, values)
        self._row += 1

    def close(self) -> None:
        """What can be said of a sheet when its size is known: the filter and the colours."""
        last = max(self._row - 1, 1)
        self._sheet.autofilter(0, 0, last, len(self._columns) - 1)
        for at, column in enumerate(self._columns):
            for name, rule, colours in _COLOURS.get(column, ()):
                self._sheet.conditional_format(1, at, last, at, {**rule, "format": self._book.look(name, colours)})


def _is(word: str) -> dict[str, object]:
    return {"type": "cell", "criteria": "==", "value": f'"{word}"'}


_COLOURS: dict[str, tuple[tuple[str, dict[str, object], dict[str, str]], ...]] = {
    "status": (("red", _is("error"), _RED), ("amber", _is("warning"), _AMBER), ("blue", _is("info"), _BLUE)),
    "severity": (("red", _is("error"), _RED), ("amber", _is("warning"), _AMBER), ("blue", _is("info"), _BLUE)),
    "state": (("green", _is("scanned"), _GREEN), ("red", _is("failed"), _RED), ("grey", _is("skipped"), _GREY)),
    "days_left": (
        # An empty cell counts as 0, and comes first.
        ("plain", {"type": "blanks", "stop_if_true": True}, {}),
        ("red", {"type": "cell", "criteria": "<", "value": 0}, _RED),
        ("amber", {"type": "cell", "criteria": "between", "minimum": 0, "maximum": 30}, _AMBER),
    ),
}


def render_xlsx(report: Report) -> Iterator[bytes]:
    """The workbook in pieces; rows wait in temporary files, not in memory. Raises OSError when there is no room for these."""
    with ExitStack() as kept:
        try:
            folder = kept.enter_context(TemporaryDirectory(prefix="dnscertscan-"))
            held = kept.enter_context(TemporaryFile(dir=folder))
            with _Held(held) as archive:
                _write(report, archive, folder)
        except OSError as problem:
            where = visible(gettempdir())
            said = f"{problem.strerror or problem} in {where}, where workbooks are put together (TMPDIR names another folder)"
            raise OSError(problem.errno or 0, said) from problem
        held.seek(0)
        while piece := held.read(CHUNK):
            yield piece


class _Held:
    """The file the workbook is put together in. After its block, or an error, it takes everything and keeps nothing.

    For whoever writes the archive closes it when it is collected, and after an error that would fail once more, where nobody can
    catch it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file: IO[bytes] | None = file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file = None

    def write(self, octets: bytes) -> int:
        """As files do."""
        return self._file.write(octets) if self._file else len(octets)

    def seek(self, to: int, whence: int = SEEK_SET) -> int:
        """As files do."""
        return self._file.seek(to, whence) if self._file else 0

    def tell(self) -> int:
        """As files do."""
        return self._file.tell() if self._file else 0

    def flush(self) -> None:
        """As files do."""
        if self._file:
            self._file.flush()


def _write(report: Report, held: _Held, folder: str) -> None:
    options = {
        "constant_memory": True, "tmpdir": folder, "use_zip64": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    made = Workbook(held, options)
    # The time of the run stands in the file and no other, so that one report always gives one file.
    made.set_properties({"title": "dnscertscan", "created": report.run.started.astimezone(UTC).replace(tzinfo=None)})
    book = _Book(made, made.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}), made.add_format({"bold": True, "bottom": 1}))
    _summary(report, book)
    found = _Table(book, "Findings", FINDINGS)
    for finding in report.findings:
        found.add(_finding(finding, report.run.started))
    found.close()
    covered = _Table(book, "Coverage", coverage.COLUMNS)
    for row in report.coverage.rows:
        covered.add(_covered(row))
    covered.close()
    _zones(report, book)
    try:
        made.close()
    except XlsxWriterException as problem:
        inner = problem.args[0] if problem.args else None
        if isinstance(inner, OSError):
            raise inner from problem
        raise OSError(errno.EFBIG, f"the workbook cannot be put together ({problem})") from problem


def _finding(finding: Finding, now: datetime) -> Sequence[Value]:
    shown = finding.certificate or finding.leaf
    row: dict[str, Value] = dict(zip(csv_rows.COLUMNS, csv_rows.finding_row(finding, now), strict=True))
    row |= {"not_after": shown.not_after if shown else None, "rule": finding.rule.slug, "store": finding.store}
    return [row[column] for column in FINDINGS]


def _covered(row: CoverageRow) -> Sequence[Value]:
    return (
        row.zone, row.record, row.fqdn, row.ip_address, row.port, str(row.state), row.reason, row.detail, row.wildcard,
        row.origin, row.seconds,
    )


def _summary(report: Report, book: _Book) -> None:
    """The run in some lines."""
    run, tally = report.run, report.tally()
    facts: list[tuple[str, Value]] = [
        ("version", run.version), ("started (UTC)", run.started), ("finished (UTC)", run.finished), ("engine", run.engine),
        ("complete", "yes" if report.complete else "no"),
    ]
    facts += [(str(severity), tally.severities[severity]) for severity in reversed(Severity)]
    facts += [(str(state), report.coverage.count(state)) for state in State]
    told = [line for line in summary(report) if line.startswith("INCOMPLETE")]
    sheet = book.book.add_worksheet("Summary")
    sheet.set_column(0, 0, _WIDTHS[""])
    sheet.set_column(1, 7, 14)
    sheet.freeze_panes(1, 0)
    _write_row(book, sheet, 0, ("dnscertscan", "", ""), book.head)
    lines: list[Sequence[Value]] = [(summary(report)[0],), *((line,) for line in told), *facts]
    for at, line in enumerate(lines, 1):
        _write_row(book, sheet, at, line)


def _zones(report: Report, book: _Book) -> None:
    tally = report.tally()
    zones = _Table(book, "Zones", ("zone", "records", *map(str, State), *map(str, reversed(Severity))))
    totals = {zone.zone: zone for zone in report.coverage.totals}
    for name in sorted({*totals, *filter(None, tally.by_zone)}):
        zone, counted = totals.get(name), tally.by_zone.get(name, Counter())
        states = [zone.count(state) if zone else 0 for state in State]
        zones.add((name, zone.records if zone else 0, *states, *(counted[severity] for severity in reversed(Severity))))
    zones.close()


def _write_row(book: _Book, sheet: Worksheet, at: int, values: Sequence[Value], look: CellFormat | None = None) -> None:
    """Cells by what they are; a text is a text whatever it begins with."""
    for column, value in enumerate(values):
        match value:
            case None | "":
                continue
            case datetime() if _FIRST_DAY <= value <= _LAST_DAY:
                sheet.write_datetime(at, column, value.astimezone(UTC).replace(tzinfo=None, microsecond=0), book.date)
            case datetime():
                sheet.write_string(at, column, utc(value) or "", look)
            case int() | float():
                sheet.write_number(at, column, value, look)
            case _:
                sheet.write_string(at, column, visible(value), look)
