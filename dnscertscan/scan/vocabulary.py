"""How a worker says what it has seen: every certificate and every distinct outcome is spelt out once, then called by number.

Both sides keep a table. ``c`` of a frame lists new certificates, ``o`` new outcomes, each numbered in the order they come;
``r`` is [target, seconds, outcome] for each target done. ``new`` empties both tables before anything else is read. What is too
large to be remembered holds for one frame: ``b`` lists such certificates, numbered -1, -2 and so on, and in ``r`` an outcome
that is large or names one of them is spelt out in place of its number. Tables are emptied when they have grown to a number of
entries or of octets, which both sides count alike.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake, Outcome
from dnscertscan.scan.flight import MAX_CERTIFICATES
from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.look import Seen
from dnscertscan.scan.merge import LARGE, Chain, Received, deployments

_MOST = 4096
_MOST_OCTETS = 16 << 20
_FRAME = 1 << 20
_MOST_OF_ONE = 32 << 20  # octets of certificates; as base64 half of the longest frame
_LONGEST = 4096  # characters of a text
_MOST_LISTS = 64
_MOST_SECONDS = 1e7
_KEYS = {"ready", "new", "c", "b", "o", "r"}


class Speaker:
    """The worker's side. Add outcomes with :meth:`say`, send what :meth:`frame` gives."""

    def __init__(self, most: int = _MOST, octets: int = _MOST_OCTETS) -> None:
        self._most = most
        self._most_octets = octets
        self._certificates: dict[bytes, int] = {}
        self._outcomes: dict[str, int] = {}
        self._kept = 0
        self._large: dict[bytes, int] = {}
        self._frame: dict[str, Any] = {}
        self._octets = 0
        self.said = 0
        """Targets in the frame that is being put together."""

    @property
    def full(self) -> bool:
        """The frame should be sent before anything is added."""
        return self._octets >= _FRAME

    def say(self, number: int, seconds: float, outcome: Seen | Failure) -> None:
        """One target is done."""
        entries = max(len(self._certificates), len(self._outcomes))
        if (entries >= self._most or self._kept >= self._most_octets) and not self.said:
            self._certificates.clear()
            self._outcomes.clear()
            self._kept = 0
            self._frame["new"] = True
        spelt, forget = self._spell(outcome)
        self._frame.setdefault("r", []).append((number, round(seconds, 4), spelt if forget else self._known(spelt)))
        self._octets += _octets(spelt) if forget else 0
        self.said += 1

    def frame(self) -> Message:
        """All that was said since the last one."""
        frame, self._frame, self.said, self._octets = self._frame, {}, 0, 0
        self._large.clear()
        return frame

    def _known(self, spelt: list[Any]) -> int:
        text = json.dumps(spelt, separators=(",", ":"))
        if (number := self._outcomes.get(text)) is None:
            number = self._outcomes[text] = len(self._outcomes)
            self._frame.setdefault("o", []).append(spelt)
            self._octets += _octets(spelt)
            self._kept += _octets(spelt)
        return number

    def _spell(self, outcome: Seen | Failure) -> tuple[list[Any], bool]:
        """The outcome in numbers and texts, and whether it is for one frame only."""
        if isinstance(outcome, Seen) and (shown := sum(len(der) for one in outcome.received for der in one.chain)) > _MOST_OF_ONE:
            outcome = Failure(FailureKind.TOO_LARGE, f"{shown} octets of certificates shown, more than {_MOST_OF_ONE}")
        if isinstance(outcome, Failure):
            return _spelt_failure(outcome), False
        chains = [[self._number(der) for der in one.chain] for one in outcome.received]
        lists = [
            [numbers, one.how, _packed(one.staple), _packed(one.scts)]
            for numbers, one in zip(chains, outcome.received, strict=True)
        ]
        failure = outcome.engine_failure
        spelt: list[Any] = [
            lists, outcome.protocol, outcome.cipher, outcome.client_auth, outcome.unanswered, outcome.alpn, outcome.legacy,
            None if failure is None else _spelt_failure(failure),
        ]
        return spelt, min(map(min, chains)) < 0 or _octets(spelt) > LARGE

    def _number(self, der: bytes) -> int:
        if len(der) > LARGE:
            if der not in self._large:
                self._large[der] = -1 - len(self._large)
                self._new("b", der)
            return self._large[der]
        if (number := self._certificates.get(der)) is None:
            number = self._certificates[der] = len(self._certificates)
            self._new("c", der)
            self._kept += len(der)
        return number

    def _new(self, key: str, der: bytes) -> None:
        self._frame.setdefault(key, []).append(packed := pack(der))
        self._octets += len(packed)


