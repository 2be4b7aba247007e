"""JUnit XML for Jenkins, GitLab and GitHub: a suite for each zone, a case for each target that is well and for each fault.

Many readers show only the first failure of a case, so that each has a case of its own. Written piece by piece: the libraries
for this format hold the whole tree.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import FailureKind
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.model.text import visible
from dnscertscan.report.base import Format, in_chunks, utc
from dnscertscan.report.joined import Joined, Named, source_of
from dnscertscan.report.words import message_of, place_of, place_text

_CUT = 500
"""From so many characters on a name may have been cut to be shown; a digest tells such names apart."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A line of the coverage ledger without failure, or one failure; ``notes`` are findings that fail nothing."""

    row: CoverageRow | None
    failure: Finding | None
    notes: list[Finding]
    again: bool = False
    """Whether an earlier row has the same target, so that only the record tells them apart."""
    seconds: float = 0.0
    number: int = 1
    """Counts the cases of one name that would be called the same."""

    @property
    def outcome(self) -> str:
        """``failures``, ``errors`` or ``skipped`` as the attributes of a suite are called; empty when the case passes."""
        if self.failure:
            return "failures"
        if self.row is None or self.row.state is State.SCANNED:
            return ""
        return "errors" if self.row.reason == FailureKind.ENGINE.value else "skipped"


@dataclass(slots=True)
class _Counts:
    tests: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=lambda: {"failures": 0, "errors": 0, "skipped": 0})

    def add(self, case: _Case) -> None:
        self.tests += 1
        self.seconds += case.seconds
        if case.outcome:
            self.outcomes[case.outcome] += 1

    @property
    def attributes(self) -> dict[str, str]:
        return {"tests": str(self.tests), **{name: str(count) for name, count in self.outcomes.items()}}


def render_junit(report: Report) -> Iterator[bytes]:
    """One document. Errors and warnings are failures, information is the output of a case.

    A target that gave no certificate is skipped, with the reason: that is an answer, and ``--fail-on-unreachable`` makes it a
    finding. A target that several zones lead to fails in the one whose row was scanned, and is skipped in the others.
    """
    return in_chunks(_document(report))


def _document(report: Report) -> Iterator[str]:
    joined = Joined(report)
    zones: dict[str, _Counts] = {}
    whole = _Counts()
    for zone, case in _cases(joined):  # a suite begins with its counts
        whole.add(case)
        zones.setdefault(zone, _Counts()).add(case)
    started = utc(report.run.started) or ""
    lasted = (report.run.finished - report.run.started).total_seconds()
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield _open("testsuites", {"name": "dnscertscan", **whole.attributes, "time": f"{lasted:.3f}", "timestamp": started}) + "\n"
    for zone, cases in groupby(_cases(joined), lambda pair: pair[0]):
        counts = zones[zone]
        head = {"name": visible(zone, 260), **counts.attributes, "time": f"{counts.seconds:.3f}", "timestamp": started}
        yield _open("testsuite", head) + "\n"
        for _, case in cases:
            yield from _case(zone, case)
        yield "</testsuite>\n"
    yield "</testsuites>\n"


def _cases(joined: Joined) -> Iterator[tuple[str, _Case]]:
    for named in joined:
        counted: Counter[str] = Counter()
        for case in _cases_of(named):
            counted[name := _name(case)] += 1
            yield named.zone, case if counted[name] == 1 else replace(case, number=counted[name])


def _cases_of(named: Named) -> Iterator[_Case]:
    """The cases of each row; findings go to the first row of their target that was looked at, else to the name's first row."""
    found: dict[tuple[str, int | None, str], list[Finding]] = {}
    targets = {_target(row) for row in named.rows}
    nearest = _target(named.rows[0]) if named.rows else None
    for finding in named.findings:
        at = finding.subject
        target = (at.ip_address, at.port, at.record if finding.rule.slug == "bad-record" else "")
        found.setdefault(target if target in targets or nearest is None else nearest, []).append(finding)
    scanned = {_target(row) for row in named.rows if row.state is not State.SKIPPED}
    met: set[tuple[str, int | None, str]] = set()
    for row in named.rows:
        target = _target(row)
        passes = row.state is State.SKIPPED and target in scanned
        yield from _cases_with(row, [] if passes else found.pop(target, []), again=target in met)
        met.add(target)
    for findings in found.values():
        yield from _cases_with(None, findings, again=False)


