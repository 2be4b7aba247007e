"""One suite for every output format: what each of them must withstand, and what they must agree on."""

import csv
import io
import json
import re
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report import factory, readers
from report.exposed import prometheus_findings
from report.html_fleet import Page

from dnscertscan import report as report_package
from dnscertscan.errors import UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report import FORMATS, format_for
from dnscertscan.report.base import CHUNK, Format
from dnscertscan.report.cells import cell
from dnscertscan.report.csv_rows import COLUMNS


def many(count: int) -> Report:
    """``count`` findings of two kinds on as many endpoints, names in no order."""
    at_fault = [factory.reference(f"CN=host{number}.example.com", digest=f"{number:064x}") for number in range(count)]
    return factory.report(
        factory.finding(
            f'certificate "CN=host{number}.example.com" has expired', rule_hit=factory.EXPIRING if number % 2 else None,
            fqdn=f"host{(number * 7919) % count}.example.com", address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            certificate=at_fault[number],
        )
        for number in range(count)
    )


@pytest.fixture(params=list(FORMATS))
def style(request: pytest.FixtureRequest) -> Format:
    return FORMATS[request.param]


def rendered(style: Format, report: Report) -> bytes:
    return b"".join(style.render(report))


def csv_findings(document: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(document.decode(), newline="")))


def jsonl_findings(document: bytes) -> list[Any]:
    return [finding for line in document.splitlines() for finding in json.loads(line)["findings"]]


def table_findings(document: bytes) -> list[int]:
    """One item per finding, taken from the column that counts them."""
    header, _, *lines = document.decode().split("\n\n")[0].splitlines()
    at = header.index(" n ")
    counts = [int(line[at:].split()[0]) for line in lines if line[:7].strip()]
    return [number for count in counts for number in range(count)]


def html_findings(document: bytes) -> list[Any]:
    return Page(document).targets


COUNTED: dict[str, Callable[[bytes], list[Any]]] = {
    "csv": csv_findings, "json": lambda document: json.loads(document)["findings"], "jsonl": jsonl_findings,
    "table": table_findings, "html": html_findings, "xlsx": readers.xlsx_findings, "sarif": readers.sarif_results,
    "junit": readers.junit_findings, "markdown": readers.markdown_findings, "github": readers.github_findings,
    "prometheus": prometheus_findings,
}


def test_every_format_module_is_registered() -> None:
    """A format that exists in the folder can be asked for: none is forgotten in the list."""
    folder = Path(report_package.__file__).parent
    renderer = re.compile(r"^def render_\w+\(report: Report\) -> Iterator\[bytes\]:|^TABLE = ", re.MULTILINE)
    offering = {path.stem for path in folder.glob("*.py") if renderer.search(path.read_text())}
    offering -= {"coverage", "influx", "statsd"}  # these have options of their own: --coverage, --stat-endpoint
    assert {plugin.render.__module__.rsplit(".", 1)[1] for plugin in FORMATS.values()} == offering
    assert [name for name, plugin in FORMATS.items() if name != plugin.name] == []


def test_endings_choose_the_format() -> None:
    """The ending, in any case, chooses; one that nobody knows is a usage error naming path and endings."""
    asked = ["a.csv", "b.JSON", "c.d.jsonl", "out.txt", "r.HTML", "r.xlsx", "r.sarif", "r.xml", "r.md", "r.prom"]
    known = ["csv", "json", "jsonl", "table", "html", "xlsx", "sarif", "junit", "markdown", "prometheus"]
    assert [format_for(Path(name)).name for name in asked] == known
    for unknown in ("report.doc", "report", "csv", ".csv"):
        with pytest.raises(UsageError, match=rf"{unknown}: its ending is none of \.csv \.json \.jsonl"):
            format_for(Path(unknown))
    endings = [ending for plugin in FORMATS.values() for ending in plugin.endings]
    assert len(endings) == len(set(endings))


def test_an_empty_report_is_a_valid_document(style: Format) -> None:
    """Nothing to report is a document too: header, empty lists, a sentence."""
    empty = rendered(style, factory.report())
    expected = {"csv": (",".join(COLUMNS) + "\r\n").encode(), "jsonl": b"", "table": b"no findings\n\n0 records -> 0 targets: "}
    if style.name == "json":
        document = json.loads(empty)
        assert (document["targets"], document["certificates"], document["findings"]) == ([], {}, [])
    elif style.name == "table":
        assert empty.startswith(expected["table"])
    elif style.name == "html":
        page = Page(empty)
        assert (page.entries, page.targets, page.tags.count("main")) == ([], [], 1)
    elif style.name in expected:
        assert empty == expected[style.name]
    else:
        assert COUNTED[style.name](empty) == []


def test_rendering_is_deterministic(style: Format) -> None:
    """The same run gives the same octets, however often."""
    assert rendered(style, factory.rich_report()) == rendered(style, factory.rich_report())


