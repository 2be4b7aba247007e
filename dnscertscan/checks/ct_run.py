"""What Certificate Transparency says, or does not say, of the whole run: a log that contradicts itself or is silent, an old list.

Each is one finding, however many certificates it concerns. Its subject is the log or the list, by the text of its record.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from dnscertscan.checks.catalog import RULES
from dnscertscan.model.ct import Inclusion, InclusionVerdict, SctResult
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.ct_policy import STALE_DAYS

_SHOWN = 3
_OPEN = frozenset({InclusionVerdict.UNKNOWN, InclusionVerdict.MISBEHAVIOUR})


@dataclass(slots=True)
class _Said:
    """What one log said: reasons in the order they came, the leaves concerned, files of evidence."""

    name: str
    place: str
    reasons: dict[str, None] = field(default_factory=dict)
    leaves: set[str] = field(default_factory=set)
    evidence: dict[str, None] = field(default_factory=dict)


def look(policy: CtPolicy, facts: CtFacts, at: datetime, hanging: int) -> Iterator[Finding]:
    """``hanging``: certificates about which something is open because of the list of logs."""
    if hanging:
        yield _old_list(policy, at, hanging)
    for (verdict, _), said in sorted(_by_log(facts).items()):
        yield _contradicts(said) if verdict is InclusionVerdict.MISBEHAVIOUR else _silent(said)


def others(facts: CtFacts) -> CtFacts:
    """``facts`` without the lines on what nobody could ask that speak of a log this module tells of."""
    silent = [said.name for (verdict, _), said in _by_log(facts).items() if verdict is InclusionVerdict.UNKNOWN]
    return replace(facts, unasked=tuple(text for text in facts.unasked if not any(name and name in text for name in silent)))


def _by_log(facts: CtFacts) -> dict[tuple[InclusionVerdict, bytes], _Said]:
    found: dict[tuple[InclusionVerdict, bytes], _Said] = {}
    for leaf in sorted(facts.inclusions):
        for result, inclusion in facts.inclusions[leaf]:
            if inclusion.verdict in _OPEN:
                said = found.setdefault((inclusion.verdict, inclusion.log_id), _Said(*_name(result, inclusion)))
                said.reasons[inclusion.reason] = None
                said.leaves.add(leaf)
                if inclusion.evidence:
                    said.evidence[inclusion.evidence] = None
    return found


def _contradicts(said: _Said) -> Finding:
    evidence = f"; evidence: {_listed(said.evidence)}" if said.evidence else ""
    message = (
        f"CT log contradicts itself: {said.place}: {_listed(said.reasons)}; {_served(said)}{evidence}; "
        "report it to ct-policy, and have them issued again with SCTs of other logs"
    )
    return _finding("ct-log-misbehaviour", said.place, message)


def _silent(said: _Said) -> Finding:
    message = (
        f"what Certificate Transparency says is not known: whether {said.place} has what it promised: {_listed(said.reasons)}; "
        f"{_served(said)}; let this host reach the log, and look again"
    )
    return _finding("ct-unknown", said.place, message)


def _old_list(policy: CtPolicy, at: datetime, hanging: int) -> Finding:
    logs = policy.log_list
    age = (at - logs.timestamp).days
    old = f"is {age} days old, browsers enforce up to {STALE_DAYS}"
    fact = old if age > STALE_DAYS else "does not tell the state of every log now"
    name = f'list of logs "{visible(f"{logs.name} {logs.version}".rstrip(), 200)}"'
    message = (
        f"what Certificate Transparency says is not known in full: the {name} {fact}; verdicts on {_number(hanging)} "
        "hang on it; update it with `dnscertscan ct loglist update`"
    )
    return _finding("ct-unknown", "list of logs", message)


def _finding(slug: str, subject: str, message: str) -> Finding:
    rule = RULES[slug]
    return Finding(rule, rule.severity, Subject(record=visible(subject, 300)), visible(message))


def _name(result: SctResult, inclusion: Inclusion) -> tuple[str, str]:
    """The name of a log, and name and place as a message has them."""
    if result.log is None:
        name = b64encode(inclusion.log_id).decode()
        return name, f"CT log {name}"
    name = visible(result.log.description, 100)
    return name, f'CT log "{name}" ({visible(result.log.url, 150)})'


def _served(said: _Said) -> str:
    verb = "has" if len(said.leaves) == 1 else "have"
    return f"{_number(len(said.leaves))} served {verb} SCTs of it"


def _number(certificates: int) -> str:
    return f"{certificates} certificate{'s' * (certificates != 1)}"


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
