"""Findings as log lines, and the two shapes a log can have: text for people, JSON for collectors."""

import json
import logging
from datetime import UTC, datetime

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.findings import Finding
from dnscertscan.model.text import json_without_commands, visible

FIELDS = ("code", "ip_address", "port", "fqdn")
"""What a log record about a finding carries beside its text (``extra=``)."""


def finding_line(finding: Finding) -> str:
    """``192.0.2.1:443 - www.example.com - certificate has expired``, safe to print.

    Always three fields separated by `` - ``: a finding about a zone has ``-`` for the address it lacks, and the zone's name where
    no host is concerned.
    """
    at = finding.subject
    place = Endpoint(at.ip_address, at.port or 0).text if at.ip_address else "-"
    return f"{visible(place)} - {visible(at.fqdn or at.zone or '-', 260)} - {visible(finding.message)}"


def finding_extra(finding: Finding) -> dict[str, object]:
    """The fields for ``extra=`` of a logging call; what does not apply is None."""
    at = finding.subject
    return {"code": finding.rule.code, "ip_address": at.ip_address or None, "port": at.port, "fqdn": at.fqdn or None}


class TextFormatter(logging.Formatter):
    """``2026-12-01T00:00:00.000+00:00 ERROR message``; times are UTC."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 -- the name and arguments logging calls
        """The record's time, UTC with offset."""
        return _time(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the name logging calls
        """The message on one line, whatever a server or zone put into it."""
        record.message = visible(record.message)
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``ts, level, logger, message``, the fields of a finding if it has any, ``exception`` on a bug."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of ASCII."""
        entry: dict[str, object] = {
            "ts": _time(record), "level": record.levelname.lower(), "logger": record.name, "message": record.getMessage(),
        }
        entry |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json_without_commands(json.dumps(entry, default=str))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
