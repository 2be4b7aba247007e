"""The report as one web page: nothing is fetched, nothing from outside is markup, and it is all there without its script."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report, State
from dnscertscan.model.text import visible
from dnscertscan.report import html_chain, html_timeline
from dnscertscan.report.base import in_chunks
from dnscertscan.report.describe import totals_object
from dnscertscan.report.html_findings import Found
from dnscertscan.report.html_lines import SHORT, zones_of
from dnscertscan.report.html_timeline import Calendar
from dnscertscan.report.summary import incomplete_reasons, summary

_FEW = 10
"""Of so many targets that were tried one may have failed in a run that is called healthy."""


def render_html(report: Report) -> Iterator[bytes]:
    """One self-contained document. Findings and observations are gone through a few times, and never held."""
    return in_chunks(_page(report))


def _page(report: Report) -> Iterator[str]:
    found = Found.of(report)
    calendar = Calendar(report.run.started)
    calendar.add(report.certificates())
    for observation in found.draw_from(report.observations):
        calendar.serve(observation)
    yield from _environment().get_template("report.html").generate(
        report=report, run=report.run, found=found, calendar=calendar, clusters=calendar.clusters(),
        tally=report.tally().severities, verdict=_verdict(report), summary=summary(report)[0],
        incomplete=incomplete_reasons(report), totals=_totals(report), zones=_zones(report), problems=report.coverage.problems,
        rules=[found.rules[code] for code in sorted(found.rules)],
    )


def _verdict(report: Report) -> tuple[str, str]:
    """(class, sentence) of the first thing that a reader sees. Targets that gave no answer never look healthy."""
    counted, coverage = report.tally().severities, report.coverage
    errors, warnings = (_number(counted[severity], str(severity)) for severity in (Severity.ERROR, Severity.WARNING))
    scanned, failed = coverage.count(State.SCANNED), coverage.count(State.FAILED)
    if counted[Severity.ERROR]:
        return "e", f"{errors} and {warnings} found"
    silent = f"; {_number(failed, 'target')} could not be looked at" if failed else ""
    if counted[Severity.WARNING]:
        return "w", f"No errors, {warnings} found{silent}"
    if not report.complete:
        return "w", "Nothing wrong was found in what could be looked at"
    if not scanned:
        return "w", "No certificate was looked at"
    if not failed:
        return "o", "No errors and no warnings"
    few = failed * _FEW <= scanned + failed
    return "o" if few else "w", f"No errors and no warnings in {_number(scanned, 'target')}; {failed:,} could not be looked at"


def _number(count: int, noun: str, nouns: str = "") -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {nouns or f'{noun}s'}"


def _kind(severity: Severity) -> str:
    """The class of a severity in the page: its first letter."""
    return str(severity)[0]


def _totals(report: Report) -> dict[str, Any]:
    zones = report.coverage.totals
    records, others = sum(zone.records for zone in zones), sum(zone.other_records for zone in zones)
    return totals_object(records, others, report.coverage.counts())


def _zones(report: Report) -> list[dict[str, Any]]:
    """A row for every zone that has records or findings."""
    by_zone = report.tally().by_zone
    empty = {"records": 0, **{str(state): 0 for state in State}}
    totals = {
        zone.zone: {"records": zone.records, **{str(state): zone.count(state) for state in State}}
        for zone in report.coverage.totals
    }
    return [
        {"zone": zone, **totals.get(zone, empty), **{str(one): by_zone.get(zone, Counter())[one] for one in Severity}}
        for zone in zones_of(report)
    ]


@cache
def _environment() -> Environment:
    """Whatever is put into the page is first made visible, then escaped: a template cannot forget either."""
    made = Environment(
        loader=PackageLoader("dnscertscan.report", "page"), autoescape=True, undefined=StrictUndefined, finalize=_safe,
        trim_blocks=True, lstrip_blocks=True,
    )
    made.filters |= {
        "paragraphs": _paragraphs, "moment": _moment, "thousands": "{:,}".format, "plural": _number, "shown": visible,
        "kind": _kind,
    }
    made.globals |= {
        "style": _asset("report.css"), "script": _asset("report.js"), "BOX": html_chain, "TIME": html_timeline,
        "SHORT": SHORT, "Severity": Severity,
    }
    return made


def _safe(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> tuple[Markup, str]:
    """A file of ours that goes into the page as it is, and the source expression that permits it (CSP 3, 2.3.1)."""
    text = (files("dnscertscan.report") / "page" / name).read_text(encoding="utf-8")
    digest = b64encode(sha256(text.encode()).digest()).decode("ascii")
    return Markup(text), f"'sha256-{digest}'"  # noqa: S704 - the package's own style and script, no text from outside


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _paragraphs(text: str) -> list[tuple[bool, list[str]]]:
    """(whether it is commands, text) of a rule's text, commands that follow each other together."""
    parts: list[tuple[bool, list[str]]] = []
    for command, lines in groupby(text.splitlines(), lambda line: line.startswith("    ")):
        if command:
            parts.append((True, [line[4:] for line in lines]))
        else:
            parts += [(False, [line]) for line in lines if line.strip()]
    return parts
