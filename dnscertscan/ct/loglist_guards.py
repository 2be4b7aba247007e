"""The guards of a list of logs: who signed it, whether it is newer than the last, and whether it can be what it says."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.ct import loglist_formats
from dnscertscan.ct.loglist_fields import has_right_id, label
from dnscertscan.ct.loglist_signature import google_key, signature_problem
from dnscertscan.ct.loglist_values import Draft, Examined, Objection, Shape, Weight
from dnscertscan.model.ct import Log, LogList, LogState
from dnscertscan.model.text import visible
from dnscertscan.pki.mimics import MIMICS

AGE_LIMIT = timedelta(days=70)
"""Browsers stop enforcing their policy when their list is older than this."""
_CLOCKS = timedelta(days=1)
_LEAST = 0.5
GOOGLE, APPLE, OWN = "google", "apple", "own"


@dataclass(frozen=True, slots=True)
class Seal:
    """What proves where a list comes from: its signature and the key (PEM) to check it by, Google's when there is none.

    ``waived``: the operator says that the list is a file of his own, so that no signature is looked at.
    """

    signature: bytes | None = None
    key: bytes | None = None
    waived: bool = False


def examine(raw: bytes, source: str, seal: Seal, at: datetime, kept: LogList | None = None) -> Examined:
    """Read a list and let every guard look at it; ``kept`` is the newest one accepted before. Never raises."""
    signed, objections = _sealed(raw, seal)
    draft = loglist_formats.read(raw)
    if isinstance(draft, Objection):
        return Examined(None, (*objections, draft))
    objections += [*draft.objections, *_ids(draft), *_dates(draft, at)]
    logs = {log.log_id: log for log in draft.logs if log.log_id not in MIMICS}
    found = LogList(_name(draft, signed, seal), draft.version, draft.timestamp, logs, source, signed)
    objections += _sizes(found, kept)
    if kept and found.timestamp < kept.timestamp:
        objections.append(Objection(
            Weight.REFUSED, f"it is of {_day(found.timestamp)}, older than the one in use of {_day(kept.timestamp)}",
            "somebody serves an old list: fetch it from its first publisher, or try again later",
        ))
    return Examined(found, tuple(sorted(objections, key=lambda one: list(Weight).index(one.weight))))


def age_problem(log_list: LogList, at: datetime) -> str:
    """The warning due when a list is too old to judge by; empty before that."""
    age = at - log_list.timestamp
    if age <= AGE_LIMIT:
        return ""
    which = f"{visible(log_list.name, 40)} {visible(log_list.version, 40)} of {_day(log_list.timestamp)}"
    return (
        f"the list of CT logs in use ({which}) is {age.days} days old, browsers use none older than {AGE_LIMIT.days}; "
        "run `dnscertscan ct loglist update`"
    )


def _sealed(raw: bytes, seal: Seal) -> tuple[bool, list[Objection]]:
    """Whether the signature is good, and what there is to say when one is there that is not."""
    if seal.waived:
        return False, []
    if seal.signature is None:
        step = "name one with --signature, or say with --no-signature that it is a file of your own"
        return False, [Objection(Weight.REFUSED, "it has no signature", step)]
    problem = signature_problem(raw, seal.signature, google_key() if seal.key is None else seal.key)
    if not problem:
        return True, []
    whose = "Google's key" if seal.key is None else "the key given"
    step = "fetch list and signature again, together (both change daily), or name the right key with --key"
    return False, [Objection(Weight.REFUSED, f"checked with {whose}: {problem}", step)]


def _name(draft: Draft, signed: bool, seal: Seal) -> str:
    if draft.shape is Shape.GOOGLE and signed and (seal.key is None or seal.key == google_key()):
        return GOOGLE
    return APPLE if draft.shape is Shape.APPLE else OWN


def _ids(draft: Draft) -> Iterator[Objection]:
    for log_id, times in Counter(log.log_id for log in draft.logs).items():
        if times > 1:
            who = label(log_id, next(log.description for log in draft.logs if log.log_id == log_id))
            yield Objection(Weight.REFUSED, f"{who} is in it {times} times", "do not use the list, and tell who publishes it")
    for log in draft.logs:
        who = label(log.log_id, log.description)
        if log.log_id in MIMICS:
            yield Objection(
                Weight.LEFT_OUT, f"{who} is {MIMICS[log.log_id]}, a mimic log whose private key is public",
                "this copy of the list is frozen: take the list for monitors, not the one served to TLS libraries", log.log_id,
            )
        elif not has_right_id(log):
            step = "do not use the list, and tell who publishes it"
            yield Objection(Weight.REFUSED, f"{who}: its log_id is not the SHA-256 of its key", step)


def _dates(draft: Draft, at: datetime) -> Iterator[Objection]:
    if draft.timestamp > at + _CLOCKS:
        step = "check the clock of this machine, and where the list comes from"
        yield Objection(Weight.REFUSED, f"it is of {_day(draft.timestamp)}, which is in the future", step)
    elif at - draft.timestamp > AGE_LIMIT:
        days = (at - draft.timestamp).days
        yield Objection(Weight.NOTE, f"it is {days} days old; browsers use none older than {AGE_LIMIT.days}")


def _sizes(found: LogList, kept: LogList | None) -> Iterator[Objection]:
    """Shards that are over at the date of the new list may have left it; all others are expected there."""
    step = "do not use it; try again in some hours, or fetch it from its first publisher"
    if not found.logs:
        yield Objection(Weight.REFUSED, "it has no log that can be used", step)
        return
    if kept is None:
        return
    before, now = (sum(_counts(log, found.timestamp) for log in one.logs.values()) for one in (kept, found))
    if now < before * _LEAST:
        yield Objection(Weight.REFUSED, f"it has {now} logs where the one in use has {before}: less than half", step)


def _counts(log: Log, moment: datetime) -> bool:
    rejected = bool(log.states) and log.states[-1][0] is LogState.REJECTED
    return not rejected and (log.interval is None or log.interval[1] > moment)


def _day(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
