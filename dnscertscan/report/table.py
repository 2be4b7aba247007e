"""The table for people: the same problem on many endpoints is said once, above the list of all of them."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, zip_longest

from dnscertscan.model.collected import Groups, grouped
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.report import Report
from dnscertscan.report.base import Format, in_chunks
from dnscertscan.report.columns import cells, pad, wrap
from dnscertscan.report.summary import summary
from dnscertscan.report.words import message_of, nameless, place_of

HEADERS = ("status", "code", "n", "endpoint", "message")

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_GAP = "  "
_GAPS = len(_GAP) * (len(HEADERS) - 1)
_PADDING = 2
"""A column is wider than its header by this at least."""
_NARROWEST = 20
"""Columns that endpoint and message keep each, however narrow the terminal."""
_STACKED, _LEAST = 72, 16
"""Narrower than the first, things stand below each other; narrower than the second, lines are as wide as that."""

Line = tuple[str, str, str, str, str]


def render_table(report: Report, width: int = 0, colour: bool = False) -> str:
    """Findings, worst first, then an empty line and the summary.

    ``width`` is how many cells of a terminal to fit into (0: no limit; below 72 there are no columns, below 16 it does not fit).
    ``colour`` adds ANSI colours; everything that came from outside is passed through ``visible``, so no other escape sequence can
    be there.
    """
    return "".join(table_pieces(report, width, colour=colour))


def table_pieces(report: Report, width: int = 0, *, colour: bool = False) -> Iterator[str]:
    """The text of :func:`render_table` line by line: the findings are gone through two or three times, and never held."""
    if len(report.findings):
        yield from _table(grouped(report.findings, _same), width, colour)
    else:
        yield "no findings"
    yield "\n\n"
    for line in summary(report):
        yield (_paint("31", line) if colour and line.startswith("INCOMPLETE") else line) + "\n"


@dataclass(slots=True)
class _Measures:
    """What has to be known of all lines before the first can be written."""

    sizes: "array[int]" = field(default_factory=lambda: array("L"))
    """How many endpoints each group has."""
    named: bytearray = field(default_factory=bytearray)
    """Whether all of a group have the same name, so that its message may say it."""
    code: int = 0
    endpoint: int = 0
    texts: tuple[int, int] = (0, 0)
    """The longest endpoint and message as they stand in their cells, without white space around them."""


def _table(groups: Groups[Finding], width: int, colour: bool) -> Iterator[str]:
    measures = _measured(groups)
    if 0 < width < _STACKED:
        yield from _stacked(groups, measures, max(width, _LEAST), colour)
        return
    limits = _limits(measures, width)
    texts = measures.texts if width <= 0 else _longest(_lines(groups, measures, limits))
    sizes = (max(map(len, map(str, Severity))), measures.code, len(str(max(measures.sizes))), *texts)
    widths = [max(cell, len(header) + _PADDING) for cell, header in zip(sizes, HEADERS, strict=True)]
    yield _row(HEADERS, widths) + "\n" + _row(["-" * size for size in widths], widths)
    for severity, line in _lines(groups, measures, limits):
        text = _row(line, widths)
        status = line[0]
        yield "\n" + (_paint(_COLOURS[severity], status) + text[len(status) :] if colour and status else text)


def _stacked(groups: Groups[Finding], measures: _Measures, width: int, colour: bool) -> Iterator[str]:
    """What each group is, its message and its endpoints below each other, for terminals too narrow for columns."""
    alike = (members for _, members in groupby(groups.ordered(), _same))
    for number, (size, named, members) in enumerate(zip(measures.sizes, measures.named, alike, strict=True)):
        first = next(members)
        status = str(first.severity)
        painted = _paint(_COLOURS[first.severity], status) if colour else status
        yield ("\n" if number else "") + f"{painted} {first.rule.code} {size}"
        yield from (f"\n  {line}" for line in wrap(_message(first, named), width - 2))
        for one in chain((first,), members):
            yield from (f"\n    {line}" for line in wrap(place_of(one), width - 4))


def _row(row: Iterable[str], widths: Iterable[int]) -> str:
    return _GAP.join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()


def _same(finding: Finding) -> tuple[int, str, str, str, str]:
    """What is the same but for the endpoint, the name that a message quotes among it; worst first, then by code."""
    at_fault = finding.certificate.sha256 if finding.certificate else ""
    return -finding.severity, finding.rule.code, nameless(finding), finding.store or "", at_fault


def _measured(groups: Groups[Finding]) -> _Measures:
    measures = _Measures()
    shown = message = 0
    for _, members in groupby(groups.ordered(), _same):
        first = next(members)
        size, named = 0, True
        for finding in chain((first,), members):
            endpoint = place_of(finding)
            measures.endpoint = max(measures.endpoint, cells(endpoint))
            shown = max(shown, cells(endpoint.strip()))
            named = named and finding.subject.fqdn == first.subject.fqdn
            size += 1
        measures.code = max(measures.code, len(first.rule.code))
        message = max(message, cells(_message(first, named).strip()))
        measures.sizes.append(size)
        measures.named.append(named)
    measures.texts = (shown, message)
    return measures


def _lines(groups: Groups[Finding], measures: _Measures, limits: tuple[int, int]) -> Iterator[tuple[Severity, Line]]:
    alike = (members for _, members in groupby(groups.ordered(), _same))
    for size, named, members in zip(measures.sizes, measures.named, alike, strict=True):
        first = next(members)
        right = wrap(_message(first, named), limits[1])
        left = (line for one in chain((first,), members) for line in wrap(place_of(one), limits[0], indent="  "))
        facts = (str(first.severity), first.rule.code, str(size))
        for at, (place, words) in enumerate(zip_longest(left, right, fillvalue="")):
            yield first.severity, (*(facts if at == 0 else ("", "", "")), place, words)


def _longest(lines: Iterable[tuple[Severity, Line]]) -> tuple[int, int]:
    endpoint = message = 0
    for _, line in lines:
        endpoint, message = max(endpoint, cells(line[3])), max(message, cells(line[4]))
    return endpoint, message


def _message(first: Finding, named: object) -> str:
    return message_of(first if named else replace(first, message=nameless(first)))


def _limits(measures: _Measures, width: int) -> tuple[int, int]:
    """Columns for endpoint and message; 0 is unlimited."""
    if width <= 0:
        return 0, 0
    headers = [len(header) + _PADDING for header in HEADERS]
    left = width - _GAPS - sum(map(max, headers, (len("warning"), measures.code, len(str(max(measures.sizes))))))
    endpoint = max(min(measures.endpoint, left // 2), _NARROWEST)
    return endpoint, max(left - endpoint, _NARROWEST)


def _paint(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


TABLE = Format("table", (".txt",), lambda report: in_chunks(table_pieces(report)))
