"""Markdown (GitHub's and GitLab's kind): a page for a wiki, a comment or the summary of a job.

What comes from outside stands in code spans. In these nothing is markup, a link, a mention or an emoji; the two characters that
end a span or a cell of a table are written as escapes.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from itertools import groupby

from dnscertscan.model.collected import grouped
from dnscertscan.model.findings import Finding, Rule, Severity
from dnscertscan.model.report import Report, State
from dnscertscan.model.rule_text import markdown_help
from dnscertscan.model.text import visible
from dnscertscan.report.base import Format, in_chunks, utc
from dnscertscan.report.summary import incomplete_reasons, summary
from dnscertscan.report.words import message_of, place_of

_CUT = "\n\n**Cut here: there is no room for more.** The files of this run have all of it.\n"


def render_markdown(report: Report) -> Iterator[bytes]:
    """Verdict, coverage, totals of zones, then the findings by rule, worst first, a line for each."""
    return in_chunks(_page(report))


def job_summary(report: Report, room: int) -> Iterator[bytes]:
    """The same in at most ``room`` octets, cut between two lines with a note that says so; nothing when not even that fits."""
    left = room - len(_CUT.encode())
    for text in _page(report):
        piece = text.encode()
        if len(piece) > left:
            if left >= 0:
                yield _CUT.encode()
            return
        left -= len(piece)
        yield piece


def code(text: str, limit: int = 2000) -> str:
    """A code span on one line that says ``text``, or nothing for nothing."""
    return _span(visible(text, limit))


def _span(shown: str) -> str:
    """The same for a text that is safe to show."""
    inside = shown.replace("`", "\\x60").replace("|", "\\x7c")
    return f"`{inside}`" if inside else ""


def _page(report: Report) -> Iterator[str]:
    run, severities = report.run, report.severities()
    yield "# dnscertscan\n\n"
    yield ", ".join(f"**{_number(severities[one], str(one))}**" for one in (Severity.ERROR, Severity.WARNING)) + ".\n"
    yield f"{summary(report)[0]}.\n"
    yield f"Run of {utc(run.started)}, dnscertscan {code(run.version)}, engine {code(run.engine)}.\n"
    for reason in incomplete_reasons(report):
        yield f"\n> **Incomplete:** {_span(reason)}\n"
    yield from _zones(report)
    yield from _findings(report)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _zones(report: Report) -> Iterator[str]:
    by_zone = report.tally().by_zone
    totals = {zone.zone: zone for zone in report.coverage.totals}
    names = sorted({*totals, *(zone for zone in by_zone if zone)})
    if not names:
        return
    yield "\n## Zones\n\n"
    yield _row("zone", "records", *map(str, State), *map(str, reversed(Severity)))
    yield _row("---", *["---:"] * (1 + len(State) + len(Severity)))
    for name in names:
        zone, counted = totals.get(name), by_zone.get(name, Counter())
        states = (zone.count(state) if zone else 0 for state in State)
        numbers = (zone.records if zone else 0, *states, *(counted[severity] for severity in reversed(Severity)))
        yield _row(code(name, 260), *map(str, numbers))


def _findings(report: Report) -> Iterator[str]:
    yield "\n## Findings\n"
    sizes = Counter(_kind(finding) for finding in report.findings)
    if not sizes:
        yield "\nNothing was found.\n"
    for kind, members in groupby(grouped(report.findings, _kind).ordered(), _kind):
        yield from _section(sizes[kind], members)


def _kind(finding: Finding) -> tuple[int, str]:
    return -finding.severity, finding.rule.code


def _section(size: int, members: Iterator[Finding]) -> Iterator[str]:
    for number, finding in enumerate(members):
        if number == 0:
            yield from _heading(finding.rule, finding.severity, size)
        shown = finding.certificate or finding.leaf
        end = shown.not_after if shown else None
        yield _row(
            _span(place_of(finding)), _span(message_of(finding)), f"{end.astimezone(UTC):%Y-%m-%d}" if end else "",
            code(finding.subject.record),
        )


def _heading(rule: Rule, severity: Severity, size: int) -> Iterator[str]:
    yield f"\n### {rule.code} {rule.slug}: {rule.title} ({severity}, {size:,})\n\n"
    yield f"{markdown_help(rule)}\n\n"
    yield _row("endpoint", "what is wrong", "ends", "record")
    yield _row("---", "---", "---", "---")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


MARKDOWN = Format("markdown", (".md", ".markdown"), render_markdown)
