"""Which failures of a further hello are no answer at all, in which words they are told, and when such a hello is put once more.

Only what a server says in TLS tells that it has no other certificate: an alert, or a handshake without a list. A connection that
is refused, reset or closed may be the work of a limiter, and a list behind it is one that nobody has looked at.
"""

from collections import OrderedDict
from collections.abc import Hashable

from dnscertscan.model.observations import Failure, FailureKind

PAUSE = 0.2
"""Seconds before a hello is put once more."""
SPENT = {
    FailureKind.HANDSHAKE_TIMEOUT: "not done in its time", FailureKind.TOO_LARGE: "too many octets received",
}
"""What the peer has used up; there is no second try after that."""
_WORDS = SPENT | {
    FailureKind.REFUSED: "connection refused", FailureKind.TIMEOUT: "connection timed out", FailureKind.RESET: "connection reset",
    FailureKind.CLOSED: "connection closed", FailureKind.STARTTLS_REFUSED: "STARTTLS refused",
    FailureKind.STARTTLS_UNSUPPORTED: "STARTTLS refused",
}
_IN_DETAIL = {FailureKind.UNREACHABLE, FailureKind.HANDSHAKE_ERROR}
_AGAIN = {
    FailureKind.REFUSED, FailureKind.UNREACHABLE, FailureKind.TIMEOUT, FailureKind.RESET, FailureKind.CLOSED,
    FailureKind.STARTTLS_REFUSED, FailureKind.STARTTLS_UNSUPPORTED,
}
_HABITS = {FailureKind.CLOSED, FailureKind.RESET}
"""What some servers do instead of sending an alert."""
_A_HABIT = 3
_MOST = 16_384


def why(failure: Failure) -> str:
    """Why the server has not answered, for :attr:`Handshake.unanswered`; empty where it has, or where the scanner failed."""
    return failure.detail if failure.kind in _IN_DETAIL else _WORDS.get(failure.kind, "")


def worth_another_try(failure: Failure) -> bool:
    """Whether the same hello may fare better a moment later."""
    return failure.kind in _AGAIN


class Pauses:
    """How long to wait before a second try, by key (an endpoint and a kind of hello); a bounded number of keys.

    A server that closes or resets where others send an alert does so for all of its names. When three second tries in a row
    were in vain, the next ones come at once, so that they cost such a server's names one connection each and no time.
    """

    def __init__(self) -> None:
        self._in_vain: OrderedDict[Hashable, int] = OrderedDict()

    def before(self, key: Hashable, failure: Failure) -> float:
        """Seconds to wait after ``failure``."""
        return 0.0 if failure.kind in _HABITS and self._in_vain.get(key, 0) >= _A_HABIT else PAUSE

    def ended(self, key: Hashable, *, in_vain: bool) -> None:
        """A second try was made."""
        if not in_vain:
            self._in_vain.pop(key, None)
            return
        self._in_vain[key] = self._in_vain.get(key, 0) + 1
        self._in_vain.move_to_end(key)
        if len(self._in_vain) > _MOST:
            self._in_vain.popitem(last=False)
