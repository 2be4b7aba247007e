"""What the browsers ask: numbers, operators, states and times, each rule at its edge."""

from datetime import UTC, datetime, timedelta

import pytest
from pki import ct_forge
from pki.ct_forge import OwnLog

from dnscertscan.model.ct import BadSct, Delivery, LogKind, LogState, PolicyResult, Program, Sct, SctResult, SctVerdict
from dnscertscan.pki.ct_policy import ALL_STATIC_SINCE, NO_OCSP_SINCE, evaluate
from dnscertscan.pki.sct import parse_sct

AT = datetime(2026, 10, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ISSUED = AT - 30 * DAY
OLD = datetime(2020, 1, 1, tzinfo=UTC)
C, A, M = Program.CHROME, Program.APPLE, Program.MOZILLA
EMBEDDED, OCSP, TLS = Delivery.EMBEDDED, Delivery.OCSP, Delivery.TLS


def _log(
    label: str, operator: str, state: LogState = LogState.USABLE, since: datetime = OLD, kind: LogKind = LogKind.RFC6962
) -> OwnLog:
    states = ((state, since),) if since == OLD else ((LogState.USABLE, OLD), (state, since))
    return OwnLog(label, operator, kind=kind, states=states)


A1, A2, B1, C1 = _log("a1", "Op A"), _log("a2", "Op A"), _log("b1", "Op B"), _log("c1", "Op C")
S1, S2 = _log("s1", "Op A", kind=LogKind.STATIC), _log("s2", "Op B", kind=LogKind.STATIC)


def _result(
    log: OwnLog, delivery: Delivery = EMBEDDED, at: datetime = ISSUED, *, now: datetime = AT,
    verdict: SctVerdict = SctVerdict.VALID, extensions: bytes | None = None,
) -> SctResult:
    sct = parse_sct(log.sct(b"entry", at, extensions))
    assert isinstance(sct, Sct)
    if verdict is SctVerdict.UNKNOWN_LOG:
        return SctResult(sct, delivery, verdict, "", None, "", None)
    return SctResult(sct, delivery, verdict, "", log.log, log.operator, log.log.state_at(now))


def _validity(days: float, at: datetime = AT) -> tuple[datetime, datetime]:
    return at - 30 * DAY, at - 30 * DAY + timedelta(days=days)


def _policies(
    *results: SctResult, days: float = 90, at: datetime = AT, fresh: bool = True, seen: bool = True
) -> dict[Program, PolicyResult]:
    found = evaluate(results, _validity(days, at), at, fresh=fresh, seen=seen)
    assert [result.program for result in found] == list(Program)
    assert all(result.reasons and all(result.reasons) for result in found)
    return {result.program: result for result in found}


def _said(*results: SctResult, days: float = 90, at: datetime = AT, fresh: bool = True, seen: bool = True) -> list[bool | None]:
    """Chrome, Apple, Mozilla."""
    found = _policies(*results, days=days, at=at, fresh=fresh, seen=seen)
    return [found[program].compliant for program in (C, A, M)]


YES, NO, OPEN = [True] * 3, [False] * 3, [None] * 3


def test_two_logs_of_two_operators() -> None:
    """The normal short-lived certificate; and why."""
    found = _policies(_result(A1), _result(B1))
    assert [result.compliant for result in found.values()] == YES
    assert found[C].reasons == ("2 embedded SCTs count, 2 are needed; operators: Op A, Op B",)
    assert found[A].reasons == ("2 embedded SCTs count (at most 1 of one operator), 2 are needed; operators: Op A, Op B",)


def test_too_few() -> None:
    """None, one, the same log twice, one operator."""
    assert _said() == NO
    assert _said(_result(A1)) == NO
    assert _said(_result(A1), _result(A1, at=ISSUED + DAY)) == NO
    found = _policies(_result(A1), _result(A2))
    assert [result.compliant for result in found.values()] == NO
    assert found[C].reasons == ("all SCTs that count are of one operator, Op A, 2 are needed",)
    assert found[A].reasons == ("1 embedded SCTs count (at most 1 of one operator), 2 are needed for a lifetime of 91 days",)


def test_the_number_by_lifetime() -> None:
    """Over 180 days three are needed; Apple counts the last second of the period in, the others do not."""
    two, three = (_result(A1), _result(B1)), (_result(A1), _result(A2), _result(B1))
    second = timedelta(seconds=1) / DAY
    assert _said(*two, days=180 - second) == YES
    assert _said(*two, days=180) == [True, False, True]
    assert _said(*two, days=180 + second) == NO
    assert _said(*three, days=398) == YES
    assert _said(_result(A1), _result(A2), _result(S1), _result(B1), days=398) == YES


def test_apple_counts_two_of_one_operator_at_most() -> None:
    """Three SCTs of which two operators make only two and one: fine; three of one and one other: two and one."""
    a3 = _log("a3", "Op A")
    assert _said(_result(A1), _result(A2), _result(a3), _result(B1), days=398) == YES
    assert _said(_result(A1), _result(A2), _result(a3), days=398) == NO


@pytest.mark.parametrize("state", [LogState.QUALIFIED, LogState.USABLE, LogState.READONLY])
def test_current_states(state: LogState) -> None:
    """These count."""
    assert _said(_result(_log("x", "Op A", state)), _result(_log("y", "Op B", state))) == YES


@pytest.mark.parametrize("state", [LogState.PENDING, LogState.REJECTED])
def test_states_that_never_count(state: LogState) -> None:
    """These do not, beside any number of others they do no harm."""
    assert _said(_result(_log("x", "Op A", state)), _result(B1)) == NO
    assert _said(_result(_log("x", "Op A", state)), _result(B1), _result(A1)) == YES


def test_retired_logs() -> None:
    """A log retired since counts beside a current one when issuance, the earliest SCT of a current log, was before."""
    after, before = _log("late", "Op A", LogState.RETIRED, ISSUED + DAY), _log("early", "Op A", LogState.RETIRED, ISSUED - DAY)
    assert _said(_result(after), _result(B1)) == YES
    assert _said(_result(before), _result(B1)) == NO
    assert _said(_result(before, at=ISSUED - 3 * DAY), _result(B1)) == NO
    assert _said(_result(before, at=ISSUED - 3 * DAY), _result(B1, at=ISSUED - 2 * DAY)) == YES
    assert _said(_result(after, at=ISSUED + 2 * DAY), _result(B1)) == NO
    both = (_result(after), _result(_log("late2", "Op B", LogState.RETIRED, ISSUED + DAY)))
    found = _policies(*both)
    assert [result.compliant for result in found.values()] == NO
    assert "no embedded SCT is of a log that is qualified" in found[C].reasons[0]


def test_the_state_is_that_of_the_check() -> None:
    """A log retired only later than the check is still current."""
    later = _log("later", "Op A", LogState.RETIRED, AT + DAY)
    assert _said(_result(later), _result(B1)) == YES


def test_a_log_that_will_retire_again() -> None:
    """What is to come later than the check does not count."""
    states = ((LogState.RETIRED, ISSUED - DAY), (LogState.RETIRED, AT + DAY))
    assert _said(_result(OwnLog("again", "Op A", states=states)), _result(B1)) == NO


def test_bad_scts_do_no_harm() -> None:
    """Invalid, unknown and malformed ones beside enough good ones change nothing; none of them counts."""
    bad = SctResult(BadSct(b"", "cut"), EMBEDDED, SctVerdict.INVALID, "cut", None, "", None)
    invalid = _result(C1, verdict=SctVerdict.INVALID)
    assert _said(bad, invalid, _result(C1, verdict=SctVerdict.UNKNOWN_LOG), _result(A1), _result(B1)) == YES
    assert _said(bad, invalid, _result(C1, verdict=SctVerdict.UNKNOWN_LOG), _result(A1)) == NO


def test_nothing_of_a_broken_list_counts() -> None:
    """Clients drop a list whose frame is broken, with all that was in it."""
    broken = SctResult(BadSct(b"", "SCT list: cut"), EMBEDDED, SctVerdict.INVALID, "", None, "", None)
    assert _said(_result(A1), _result(B1), broken) == NO
    assert _said(_result(A1, TLS), _result(B1, TLS), broken) == YES


def test_what_cannot_be_judged_leaves_it_open_only_when_it_matters() -> None:
    """An SCT without issuer, or of a log that an old list cannot know, may decide it; a fresh list knows all that count."""
    lost = _result(B1, verdict=SctVerdict.UNVERIFIABLE)
    unknown = _result(C1, verdict=SctVerdict.UNKNOWN_LOG)
    assert _said(_result(A1), lost) == OPEN
    assert _said(lost) == NO
    assert _said(_result(A1), _result(A2), lost, days=398) == OPEN
    assert _said(_result(A1), unknown) == NO
    assert _said(_result(A1), unknown, fresh=False) == OPEN
    assert _said(unknown, fresh=False) == NO
    young = _log("young", "Op B", LogState.USABLE, AT + DAY)
    young = OwnLog("young", "Op B", states=young.states[1:])
    assert _said(_result(A1), _result(young)) == OPEN


def test_without_embedded_scts_the_handshake_decides() -> None:
    """No SCT at all: not met when the handshake was seen, open when it was not."""
    assert _said(seen=True) == NO
    assert _said(seen=False) == OPEN
    assert _said(_result(A1), seen=False) == NO
    assert evaluate((), None, AT)[0].compliant is None


def test_by_tls_extension() -> None:
    """Two of current logs and two operators; retired ones never count; Apple asks for no operators."""
    assert _said(_result(A1, TLS), _result(B1, TLS), days=398) == YES
    assert _said(_result(A1, TLS)) == NO
    assert _said(_result(A1, TLS), _result(A2, TLS)) == [False, True, False]
    retired = _log("r", "Op A", LogState.RETIRED, ISSUED + DAY)
    assert _said(_result(retired, TLS), _result(B1, TLS)) == NO


def test_tls_beside_embedded() -> None:
    """Chrome and Apple take any second SCT of a current log, Firefox one of the handshake only."""
    assert _said(_result(A1, TLS), _result(B1)) == [True, True, False]


def test_by_ocsp_response() -> None:
    """Chrome counts SCTs in OCSP responses no longer; the others do."""
    assert _said(_result(A1, OCSP), _result(B1, OCSP)) == [False, True, True]
    assert "Chrome 148" in _policies(_result(A1, OCSP), _result(B1, OCSP))[C].reasons[-2]
    before = NO_OCSP_SINCE - DAY
    assert _said(_result(A1, OCSP, before, now=before), _result(B1, OCSP, before, now=before), at=before)[0] is True


def test_certificates_with_static_logs_only() -> None:
    """Allowed by Chrome from 2026-04-15; of Apple it is not known; Firefox never asked."""
    assert _said(_result(S1), _result(S2)) == [True, None, True]
    before = ALL_STATIC_SINCE - timedelta(seconds=1)
    both = [_result(log, at=before - DAY, now=before) for log in (S1, S2)]
    assert _said(*both, at=before) == [False, False, True]
    assert "until 2026-04-15" in _policies(*both, at=before)[C].reasons[0]
    assert _said(*both, _result(A1, at=before - DAY, now=before), at=before) == YES
    assert _said(*both, at=ALL_STATIC_SINCE)[0] is True


def test_firefox_wants_the_leaf_index() -> None:
    """An SCT of a static-ct log that does not say where its entry is counts for others only."""
    assert _said(_result(A1), _result(S2, extensions=b"")) == [True, True, False]


def test_operators_are_those_of_the_scts_time() -> None:
    """A log that changed hands counts for whom it belonged to when it signed."""
    moved = A1.log
    sold = SctResult(_result(A1).sct, EMBEDDED, SctVerdict.VALID, "", moved, "Op Before", LogState.USABLE)
    assert _said(sold, _result(A2)) == YES


def test_milliseconds_of_the_edge() -> None:
    """An SCT of the very moment of retirement does not count."""
    retired = _log("edge", "Op A", LogState.RETIRED, ISSUED)
    assert _said(_result(retired, at=ISSUED), _result(B1, at=ISSUED - DAY)) == NO
    assert _said(_result(retired, at=ISSUED - timedelta(milliseconds=1)), _result(B1, at=ISSUED - DAY)) == YES
    assert ct_forge.milliseconds(ISSUED) % 1000 == 0
