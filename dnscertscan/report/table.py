"""The table for people: the same problem on many endpoints is said once, above the list of all of them."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from tabulate import MIN_PADDING, tabulate

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report.base import Format, in_chunks
from dnscertscan.report.summary import summary

HEADERS = ("status", "code", "n", "endpoint", "message")

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_GAPS = 2 * (len(HEADERS) - 1)
_NARROWEST = 20
"""Columns that endpoint and message keep each, however narrow the terminal."""

Line = tuple[str, str, str, str, str]
Group = tuple[Finding, list[str]]


def render_table(report: Report, width: int = 0, colour: bool = False) -> str:
    """Findings, worst first, then an empty line and the summary.

    ``width`` is the number of columns to fit into (0: no limit; below about 70 the text columns stop shrinking). ``colour``
    adds ANSI colours; everything that came from outside is passed through ``visible``, so no other escape sequence can be there.
    """
    return "".join(_text(report, width, colour))


def _text(report: Report, width: int, colour: bool) -> Iterator[str]:
    groups = _groups(report.findings)
    if groups:
        lines = _wrapped(groups, width)
        rows = [(_painted(severity, line[0], colour), *line[1:]) for severity, line in lines]
        yield tabulate(rows, headers=HEADERS, tablefmt="simple", disable_numparse=True)
    else:
        yield "no findings"
    yield "\n\n"
    for line in summary(report):
        yield (_paint("31", line) if colour and line.startswith("INCOMPLETE") else line) + "\n"


def _groups(findings: Iterable[Finding]) -> list[Group]:
    """What is the same but for the endpoint, each with the endpoints it holds for; worst first, then by code."""
    groups: dict[tuple[int, str, str, str, str], Group] = {}
    for finding in findings:
        at_fault = finding.certificate.sha256 if finding.certificate else ""
        same = (-finding.severity, finding.rule.code, finding.message, finding.store or "", at_fault)
        groups.setdefault(same, (finding, []))[1].append(_endpoint(finding))
    return [groups[same] for same in sorted(groups)]


def _endpoint(finding: Finding) -> str:
    at = finding.subject
    name = visible(at.fqdn or at.zone, 260) or "-"
    named = f"{name} (for {visible(at.wildcard, 260)})" if at.wildcard else name
    if at.ip_address:
        return f"{visible(Endpoint(at.ip_address, at.port or 0).text)} {named}"
    return f"{named} port {at.port}" if at.port else named


def _message(finding: Finding) -> str:
    words = visible(finding.message)
    only = visible(finding.store or "", 260)
    return f"{words} (trust store {only})" if only and only not in words else words


def _wrapped(groups: Sequence[Group], width: int) -> Iterator[tuple[Severity, Line]]:
    endpoint_width, message_width = _widths(groups, width)
    for finding, endpoints in groups:
        left = [line for endpoint in endpoints for line in _wrap(endpoint, endpoint_width, indent="  ")]
        right = _wrap(_message(finding), message_width)
        first = (str(finding.severity), finding.rule.code, str(len(endpoints)))
        for at, (place, words) in enumerate(zip_longest(left, right, fillvalue="")):
            yield finding.severity, (*(first if at == 0 else ("", "", "")), place, words)


def _widths(groups: Sequence[Group], width: int) -> tuple[int, int]:
    """Columns for endpoint and message; 0 is unlimited."""
    if width <= 0:
        return 0, 0
    headers = [len(header) + MIN_PADDING for header in HEADERS]  # tabulate gives no column less
    codes = max(len(finding.rule.code) for finding, _ in groups)
    counts = max(len(str(len(endpoints))) for _, endpoints in groups)
    left = width - _GAPS - sum(map(max, headers, (len("warning"), codes, counts)))
    longest = max(len(endpoint) for _, endpoints in groups for endpoint in endpoints)
    endpoint_width = max(min(longest, left // 2), _NARROWEST)
    return endpoint_width, max(left - endpoint_width, _NARROWEST)


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    if not width or len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def _painted(severity: Severity, text: str, colour: bool) -> str:
    return _paint(_COLOURS[severity], text) if colour and text else text


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


TABLE = Format("table", (".txt",), lambda report: in_chunks(_text(report, 0, colour=False)))
