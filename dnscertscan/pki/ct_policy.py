"""What Chrome, Apple and Mozilla ask of the SCTs of a certificate, each with reasons.

Sources: Chrome's "Certificate Transparency in Chrome" and its policy enforcer; Apple's support article 103214; Firefox's
CTPolicyEnforcer. A log is *current* when it is qualified, usable or read-only at the time of the check. SCTs that cannot be
judged are counted twice, as nothing and as good as they could be: when that makes a difference, the policy is undecided.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dnscertscan.model.ct import Delivery, Log, LogKind, LogState, PolicyResult, Program, Sct, SctResult, SctVerdict
from dnscertscan.pki.sct import LIST_BROKEN

STALE_DAYS = 70
"""Chrome and Firefox no longer enforce with a list of this age."""
ALL_STATIC_SINCE = datetime(2026, 4, 15, tzinfo=UTC)
"""Chrome's policy asked for one SCT of an RFC 6962 log before."""
NO_OCSP_SINCE = datetime(2026, 3, 20, tzinfo=UTC)
"""Chrome's policy does not count SCTs in OCSP responses since (Chrome 148)."""
APPLE_ALL_STATIC = "no SCT is of an RFC 6962 log, which Apple asked for; whether it still does is not known"
"""The one doubt about a policy itself: nothing that anybody could look up here would settle it."""
_LONG = timedelta(days=180)
_SECOND = timedelta(seconds=1)
_CURRENT = frozenset({LogState.QUALIFIED, LogState.USABLE, LogState.READONLY})


@dataclass(frozen=True, slots=True)
class _Vote:
    """An SCT that may count. ``sure`` is False for one that could not be judged and is taken at its best."""

    log_id: bytes
    operator: str
    delivery: Delivery
    at: datetime
    current: bool
    retired: datetime | None
    static: bool | None
    indexed: bool
    sure: bool


