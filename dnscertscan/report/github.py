"""Annotations for a GitHub workflow: lines on standard output that its runner reads.

The grammar is that of "Workflow commands" in GitHub's documentation: ``::error file=F,line=N,title=T::message``. In values, per
cent signs and line ends are written as ``%25``, ``%0D``, ``%0A``, in those before the message colons and commas, too.
"""

from collections.abc import Iterator

from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report.base import Format, in_chunks
from dnscertscan.report.joined import Joined, Source, Sources
from dnscertscan.report.summary import incomplete_reasons, summary
from dnscertscan.report.words import message_of, place_of

SUMMARY_ROOM = 1024 * 1024
"""Octets that GitHub takes as the summary of one step; of a larger one it shows nothing."""
_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(report: Report) -> Iterator[bytes]:
    """What is missing and the summary, then a line for each finding, worst first: GitHub shows the first ten of each kind."""
    return in_chunks(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    if reasons := incomplete_reasons(report):  # one line: GitHub shows ten errors, and findings are to be among them
        yield command("error", "; ".join(reasons), title="dnscertscan: incomplete")
    yield command("notice", summary(report)[0], title="dnscertscan")
    joined, sources, counted = Joined(report), Sources(report), report.severities()
    for severity in sorted(_COMMANDS, reverse=True):
        if counted[severity]:
            for named in joined:
                for finding, source in sources.located(named):
                    if finding.severity == severity:
                        yield _annotation(finding, source)


def _annotation(finding: Finding, source: Source | None) -> str:
    place = {"file": source.place, "line": "1"} if source and source.is_file else {}
    read = f"; {visible(source.text)}" if source else ""
    words = f"{message_of(finding)} ({place_of(finding)}{read})"
    return command(_COMMANDS[finding.severity], words, **place, title=f"{finding.rule.code} {finding.rule.slug}")


def command(name: str, message: str, **properties: str) -> str:
    """One workflow command on a line of its own; whatever the texts hold, it is one command and the one that is meant."""
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name}{f' {given}' if given else ''}::{_data(message)}\n"


def _data(text: str) -> str:
    return visible(text, 100_000).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


GITHUB = Format("github", (), render_github)
