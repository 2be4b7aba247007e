"""Findings and coverage rows as octets and back, for scratch space: read by the process that wrote them, nobody else."""

from dataclasses import astuple
from typing import Any

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Finding, Rule, Severity, Subject
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.store.codec import moment, pack, unpack, when


class FindingCodec:
    """Findings. Rules are remembered by number; the target, which no output shows, is not kept."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        self._numbers: dict[int, int] = {}

    def pack(self, finding: Finding) -> bytes:
        """One finding."""
        at = finding.subject
        return pack([
            self._number(finding.rule), int(finding.severity), [at.zone, at.fqdn, at.ip_address, at.port, at.record, at.wildcard],
            finding.message, _pack_ref(finding.certificate), finding.store,
            finding.leaf == finding.certificate or _pack_ref(finding.leaf), finding.ct,
        ])

    def unpack(self, octets: bytes) -> Finding:
        """The finding back."""
        rule, severity, subject, message, certificate, store, leaf, ct = unpack(octets)
        at_fault = _unpack_ref(certificate)
        served = at_fault if leaf is True else _unpack_ref(leaf)
        return Finding(self._rules[rule], Severity(severity), Subject(*subject), message, at_fault, store, served, ct=ct)

    def _number(self, rule: Rule) -> int:
        number = self._numbers.get(id(rule))
        if number is None:
            number = self._numbers[id(rule)] = len(self._rules)
            self._rules.append(rule)  # which also keeps its id from being given to another
        return number


def pack_row(row: CoverageRow) -> bytes:
    """One coverage row."""
    return pack(astuple(row))


def unpack_row(octets: bytes) -> CoverageRow:
    """The coverage row back."""
    zone, record, fqdn, ip_address, port, state, *rest = unpack(octets)
    return CoverageRow(zone, record, fqdn, ip_address, port, State(state), *rest)


def _pack_ref(ref: CertificateRef | None) -> list[Any] | None:
    if ref is None:
        return None
    span = (moment(ref.not_before), moment(ref.not_after))
    return [ref.position, ref.sha256, ref.subject, ref.issuer, ref.serial, *span]


def _unpack_ref(packed: list[Any] | None) -> CertificateRef | None:
    if packed is None:
        return None
    position, sha256, subject, issuer, serial, start, end = packed
    return CertificateRef(position, sha256, subject, issuer, serial, when(start), when(end))
