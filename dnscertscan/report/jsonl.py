"""JSON lines: one self-contained object per observation, so that a run can be followed while it goes on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from dnscertscan.model.collected import grouped
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.report import Report, unique_certificates
from dnscertscan.report.base import Format, in_chunks
from dnscertscan.report.certificate import certificate_facts
from dnscertscan.report.describe import finding_object, observed_place, target_object, unseen_object
from dnscertscan.report.json_report import encode


def observation_line(observation: Observation, findings: Iterable[Finding], valid: Mapping[str, bool] | None = None) -> bytes:
    """One observation, the facts of the certificates it showed and its findings; ends with a newline."""
    return _line(target_object(observation, valid or {}), [observation], findings).encode()


def findings_lines(findings: Collection[Finding]) -> Iterator[bytes]:
    """Findings that no observation's line holds (a dangling name, a failed zone), a line per place in the shape of one."""
    return (_unseen_line(group).encode() for group in grouped(findings, _place).rest())


def render_jsonl(report: Report) -> Iterator[bytes]:
    """A line per observation, then one for each other place that has findings: none is left out."""
    return in_chunks(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    found = grouped(report.findings, _place)
    for observation in report.observations:
        place = observed_place(observation)
        yield _line(target_object(observation, report.valid.get(place, {})), [observation], found.take(place))
    yield from map(_unseen_line, found.rest())


def _place(finding: Finding) -> tuple[str, int | None, str]:
    at = finding.subject
    return at.ip_address, at.port, at.fqdn or at.zone


def _unseen_line(findings: list[Finding]) -> str:
    at = findings[0].subject
    zones = [finding.subject.zone for finding in findings if finding.subject.zone]
    place = unseen_object(fqdn=at.fqdn, ip_address=at.ip_address, port=at.port, zones=zones)
    return _line(place | {"reason": findings[0].rule.slug}, [], findings)


def _line(target: dict[str, Any], observations: list[Observation], findings: Iterable[Finding]) -> str:
    certificates = {item.sha256: certificate_facts(item) for item in unique_certificates(observations)}
    return encode(target | {"certificates": certificates, "findings": [finding_object(finding) for finding in findings]}) + "\n"


JSONL = Format("jsonl", (".jsonl", ".ndjson"), render_jsonl)
