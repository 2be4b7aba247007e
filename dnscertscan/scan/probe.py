"""Our own look at one target: connect, one hello, the first flight, under a time and an octet limit.

It decides every way a peer can fail to show a certificate, and keeps the list it shows. Peers that do not speak TLS never get
further than this. Everything here runs inside a :class:`dnscertscan.scan.loop.Loop`.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import ip_address
from time import monotonic

from dnscertscan.model.endpoints import TLS, Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind
from dnscertscan.scan import alerts, banner, ciphers
from dnscertscan.scan.base import ScanSettings
from dnscertscan.scan.flight import FlightError, FlightTooLargeError
from dnscertscan.scan.handshakes import ClearHello, CurrentHello, Handshake
from dnscertscan.scan.hello import TLS10, TLS12, client_hello
from dnscertscan.scan.starttls import DIALOGUES
from dnscertscan.scan.upgrade import upgrade
from dnscertscan.scan.wire import BudgetError, Wire, connect_failure

_MORE_BANNER = 0.3
_VERDICT_WAIT = 1.0
_PROTOCOLS = (b"h2", b"http/1.1")
_WORTH_ANOTHER_HELLO = {
    FailureKind.ALERT, FailureKind.UNSUPPORTED_TLS, FailureKind.HANDSHAKE_ERROR, FailureKind.CLOSED, FailureKind.RESET,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the server presented: certificates (DER, leaf first) and the parameters it chose."""

    chain: tuple[bytes, ...]
    protocol: str
    cipher: str
    client_auth: ClientAuth = ClientAuth.NONE
    staple: bytes | None = None
    alpn: str = ""
    scts: bytes | None = None
    """What the TLS extension has; empty when it and a staple were asked for, the flight was read to its end, and none came."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One target's check. ``deadline`` is monotonic time; ``heard`` is called when the peer first says something."""

    target: Target
    settings: ScanSettings
    deadline: float
    heard: Callable[[], None]

    async def read(self) -> Reading | Failure:
        """Ask as a current client does; where that fails for reasons of TLS, ask again as older clients did."""
        name = self.asked_name()
        first = await self.current(name)
        if isinstance(first, Reading) or first.kind not in _WORTH_ANOTHER_HELLO:
            return first
        again = await self._with_openssl(name, ())
        if isinstance(again, Reading) or again.kind is FailureKind.NO_CERTIFICATE:
            return again
        proven, blind = ciphers.with_certificate(), ciphers.without_certificate()
        for suites, version in ((proven, TLS12), (blind, TLS12), (proven[-60:], TLS10)):
            again = await self.in_clear(client_hello(suites, secrets.token_bytes(32), name, version))
            if isinstance(again, Reading) or again.kind is FailureKind.NO_CERTIFICATE:
                return again
        return first

    def asked_name(self) -> str:
        """The name for SNI; none where an address is asked for (RFC 6066 3: literal addresses are not permitted)."""
        name = self.target.server_name.text
        if not name[-1:].isdigit() and ":" not in name:
            return name  # no address ends like this
        try:
            ip_address(name)
        except ValueError:
            return name
        return ""

    async def current(self, name: str, *, until: float | None = None, client_auth: bool = True) -> Reading | Failure:
        """A hello of a current client, as far as we can read the answer ourselves; OpenSSL takes over where we cannot.

        That a server wants a certificate of the client is looked into with OpenSSL, too, unless ``client_auth`` is False.
        """
        protocols = _PROTOCOLS if self.target.endpoint.service == TLS else ()
        hello = CurrentHello(name, self.settings.max_bytes, protocols)
        first = await self._ask(lambda: hello, until)
        if hello.beyond_us:
            return await self._with_openssl(name, protocols, until)
        if client_auth and isinstance(first, Reading) and first.client_auth is not ClientAuth.NONE:
            again = await self._with_openssl(name, protocols, until)
            if isinstance(again, Reading):
                return replace(first, client_auth=again.client_auth)
        return first

    async def in_clear(self, hello: bytes, until: float | None = None, *, asks_scts: bool = False) -> Reading | Failure:
        """A hello up to TLS 1.2 and what it brings, until ``until`` at the latest."""
        return await self._ask(partial(ClearHello, hello, self.settings.max_bytes, asks_scts=asks_scts), until)

    async def _with_openssl(self, name: str, protocols: tuple[bytes, ...], until: float | None = None) -> Reading | Failure:
        from dnscertscan.scan.session import Session  # noqa: PLC0415 - pyOpenSSL costs a worker 11 MB, and few need it

        return await self._ask(partial(Session, name, self.settings.max_bytes, protocols), until)

    async def _ask(self, start: Callable[[], Handshake], until: float | None = None) -> Reading | Failure:
        settings, end = self.settings, self.deadline if until is None else min(until, self.deadline)
        endpoint = self.target.endpoint
        try:
            wire = Wire(endpoint, settings.max_bytes, self.heard, min(end, monotonic() + settings.connect_timeout))
        except OSError as error:
            return connect_failure(error, endpoint.address)
        try:
            try:
                await wire.connect(endpoint)
            except OSError as error:
                return connect_failure(error, endpoint.address)
            wire.until = end
            return await self._talk(_Talk(wire), start)
        finally:
            wire.close()

    async def _talk(self, talk: "_Talk", start: Callable[[], Handshake]) -> Reading | Failure:
        """Whatever ends the conversation, what was read before its end counts."""
        try:
            if (refusal := await self._upgrade(talk.wire)) is not None:
                return refusal
            talk.handshake = start()
            talk.before = talk.wire.received
            end = await _run(talk.wire, talk.handshake)
            shown = _result(talk.handshake)
            if isinstance(shown, Reading) and shown.client_auth is ClientAuth.REQUESTED and talk.handshake.can_answer:
                shown = await _with_client_auth(talk.wire, talk.handshake, shown)
        except (OSError, BudgetError) as error:
            end, shown = self._broken_off(error, talk), _result(talk.handshake)
        alert = talk.handshake.flight.alert if talk.handshake is not None else None
        if shown is None and end is None and alert is not None and alert[1] != alerts.CLOSE_NOTIFY:
            end = _alert_failure(alert)  # a warning, then the end: as good as fatal
        return shown or end or _closed(talk.wire.received - talk.before)

    def _broken_off(self, error: OSError | BudgetError, talk: "_Talk") -> Failure:
        phase = "STARTTLS dialogue" if talk.handshake is None else "TLS handshake"
        match error:
            case BudgetError():
                return Failure(FailureKind.TOO_LARGE, f"{phase}: {error}")
            case TimeoutError() if error.errno is None:
                limit, received = f"{self.settings.timeout:g} s", talk.wire.received
                how = f"not complete after {limit}; {received} octets received" if received else f"not one octet in {limit}"
                return Failure(FailureKind.HANDSHAKE_TIMEOUT, f"{phase}: {how}")
            case ConnectionError() | TimeoutError():
                return Failure(FailureKind.RESET, f"{phase}: {error.strerror or 'connection reset'}")
            case _:
                return Failure(FailureKind.UNREACHABLE, f"{phase}: {error.strerror or error}")

    async def _upgrade(self, wire: Wire) -> Failure | None:
        service = self.target.endpoint.service
        if service == TLS:
            return None
        if service not in DIALOGUES:
            return Failure(FailureKind.STARTTLS_UNSUPPORTED, f"no STARTTLS dialogue for service {service!r} is known")
        return await upgrade(wire, DIALOGUES[service](self.settings.starttls_name, self.target.server_name.text))


