"""How a worker says what it has seen: every certificate and every distinct outcome is spelt out once, then called by number.

Both sides keep a table. ``c`` of a frame lists new certificates, ``o`` new outcomes, each numbered in the order they come;
``r`` is [target, seconds, outcome] for each target done. ``new`` empties both tables before anything else is read.
"""

import json
from collections.abc import Iterator
from typing import Any

from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake, Outcome
from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.look import Seen
from dnscertscan.scan.merge import Chain, Received, deployments

_MOST = 4096


class Speaker:
    """The worker's side. Add outcomes with :meth:`say`, send what :meth:`frame` gives."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._certificates: dict[bytes, int] = {}
        self._outcomes: dict[str, int] = {}
        self._frame: dict[str, Any] = {}
        self.said = 0
        """Targets in the frame that is being put together."""

    def say(self, number: int, seconds: float, outcome: Seen | Failure) -> None:
        """One target is done."""
        if max(len(self._certificates), len(self._outcomes)) >= self._most and not self.said:
            self._certificates.clear()
            self._outcomes.clear()
            self._frame["new"] = True
        spelt = self._spell(outcome)
        known = json.dumps(spelt, separators=(",", ":"))
        if known not in self._outcomes:
            self._outcomes[known] = len(self._outcomes)
            self._frame.setdefault("o", []).append(spelt)
        self._frame.setdefault("r", []).append((number, round(seconds, 4), self._outcomes[known]))
        self.said += 1

    def frame(self) -> Message:
        """All that was said since the last one."""
        frame, self._frame, self.said = self._frame, {}, 0
        return frame

    def _spell(self, outcome: Seen | Failure) -> list[Any]:
        if isinstance(outcome, Failure):
            return [outcome.kind, outcome.detail]
        lists = [
            [[self._number(der) for der in one.chain], one.how, _packed(one.staple), _packed(one.scts)]
            for one in outcome.received
        ]
        failure = outcome.engine_failure
        return [
            lists, outcome.protocol, outcome.cipher, outcome.client_auth, outcome.unanswered, outcome.alpn, outcome.legacy,
            None if failure is None else [failure.kind, failure.detail],
        ]

    def _number(self, der: bytes) -> int:
        if (number := self._certificates.get(der)) is None:
            number = self._certificates[der] = len(self._certificates)
            self._frame.setdefault("c", []).append(pack(der))
        return number


class Listener:
    """The scanner's side. What it is told is data of a process that talks with hostile peers: anything else is a ValueError."""

    def __init__(self) -> None:
        self._certificates: list[bytes] = []
        self._outcomes: list[Outcome] = []

    def hear(self, frame: Message) -> Iterator[tuple[int, float, Outcome]]:
        """(target, seconds, outcome) of each target done. Raises ValueError, TypeError or LookupError."""
        if frame.get("new"):
            self._certificates.clear()
            self._outcomes.clear()
        self._certificates += map(unpack, frame.get("c", ()))
        self._outcomes += map(self._read, frame.get("o", ()))
        for number, seconds, known in frame.get("r", ()):
            yield number, float(seconds), self._outcomes[known]

    def _read(self, spelt: list[Any]) -> Outcome:
        if len(spelt) == 2:
            return _failure(spelt)
        lists, protocol, cipher, client_auth, unanswered, alpn, legacy, failure = spelt
        received = [Received(self._chain(chain), how, _unpacked(staple), _unpacked(scts)) for chain, how, staple, scts in lists]
        return Handshake(
            deployments(received, {}), protocol, cipher, ClientAuth(client_auth), tuple(unanswered),
            None if failure is None else _failure(failure), alpn, tuple(legacy),
        )

    def _chain(self, numbers: list[int]) -> Chain:
        return tuple(self._certificates[number] for number in numbers)


def _failure(spelt: list[Any]) -> Failure:
    kind, detail = spelt
    return Failure(FailureKind(kind), str(detail))


def _packed(octets: bytes | None) -> str | None:
    return None if octets is None else pack(octets)


def _unpacked(text: str | None) -> bytes | None:
    return None if text is None else unpack(text)
