"""The report as StatsD gauges: days left of each endpoint and whether it was scanned, figures of each zone and of the scan."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report, State
from dnscertscan.report.datagrams import datagrams
from dnscertscan.report.standings import Standings, ZoneNames

PREFIX = "dnscertscan"
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")
_LONGEST = 300


def render_statsd(report: Report) -> Iterator[bytes]:
    """Datagrams of gauges. ``days_left`` are whole days from the start of the run, rounded down, of the most urgent endpoints.

    A server keeps the last value of a gauge that is not sent any more; so ``scanned`` is sent for an endpoint in any case, and
    0 says that its days left are those of an earlier scan. Several addresses of a name share a gauge: it has the least of their
    values. So do names that :func:`word` makes alike.
    """
    return datagrams(_gauges(report))


def _gauges(report: Report) -> Iterator[str]:
    run, tally, coverage = report.run, report.tally(), report.coverage
    yield gauge("scan.duration_seconds", round((run.finished - run.started).total_seconds(), 3))
    yield gauge("scan.complete", int(report.complete))
    for severity in Severity:
        yield gauge(f"scan.findings.{severity}", tally.severities[severity])
    for state in State:
        yield gauge(f"scan.targets.{state}", coverage.count(state))
    figures: dict[str, int] = {}
    names = ZoneNames.of(coverage.totals, tally)
    for zone in {*(zone.zone for zone in coverage.totals), *tally.by_zone}:
        for severity in Severity:
            key = f"zone.{word(names.label(zone))}.findings.{severity}"
            figures[key] = figures.get(key, 0) + (tally.by_zone[zone][severity] if zone in tally.by_zone else 0)
    for totals in coverage.totals:
        for state in State:
            key = f"zone.{word(names.label(totals.zone))}.targets.{state}"
            figures[key] = figures.get(key, 0) + totals.count(state)
    for name, number in sorted(figures.items()):
        yield gauge(name, number)
    yield from _endpoints(report)


def _endpoints(report: Report) -> Iterator[str]:
    standings, now = Standings.of(report), report.run.started
    least: dict[str, int] = {}
    for one in standings.endpoints:
        _, port, name = one.place
        figures = [("scanned", int(one.scanned))]
        ends = (("days_left", one.ends), ("chain_days_left", one.chain_end))
        figures += [(kind, days_left(end, now)) for kind, end in ends if end is not None]
        for kind, figure in figures:
            key = f"{kind}.{word(name)}.{port}"
            least[key] = min(figure, least.get(key, figure))
    for name, number in sorted(least.items()):
        yield gauge(name, number)
    yield gauge("scan.endpoints_omitted", standings.omitted)


def days_left(end: datetime, now: datetime) -> int:
    """Whole days, rounded down: negative from the first second after the end."""
    return (end - now) // timedelta(days=1)


def gauge(name: str, number: float) -> str:
    """The lines that set a gauge. A sign makes a number a change, so that one below zero starts from zero."""
    line = f"{PREFIX}.{name}:{number}|g"
    return f"{PREFIX}.{name}:0|g\n{line}" if number < 0 else line


def word(text: str) -> str:
    """One part of a gauge's name: dots separate parts, and what is neither letter nor digit may mean something to a receiver."""
    return _OTHER.sub("_", text[:_LONGEST]) or "_"
