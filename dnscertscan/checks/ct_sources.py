"""What is not known of CT: sources that gave no answer, answers that are not whole, questions left open (DCS629, 631)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_blind import SINCE_START, Blind
from dnscertscan.checks.ct_doubts import Doubts
from dnscertscan.checks.ct_rows import listed, moment
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.text import visible

_REASONS = 3
_OLD = timedelta(days=2)
"""An answer that holds only up to a time so long ago is of a source that does not go on."""


def unavailable(sightings: Sightings) -> Iterator[Finding]:
    """DCS629: one for each source that gave no answer for some domain."""
    rule = RULES["ct-source-unavailable"]
    asked = _by_source(sightings.answers)
    for source, answers in asked.items():
        silent = [answer for answer in answers if answer.verdict is Verdict.UNAVAILABLE]
        if silent:
            message = (
                f'"{visible(source, 60)}" gave no answer for {len(silent)} of {len(answers)} domains ({_domains(silent)}): '
                f"{_reasons(silent)}; what CT has of them is unknown as far as this source goes, and nothing was concluded; "
                "run again later, or name another source ([ct] search)"
            )
            yield Finding(rule, rule.severity, Subject(fqdn=visible(source, 260)), message)


def incomplete(
    sightings: Sightings | None, unasked: Iterable[str], doubts: Doubts, blind: Blind, at: datetime
) -> Iterator[Finding]:
    """DCS631: one for each source with answers that are not whole, and one for everything else that stays open."""
    rule = RULES["ct-search-incomplete"]
    lines = list(doubts.lines())
    if sightings is not None:
        for source, answers in _by_source(sightings.answers).items():
            if said := list(_faults(source, answers, blind, at)):
                message = f'"{visible(source, 60)}" {"; it ".join(said)}'
                yield Finding(rule, rule.severity, Subject(fqdn=visible(source, 260)), message)
        if sightings.unidentified:
            names = sorted({one.names[0] for one in sightings.unidentified if one.names})
            count = len(sightings.unidentified)
            lines.append(f"certificates that search services list but did not hand out ({count}): for {listed(names, 3)}")
        if sightings.left_out:
            name, why = min(sightings.left_out)
            lines.append(f"names nobody was asked for ({len(sightings.left_out)}): {name.display} ({visible(why, 200)})")
    lines += [visible(line, 300) for line in dict.fromkeys(unasked)]
    if lines:
        message = f"what CT has is not known in full: {'; '.join(lines)}"
        yield Finding(rule, rule.severity, Subject(), message)


def _faults(source: str, answers: Sequence[SearchResult], blind: Blind, at: datetime) -> Iterator[str]:
    """What is wrong with the answers of one source."""
    given = [answer for answer in answers if answer.verdict is not Verdict.UNAVAILABLE]
    if parts := [answer for answer in given if answer.truncated]:
        yield (
            f"gave only a part of what it has for {len(parts)} of {len(answers)} domains ({_domains(parts)}): {_reasons(parts)}; "
            "what is missing is unknown; the next run goes on from there"
        )
    if old := [answer for answer in given if answer.as_of is None or at - answer.as_of > _OLD]:
        until = min((answer.as_of for answer in old if answer.as_of), default=None)
        when = f"only up to {moment(until)}" if until else "of no time that it could tell"
        hint = ": has it stopped?" if source == SINCE_START else ""
        yield (
            f"gave answers for {len(old)} of {len(answers)} domains ({_domains(old)}) that are {when}{hint}; "
            "what came into CT since then is unknown"
        )
    if lacking := [answer for answer in given if (source, answer.domain) in blind.found]:
        digest = min(blind.found[source, answer.domain] for answer in lacking)
        yield (
            f"does not have certificates that are served and that CT logs have signed for (as sha256 {digest[:16]}) for "
            f"{len(lacking)} of {len(answers)} domains ({_domains(lacking)}); what else it does not have is unknown"
        )
    if odd := [answer for answer in answers if answer.problems]:
        count = sum(len(answer.problems) for answer in odd)
        yield (
            f"sent rows that cannot be used ({count}) for {len(odd)} of {len(answers)} domains ({_domains(odd)}), as "
            f"{visible(odd[0].problems[0], 300)}; what is in them is unknown"
        )


def _by_source(answers: Iterable[SearchResult]) -> Mapping[str, list[SearchResult]]:
    found: dict[str, list[SearchResult]] = {}
    for answer in sorted(answers, key=lambda one: (one.source, one.domain, moment(one.as_of))):
        found.setdefault(answer.source, []).append(answer)
    return found


def _domains(answers: Sequence[SearchResult]) -> str:
    return listed([answer.domain.display for answer in answers], 5)


def _reasons(answers: Sequence[SearchResult]) -> str:
    reasons = sorted({answer.reason for answer in answers if answer.reason})
    more = f"; and {len(reasons) - _REASONS} more" if len(reasons) > _REASONS else ""
    return "; ".join(visible(reason, 200) for reason in reasons[:_REASONS]) + more or "no reason told"