class Listener:
    """The scanner's side. What it is told is data of a process that talks with hostile peers: anything else is a ValueError."""

    def __init__(self, most: int = _MOST, octets: int = _MOST_OCTETS) -> None:
        self._most = most
        self._most_octets = octets
        self._certificates: list[bytes] = []
        self._large: list[bytes] = []
        self._outcomes: list[Outcome] = []
        self._kept = 0

    def hear(self, frame: Message) -> Iterator[tuple[int, float, Outcome]]:
        """(target, seconds, outcome) of each target done. Raises ValueError, after those that could be read."""
        if not _KEYS.issuperset(frame):
            raise ValueError("a frame with other keys than agreed upon")
        if frame.get("new"):
            self._certificates.clear()
            self._outcomes.clear()
            self._kept = 0
        elif self._full and not frame.keys().isdisjoint("cor"):
            raise ValueError("tables that should have been emptied")
        self._large = [_octets_of(text, None) for text in _list(frame.get("b", []))]
        for text in _list(frame.get("c", [])):
            self._certificates.append(der := _octets_of(text, LARGE))
            self._kept += len(der)
        for spelt in _list(frame.get("o", [])):
            self._outcomes.append(self._read(spelt))
            self._kept += _octets(spelt)
        for entry in _list(frame.get("r", [])):
            number, seconds, known = _list(entry, 3, 3)
            yield _number(number, 1, 1 << 32), _seconds(seconds), self._outcome(known)
        self._large = []

    @property
    def _full(self) -> bool:
        return max(len(self._certificates), len(self._outcomes)) >= self._most or self._kept >= self._most_octets

    def _outcome(self, known: object) -> Outcome:
        return self._read(known) if isinstance(known, list) else self._outcomes[_number(known, 0, len(self._outcomes))]

    def _read(self, spelt: object) -> Outcome:
        if len(parts := _list(spelt, 2, 8)) == 2:
            return _failure(parts)
        lists, protocol, cipher, client_auth, unanswered, alpn, legacy, failure = parts
        received = []
        for one in _list(lists, 1, _MOST_LISTS):
            chain, how, staple, scts = _list(one, 4, 4)
            received.append(Received(self._chain(chain), _text(how), _unpacked(staple), _unpacked(scts)))
        return Handshake(
            deployments(received, {}), _text(protocol), _text(cipher), ClientAuth(_text(client_auth)), _texts(unanswered),
            None if failure is None else _failure(failure), _text(alpn), _texts(legacy),
        )

    def _chain(self, numbers: object) -> Chain:
        most, large = len(self._certificates), len(self._large)
        found = [_number(number, -large, most) for number in _list(numbers, 1, MAX_CERTIFICATES)]
        return tuple(self._certificates[number] if number >= 0 else self._large[-1 - number] for number in found)


def _octets(spelt: Sequence[Any]) -> int:
    """What an outcome weighs in a table: the same on both sides, whatever way it has been spelt."""
    return sum(len(one) if isinstance(one, str) else 8 + _octets(one) if isinstance(one, list | tuple) else 8 for one in spelt)


def _spelt_failure(failure: Failure) -> list[Any]:
    return [failure.kind, failure.detail[:_LONGEST]]


def _packed(octets: bytes | None) -> str | None:
    return None if octets is None else pack(octets)


def _failure(spelt: object) -> Failure:
    kind, detail = _list(spelt, 2, 2)
    return Failure(FailureKind(_text(kind)), _text(detail))


def _list(value: object, least: int = 0, most: int = 1 << 26) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError("not a list of the right length")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError("not a text of the right length")
    value.encode()  # half a surrogate pair is a ValueError here and not where it is written
    return value


def _texts(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value, 0, _MOST_LISTS))


def _number(value: object, least: int, end: int) -> int:
    if type(value) is not int or not least <= value < end:
        raise ValueError("a number that stands for nothing")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MOST_SECONDS:  # not a number is not
        raise ValueError("not a duration")
    return float(value)


def _octets_of(text: object, most: int | None) -> bytes:
    if not isinstance(text, str):
        raise ValueError("no octets")
    if most is not None and len(octets := unpack(text)) > most:
        raise ValueError(f"{len(octets)} octets to be remembered")
    return unpack(text) if most is None else octets


def _unpacked(text: object) -> bytes | None:
    return None if text is None else _octets_of(text, None)
