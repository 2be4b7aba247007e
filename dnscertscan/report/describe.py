"""The plain objects that JSON and JSONL are made of, text raw."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation, Outcome
from dnscertscan.model.records import ZoneProblem
from dnscertscan.model.report import CoverageRow, Place, State, ZoneTotals
from dnscertscan.report.base import utc


def observed_place(observation: Observation) -> Place:
    """Where an observation was made."""
    target = observation.target
    return (target.endpoint.address, target.endpoint.port, target.server_name.text)


def terminal_state(outcome: Outcome) -> tuple[State, str, str]:
    """(state, reason word, detail) of one look, as the coverage ledger has them."""
    match outcome:
        case Failure(FailureKind.DEADLINE, detail):
            return State.SKIPPED, FailureKind.DEADLINE.value, detail
        case Failure(kind, detail) | Handshake(engine_failure=Failure(kind, detail)):
            return State.FAILED, kind.value, detail
        case Handshake(protocol=protocol, cipher=cipher, unanswered=unanswered):
            rest = f"; further handshakes got no answer: {'; '.join(unanswered)}" if unanswered else ""
            return State.SCANNED, "ok", f"{protocol} {cipher}".strip() + rest


def target_object(observation: Observation, valid: Mapping[str, bool]) -> dict[str, Any]:
    """One observed target and what its server answered."""
    target, outcome = observation.target, observation.outcome
    state, reason, detail = terminal_state(outcome)
    answer = outcome if isinstance(outcome, Handshake) else None
    return {
        "ip_address": target.endpoint.address, "port": target.endpoint.port, "service": target.endpoint.service,
        "fqdn": target.server_name.text, "zones": sorted({origin.zone.text for origin in target.provenance}),
        "state": str(state), "reason": reason, "detail": detail, "valid": dict(valid),
        "seconds": round(observation.seconds, 3), "at": utc(observation.at), "engine": observation.engine,
        "protocol": answer.protocol if answer else None, "cipher": answer.cipher if answer else None,
        "client_auth": str(answer.client_auth) if answer else None,
        "deployments": [_deployment(deployment) for deployment in answer.deployments] if answer else [],
    }


def unseen_object(*, fqdn: str, ip_address: str, port: int | None, zones: Iterable[str]) -> dict[str, Any]:
    """The same shape for something that no server was asked about; its state is for the caller to fill in."""
    return {
        "ip_address": ip_address or None, "port": port, "service": None, "fqdn": fqdn, "zones": sorted(set(zones)),
        "state": str(State.FAILED), "reason": "", "detail": "", "valid": {}, "seconds": None, "at": None, "engine": None,
        "protocol": None, "cipher": None, "client_auth": None, "deployments": [],
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    verdicts = [{"store": word.store, "trusted": word.trusted, "reason": word.reason} for word in deployment.verdicts]
    return {
        "certificates": [certificate.sha256 for certificate in deployment.chain], "how": list(deployment.how),
        "sni": deployment.sni, "stapled": deployment.staple is not None, "verdicts": verdicts,
    }


def finding_object(finding: Finding) -> dict[str, Any]:
    """One finding; what does not apply to it is null."""
    at = finding.subject
    return {
        "ip_address": at.ip_address or None, "port": at.port, "fqdn": at.fqdn or None, "zone": at.zone or None,
        "code": finding.rule.code, "slug": finding.rule.slug, "severity": str(finding.severity), "message": finding.message,
        "store": finding.store, "certificate": _reference(finding.certificate), "record": at.record or None,
        "wildcard": at.wildcard or None, "fingerprint": finding.fingerprint, "ct": finding.ct or None,
    }


def _reference(at_fault: CertificateRef | None) -> dict[str, Any] | None:
    if at_fault is None:
        return None
    return {
        "position": at_fault.position, "sha256": at_fault.sha256, "subject": at_fault.subject, "issuer": at_fault.issuer,
        "serial": at_fault.serial,
    }


def row_object(row: CoverageRow) -> dict[str, Any]:
    """One line of the coverage ledger, without what its target says already."""
    return {
        "zone": row.zone, "record": row.record, "state": str(row.state), "reason": row.reason, "detail": row.detail,
        "wildcard": row.wildcard or None, "origin": row.origin or None,
    }


def zone_object(totals: ZoneTotals) -> dict[str, Any]:
    """One zone's totals."""
    return {"zone": totals.zone, **totals_object(totals.records, totals.other_records, totals.rows)}


def totals_object(records: int, other_records: int, rows: Mapping[tuple[State, str], int]) -> dict[str, Any]:
    """Counts that reconcile: ``targets`` is the sum of the three states, each state the sum of its reasons."""
    reasons: dict[str, dict[str, int]] = {str(state): {} for state in State}
    for (state, reason), count in sorted(rows.items()):
        reasons[state][reason] = count
    states = {state: sum(counts.values()) for state, counts in reasons.items()}
    return {"records": records, "other_records": other_records, "targets": sum(states.values()), **states, "reasons": reasons}


def problem_objects(problems: Sequence[ZoneProblem]) -> list[dict[str, Any]]:
    """Zones and records that could not be read."""
    return [
        {"fault": str(problem.fault), "zone": problem.zone or None, "source": problem.source, "message": problem.message}
        for problem in problems
    ]


_NO_ROUTE = ("Network is unreachable", "Cannot assign requested address", "Address family not supported by protocol")
"""ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT: this machine's own words. What a router far away says reads differently."""


def is_unrouted(address: str, reason: str, detail: str) -> bool:
    """Whether an IPv6 target could not be tried because this machine has no IPv6 to reach it with."""
    return reason == FailureKind.UNREACHABLE.value and ":" in address and detail.endswith(_NO_ROUTE)