def _cases_with(row: CoverageRow | None, findings: Sequence[Finding], *, again: bool) -> Iterator[_Case]:
    failures = [finding for finding in findings if finding.severity >= Severity.WARNING]
    notes = [finding for finding in findings if finding.severity < Severity.WARNING]
    seconds = row.seconds or 0.0 if row else 0.0
    if not failures:
        yield _Case(row, None, notes, again, seconds=seconds)
    for failure in failures:
        yield _Case(row, failure, notes, again, seconds)
        notes, seconds = [], 0.0  # the first case has them


def _target(row: CoverageRow) -> tuple[str, int | None, str]:
    """What findings and rows are joined by; of what is no host, the record."""
    return row.ip_address, row.port, "" if row.fqdn else row.record


def _case(zone: str, case: _Case) -> Iterator[str]:
    row = case.row
    head = {"classname": visible(zone, 260), "name": _name(case) + (f" ({case.number})" if case.number > 1 else "")}
    source = source_of(row) if row else None
    if source is not None and source.is_file:
        head["file"] = visible(source.place)
    head["time"] = f"{case.seconds:.3f}"
    body = [_failure(case.failure)] if case.failure else []
    if row is not None and case.outcome in ("errors", "skipped"):
        why = visible(f"{row.reason}: {row.detail}" if row.detail else row.reason)
        body.append(_whole("error", {"type": visible(row.reason), "message": why}) if case.outcome == "errors"
                    else _whole("skipped", {"message": why}))
    notes = [f"{_head(finding)}: {message_of(finding)}" for finding in case.notes]
    if notes:
        body.append(_whole("system-out", {}, notes))
    if body:
        yield _open("testcase", head) + "\n"
        yield from body
        yield "</testcase>\n"
    else:
        yield _whole("testcase", head)


def _name(case: _Case) -> str:
    """The target, and what is wrong with it; with its number no two cases of a suite have the same."""
    row, failure = case.row, case.failure
    if failure is not None and (row is None or row.fqdn):
        name = place_of(failure)
    elif row is None:
        name = place_of(case.notes[0])
    elif row.fqdn:
        name = place_text(row.ip_address, row.port, row.fqdn, row.wildcard)
    else:
        name = " ".join(filter(None, (visible(row.zone, 260), visible(row.record, 260))))
    if case.again and row is not None:
        name = f"{name} [{visible(row.record, 500)}]"
    whole = "\n".join((failure.subject.fqdn if failure else "", *((row.fqdn, row.record) if row else ())))
    if len(whole) > _CUT:  # something of it may be missing
        name = f"{name} #{sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    return f"{name}: {failure.rule.code} {failure.rule.slug}" if failure else name


def _failure(finding: Finding) -> str:
    shown = finding.certificate or finding.leaf
    lines = [f"{_head(finding)}: {message_of(finding)}"]
    if finding.subject.record:
        lines.append(f"record: {visible(finding.subject.record)}")
    if shown is not None:
        lines.append(f"certificate: {visible(shown.subject)} (serial {visible(shown.serial)}, sha256 {visible(shown.sha256)})")
    # The first of its paragraphs: a hundred thousand of the whole would be more than services take.
    lines += [f"fix: {finding.rule.fix.partition(chr(10))[0]}", f"more: dnscertscan explain {finding.rule.code}"]
    return _whole("failure", {"type": f"{finding.rule.code} {finding.rule.slug}", "message": message_of(finding)}, lines)


def _head(finding: Finding) -> str:
    return f"{finding.severity} {finding.rule.code} {finding.rule.slug}"


def _open(name: str, attributes: Mapping[str, str]) -> str:
    return f"<{name}{''.join(f' {key}={quoteattr(value)}' for key, value in attributes.items())}>"


def _whole(name: str, attributes: Mapping[str, str], lines: Iterable[str] = ()) -> str:
    text = "\n".join(map(escape, lines))
    start = _open(name, attributes)
    return f"{start}{text}</{name}>\n" if text else f"{start[:-1]}/>\n"


JUNIT = Format("junit", (".xml",), render_junit)
