"""SARIF 2.1.0 (OASIS, with errata 01): what code scanning services read. A finding's place is the record that leads to it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from dnscertscan.model.findings import Finding, Rule, Severity
from dnscertscan.model.report import Report
from dnscertscan.model.rule_text import markdown_help, plain_help
from dnscertscan.model.text import visible
from dnscertscan.report.base import Format, in_chunks, utc
from dnscertscan.report.joined import Joined, Named, Source, Sources
from dnscertscan.report.json_report import block, encode
from dnscertscan.report.summary import incomplete_reasons, summary
from dnscertscan.report.words import message_of, place_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://github.com/dnscertscan/dnscertscan"
MAX_RESULTS = 25_000
"""Results that GitHub takes in one run; of a run with more it takes none."""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render_sarif(report: Report) -> Iterator[bytes]:
    """The rules that were hit and a line for every finding, sorted by zone and name.

    One run in the words of SARIF, several where it would have more results than GitHub takes; each of these then is a category
    of its own. All text is made visible: viewers show it, and strict readers refuse half surrogate pairs.
    """
    return in_chunks(_document(report))


def _document(report: Report) -> Iterator[str]:
    hit: dict[str, Rule] = {}
    for finding in report.findings:
        hit.setdefault(finding.rule.code, finding.rule)
    rules = [hit[code] for code in sorted(hit)]
    driver = {
        "name": "dnscertscan", "version": visible(report.run.version), "informationUri": _HOME, "rules": [*map(_rule, rules)],
    }
    index = {rule.code: number for number, rule in enumerate(rules)}
    results, left = _results(report, index), max(len(report.findings), 1)
    yield f'{{\n"$schema": {encode(SCHEMA)},\n"version": "2.1.0",\n"runs": ['
    for number in range(1, -(-left // MAX_RESULTS) + 1):
        yield ",{\n" if number > 1 else "{\n"
        if left > MAX_RESULTS:
            yield f'"automationDetails": {encode({"id": f"dnscertscan-{number}/"})},\n'
        yield f'"tool": {encode({"driver": driver})},\n'
        yield f'"invocations": {encode([_invocation(report)])},\n'
        yield f'"properties": {encode({"summary": summary(report)[0], "config_digest": report.run.config_digest})},\n'
        yield from block("results", "[]", map(encode, islice(results, MAX_RESULTS)))
        yield "\n}"
    yield "]\n}\n"


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code, "name": rule.slug, "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why.partition("\n")[0]},
        "help": {"text": plain_help(rule), "markdown": markdown_help(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]}, "properties": {"tags": ["certificate", rule.scope.value]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    run = report.run
    notes = [{"level": "error", "message": {"text": _literal(reason)}} for reason in incomplete_reasons(report)]
    return {
        "executionSuccessful": report.complete, "startTimeUtc": _time(run.started), "endTimeUtc": _time(run.finished),
        "arguments": [visible(argument) for argument in run.arguments], "toolExecutionNotifications": notes,
    }


def _time(moment: datetime) -> str:
    """UTC, marked by Z as section 3.9 asks."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def _results(report: Report, index: dict[str, int]) -> Iterator[dict[str, Any]]:
    sources = Sources(report)
    for named in Joined(report):
        for finding, source in sources.located(named):
            yield {
                "ruleId": finding.rule.code, "ruleIndex": index[finding.rule.code], "level": _LEVELS[finding.severity],
                "message": {"text": _literal(f"{message_of(finding)} ({place_of(finding)})")},
                "locations": [_location(named, source)],
                # GitHub reads the first name only, and would make a hash of the line in the file, the same for all, without it.
                "partialFingerprints": {
                    "primaryLocationLineHash": finding.fingerprint, "dnscertscanFingerprint/v1": finding.fingerprint,
                },
                "properties": _facts(finding),
            }


def _literal(text: str) -> str:
    """Text in which nothing is a placeholder (3.11.5) or a link (3.11.6), whoever chose the words."""
    shown = text.replace("{", "{{").replace("}", "}}")
    # Many readers know no escapes and would show them: there are none but where there may be a link.
    return re.sub(r"[\\\[\]]", r"\\\g<0>", shown) if "](" in shown else shown


def _location(named: Named, source: Source | None) -> dict[str, Any]:
    name = visible(named.name, 260) or "."
    if source is None:
        return {"logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}]}
    logical: dict[str, Any] = {"fullyQualifiedName": name, "kind": "resource"}
    if source.record is not None and source.is_file:
        logical = {"name": name, "fullyQualifiedName": _pointer(source.zone, source.record - 1), "kind": "object"}
    physical: dict[str, Any] = {"artifactLocation": {"uri": source_uri(source)}}
    if source.is_file:
        # A record has a number and no line that the run knows of, but services show no result without a line.
        physical["region"] = {"startLine": 1}
    return {"physicalLocation": physical, "logicalLocations": [logical], "message": {"text": _literal(visible(source.text))}}


def _pointer(zone: str, index: int) -> str:
    """RFC 6901, which section 3.33.5 takes for places in JSON documents."""
    return f"/{visible(zone, 260).replace('~', '~0').replace('/', '~1') or '.'}/{index}"


def source_uri(source: Source) -> str:
    """``zones.json``, ``file:///srv/zones.json`` or ``dns://192.0.2.53:53/example.com``, as RFC 3986 wants it."""
    octets = source.place.encode("utf-8", "replace")
    if not source.is_file:
        return quote(octets, safe="/:[]@")
    path = quote(octets, safe="/")
    return f"file://{path}" if path.startswith("/") else path


def _facts(finding: Finding) -> dict[str, Any]:
    """What programs want to know, without what does not apply."""
    at, shown = finding.subject, finding.certificate or finding.leaf
    facts: dict[str, Any] = {
        "slug": finding.rule.slug, "ip_address": at.ip_address, "port": at.port, "fqdn": at.fqdn, "zone": at.zone,
        "record": at.record, "wildcard": at.wildcard, "store": finding.store, "ct": finding.ct,
    }
    if shown is not None:
        facts |= {
            "subject": shown.subject, "issuer": shown.issuer, "serial": shown.serial, "sha256": shown.sha256,
            "not_after": utc(shown.not_after),
        }
    return {name: visible(value) if isinstance(value, str) else value for name, value in facts.items() if value not in ("", None)}


SARIF = Format("sarif", (".sarif",), render_sarif)
