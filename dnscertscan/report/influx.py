"""The report as influx line protocol, with the measurement, tag and fields that dns-cert-checker sends, and some more."""

from collections import Counter
from collections.abc import Iterator, Mapping

from dnscertscan.model.findings import Severity
from dnscertscan.model.records import HOST_TYPES
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.model.text import visible
from dnscertscan.report.datagrams import datagrams
from dnscertscan.report.standings import LABEL, ZoneNames

MEASUREMENT = "dns"
_UNREAD = frozenset({"zone-failed", "bad-record"})


def render_influx(report: Report) -> Iterator[bytes]:
    """Datagrams with one line for each zone, without a time: the receiver's counts, as it does for dns-cert-checker.

    Numbers have no suffix and so are floats. Records are counted once each, however many targets they lead to.
    """
    return datagrams(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    tally, totals = report.tally(), report.coverage.totals
    names = ZoneNames.of(totals, tally)
    by_zone: dict[str, Counter[str]] = {}
    for zone in {*(zone.zone for zone in totals), *tally.by_zone}:
        fields = by_zone.setdefault(_tag(names.label(zone)), Counter())
        severities = tally.by_zone.get(zone, Counter())
        fields["cert_warnings_total"] += severities[Severity.WARNING]
        fields["cert_errors_total"] += severities[Severity.ERROR]
    for one in totals:
        fields = by_zone[_tag(names.label(one.zone))]
        for state in State:
            fields[f"{state}_targets_total"] += one.count(state)
    _count_records(report, names, by_zone)
    seconds = (report.run.finished - report.run.started).total_seconds()
    for tag, fields in sorted(by_zone.items()):
        run = f"scan_complete={report.complete:d},process_time_secs={seconds:.3f}"
        yield f"{MEASUREMENT},zone={tag} {_fields(fields)},{run}"


def _count_records(report: Report, names: ZoneNames, by_zone: Mapping[str, Counter[str]]) -> None:
    seen: set[int] = set()
    for row in report.coverage.rows:
        kind = _type_of(row)
        number = hash((row.zone, row.record, row.origin))
        if kind and number not in seen:
            seen.add(number)
            fields = by_zone[_tag(names.label(row.zone))]
            fields[f"{kind.lower()}_records_total"] += 1
            fields["filtered_records_total"] += row.reason == "filtered"
            fields["ns_exceptions_total"] += row.state is State.FAILED and not row.ip_address and kind == "CNAME"


def _type_of(row: CoverageRow) -> str:
    """The type in the record's text (``NAME TYPE DATA``); empty for what is no record that could be used."""
    if row.reason in _UNREAD:
        return ""
    return next((word for word in row.record.split(" ")[1:] if word in HOST_TYPES), "")


_FIELDS = (
    "cname_records_total", "a_records_total", "filtered_records_total", "ns_exceptions_total", "cert_warnings_total",
    "cert_errors_total", "aaaa_records_total", "dname_records_total",
    *(f"{state}_targets_total" for state in State),
)


def _fields(fields: Mapping[str, int]) -> str:
    return ",".join(f"{name}={fields[name]}" for name in _FIELDS)


def _tag(text: str) -> str:
    r"""A tag's value: commas, equals signs and spaces escaped.

    A backslash becomes a slash. There is no escape for it: receivers take ``\\,`` for a backslash and an escaped comma, or for an
    escaped backslash and the end of the value.
    """
    shown = visible(text, LABEL).replace("\\", "/")
    for char in ",= ":
        shown = shown.replace(char, f"\\{char}")
    return shown
