"""What programs read out of the formats: each document parsed by a real parser, or by the grammar its readers document."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from junitparser import Failure, JUnitXml, TestCase, TestSuite
from markdown_it import MarkdownIt
from markdown_it.token import Token
from servers.spreadsheet import SHEET

from dnscertscan.report.base import Format

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def text_of(style: Format, document: bytes) -> str:
    """All text of a document; of a workbook, that of its parts."""
    if not style.binary:
        return document.decode("utf-8")
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        return "\n".join(archive.read(name).decode("utf-8") for name in archive.namelist())


def sheets(document: bytes) -> dict[str, list[list[str]]]:
    """The rows of each sheet of a workbook; numbers as they are written there."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        book = ET.fromstring(archive.read("xl/workbook.xml"))
        related = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
        places = {one.get("Id"): one.get("Target") for one in related}
        return {
            sheet.get("name", ""): list(_rows(archive.read(f"xl/{places[sheet.get(_RELATION)]}")))
            for sheet in book.iter(f"{SHEET}sheet")
        }


def _rows(part: bytes) -> Iterator[list[str]]:
    sheet = ET.fromstring(part)
    assert list(sheet.iter(f"{SHEET}f")) == []
    for row in sheet.iter(f"{SHEET}row"):
        cells: list[str] = []
        for cell in row.iter(f"{SHEET}c"):
            letters = re.sub(r"\d", "", cell.get("r", ""))
            at = 0
            for letter in letters:
                at = at * 26 + ord(letter) - 64
            cells += [""] * (at - 1 - len(cells))
            cells.append("".join(cell.itertext()))
        yield cells


def xlsx_findings(document: bytes) -> list[list[str]]:
    return sheets(document)["Findings"][1:]


def sarif_results(document: bytes) -> list[dict[str, Any]]:
    return [result for run in json.loads(document)["runs"] for result in run["results"]]


def suites(document: bytes) -> list[TestSuite]:
    return list(JUnitXml.fromstring(document))


def cases(document: bytes) -> list[TestCase]:
    return [case for suite in suites(document) for case in suite]


def junit_findings(document: bytes) -> list[str]:
    """The messages of failures, and the lines of what is only noted."""
    failures = [result.message for case in cases(document) for result in case.result if isinstance(result, Failure)]
    return failures + [line for case in cases(document) for line in (case.system_out or "").splitlines()]


class Table(NamedTuple):
    """A table of a Markdown page: the heading above it, and the rows of its body."""

    heading: str
    rows: list[list[Token]]


def tokens(document: bytes) -> list[Token]:
    """What a Markdown reader makes of a page, with HTML and bare links allowed as nowhere else; inline parts flattened."""
    reader = MarkdownIt("gfm-like", {"html": True, "linkify": True})
    return [one for block in reader.parse(document.decode()) for one in (block, *(block.children or ()))]


def tables(document: bytes) -> Iterator[Table]:
    """The tables of a page. The last cell of a row counts, too, if it is empty."""
    heading, inside, rows = "", "", []
    for token in tokens(document):
        if token.type in ("heading_open", "tbody_open"):
            inside = token.type
        elif token.type == "inline" and inside == "heading_open":
            heading, inside = token.content, ""
        elif token.type == "tr_open" and inside == "tbody_open":
            rows.append([])
        elif token.type == "inline" and inside == "tbody_open":
            rows[-1].append(token)
        elif token.type == "table_close":
            yield Table(heading, rows)
            inside, rows = "", []


def markdown_findings(document: bytes) -> list[list[Token]]:
    return [row for table in tables(document) if table.heading.startswith("DCS") for row in table.rows]


class Command(NamedTuple):
    """A workflow command as GitHub's runner reads it."""

    name: str
    properties: dict[str, str]
    message: str


def commands(document: bytes) -> list[Command]:
    """Every line has to be a command. Only LF ends a line for us, but a reader that knows other ends finds the same lines."""
    text = document.decode()
    assert text.splitlines() == text.split("\n")[:-1]
    return [_command(line) for line in text.splitlines()]


def _command(line: str) -> Command:
    """``::name k=v,k=v::message``: the head ends at the next two colons, values are unescaped last."""
    assert line.startswith("::"), line
    head, end, message = line[2:].partition("::")
    assert end, line
    name, _, given = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in given.split(",")) if given else {}
    plain = {key: _plain(value.replace("%3A", ":").replace("%2C", ",")) for key, value in properties.items()}
    return Command(name, plain, _plain(message))


def obeyed(text: str) -> list[str]:
    """Lines in which the runner of a CI service finds a command, as GitHub's (``ActionCommand``) and Azure's look for them."""
    return [line for line in text.splitlines() if re.match(r"\s*::[^:\s]+.*::", line) or re.search(r"##[A-Za-z]*\[.*\]", line)]


def _plain(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def github_findings(document: bytes) -> list[Command]:
    return [one for one in commands(document) if one.properties["title"].startswith("DCS")]
