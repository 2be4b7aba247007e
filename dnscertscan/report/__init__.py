"""Outputs: a report as text for people and programs. A new format is one new file and one line here."""

from pathlib import Path

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible
from dnscertscan.registry import Registry
from dnscertscan.report.base import Format, later
from dnscertscan.report.csv_rows import CSV
from dnscertscan.report.github import GITHUB
from dnscertscan.report.json_report import JSON
from dnscertscan.report.jsonl import JSONL
from dnscertscan.report.junit import JUNIT
from dnscertscan.report.markdown import MARKDOWN
from dnscertscan.report.sarif import SARIF
from dnscertscan.report.table import TABLE

__all__ = ["FORMATS", "Format", "format_for"]

HTML = Format("html", (".html", ".htm"), later("dnscertscan.report.html_report", "render_html"))
XLSX = Format("xlsx", (".xlsx",), later("dnscertscan.report.xlsx", "render_xlsx"), binary=True)
PROMETHEUS = Format("prometheus", (".prom",), later("dnscertscan.report.prometheus", "render_prometheus"))

FORMATS: Registry[Format] = Registry(
    "output format",
    [
        (plugin.name, plugin)
        for plugin in (
            CSV, JSON, JSONL, TABLE, HTML, XLSX, SARIF, JUNIT, MARKDOWN, GITHUB, PROMETHEUS,
        )
    ],
)


def format_for(path: Path) -> Format:
    """The format that the ending of a file name asks for, in any case; :class:`UsageError` when none does."""
    ending = path.suffix.lower()
    for plugin in FORMATS.values():
        if ending in plugin.endings:
            return plugin
    known = " ".join(known for plugin in FORMATS.values() for known in plugin.endings)
    shown = visible(str(path))
    raise UsageError(f"cannot tell the output format of {shown}: its ending is none of {known}; end its name in one of them")
