"""Handshakes of our own without a socket: a hello goes out, the answer is read as far as that takes no more of us."""

import secrets
from functools import cache
from typing import Protocol

from dnscertscan.scan import hello, tls13
from dnscertscan.scan.flight import Flight, FlightError


class Handshake(Protocol):
    """What the driver needs of any kind of handshake; :class:`dnscertscan.scan.session.Session` is the one with OpenSSL."""

    flight: Flight
    done: bool
    error: str
    can_answer: bool
    """It can go on with the handshake, so that the server says whether it takes us without a certificate."""
    beyond_us: bool
    """The server has chosen something that cannot be read this way."""
    asks_scts: bool
    """It asks for SCTs and a stapled OCSP response, and what is sent of them is seen when the flight is read to its end."""

    def feed(self, data: bytes) -> None:
        """Take octets from the server; raises FlightError when they are no TLS flight."""
        ...

    def outgoing(self) -> bytes:
        """Octets to send now."""
        ...

    def verdict_on_us(self) -> str:
        """``accepted`` or ``refused`` where the server has said so, else empty."""
        ...


class ClearHello:
    """A handshake that is only a hello: the answer is read as far as it is in clear."""

    can_answer = False
    beyond_us = False

    def __init__(self, first: bytes, limit: int, *, asks_scts: bool = False) -> None:
        self.flight = Flight(limit)
        self.asks_scts = asks_scts
        self.done = False
        self.error = ""
        self._first = first

    def feed(self, data: bytes) -> None:
        """Take octets from the server; raises FlightError when they are no TLS flight."""
        self.flight.feed(data)
        if self.flight.version == hello.TLS13:
            raise FlightError("the server answers in TLS 1.3, which was not offered")

    def outgoing(self) -> bytes:
        """The hello, once."""
        first, self._first = self._first, b""
        return first

    def verdict_on_us(self) -> str:
        """Nothing is ever asked that would bring one."""
        return ""


@cache
def _key_shares() -> tls13.KeyShares:
    return tls13.KeyShares()


class CurrentHello(ClearHello):
    """A hello that offers TLS 1.3 as well, and reads an answer in it.

    The certificate list counts as shown whether or not the server proves that it has the key (CertificateVerify): so it is
    where OpenSSL does the handshake, because the list is read beside it and before the proof.
    """

    def __init__(self, server_name: str, limit: int, protocols: tuple[bytes, ...] = ()) -> None:
        offer = hello.current(_key_shares().public, tls13.SUITES, protocols)
        first = offer.hello(secrets.token_bytes(32), server_name, secrets.token_bytes(32))
        super().__init__(first, limit, asks_scts=offer.asks_scts)
        self._transcript = first[5:]

    def feed(self, data: bytes) -> None:
        """Take octets from the server; raises FlightError when they are no TLS flight."""
        flight = self.flight
        flight.feed(data)
        if flight.version != hello.TLS13 or not self._transcript:
            self.beyond_us = flight.undecipherable
            return
        group, share = flight.key_share or (0, b"")
        opener = None if flight.cipher is None else _key_shares().opener(
            flight.cipher, group, share, self._transcript + flight.server_hello
        )
        self._transcript = b""
        if opener is None:
            self.beyond_us = True
        else:
            flight.unlock(opener)
            self.beyond_us = flight.undecipherable
