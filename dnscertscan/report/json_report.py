"""The JSON report: everything the run knows, versioned, each certificate once."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from dnscertscan.model.collected import grouped
from dnscertscan.model.report import CoverageRow, Report, State
from dnscertscan.model.text import json_without_commands
from dnscertscan.report.base import Format, in_chunks, utc
from dnscertscan.report.certificate import certificate_object
from dnscertscan.report.describe import (
    finding_object,
    observed_place,
    problem_objects,
    row_object,
    target_object,
    totals_object,
    unseen_object,
    zone_object,
)
from dnscertscan.report.schema import SCHEMA_ID
from dnscertscan.report.summary import incomplete_reasons
from dnscertscan.report.transparency import audit_objects, ct_object

_ANSWERS_FIRST = {State.SCANNED: 0, State.FAILED: 1, State.SKIPPED: 2}


def encode(value: object) -> str:
    """One line of pure ASCII: whatever the text holds, half a surrogate pair too, the octets are valid UTF-8 and print safely."""
    return json_without_commands(json.dumps(value, ensure_ascii=True, separators=(",", ":")))


def render_json(report: Report) -> Iterator[bytes]:
    """One document with one line per target, certificate and finding, so that two reports can be compared line by line."""
    return in_chunks(_document(report))


def _document(report: Report) -> Iterator[str]:
    yield "{\n"
    for name, value in _head(report).items():
        yield f"{encode(name)}: {encode(value)},\n"
    yield from block("targets", "[]", (encode(target) for target in _targets(report)))
    yield ",\n"
    served = (f"{encode(item.sha256)}: {encode(certificate_object(item))}" for item in report.certificates())
    yield from block("certificates", "{}", served)
    yield ",\n"
    yield from block("ct_audits", "[]", (encode(audit) for audit in audit_objects(report)))
    yield ",\n"
    yield from block("findings", "[]", (encode(finding_object(finding)) for finding in report.findings))
    yield "\n}\n"


def block(name: str, brackets: str, items: Iterable[str]) -> Iterator[str]:
    """``"name": [...]`` with one item a line."""
    yield f"{encode(name)}: {brackets[0]}"
    separator = "\n"
    for item in items:
        yield separator + item
        separator = ",\n"
    yield f"\n{brackets[1]}"


def _head(report: Report) -> dict[str, Any]:
    run, coverage = report.run, report.coverage
    records = sum(zone.records for zone in coverage.totals)
    other_records = sum(zone.other_records for zone in coverage.totals)
    totals = totals_object(records, other_records, coverage.counts())
    return {
        "schema": SCHEMA_ID,
        "run": {
            "version": run.version, "started": utc(run.started), "finished": utc(run.finished), "engine": run.engine,
            "arguments": list(run.arguments),
        },
        "config_digest": run.config_digest,
        "complete": report.complete,
        "incomplete": incomplete_reasons(report),
        "coverage": {
            "totals": totals, "zones": [zone_object(zone) for zone in coverage.totals],
            "problems": problem_objects(coverage.problems),
        },
        "ct": ct_object(report),
    }


def _targets(report: Report) -> Iterator[dict[str, Any]]:
    """Every observation and every other place of the coverage ledger, each with the ledger's rows that lead to it."""
    rows = grouped(report.coverage.rows, _place)
    for observation in report.observations:
        place = observed_place(observation)
        yield _with_rows(target_object(observation, report.valid.get(place, {})), rows.take(place))
    for here in rows.rest():
        first = here[0]
        yield _with_rows(unseen_object(fqdn=first.fqdn, ip_address=first.ip_address, port=first.port, zones=()), here)


def _place(row: CoverageRow) -> tuple[str, int | None, str]:
    return row.ip_address, row.port, row.fqdn


def _with_rows(target: dict[str, Any], rows: list[CoverageRow]) -> dict[str, Any]:
    rows.sort(key=lambda row: (_ANSWERS_FIRST[row.state], row.zone, row.record, row.origin))
    if rows:  # the ledger's word goes into every output; a duplicate's "skipped" never hides the answer of the one that was asked
        first = rows[0]
        target |= {"state": str(first.state), "reason": first.reason, "detail": first.detail}
        target["zones"] = sorted({*target["zones"], *(row.zone for row in rows if row.zone)})
    return target | {"records": [row_object(row) for row in rows]}


JSON = Format("json", (".json",), render_json)
