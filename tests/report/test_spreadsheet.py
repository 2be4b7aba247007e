"""The CSV in a real spreadsheet program."""

import re
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

from report import factory

from dnscertscan.report import FORMATS
from dnscertscan.report.csv_rows import COLUMNS
from dnscertscan.report.files import write_atomically

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def converted(source: Path, profile: Path) -> Path:
    """The xlsx file LibreOffice makes of a CSV as it opens it without being told anything."""
    command = [
        "soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--convert-to", "xlsx",
        "--outdir", str(source.parent), str(source),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return source.with_suffix(".xlsx")


def sheet_rows(path: Path) -> list[dict[str, str]]:
    """Cell texts of the first sheet by column letter; a formula fails the test."""
    with zipfile.ZipFile(path) as archive:
        shared = ET.fromstring(archive.read("xl/sharedStrings.xml"))
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    strings = ["".join(text.text or "" for text in item.iter(f"{SHEET}t")) for item in shared]
    assert list(sheet.iter(f"{SHEET}f")) == []
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        cells = {}
        for cell in row.iter(f"{SHEET}c"):
            value = cell.findtext(f"{SHEET}v")
            if value is not None:
                cells[re.sub(r"\d", "", cell.get("r", ""))] = strings[int(value)] if cell.get("t") == "s" else value
        rows.append(cells)
    return rows


def test_libreoffice_opens_the_csv(tmp_path: Path) -> None:
    """The columns are the promised ones, every row has its cells, and no text from outside has become a formula."""
    findings = [*factory.rich_report().findings, *factory.hostile_report().findings]
    source = tmp_path / "report.csv"
    write_atomically(source, FORMATS["csv"].render(factory.report(findings)))
    header, *rows = sheet_rows(converted(source, tmp_path / "profile"))
    letters = dict(zip(COLUMNS, header, strict=True))
    assert list(header.values()) == list(COLUMNS)
    assert len(rows) == len(findings) - 1  # one is information
    first = {column: rows[0][letter] for column, letter in letters.items() if letter in rows[0]}
    assert (first["ip_address"], first["port"], first["fqdn"]) == ("192.0.2.1", "443", "www.example.com")
    assert (first["status"], first["message"], first["days_left"]) == ("error", "certificate has expired", "-4")
    messages = [row.get(letters["message"], "") for row in rows]
    assert sum("HYPERLINK" in message for message in messages) == 1
