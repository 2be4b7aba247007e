"""A real spreadsheet program, headless."""

import re
import subprocess
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def converted(source: Path, profile: Path, folder: Path | None = None) -> Path:
    """The xlsx file LibreOffice makes of a file as it opens it without being told anything, beside it or in ``folder``."""
    place = folder or source.parent
    command = [
        "soffice", f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--convert-to", "xlsx",
        "--outdir", str(place), str(source),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    return (place / source.name).with_suffix(".xlsx")


def sheet_rows(path: Path, number: int = 1) -> list[dict[str, str]]:
    """Cell texts of a sheet by column letter; a cell in a date format is ISO 8601. A formula fails the test."""
    with zipfile.ZipFile(path) as archive:
        shared = ET.fromstring(archive.read("xl/sharedStrings.xml"))
        sheet = ET.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
        dates = _date_styles(ET.fromstring(archive.read("xl/styles.xml")))
    strings = [_unescaped("".join(text.text or "" for text in item.iter(f"{SHEET}t"))) for item in shared]
    assert list(sheet.iter(f"{SHEET}f")) == []
    rows = []
    for row in sheet.iter(f"{SHEET}row"):
        cells = {}
        for cell in row.iter(f"{SHEET}c"):
            value = cell.findtext(f"{SHEET}v")
            if value is not None:
                letter = re.sub(r"\d", "", cell.get("r", ""))
                if cell.get("t") == "s":
                    cells[letter] = strings[int(value)]
                else:
                    cells[letter] = _moment(float(value)) if int(cell.get("s", "0")) in dates else value
        rows.append(cells)
    return rows


def _unescaped(text: str) -> str:
    """``_x000D_`` is how a workbook writes a character that XML cannot have (ISO/IEC 29500-1, 22.9.2.19)."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def _date_styles(styles: ET.Element) -> set[int]:
    """The numbers of the cell styles that show a date."""
    codes = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{SHEET}numFmt")}
    (used,) = styles.iter(f"{SHEET}cellXfs")
    return {number for number, one in enumerate(used) if "yy" in codes.get(one.get("numFmtId"), "").lower()}


def _moment(days: float) -> str:
    """A day's number of the 1900 system as a time."""
    return (datetime(1899, 12, 30) + timedelta(seconds=round(days * 86400))).isoformat()  # noqa: DTZ001 - workbooks know no zones
