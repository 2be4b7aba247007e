"""Reading a list of logs in Google's format (v3), Apple's (v4, v5) or our own; writing our own."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from dnscertscan.ct.loglist_fields import FieldError, build, label, moment, octets, text
from dnscertscan.ct.loglist_values import Draft, Objection, Shape, Weight
from dnscertscan.model.ct import Log, LogKind, LogList
from dnscertscan.model.text import visible

FORMAT = "dnscertscan/ct-loglist/1"
MAX_OCTETS = 4 * 1024 * 1024
"""Google's list has about 55 KB, with all logs ever 160 KB."""
MAX_LOGS, MAX_OPERATORS, _MAX_STATES = 2000, 500, 50
Operators = tuple[tuple[str, datetime | None], ...]
_Raw = tuple[Mapping[str, Any], LogKind, Operators]


def read(raw: bytes) -> Draft | Objection:
    """The list in ``raw``, or why there is none. Entries that cannot be used are objections of the draft; never raises."""
    if len(raw) > MAX_OCTETS:
        return _refused(f"it has {len(raw)} octets, at most {MAX_OCTETS} are read", "check where it comes from")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return _refused(_no_json(raw), "check where it comes from, and fetch it again")
    try:
        return _draft(data)
    except FieldError as problem:
        return _refused(str(problem), "check where it comes from")


def _draft(data: object) -> Draft:
    if isinstance(data, dict) and data.get("format") == FORMAT:
        return _own(data)
    if isinstance(data, dict) and isinstance(data.get("operators"), list):
        return _apple(data) if "assetVersion" in data else _google(data)
    raise FieldError("it is no list of logs: neither in Google's v3 format, nor in Apple's, nor in dnscertscan's own")


def _no_json(raw: bytes) -> str:
    start = raw[:200].lstrip().lower()
    if not raw.strip():
        return "it is empty"
    return "it is an HTML page" if start.startswith((b"<!doctype", b"<html")) else "it is not JSON, or cut off"


def _refused(problem: str, step: str) -> Objection:
    return Objection(Weight.REFUSED, problem, step)


def _google(data: Mapping[str, Any]) -> Draft:
    logs, objections = _entries(_operators(data))
    stamp = moment(data.get("log_list_timestamp"), "log_list_timestamp")
    return Draft(Shape.GOOGLE, text(data.get("version"), "version"), stamp, logs, objections)


def _apple(data: Mapping[str, Any]) -> Draft:
    """Apple's list has versions and no date: it is as old as the latest state in it, at least."""
    logs, objections = _entries(_operators(data))
    latest = max((since for log in logs for _, since in log.states), default=None)
    if "log_list_timestamp" in data:
        latest = moment(data["log_list_timestamp"], "log_list_timestamp")
    if latest is None:
        raise FieldError("no log in it has a state with a date")
    return Draft(Shape.APPLE, str(data.get("assetVersionV2", data["assetVersion"]))[:40], latest, logs, objections)


def _operators(data: Mapping[str, Any]) -> Iterator[_Raw]:
    operators = data["operators"]
    if len(operators) > MAX_OPERATORS:
        raise FieldError(f"it has more than {MAX_OPERATORS} operators")
    for operator in operators:
        if not isinstance(operator, dict):
            raise FieldError("an operator in it is no object")
        name = text(operator.get("name"), "name of an operator")
        for field, kind in (("logs", LogKind.RFC6962), ("tiled_logs", LogKind.STATIC)):
            found = operator.get(field) or []
            if not isinstance(found, list):
                raise FieldError(f"{field} of operator {visible(name, 60)} is no list")
            for fields in found:
                yield fields if isinstance(fields, dict) else {}, kind, ((name, None),)


def _entries(raw: Iterable[_Raw]) -> tuple[tuple[Log, ...], tuple[Objection, ...]]:
    logs: list[Log] = []
    objections: list[Objection] = []
    for number, (fields, kind, operators) in enumerate(raw):
        if number >= MAX_LOGS:
            raise FieldError(f"it has more than {MAX_LOGS} logs")
        try:
            log, notes = _entry(fields, kind, operators)
        except FieldError as problem:
            objections.append(_left_out(fields, str(problem)))
            continue
        logs.append(log)
        objections += notes
    return tuple(logs), tuple(objections)


def _left_out(fields: Mapping[str, Any], problem: str) -> Objection:
    description = fields.get("description")
    try:
        log_id = octets(fields.get("log_id"), "log_id")
    except FieldError:
        log_id = b""
    who = label(log_id, description if isinstance(description, str) else "")
    step = "what was known of it before counts; tell who publishes the list"
    return Objection(Weight.LEFT_OUT, f"{who}: {problem}", step, log_id)


