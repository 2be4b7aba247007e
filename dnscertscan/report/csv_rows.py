"""The CSV report: one row per finding per endpoint, errors and warnings only."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.report import Report
from dnscertscan.report.base import Format, utc
from dnscertscan.report.cells import Value, csv_document

COLUMNS = (
    "ip_address", "port", "fqdn", "status", "message",
    "code", "zone", "subject", "issuer", "not_after", "days_left", "sha256", "serial", "ct", "source", "fingerprint",
    "first_seen",
)
"""The order is a promise: the first five are what older scripts read by position."""


def finding_row(finding: Finding, now: datetime) -> Sequence[Value]:
    """One row in the order of :data:`COLUMNS`.

    The certificate columns describe the certificate at fault, or the served leaf when no certificate is. ``days_left`` are
    whole days from ``now`` (rounded down, so negative from the first second after the end). ``ct`` is about the served leaf:
    ``logged``, ``not-logged``, ``unknown``, ``private``, or ``not-checked``. ``first_seen`` is filled in by runs with a history.
    """
    at = finding.subject
    shown = finding.certificate or finding.leaf
    facts: tuple[Value, ...] = ("", "", None, None, "", "")
    if shown is not None:
        end = shown.not_after
        days_left = None if end is None else (end - now) // timedelta(days=1)
        facts = (shown.subject, shown.issuer, utc(end), days_left, shown.sha256, shown.serial)
    return (
        at.ip_address, at.port, at.fqdn, str(finding.severity), finding.message, finding.rule.code, at.zone,
        *facts, finding.ct or "not-checked", at.record, finding.fingerprint, "",
    )


def render_csv(report: Report) -> Iterator[bytes]:
    """Header and rows; days are counted from the start of the run, so that two runs soon after each other agree."""
    now = report.run.started
    findings = (finding for finding in report.findings if finding.severity >= Severity.WARNING)
    return csv_document(COLUMNS, (finding_row(finding, now) for finding in findings))


CSV = Format("csv", (".csv",), render_csv)
