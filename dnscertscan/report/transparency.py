"""What the JSON report says of Certificate Transparency: the list judged by, who was asked, and the audit of each certificate."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from dnscertscan.model.ct import CtAudit, Inclusion, LogList, Sct, SctResult
from dnscertscan.model.report import Report
from dnscertscan.model.sightings import SearchResult, Sightings
from dnscertscan.report.base import utc

Proofs = Sequence[tuple[SctResult, Inclusion]]


def ct_object(report: Report) -> dict[str, Any] | None:
    """What holds for the whole run; None when nothing was looked at. The order says nothing of who answered first."""
    if report.transparency is None and report.ct_facts is None:
        return None
    facts = report.ct_facts
    sightings = facts.sightings if facts else None
    return {
        "log_list": _list_object(report.log_list) if report.log_list else None,
        "searched_at": utc(sightings.at) if sightings else None,
        "sources": _sources(sightings) if sightings else [],
        "left_out": sorted(({"domain": name.text, "reason": reason} for name, reason in sightings.left_out), key=_in_order)
        if sightings else [],
        "unasked": list(facts.unasked) if facts else [],
    }


def audit_objects(report: Report) -> Iterator[dict[str, Any]]:
    """Each audit once, in the order of the observations. A certificate has another one where the handshake brought other SCTs."""
    if report.transparency is None:
        return
    inclusions = report.ct_facts.inclusions if report.ct_facts else {}
    told: set[bytes] = set()
    for observation in report.observations:
        for leaf, audit in sorted(report.transparency(observation).items()):
            key = _identity(leaf, audit)
            if key not in told:
                told.add(key)
                yield {"certificate": leaf, **_audit_object(audit, inclusions.get(leaf, ()))}


def _identity(leaf: str, audit: CtAudit) -> bytes:
    """Alike for audits that say the same of one certificate; 16 octets, since a run may have very many."""
    told = sha256(repr((leaf, audit.logged, audit.notes, audit.policies)).encode("utf-8", "surrogatepass"))
    for result in audit.results:
        told.update(repr((result.sct.raw, result.delivery, result.verdict, result.reason)).encode("utf-8", "surrogatepass"))
    return told.digest()[:16]


def _audit_object(audit: CtAudit, proofs: Proofs) -> dict[str, Any]:
    return {
        "logged": str(audit.logged), "tbs_sha256": audit.tbs_sha256 or None,
        "list": {"name": audit.list_name, "version": audit.list_version, "age_days": audit.list_age_days},
        "policies": [
            {"program": str(policy.program), "compliant": policy.compliant, "reasons": list(policy.reasons)}
            for policy in audit.policies
        ],
        "scts": [_sct_object(result, proofs) for result in audit.results], "notes": list(audit.notes),
    }


def _sct_object(result: SctResult, proofs: Proofs) -> dict[str, Any]:
    """One SCT; of octets that are none, the log and the time are null."""
    sct = result.sct if isinstance(result.sct, Sct) else None
    proof = next((proof for proven, proof in proofs if proven.sct.raw == result.sct.raw), None)
    return {
        "log": result.log.description if result.log else None, "log_id": b64encode(sct.log_id).decode() if sct else None,
        "operator": result.operator or None, "state": str(result.state) if result.state else None,
        "time": utc(sct.at) if sct else None, "delivery": str(result.delivery), "verdict": str(result.verdict),
        "reason": result.reason, "inclusion": _inclusion_object(proof) if proof else None,
    }


def _inclusion_object(proof: Inclusion) -> dict[str, Any]:
    return {
        "verdict": str(proof.verdict), "reason": proof.reason, "index": proof.index, "tree_size": proof.tree_size,
        "tree_head_at": utc(proof.tree_head_at), "evidence": proof.evidence or None,
    }


def _list_object(log_list: LogList) -> dict[str, Any]:
    return {
        "name": log_list.name, "version": log_list.version, "date": utc(log_list.timestamp), "signed": log_list.signed,
    }


def _sources(sightings: Sightings) -> list[dict[str, Any]]:
    return sorted(map(_source_object, sightings.answers), key=_in_order)


def _source_object(answer: SearchResult) -> dict[str, Any]:
    return {
        "source": answer.source, "domain": answer.domain.text, "verdict": str(answer.verdict), "as_of": utc(answer.as_of),
        "complete": answer.complete, "truncated": answer.truncated, "reason": answer.reason,
        "problems": list(answer.problems),
    }


def _in_order(item: dict[str, Any]) -> list[str]:
    return [str(value) for value in item.values()]