def _entry(fields: Mapping[str, Any], kind: LogKind, operators: Operators) -> tuple[Log, list[Objection]]:
    states, span = fields.get("state"), fields.get("temporal_interval")
    if states is not None and (not isinstance(states, dict) or len(states) > _MAX_STATES):
        raise FieldError("state is no object")
    if span is not None and not isinstance(span, dict):
        raise FieldError("temporal_interval is no object")
    since = [(name, what.get("timestamp") if isinstance(what, dict) else None) for name, what in (states or {}).items()]
    ends = (span.get("start_inclusive"), span.get("end_exclusive")) if span is not None else None
    tiled = kind is LogKind.STATIC
    urls = (fields.get("submission_url") if tiled else fields.get("url"), fields.get("monitoring_url"))
    return build(fields, kind, (*_previous(fields), *operators), since, ends, urls)


def _previous(fields: Mapping[str, Any]) -> list[tuple[str, datetime | None]]:
    """Former operators, oldest first."""
    former = fields.get("previous_operators") or []
    if not isinstance(former, list) or len(former) > _MAX_STATES or not all(isinstance(one, dict) for one in former):
        raise FieldError("previous_operators is no list of operators")
    found = [(text(one.get("name"), "name of a former operator"), moment(one.get("end_time"), "end_time")) for one in former]
    return [(name, until) for until, name in sorted((until, name) for name, until in found)]


def _own(data: Mapping[str, Any]) -> Draft:
    entries = data.get("logs")
    if not isinstance(entries, list) or len(entries) > MAX_LOGS:
        raise FieldError(f"logs is no list of at most {MAX_LOGS} logs")
    logs: list[Log] = []
    objections: list[Objection] = []
    for fields in (one if isinstance(one, dict) else {} for one in entries):
        try:
            log, notes = _own_entry(fields)
        except FieldError as problem:
            objections.append(_left_out(fields, str(problem)))
            continue
        logs.append(log)
        objections += notes
    stamp = moment(data.get("timestamp"), "timestamp")
    return Draft(Shape.OWN, text(data.get("version"), "version"), stamp, tuple(logs), tuple(objections))


def _own_entry(fields: Mapping[str, Any]) -> tuple[Log, list[Objection]]:
    try:
        kind = LogKind(str(fields.get("kind")))
    except ValueError:
        raise FieldError("kind is neither rfc6962 nor static-ct") from None
    states, operators = _pairs(fields, "states"), _pairs(fields, "operators")
    span = fields.get("interval")
    if span is not None and (not isinstance(span, list) or len(span) != 2):
        raise FieldError("interval is no pair of times")
    if not operators or operators[-1][1] is not None or any(until is None for _, until in operators[:-1]):
        raise FieldError("operators do not end with the present one, whose end is null, or another has no end")
    named = tuple(
        (text(name, "operator"), moment(until, "end of an operator") if until is not None else None) for name, until in operators
    )
    ends = (span[0], span[1]) if span else None
    return build(fields, kind, named, states, ends, (fields.get("url"), fields.get("monitoring_url")))


def _pairs(fields: Mapping[str, Any], what: str) -> list[tuple[Any, Any]]:
    found = fields.get(what)
    if not isinstance(found, list) or len(found) > _MAX_STATES:
        raise FieldError(f"{what} is no list of pairs")
    if not all(isinstance(one, list) and len(one) == 2 for one in found):
        raise FieldError(f"{what} is no list of pairs")
    return [(one[0], one[1]) for one in found]


def write(
    log_list: LogList, about: Mapping[str, Any] | None = None, notes: Mapping[bytes, Mapping[str, Any]] | None = None
) -> str:
    """The list in our own format, one line for each log, ordered by operator, name and id.

    ``about`` goes into the head, ``notes`` (by log id) to the logs; no program reads them.
    """
    head = {"format": FORMAT, "version": log_list.version, "timestamp": _stamp(log_list.timestamp), **(about or {})}
    logs = sorted(log_list.logs.values(), key=lambda log: (log.operator.lower(), log.description.lower(), log.log_id))
    lines = [f"  {json.dumps({**_fields(log), **(notes or {}).get(log.log_id, {})})}" for log in logs]
    top = json.dumps(head, indent=1)[:-2]
    return f'{top},\n "logs": [\n' + ",\n".join(lines) + "\n ]\n}\n"


def _fields(log: Log) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "description": log.description, "log_id": b64encode(log.log_id).decode(), "key": b64encode(log.key).decode(),
        "kind": log.kind.value, "url": log.url,
    }
    if log.monitoring_url:
        fields["monitoring_url"] = log.monitoring_url
    fields["mmd"] = log.mmd
    if log.interval:
        fields["interval"] = [_stamp(end) for end in log.interval]
    fields["states"] = [[state.value, _stamp(since)] for state, since in log.states]
    fields["operators"] = [[name, _stamp(until) if until else None] for name, until in log.operators]
    return fields


def _stamp(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")