def test_formats_agree_on_the_number_of_findings() -> None:
    """Every finding is in every format; only the CSV leaves information out, because its status knows error and warning."""
    for report in (factory.rich_report(), factory.hostile_report(), many(500)):
        counts = {name: len(COUNTED[name](rendered(FORMATS[name], report))) for name in FORMATS}
        informative = report.severities()[Severity.INFO]
        expected = dict.fromkeys(FORMATS, len(report.findings)) | {"csv": len(report.findings) - informative}
        assert counts == expected


def test_hostile_text_is_harmless(style: Format) -> None:
    """Text from DNS, certificates and servers reaches no terminal, spreadsheet or line-based reader as anything but text."""
    document = readers.text_of(style, rendered(style, factory.hostile_report()))  # valid UTF-8 to begin with
    ends = {"csv": "\r\n"}.get(style.name, "\n")
    bare = document.replace(ends, "")
    assert visible(f"-{bare}", len(bare) + 1) == f"-{bare}"  # what GitHub reads begins with a command of ours
    assert "forged line" in document
    assert not any(line.startswith("ERROR forged") for line in document.splitlines())
    own = [line for line in document.splitlines() if line.startswith(("::error ", "::warning ", "::notice "))]
    assert readers.obeyed(document) == (own if style.name == "github" else [])


def test_csv_cells_survive_the_csv_module() -> None:
    """What the csv module reads back is the made-visible text, cell by cell; none can start a formula."""
    rows = csv_findings(rendered(FORMATS["csv"], factory.hostile_report()))
    for column in ("message", "fqdn", "zone", "subject", "source"):
        assert [row[column] for row in rows] == [cell(text) for text in factory.HOSTILE.values()]
    assert [value for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))] == []
    assert all(len(value) < 2100 for row in rows for value in row.values())


def test_json_keeps_text_raw() -> None:
    """JSON is for programs: every text comes back exactly, also NUL, surrogates and 100 kB subjects."""
    document = json.loads(rendered(FORMATS["json"], factory.hostile_report()))
    assert {finding["message"] for finding in document["findings"]} == set(factory.HOSTILE.values())
    assert {finding["certificate"]["subject"] for finding in document["findings"]} == set(factory.HOSTILE.values())
    assert {target["fqdn"] for target in document["targets"]} == set(factory.HOSTILE.values())


def test_unparseable_certificates_keep_their_octets() -> None:
    """A certificate of garbage is reported with null facts and its octets, in JSON and JSONL."""
    garbage = Certificate(b"\x30\x82\xff\xff not DER \x1b")
    one = factory.report([], [factory.observation(factory.handshake((garbage,)))])
    held = json.loads(rendered(FORMATS["json"], one))["certificates"][garbage.sha256]
    assert held["subject"] is held["not_after"] is None
    assert held["pem"].startswith("-----BEGIN CERTIFICATE-----\nMIL//y")
    assert json.loads(rendered(FORMATS["jsonl"], one))["certificates"][garbage.sha256]["serial"] is None


@pytest.fixture(scope="module")
def hundred_thousand() -> Report:
    return many(100_000)


def sizes_of(style: Format, report: Report) -> list[int]:
    return [len(chunk) for chunk in style.render(report)]


@pytest.mark.parametrize("name", ["json", "jsonl", "table", "html", "xlsx", "sarif", "junit", "markdown", "github"])
def test_a_hundred_thousand_findings_are_quick(name: str, hundred_thousand: Report) -> None:
    """A large fleet's report is written in seconds, in pieces."""
    started = time.monotonic()
    sizes = sizes_of(FORMATS[name], hundred_thousand)
    assert time.monotonic() - started < 30
    assert sum(sizes) > (5_000_000 if FORMATS[name].binary else 10_000_000)
    assert name == "table" or max(sizes) < 2 * CHUNK


def test_csv_of_a_hundred_thousand_findings_is_never_in_memory(hundred_thousand: Report) -> None:
    """The CSV of a large fleet is made row by row: 35 MB pass through a buffer of some pieces."""
    size, peak = traced(FORMATS["csv"], hundred_thousand)
    assert size > 30_000_000
    assert peak < 1_000_000


@pytest.mark.parametrize("name", ["json", "jsonl", "sarif", "junit"])
def test_rendering_needs_less_memory_than_the_document(name: str) -> None:
    """Beyond the report itself a renderer holds an index and one piece, not the document."""
    size, peak = traced(FORMATS[name], many(10_000))
    assert peak < size / 3, (peak, size)


def traced(style: Format, report: Report) -> tuple[int, int]:
    """Octets rendered, and the most memory that rendering held at once."""
    tracemalloc.start()
    try:
        size = sum(sizes_of(style, report))
        return size, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
