"""The workbook: by its parts, and in a real spreadsheet program."""

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from report import factory, readers
from servers.spreadsheet import converted, sheet_rows

from dnscertscan.errors import OutputError
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report import FORMATS, coverage, xlsx
from dnscertscan.report.files import write_atomically


def document(report: Report) -> bytes:
    return b"".join(xlsx.render_xlsx(report))


def part(octets: bytes, name: str) -> str:
    with zipfile.ZipFile(BytesIO(octets)) as archive:
        return archive.read(name).decode()


def everything() -> Report:
    rich, hostile = factory.rich_report(), factory.hostile_report()
    rows = (*rich.coverage.rows, *hostile.coverage.rows)
    return replace(rich, findings=(*rich.findings, *hostile.findings), coverage=factory.coverage(rows, rich.coverage.problems))


def test_libreoffice_opens_the_workbook(tmp_path: Path) -> None:
    """The sheets and columns are there, dates are dates, numbers are numbers, and no text has become a formula."""
    report = everything()
    source, opened = tmp_path / "report.xlsx", tmp_path / "opened"
    write_atomically(source, xlsx.render_xlsx(report))
    book = converted(source, tmp_path / "profile", opened)
    assert list(readers.sheets(book.read_bytes())) == ["Summary", "Findings", "Coverage", "Zones"]
    header, *rows = sheet_rows(book, 2)
    letters = {column: letter for letter, column in header.items()}
    assert list(header.values()) == list(xlsx.FINDINGS)
    assert len(rows) == len(report.findings)
    first = {column: rows[0].get(letter) for column, letter in letters.items()}
    assert (first["ip_address"], first["port"], first["status"]) == ("192.0.2.1", "443", "error")
    assert (first["not_after"], first["days_left"]) == ("2026-11-17T00:00:00", "-4")
    messages = [row.get(letters["message"], "") for row in rows]
    assert messages[-len(factory.HOSTILE) :] == [visible(text) for text in factory.HOSTILE.values()]
    header, *rows = sheet_rows(book, 3)
    assert list(header.values()) == list(coverage.COLUMNS)
    assert len(rows) == len(report.coverage.rows)
    facts = {row.get("A"): row.get("B") for row in sheet_rows(book, 1)}
    assert facts["started (UTC)"] == "2026-11-20T12:00:00"
    assert facts["complete"] == "no"
    assert facts["error"] == str(sum(1 for finding in report.findings if str(finding.severity) == "error"))


def test_tables_can_be_used_as_they_are() -> None:
    """Each table has its header frozen, a filter over all of it, and the colours of its states."""
    octets = document(everything())
    for number, rows, rules in ((2, len(everything().findings), 6), (3, len(everything().coverage.rows), 3)):
        sheet = part(octets, f"xl/worksheets/sheet{number}.xml")
        assert 'pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"' in sheet
        assert f'{rows + 1}"/>' in sheet[sheet.index("<autoFilter") :][:60]
        assert sheet.count("<cfRule") == rules


def test_one_report_gives_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Octet for octet, at any time of the day and in any time zone: the times in it are those of the run."""
    before = document(factory.rich_report())
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        assert document(factory.rich_report()) == before
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "2026-11-20T12:00:00Z" in part(before, "docProps/core.xml")


@pytest.mark.parametrize("year", [1, 1899, 1900, 9998, 9999])
def test_days_that_no_spreadsheet_counts_are_text(year: int) -> None:
    """A date before 1900-03-01 or of the last day there is stays readable, and breaks nothing."""
    end = datetime(year, 1, 31, 12, tzinfo=UTC)
    found = factory.finding(certificate=replace(factory.reference(), not_after=end))
    (row,) = readers.xlsx_findings(document(factory.report([found])))
    shown = row[xlsx.FINDINGS.index("not_after")]
    assert shown == end.isoformat() if year < 1901 else float(shown) > 2_900_000


def test_texts_that_look_like_escapes_stay_what_they_are(tmp_path: Path) -> None:
    """What the format itself would take for an escaped character comes back as written."""
    texts = ["_x000D_", "_x0041_", "a_x005F_b", " lead and trail ", "1e5", "TRUE", "12-01", "http://evil.example", "{=1+1}"]
    findings = [factory.finding(text, fqdn=text) for text in texts]
    source = tmp_path / "report.xlsx"
    write_atomically(source, xlsx.render_xlsx(factory.report(findings)))
    header, *rows = sheet_rows(converted(source, tmp_path / "profile", tmp_path / "opened"), 2)
    letter = next(letter for letter, column in header.items() if column == "message")
    assert [row[letter] for row in rows] == texts
    assert "<hyperlink " not in readers.text_of(FORMATS["xlsx"], source.read_bytes())


def test_a_full_sheet_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a sheet can have lose none: further sheets have the header, too."""
    monkeypatch.setattr(xlsx, "_ROWS", 4)
    sheets = readers.sheets(document(factory.report(factory.finding(f"finding {number}") for number in range(7))))
    at = xlsx.FINDINGS.index("message")
    found = {name: [row[at] for row in rows] for name, rows in sheets.items() if name.startswith("Findings")}
    assert found == {
        "Findings": ["message", "finding 0", "finding 1", "finding 2"],
        "Findings 2": ["message", "finding 3", "finding 4", "finding 5"],
        "Findings 3": ["message", "finding 6"],
    }


def test_nothing_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files are gone afterwards: of a whole document, of one that nobody read to its end, and of one that failed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    document(factory.rich_report())
    pieces = xlsx.render_xlsx(factory.rich_report())
    next(pieces)
    pieces.close()

    class Broken(tuple):
        def __iter__(self):
            yield factory.finding()
            raise LookupError("the journal is damaged")

    with pytest.raises(LookupError):
        document(replace(factory.report(), findings=Broken()))
    assert list(tmp_path.iterdir()) == []


def test_no_room_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the temporary files cannot be made, the output is not written; the error names it, their folder and what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    said = r"cannot write .*report\.xlsx: No such file or directory in .*missing, where workbooks are put together \(TMPDIR names"
    with pytest.raises(OutputError, match=said):
        write_atomically(tmp_path / "report.xlsx", xlsx.render_xlsx(factory.report()))
    assert list(tmp_path.iterdir()) == []


WRITE = """
import resource, sys
from pathlib import Path
from dnscertscan.errors import OutputError
from dnscertscan.report import xlsx
from dnscertscan.report.files import write_atomically
from report import factory

report = factory.report([factory.finding(f"message {number} of many", fqdn=f"n{number}.example.com") for number in range(400)])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    write_atomically(Path("report.xlsx"), xlsx.render_xlsx(report))
except OutputError as problem:
    print(problem)
"""


@pytest.mark.parametrize("room", [512, 4_096, 20_000, 60_000])
def test_a_disk_that_is_full_while_it_is_written(tmp_path: Path, room: int) -> None:
    """Wherever the room ends, among the rows or while the archive is closed: one line, nothing else, and nothing is left."""
    (tmp_path / "temporary").mkdir()
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path / "temporary")}
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(room)], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, **paths},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(f"cannot write report.xlsx: File too large in {tmp_path}/temporary, where workbooks are")
    assert sorted(place.name for place in tmp_path.rglob("*")) == ["temporary"]
