"""What the inventory found as text, whose first line is for Nagios, and as JSON."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dnscertscan.ct.audit_output import plain
from dnscertscan.ct.inventory_judge import moment
from dnscertscan.ct.inventory_values import Item, Report, State
from dnscertscan.model.text import json_without_commands, visible

SCHEMA = "dnscertscan/ct-inventory/1"
_LONGEST = timedelta(days=90)
_SHOWN = 100
"""Names of one certificate that are shown."""
_HEADS = {
    State.WRONG_ISSUER: "CERTIFICATE OF ANOTHER CA", State.SERIAL_CONFLICT: "SERIAL NUMBER USED TWICE",
    State.REJECTED: "REJECTED CERTIFICATE", State.ISSUER_UNDECIDED: "CERTIFICATE OF A CA THAT CANNOT BE TOLD",
    State.UNKNOWN: "UNKNOWN CERTIFICATE", State.ACKNOWLEDGED: "ACKNOWLEDGED",
}
_WORDS = {
    State.WRONG_ISSUER: "of another CA", State.SERIAL_CONFLICT: "with a serial number used twice", State.REJECTED: "rejected",
    State.ISSUER_UNDECIDED: "of a CA that cannot be told", State.UNKNOWN: "unknown", State.ACKNOWLEDGED: "acknowledged",
    State.ACCEPTED: "accepted", State.KNOWN: "known", State.KNOWN_KEY: "known by their key", State.ENDED: "ended long ago",
}


def as_text(report: Report, database: Path) -> str:
    """One line for Nagios, then a block for each issuance that needs a person, then what else is to be said."""
    return "\n".join([headline(report), *(plain(line) for line in _details(report, database))]) + "\n"


def headline(report: Report) -> str:
    """``CT INVENTORY OK - 14 known; example.com: crt.sh | known=14 ...``: all counts, and the performance data."""
    counts = report.counts
    told = [f"{counts[state]} {words}" for state, words in _WORDS.items() if counts[state]] or ["no certificates in CT"]
    if report.undecided:
        more = f" (and {len(report.undecided) - 1} more below)" if len(report.undecided) > 1 else ""
        told.append(f"not decided: {report.undecided[0]}{more}")
    asked = ", ".join(dict.fromkeys(answer.source for answer in report.answers)) or "nobody was asked"
    shown = ", ".join(report.domains[:3]) + (f" and {len(report.domains) - 3} more" if len(report.domains) > 3 else "")
    numbers = " ".join(f"{state.replace('-', '_')}={counts[state]}" for state in _WORDS)
    said = f"CT INVENTORY {report.status} - {'; '.join(told)}; {shown}: {asked}"
    return f"{plain(said)} | {numbers}"


def _details(report: Report, database: Path) -> Iterator[str]:
    for line in report.undecided:
        yield f"not decided: {line}"
    for item in report.items:
        if item.needs_a_person or item.state is State.ACKNOWLEDGED:
            yield ""
            yield from block(item, report.at)
            if item.needs_a_person:
                yield f"  accept:   {how(item, report.at, database)}"
    yield ""
    local = report.local
    yield (
        f"local files: {local.get('certificates', 0)} certificates, {local.get('keys', 0)} keys;"
        f" valid certificates among them that no source has: {report.unseen}"
    )
    for line in report.notes:
        yield f"note: {line}"
    yield f"judged at {moment(report.at)}"


def block(item: Item, at: datetime) -> Iterator[str]:
    """Everything a person needs to know it, line by line, safe to show."""
    one = item.issuance
    names = ", ".join(visible(name, 260) for name in one.names[:_SHOWN]) or "(no names)"
    more = f" and {len(one.names) - _SHOWN} more" if len(one.names) > _SHOWN else ""
    yield f"{_HEADS.get(item.state, item.state.upper())} ({item.status}): {names}{more}"
    yield f"  why:      {item.reason}"
    key = f", key sha256:{item.issuer_key}" if item.issuer_key else ""
    yield f'  issuer:   "{visible(one.issuer, 300)}"{key}'
    yield f"  serial:   {visible(one.serial, 140) or 'not known'}"
    ended = " (has ended)" if one.not_after and one.not_after < at else ""
    yield f"  valid:    {_moment(one.not_before)} to {_moment(one.not_after)}{ended}"
    yield f"  key:      {f'sha256:{one.key_sha256}' if one.key_sha256 else 'not known'}"
    first = f", first on {moment(one.first_seen)}" if one.first_seen else ""
    form = ", as a precertificate only" if one.precert else ""
    yield f"  seen by:  {', '.join(item.sources)}{first}{form}"
    yield f"  TBS hash: {one.tbs_sha256}"


def how(item: Item, at: datetime, database: Path) -> str:
    """The command that accepts it, or why none does."""
    ours = visible(str(database), 300)
    if item.state is State.REJECTED and item.decided_in != ours:
        return f"rejected in {item.decided_in}; whoever takes that back does it there"
    if item.faults:
        return "cannot be accepted; the same command with --interactive acknowledges it, with a reason and an end"
    if item.state is State.ISSUER_UNDECIDED:
        return "cannot be accepted before its CA is known"
    until = suggested(item, at)
    words = ["dnscertscan", "ct", "inventory", "--accept-tbs", item.issuance.tbs_sha256, "--until", f"{until:%Y-%m-%d}"]
    words += ["--database", str(database.absolute())]
    said = visible(shlex.join(words), 4000)
    return f"rejected in {ours}; this takes it back: {said}" if item.state is State.REJECTED else said


def suggested(item: Item, at: datetime) -> datetime:
    """An end for a decision: that of the certificate, at most in 90 days, never in the past."""
    latest = at + _LONGEST
    return max(min(item.issuance.not_after or latest, latest), at + timedelta(days=1))


def _moment(when: datetime | None) -> str:
    return moment(when.astimezone(UTC)) if when else "not known"


def as_json(report: Report) -> str:
    """The whole report."""
    fields: dict[str, Any] = {
        "schema": SCHEMA, "status": report.status, "exit_status": report.status.exit_status, "at": report.at.isoformat(),
        "domains": report.domains, "counts": {state: report.counts[state] for state in State},
        "undecided": report.undecided, "notes": report.notes, "local": dict(report.local), "unseen": report.unseen,
        "answers": [
            {
                "source": answer.source, "domain": answer.domain.text, "verdict": answer.verdict, "as_of": _iso(answer.as_of),
                "complete": answer.complete, "truncated": answer.truncated, "reason": answer.reason, "problems": answer.problems,
            } for answer in report.answers
        ],
        "issuances": [_item(item) for item in report.items],
    }
    return json_without_commands(json.dumps(fields, indent=2)) + "\n"


def _item(item: Item) -> dict[str, Any]:
    one = item.issuance
    return {
        "tbs_sha256": one.tbs_sha256, "state": item.state, "status": item.status, "reason": item.reason,
        "only_from_an_earlier_run": item.remembered, "faults": sorted(item.faults), "names": one.names,
        "subject": one.subject, "issuer": one.issuer,
        "issuer_key_sha256": item.issuer_key or None, "serial": one.serial, "not_before": _iso(one.not_before),
        "not_after": _iso(one.not_after), "key_sha256": one.key_sha256, "cert_sha256": one.cert_sha256,
        "precert_only": one.precert, "sources": item.sources, "first_seen": _iso(one.first_seen),
    }


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
