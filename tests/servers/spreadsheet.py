"""A real spreadsheet program, headless."""

import re
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

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
