"""What `ct audit` found as text, whose first line is for Nagios, and as JSON."""

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dnscertscan.ct.audit_points import DELIVERIES, PROGRAMS, log_name
from dnscertscan.ct.audit_report import Audited, Point, Proof, Report, Status
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.ct import Inclusion, LogList, LogState, PolicyResult, Sct, SctResult, SctVerdict
from dnscertscan.model.text import json_without_commands, visible
from dnscertscan.pki.parse import reference

SCHEMA = "dnscertscan/ct-audit/1"
_MET = {True: "met", False: "not met", None: "not decided"}


def as_text(report: Report) -> str:
    """One line for Nagios, then everything."""
    return "\n".join(plain(line) for line in (headline(report), *_details(report))) + "\n"


def plain(line: str) -> str:
    """``line`` without the character at which monitoring systems take the rest for performance data."""
    return line.replace("|", "\\x7c")


def headline(report: Report) -> str:
    """``CT OK - www.example.com:443: logged, ...``."""
    return f"CT {report.status} - {report.what}: {summary(report)}"


def summary(report: Report) -> str:
    """What decides the status, and how much more there is to say."""
    telling = [point.text for point in _all(report) if point.status is report.status]
    if report.status is not Status.OK:
        if not telling:
            return "no certificate was seen"
        others = sum(point.status is not Status.OK for point in _all(report)) - 1
        return telling[0] + (f" (and {others} more below)" if others > 0 else "")
    good = [[result for result in one.audit.results if result.verdict is SctVerdict.VALID] for one in report.certificates]
    operators = dict.fromkeys(visible(result.operator, 60) for results in good for result in results if result.operator)
    which = "logged" if len(good) == 1 else f"{len(good)} certificates, all logged"
    number = sum(map(len, good))
    return f"{which}, {number} valid SCT{'' if number == 1 else 's'} ({', '.join(operators)}){_satisfied(report)}{_over(report)}"


def _over(report: Report) -> str:
    """Which of them no client takes any more."""
    ends = [end for end in (_ref(one).not_after for one in report.certificates) if end is not None and end < report.at]
    if not ends:
        return ""
    return f"; expired on {max(ends):%Y-%m-%d}" if len(report.certificates) == 1 else f"; {len(ends)} of them have expired"


def _satisfied(report: Report) -> str:
    """The programs whose policy every certificate meets."""
    met = [{policy.program for policy in one.audit.policies if policy.compliant} for one in report.certificates]
    programs = [name for program, name in PROGRAMS.items() if met and all(program in each for each in met)]
    return f"; {', '.join(programs)} satisfied" if programs else ""


def _all(report: Report) -> Iterator[Point]:
    several = len(report.certificates) > 1
    yield from report.points
    for one in report.certificates:
        where = f"{_short(one)}: " if several else ""
        for point in one.points:
            yield Point(point.status, where + point.text) if several else point


def _short(one: Audited) -> str:
    ref = _ref(one)
    return f"certificate {ref.serial or ref.sha256[:16]} ({one.presented.places[0]})" if one.presented.places else ref.serial


def _details(report: Report) -> Iterator[str]:
    for point in report.points:
        yield f"{point.status}: {point.text}"
    for one in report.certificates:
        yield from _certificate(one)
    age = (report.at - report.log_list.timestamp).days
    old = f"{age} days old" if age >= 0 else f"of {report.log_list.timestamp:%Y-%m-%d}, the first that is known"
    yield f"judged at {_moment(report.at)} by the list of logs {_list_name(report.log_list)} ({old})"


def _list_name(log_list: LogList) -> str:
    return visible(f"{log_list.name} {log_list.version}".rstrip(), 120)


def _certificate(one: Audited) -> Iterator[str]:
    ref, audit = _ref(one), one.audit
    yield f'certificate "{visible(ref.subject, 200)}" of "{visible(ref.issuer, 200)}", serial {ref.serial or "unreadable"}'
    if ref.not_before and ref.not_after:
        yield f"  valid {_moment(ref.not_before)} to {_moment(ref.not_after)}"
    for place in one.presented.places:
        yield f"  served by {place}"
    yield f"  {audit.logged}; TBS SHA-256 {audit.tbs_sha256 or 'unreadable'}; certificate SHA-256 {ref.sha256}"
    for result in audit.results:
        yield f"  {_sct_line(result)}"
    for policy in audit.policies:
        words = visible("; ".join(policy.reasons), 400)
        yield f"  policy of {PROGRAMS[policy.program]}: {_MET[policy.compliant]} ({words})"
    for point in one.points:
        yield f"  {'note' if point.status is Status.OK else point.status}: {point.text}"


