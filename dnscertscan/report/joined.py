"""Findings beside the rows of the coverage ledger that they belong to, name by name; and where their records were read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

from dnscertscan.model.collected import grouped
from dnscertscan.model.findings import Finding
from dnscertscan.model.names import DnsName
from dnscertscan.model.report import CoverageRow, Report, State

Key = tuple[str, str, str, int]
Member = CoverageRow | Finding
_LOCATOR = re.compile(r"(?s)(.*?)(?: record ([0-9]{1,18}))?(?: \(the name was seen in [^()]*\))?")
"""What ``Origin.locator`` and the ledger's ``origin`` column are made of."""


@dataclass(frozen=True, slots=True)
class Named:
    """All that a report has of one name of one zone, sorted by address and port. The zone itself is a name, too."""

    zone: str
    name: str
    rows: list[CoverageRow]
    findings: list[Finding]


class Joined:
    """Every row and every finding once, in the order of zones and names; no more than one name is held.

    Can be gone through again: what that takes is sorted once. A finding on a target that several zones lead to stands in the
    first of them, which is the one whose row was scanned.
    """

    def __init__(self, report: Report) -> None:
        problems = report.coverage.problems
        self._spelt = {problem.zone or problem.source: _canonical(problem.zone) or problem.source for problem in problems}
        self._rows = grouped(report.coverage.rows, self._of_row)
        self._findings = grouped(report.findings, _of_finding)

    def __iter__(self) -> Iterator[Named]:
        rows: Iterator[tuple[Key, Member]] = ((self._of_row(row), row) for row in self._rows.ordered())
        findings: Iterator[tuple[Key, Member]] = ((_of_finding(finding), finding) for finding in self._findings.ordered())
        for (zone, name), members in groupby(merge(rows, findings, key=lambda pair: pair[0]), lambda pair: pair[0][:2]):
            named = Named(zone, name, [], [])
            for _, member in members:
                if isinstance(member, Finding):
                    named.findings.append(member)
                else:
                    named.rows.append(member)
            yield named

    def _of_row(self, row: CoverageRow) -> Key:
        zone = row.zone if row.fqdn else self._spelt.get(row.zone, row.zone)
        return zone, row.fqdn or zone, row.ip_address, -1 if row.port is None else row.port


def _of_finding(finding: Finding) -> Key:
    at = finding.subject
    zone = at.zone.split(", ")[0]
    return zone, at.fqdn or zone, at.ip_address, -1 if at.port is None else at.port


def _canonical(zone: str) -> str:
    return DnsName.parse(zone).text


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record was read: ``place`` is a file's path or ``dns://server:port/zone``; ``record`` counts from 1 in its zone."""

    place: str
    record: int | None = None
    zone: str = ""

    @property
    def is_file(self) -> bool:
        """Whether the place is a file and not a server."""
        return not re.match(r"[a-z][a-z0-9+.-]*://", self.place)

    @property
    def text(self) -> str:
        """``zones.json record 17``."""
        return self.place if self.record is None else f"{self.place} record {self.record}"


def source_of(row: CoverageRow) -> Source | None:
    """Where the record of a ledger row was read."""
    found = _LOCATOR.fullmatch(row.origin)
    if not row.origin or found is None:
        return None
    return Source(found[1], int(found[2]) if found[2] else None, row.zone)


class Sources:
    """Where the records behind findings were read, as far as the report tells."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._problems: dict[tuple[str, str], Source] = {}
        self._by_zone: dict[str, Source] | None = None
        self._only: Source | None = None
        for problem in report.coverage.problems:
            number = re.fullmatch(r"record ([0-9]{1,18})", problem.record)
            place = Source(problem.source, int(number[1]) if number else None, _canonical(problem.zone))
            self._problems.setdefault((_canonical(problem.zone) or problem.source, problem.record), place)

    def located(self, named: Named) -> Iterator[tuple[Finding, Source | None]]:
        """The findings of a name, each with the place of its record.

        That is the record that leads to the very endpoint, else one of the name, else the file (or server) of the zone, else the
        only one of the run; None when there are several.
        """
        exact: dict[tuple[str, int | None], CoverageRow] = {}
        for row in sorted(named.rows, key=lambda row: row.state is State.SKIPPED):  # what was looked at stands first
            exact.setdefault((row.ip_address, row.port), row)
        any_row = next(iter(exact.values()), None)
        for finding in named.findings:
            at = finding.subject
            problem = None if at.ip_address else self._problems.get((at.fqdn, at.record))
            nearest = exact.get((at.ip_address, at.port), any_row)
            yield finding, problem or (nearest and source_of(nearest)) or self._of_zone(named.zone)

    def _of_zone(self, zone: str) -> Source | None:
        if self._by_zone is None:
            self._by_zone = {}
            for row in self._report.coverage.rows:
                if row.zone not in self._by_zone and (found := source_of(row)):
                    self._by_zone[row.zone] = Source(found.place, None, row.zone)
            places = {source.place for source in (*self._by_zone.values(), *self._problems.values())}
            self._only = Source(places.pop()) if len(places) == 1 else None
        return self._by_zone.get(zone, self._only)