@dataclass(slots=True)
class _Talk:
    """One conversation as far as it got."""

    wire: Wire
    handshake: Handshake | None = None
    before: int = 0
    """Octets received before the TLS handshake."""


async def _run(wire: Wire, handshake: Handshake) -> Failure | None:
    """Talk until the server's first flight is read, or nothing more is to be learnt."""
    flight, first = handshake.flight, b""
    failure: Failure | None = None
    while failure is None and not flight.complete and not handshake.beyond_us:
        if out := handshake.outgoing():
            await wire.send(out)
        data = await wire.receive()
        if not data:
            return None
        if len(first) < 2:
            first += data
            if not banner.looks_like_tls(first):
                return Failure(FailureKind.NOT_TLS, banner.describe(first + await _rest_of_banner(wire)))
        failure = _feed(handshake, data)
    if out := handshake.outgoing():
        await wire.send(out)
    return failure


def _feed(handshake: Handshake, data: bytes) -> Failure | None:
    flight = handshake.flight
    try:
        handshake.feed(data)
    except FlightTooLargeError as error:
        return Failure(FailureKind.TOO_LARGE, str(error))
    except FlightError as error:
        return Failure(FailureKind.HANDSHAKE_ERROR, str(error))
    if flight.alert is not None and flight.alert[0] == alerts.FATAL:
        return _alert_failure(flight.alert)
    if handshake.error and flight.blind:
        return Failure(FailureKind.HANDSHAKE_ERROR, f"OpenSSL: {handshake.error}")
    return None