def _sct_line(result: SctResult) -> str:
    when = _moment(result.sct.at) if isinstance(result.sct, Sct) else "no time"
    parts = [f"SCT {DELIVERIES[result.delivery]}", str(result.verdict), log_name(result) or "no log"]
    parts += [part for part in (visible(result.operator, 60), when, _standing(result), _shard(result)) if part]
    return ", ".join(parts) + (f": {visible(result.reason, 300)}" if result.reason else "")


def _standing(result: SctResult) -> str:
    """The state of the log when it made the SCT, and now where that is another one."""
    then = _state_then(result)
    now = f", {result.state} now" if result.state and result.state is not then else ""
    return f"{then} when made{now}" if then else str(result.state or "")


def _state_then(result: SctResult) -> LogState | None:
    return result.log.state_at(result.sct.at) if result.log and isinstance(result.sct, Sct) else None


def _shard(result: SctResult) -> str:
    """The notAfter dates that the log takes."""
    span = result.log.interval if result.log else None
    return f"for notAfter {span[0]:%Y-%m-%d} to {span[1]:%Y-%m-%d}" if span else ""


def as_json(report: Report) -> str:
    """One object; the fields of one certificate at the top are those of the certificate that decides the status."""
    deciding = report.deciding
    found: dict[str, Any] = {
        "schema": SCHEMA, "status": str(report.status), "exit_status": report.status.exit_status, "target": report.what,
        "summary": summary(report), "at": _time(report.at), "list": _list(report),
        **(_fields(deciding) if deciding else _NOTHING),
        "points": [_point(point) for point in report.points],
        "unanswered": [{"address": place, "reason": word, "detail": said} for place, word, said in report.unanswered],
        "certificates": [{**_identity(one), **_fields(one)} for one in report.certificates],
    }
    return json_without_commands(json.dumps(found, indent=2))


_NOTHING: dict[str, Any] = {"logged": "unknown", "tbs_sha256": "", "policies": [], "scts": [], "notes": []}


def _list(report: Report) -> dict[str, Any]:
    used = report.log_list
    return {
        "name": used.name, "version": used.version, "date": _time(used.timestamp), "source": used.source, "signed": used.signed,
        "age_days": max((report.at - used.timestamp).days, 0),
    }


def _identity(one: Audited) -> dict[str, Any]:
    ref = _ref(one)
    return {
        "status": str(one.status), "subject": ref.subject, "issuer": ref.issuer, "serial": ref.serial, "sha256": ref.sha256,
        "not_before": _time(ref.not_before), "not_after": _time(ref.not_after), "public": one.public,
        "places": list(one.presented.places), "points": [_point(point) for point in one.points],
    }


def _fields(one: Audited) -> dict[str, Any]:
    audit = one.audit
    return {
        "logged": str(audit.logged), "tbs_sha256": audit.tbs_sha256, "policies": [_policy(policy) for policy in audit.policies],
        "scts": [_sct(result, one.proofs) for result in audit.results],
        "notes": list(audit.notes),
    }


def _sct(result: SctResult, proofs: Sequence[Proof]) -> dict[str, Any]:
    proof = next((proof.inclusion for proof in proofs if proof.result == result), None)
    sct = result.sct if isinstance(result.sct, Sct) else None
    return {
        "log": result.log.description if result.log else log_name(result), "operator": result.operator,
        "time": _time(sct.at) if sct else None, "verdict": str(result.verdict), "reason": result.reason,
        "delivery": str(result.delivery), "state": str(result.state) if result.state else None,
        "state_at_sct": str(_state_then(result) or "") or None,
        "interval": [_time(end) for end in result.log.interval] if result.log and result.log.interval else None,
        "log_id": b64encode(sct.log_id).decode() if sct else None, "timestamp": sct.timestamp if sct else None,
        "leaf_index": sct.leaf_index if sct else None,
        "inclusion": _inclusion(proof) if proof else None,
    }


def _policy(policy: PolicyResult) -> dict[str, Any]:
    return {"program": str(policy.program), "compliant": policy.compliant, "reasons": list(policy.reasons)}


def _inclusion(said: Inclusion) -> dict[str, Any]:
    return {
        "verdict": str(said.verdict), "reason": said.reason, "index": said.index, "tree_size": said.tree_size,
        "tree_head_at": _time(said.tree_head_at), "evidence": said.evidence or None,
    }


def _point(point: Point) -> dict[str, str]:
    return {"status": str(point.status), "text": point.text}


def _ref(one: Audited) -> CertificateRef:
    return reference(one.presented.leaf, 0)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