@dataclass(frozen=True, slots=True)
class _Case:
    program: Program
    lifetime: timedelta
    at: datetime

    @property
    def needed(self) -> int:
        """Embedded SCTs. Apple counts the last second of the validity period in (RFC 5280 4.1.2.5), the others do not."""
        extra = _SECOND if self.program is Program.APPLE else timedelta()
        return 2 if self.lifetime + extra <= _LONG else 3


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Empty ``missing``: met. ``doubts``: met, unless these texts, which cannot be decided here, say otherwise."""

    missing: tuple[str, ...]
    doubts: tuple[str, ...] = ()
    met: str = ""


def evaluate(
    results: Sequence[SctResult], validity: tuple[datetime, datetime] | None, at: datetime,
    *, fresh: bool = True, seen: bool = True,
) -> tuple[PolicyResult, ...]:
    """One result per program.

    ``validity`` is (notBefore, notAfter), None when unreadable. ``fresh``: the list of logs is of about the time ``at``, so that
    a log it does not have counts for nothing. ``seen``: whether SCTs in the handshake would have been seen; only asked when there
    are no embedded ones, since those are what a CA relies on.
    """
    if validity is None:
        return tuple(PolicyResult(program, None, ("the validity period cannot be read",)) for program in Program)
    votes = _votes(results, at, fresh=fresh)
    hidden = not seen and not any(result.delivery is Delivery.EMBEDDED for result in results)
    return tuple(_evaluate(_Case(program, validity[1] - validity[0], at), votes, hidden=hidden) for program in Program)


def _evaluate(case: _Case, votes: Sequence[_Vote], *, hidden: bool) -> PolicyResult:
    sure = [vote for vote in votes if vote.sure]
    verdict = _judge(case, sure)
    if not verdict.missing:
        return PolicyResult(case.program, None if verdict.doubts else True, (*verdict.doubts, verdict.met))
    if hidden:
        return PolicyResult(case.program, None, (*verdict.missing, "whether the server sends SCTs in the handshake is not known"))
    if len(sure) < len(votes) and not _judge(case, votes).missing:
        left = len(votes) - len(sure)
        return PolicyResult(case.program, None, (*verdict.missing, f"SCTs that could not be judged: {left}; they may decide it"))
    return PolicyResult(case.program, False, verdict.missing)


def _judge(case: _Case, votes: Sequence[_Vote]) -> _Verdict:
    embedded = _embedded(case, votes)
    if not embedded.missing:
        return embedded
    handshake = _handshake(case, votes)
    if handshake is None:
        return embedded
    return _Verdict((*embedded.missing, *handshake.missing)) if handshake.missing else handshake


def _embedded(case: _Case, votes: Sequence[_Vote]) -> _Verdict:
    """By SCTs in the certificate: one of a current log, and enough of logs that are current or were at the time."""
    # The earliest SCT stands for the time of issuance: the benefit of the doubt when a log is retired in the midst of it.
    issued = min((vote.at for vote in votes if vote.current), default=None)
    counted = [
        vote for vote in votes
        if vote.delivery is Delivery.EMBEDDED and _counts(case, vote)
        and (vote.current or (issued is not None and vote.retired is not None and max(issued, vote.at) < vote.retired))
    ]
    missing = []
    if not any(vote.current for vote in counted):
        missing.append(f"no embedded SCT is of a log that is qualified, usable or read-only on {case.at:%Y-%m-%d}")
    number, rule = _number(case, counted)
    if number < case.needed:
        days = -(-(case.lifetime + _SECOND) // timedelta(days=1))
        missing.append(f"{number} embedded SCTs count{rule}, {case.needed} are needed for a lifetime of {days} days")
    operators = _operators(counted)
    if case.program is not Program.APPLE and len(operators) == 1:
        missing.append(f"all SCTs that count are of one operator, {operators[0]}, 2 are needed")
    return _settled(case, counted, missing, f"{number} embedded SCTs count{rule}, {case.needed} are needed")


def _number(case: _Case, counted: Sequence[_Vote]) -> tuple[int, str]:
    """How many SCTs of distinct logs count."""
    logs = {vote.log_id: vote.operator for vote in counted}
    if case.program is not Program.APPLE:
        return len(logs), ""
    most = case.needed - 1
    return sum(min(most, count) for count in Counter(logs.values()).values()), f" (at most {most} of one operator)"


def _handshake(case: _Case, votes: Sequence[_Vote]) -> _Verdict | None:
    """By SCTs of the TLS extension or a stapled OCSP response, all of current logs; None when there are none."""
    sent = [vote for vote in votes if vote.delivery is not Delivery.EMBEDDED and _counts(case, vote)]
    if not sent:
        return None
    missing = []
    if case.program is Program.CHROME and case.at >= NO_OCSP_SINCE:
        sent = [vote for vote in sent if vote.delivery is Delivery.TLS]
        if not sent:
            missing.append("SCTs in OCSP responses do not count since Chrome 148")
    sent = [vote for vote in sent if vote.current]
    # Chrome and Apple take embedded SCTs of current logs as the second one; Firefox does not.
    beside = [vote for vote in votes if vote.delivery is Delivery.EMBEDDED and vote.current] if sent else []
    counted = [*sent, *beside] if case.program is not Program.MOZILLA else sent
    logs, operators = {vote.log_id for vote in counted}, _operators(counted)
    if len(logs) < 2:
        missing.append(f"{len(logs)} SCTs of current logs count for the handshake, 2 are needed")
    elif case.program is not Program.APPLE and len(operators) < 2:
        missing.append(f"all SCTs that count for the handshake are of one operator, {operators[0]}, 2 are needed")
    return _settled(case, counted, missing, f"{len(logs)} SCTs of current logs count for the handshake, 2 are needed")


def _settled(case: _Case, counted: Sequence[_Vote], missing: list[str], met: str) -> _Verdict:
    """With the rule on RFC 6962 logs: gone at Chrome, never there at Mozilla, not known at Apple."""
    doubts: tuple[str, ...] = ()
    if counted and case.program is not Program.MOZILLA and all(vote.static for vote in counted):
        if case.at < ALL_STATIC_SINCE:
            missing.append("no SCT is of an RFC 6962 log, which one had to be until 2026-04-15")
        elif case.program is Program.APPLE:
            doubts = (APPLE_ALL_STATIC,)
    return _Verdict(tuple(missing), doubts, f"{met}; operators: {', '.join(_operators(counted))}")


def _counts(case: _Case, vote: _Vote) -> bool:
    """Firefox passes over SCTs of static-ct logs that do not say where their entry is."""
    return case.program is not Program.MOZILLA or not vote.static or vote.indexed


def _operators(votes: Iterable[_Vote]) -> list[str]:
    return sorted({vote.operator for vote in votes})


def _votes(results: Sequence[SctResult], at: datetime, *, fresh: bool) -> list[_Vote]:
    """What may count. Nothing of a broken list does: no client takes SCTs from one."""
    broken = {
        result.delivery for result in results if not isinstance(result.sct, Sct) and result.sct.problem.startswith(LIST_BROKEN)
    }
    votes = []
    for result in results:
        if not isinstance(result.sct, Sct) or result.delivery in broken or result.verdict is SctVerdict.INVALID:
            continue
        if result.log is not None:
            votes.append(_vote(result, result.sct, result.log, at))
        elif not fresh:
            name = f"an unknown one ({result.sct.log_id.hex()[:8]})"
            votes.append(_Vote(result.sct.log_id, name, result.delivery, result.sct.at, True, None, None, True, False))
    return votes


def _vote(result: SctResult, sct: Sct, log: Log, at: datetime) -> _Vote:
    state = result.state
    retired = next((since for past, since in reversed(log.states) if past is LogState.RETIRED and since <= at), None)
    return _Vote(
        log.log_id, result.operator, result.delivery, sct.at, state is None or state in _CURRENT,
        retired if state is LogState.RETIRED else None, log.kind is LogKind.STATIC, sct.leaf_index is not None,
        result.verdict is SctVerdict.VALID and state is not None,
    )
