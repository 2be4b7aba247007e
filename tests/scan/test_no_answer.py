"""What counts as an answer to a further hello, and how long the second try waits."""

import pytest

from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.no_answer import PAUSE, Pauses, why, worth_another_try

ANSWERS = {
    FailureKind.ALERT, FailureKind.UNRECOGNIZED_NAME, FailureKind.UNSUPPORTED_TLS, FailureKind.NO_CERTIFICATE,
    FailureKind.NOT_TLS,
}
OURS = {FailureKind.ENGINE, FailureKind.DEADLINE, FailureKind.UNSCANNABLE_NAME}
ONCE = {FailureKind.HANDSHAKE_TIMEOUT, FailureKind.TOO_LARGE, FailureKind.HANDSHAKE_ERROR}


@pytest.mark.parametrize("kind", FailureKind)
def test_every_kind_is_an_answer_or_told(kind: FailureKind) -> None:
    """No kind of failure is forgotten: it is an answer, the scanner's own affair, or it has words; most are tried twice."""
    failure = Failure(kind, "evidence")
    assert bool(why(failure)) == (kind not in ANSWERS | OURS)
    assert worth_another_try(failure) == (kind not in ANSWERS | OURS | ONCE)


def test_habits_cost_no_time() -> None:
    """Three second tries in vain: the next ones wait no longer there; one that helped, or another failure, waits again."""
    pauses, closed = Pauses(), Failure(FailureKind.CLOSED, "")
    for _ in range(3):
        assert pauses.before("here", closed) == PAUSE
        pauses.ended("here", in_vain=True)
    assert pauses.before("here", closed) == 0.0
    assert pauses.before("here", Failure(FailureKind.REFUSED, "")) == pauses.before("there", closed) == PAUSE
    pauses.ended("here", in_vain=False)
    assert pauses.before("here", closed) == PAUSE