def _result(handshake: Handshake | None) -> Reading | Failure | None:
    """What the flight shows so far: the list, a handshake without one, or nothing."""
    if handshake is None:
        return None
    flight = handshake.flight
    if flight.certificates:
        scts = b"" if flight.scts is None and flight.complete and handshake.asks_scts else flight.scts
        return Reading(
            flight.certificates, flight.protocol, ciphers.name(flight.cipher),
            ClientAuth.REQUESTED if flight.client_auth else ClientAuth.NONE, flight.staple, flight.alpn, scts,
        )
    if flight.certificates is not None or flight.complete:
        empty = ciphers.shows_certificate(flight.cipher)
        reason = "sends an empty certificate list" if empty else "is anonymous or uses a shared key"
        return Failure(FailureKind.NO_CERTIFICATE, f"server {reason} ({flight.protocol}, {ciphers.name(flight.cipher)})")
    return None


async def _with_client_auth(wire: Wire, handshake: Handshake, reading: Reading) -> Reading:
    """REQUIRED where the server says so after our empty certificate: by an alert, or by breaking off (RFC 8446 4.4.2.4)."""
    required = replace(reading, client_auth=ClientAuth.REQUIRED)
    wire.until = min(wire.until, monotonic() + _VERDICT_WAIT)
    try:
        while not handshake.error:
            if out := handshake.outgoing():
                await wire.send(out)
            if handshake.done and (verdict := handshake.verdict_on_us()):
                return reading if verdict == "accepted" else required
            data = await wire.receive()
            if not data:
                return required
            handshake.feed(data)
    except (TimeoutError, FlightError, BudgetError):
        return reading
    except OSError:
        return required
    alert = handshake.flight.alert
    return required if alert is not None and alert[1] in alerts.CLIENT_REFUSED else reading


def _alert_failure(alert: tuple[int, int]) -> Failure:
    text = f"server answers the ClientHello with {alerts.describe(alert)}"
    if alert[1] == alerts.UNRECOGNIZED_NAME:
        return Failure(FailureKind.UNRECOGNIZED_NAME, text)
    if alert[1] in (alerts.PROTOCOL_VERSION, alerts.INSUFFICIENT_SECURITY):
        return Failure(FailureKind.UNSUPPORTED_TLS, text)
    return Failure(FailureKind.ALERT, text)


def _closed(received: int) -> Failure:
    when = f"after {received} octets" if received else "on the ClientHello"
    return Failure(FailureKind.CLOSED, f"server closed the connection {when}")


async def _rest_of_banner(wire: Wire) -> bytes:
    """What else comes of a banner in a moment, to name the protocol."""
    rest = b""
    wire.until = min(wire.until, monotonic() + _MORE_BANNER)
    with suppress(OSError, BudgetError):
        while len(rest) < banner.MAX_SHOWN and (data := await wire.receive()):
            rest += data
    return rest
