"""Everything that is asked of one target: its first hello, then as many as it takes to be shown every list it has.

A server with several certificates chooses by what the hello offers. The further hellos are those of SSLyze's certificate
information, with its names: one up to TLS 1.2 for RSA keys, one for other keys, and one without a name; the last, and the
question for obsolete protocols, are put once per endpoint. A further hello that gets no answer is put once more; what is not
answered then either is told (see :mod:`dnscertscan.scan.no_answer`).
"""

import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind
from dnscertscan.scan import hello, no_answer
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.loop import Signal
from dnscertscan.scan.merge import NO_SNI, Received
from dnscertscan.scan.once import NoAnswerError, Once
from dnscertscan.scan.probe import Probe, Reading
from dnscertscan.scan.starttls import NAMED_BEFORE_TLS

_LEAST = 0.1
_TLS12, _TLS13 = "TLS 1.2", "TLS 1.3"
_LEGACY = "obsolete"
_VERSIONS = {_TLS12: 0x0303, "TLS 1.1": 0x0302, "TLS 1.0": 0x0301, "SSL 3.0": 0x0300}


@dataclass(slots=True)
class Seen:
    """What a target has shown; :class:`dnscertscan.model.observations.Handshake` before the lists are put together."""

    received: list[Received]
    protocol: str
    cipher: str
    client_auth: ClientAuth = ClientAuth.NONE
    unanswered: list[str] = field(default_factory=list)
    engine_failure: Failure | None = None
    alpn: str = ""
    legacy: tuple[str, ...] = ()


@dataclass(slots=True)
class Shared:
    """What the targets of one scan share: answers to hellos without a name, obsolete protocols, and who never answers twice."""

    nameless: Once[Reading | None] = field(default_factory=Once)
    legacy: Once[tuple[str, ...]] = field(default_factory=Once)
    pauses: no_answer.Pauses = field(default_factory=no_answer.Pauses)


@dataclass(slots=True)
class Look:
    """One target. ``begun`` is monotonic time; ``first_only`` leaves out the hellos after the first that is answered.

    The target's time limit holds over all hellos. The first one may have less, ``patience`` seconds, where nobody has answered
    before; what answers after all has the full time for the rest.
    """

    target: Target
    settings: ScanSettings
    begun: float
    patience: float
    heard: Callable[[], None]
    shared: Shared
    first_only: bool = False

    async def outcome(self) -> Seen | Failure:
        """What it shows, or why it shows nothing."""
        if (problem := self.target.server_name.problem) is not None:
            return Failure(FailureKind.UNSCANNABLE_NAME, problem)
        probe = Probe(self.target, self.settings, self._deadline, self.heard)
        shorter = probe
        if self.patience < self.settings.timeout:
            limits = replace(self.settings, timeout=self.patience)
            shorter = Probe(self.target, limits, self.begun + self.patience, self.heard)
        first = await shorter.read()
        if isinstance(first, Failure):
            return first
        own = first.protocol if first.protocol == _TLS13 else "default"
        seen = Seen([_received(first, own)], first.protocol, first.cipher, first.client_auth, alpn=first.alpn)
        if not self.first_only:
            await self._other_keys(probe, seen)
            await self._shared(probe, seen)
        return seen

    async def _other_keys(self, probe: Probe, seen: Seen) -> None:
        word = seen.protocol if seen.protocol in _VERSIONS else _TLS12
        for rsa in (True, False):
            label = f"{word} RSA" if rsa else f"{word} not RSA"
            answer = await self._in_clear(label, hello.one_key(_VERSIONS[word], rsa=rsa), probe)
            if isinstance(answer, Reading):
                if answer.protocol == word:
                    seen.received.append(_received(answer, label))
            elif answer.kind is FailureKind.ENGINE:
                seen.engine_failure = answer
            elif reason := no_answer.why(answer):
                seen.unanswered.append(f"{label}: {reason}")

    async def _shared(self, probe: Probe, seen: Seen) -> None:
        endpoint = self.target.endpoint
        key = (endpoint, self.target.server_name) if endpoint.service in NAMED_BEFORE_TLS else endpoint
        nameless = await self.shared.nameless.get(key, self._part(), lambda: self._nameless(probe))
        if nameless is not None:
            seen.received.append(_received(nameless, NO_SNI))
        if seen.protocol in (_TLS12, _TLS13):
            seen.legacy = await self.shared.legacy.get(endpoint, self._part(), lambda: self._legacy(probe)) or ()

    async def _nameless(self, probe: Probe) -> Reading | None:
        answer = _answered(await self._twice(NO_SNI, lambda: probe.current("", until=self._part(), client_auth=False)))
        return answer if isinstance(answer, Reading) else None

    async def _legacy(self, probe: Probe) -> tuple[str, ...]:
        answer = _answered(await self._in_clear(_LEGACY, hello.obsolete(), probe))
        older = isinstance(answer, Reading) and answer.protocol not in (_TLS12, _TLS13)
        return (answer.protocol,) if isinstance(answer, Reading) and older else ()

    async def _in_clear(self, label: str, offer: hello.Offer, probe: Probe) -> Reading | Failure:
        def ask() -> Awaitable[Reading | Failure]:
            first = offer.hello(secrets.token_bytes(32), probe.asked_name())
            return probe.in_clear(first, self._part(), asks_scts=offer.asks_scts)

        return await self._twice(label, ask)

    async def _twice(self, label: str, ask: Callable[[], Awaitable[Reading | Failure]]) -> Reading | Failure:
        """Ask, and once more where that was no answer and there is time."""
        answer = await ask()
        if isinstance(answer, Reading) or not no_answer.worth_another_try(answer):
            return answer
        key = (self.target.endpoint, label)
        on = monotonic() + self.shared.pauses.before(key, answer)
        if on + _LEAST > self._deadline:
            return answer
        with suppress(TimeoutError):
            await Signal().heard(on)
        answer = await ask()
        self.shared.pauses.ended(key, in_vain=isinstance(answer, Failure) and no_answer.worth_another_try(answer))
        return answer

    def _part(self) -> float:
        """Half of the time that is left, so that silence after one hello does not starve the next."""
        now = monotonic()
        return min(self._deadline, now + max(_LEAST, (self._deadline - now) / 2))

    @property
    def _deadline(self) -> float:
        return self.begun + self.settings.timeout


def _received(reading: Reading, how: str) -> Received:
    return Received(reading.chain, how, reading.staple, reading.scts)


def _answered(answer: Reading | Failure) -> Reading | Failure:
    """What was said, if anything was: what is no answer, or the scanner's own failure, says nothing of the endpoint."""
    if isinstance(answer, Failure) and (answer.kind is FailureKind.ENGINE or no_answer.why(answer)):
        raise NoAnswerError
    return answer
