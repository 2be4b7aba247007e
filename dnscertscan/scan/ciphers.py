"""Cipher suites: names for numbers, and the numbers a hello of our own offers."""

import ssl
from enum import StrEnum
from functools import cache
from typing import NamedTuple

# Suites that current OpenSSL builds no longer know, but old servers may have nothing else (IANA TLS parameters registry).
_OLD = {
    0x0001: "NULL-MD5", 0x0003: "EXP-RC4-MD5", 0x0004: "RC4-MD5", 0x0005: "RC4-SHA", 0x0006: "EXP-RC2-CBC-MD5",
    0x0007: "IDEA-CBC-SHA",
    0x0008: "EXP-DES-CBC-SHA", 0x0009: "DES-CBC-SHA", 0x000A: "DES-CBC3-SHA", 0x0012: "EDH-DSS-DES-CBC-SHA",
    0x0013: "EDH-DSS-DES-CBC3-SHA", 0x0014: "EXP-EDH-RSA-DES-CBC-SHA", 0x0015: "EDH-RSA-DES-CBC-SHA",
    0x0016: "EDH-RSA-DES-CBC3-SHA", 0xC007: "ECDHE-ECDSA-RC4-SHA", 0xC008: "ECDHE-ECDSA-DES-CBC3-SHA",
    0xC011: "ECDHE-RSA-RC4-SHA", 0xC012: "ECDHE-RSA-DES-CBC3-SHA",
}
_BLIND = {0x0018: "ADH-RC4-MD5", 0x001B: "ADH-DES-CBC3-SHA", 0xC016: "AECDH-RC4-SHA", 0xC017: "AECDH-DES-CBC3-SHA"}


class Exchange(StrEnum):
    """How a suite agrees on keys, in the order of what it costs the server: nothing, or a signature and more."""

    RSA = "kx-rsa"
    ECDHE = "kx-ecdhe"
    DHE = "kx-dhe"
    SHARED = "shared key or password"


class Suite(NamedTuple):
    """One suite up to TLS 1.2 in which the server shows a certificate."""

    number: int
    name: str
    rsa: bool
    """The certificate's key is an RSA key (OpenSSL's ``aRSA``)."""
    exchange: Exchange
    weak: bool
    """Current libraries do not offer it."""


@cache
def _known() -> tuple[dict[int, Suite], dict[int, str]]:
    """(suites with a certificate, names of suites without) by number, up to TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    proven: dict[int, Suite] = {}
    blind: dict[int, str] = {}
    for suite in context.get_ciphers():
        number = suite["id"] & 0xFFFF
        if suite["auth"] == "auth-any":
            continue  # TLS 1.3
        if suite["auth"] in ("auth-null", "auth-psk", "auth-srp"):
            blind[number] = suite["name"]
            continue
        exchange = Exchange(suite["kea"]) if suite["kea"] in set(Exchange) else Exchange.SHARED
        proven[number] = Suite(number, suite["name"], suite["auth"] == "auth-rsa", exchange, "NULL" in suite["name"])
    return proven | {number: _old(number, name) for number, name in _OLD.items() if number not in proven}, blind | _BLIND


def _old(number: int, name: str) -> Suite:
    exchange = Exchange.ECDHE if name.startswith("ECDHE") else Exchange.DHE if "EDH-" in name else Exchange.RSA
    return Suite(number, name, "ECDSA" not in name and "DSS" not in name, exchange, weak=True)


def with_certificate() -> tuple[int, ...]:
    """Every suite up to TLS 1.2 in which the server shows a certificate."""
    return tuple(_known()[0])


def without_certificate() -> tuple[int, ...]:
    """Anonymous, pre-shared key and SRP suites: the server shows no certificate."""
    return tuple(_known()[1])


@cache
def offered() -> tuple[int, ...]:
    """What a current client offers beside TLS 1.3, in its order: ECDSA before RSA, fresh keys before RSA key transport."""
    order = {Exchange.ECDHE: 0, Exchange.DHE: 1, Exchange.RSA: 2}
    suites = [suite for suite in _plain() if not suite.weak]
    return tuple(suite.number for suite in sorted(suites, key=lambda suite: (order[suite.exchange], suite.rsa)))


@cache
def by_key(*, rsa: bool) -> tuple[int, ...]:
    """Every suite for RSA keys, or every suite for other keys; those first that cost the server least, weak ones last.

    A server that lets the client choose need not sign anything when it answers a hello that begins with RSA key transport.
    """
    order = list(Exchange)
    suites = [suite for suite in _plain() if suite.rsa is rsa]
    return tuple(suite.number for suite in sorted(suites, key=lambda suite: (suite.weak, order.index(suite.exchange))))


def _plain() -> list[Suite]:
    return [suite for suite in _known()[0].values() if suite.exchange is not Exchange.SHARED]


_TLS13 = {
    0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
}


def name(number: int | None) -> str:
    """OpenSSL's name of a suite, ``0x00ff`` when it has none, empty for None."""
    if number is None:
        return ""
    proven, blind = _known()
    if number in proven:
        return proven[number].name
    return _TLS13.get(number) or blind.get(number) or f"0x{number:04x}"


def shows_certificate(number: int | None) -> bool:
    """Whether a server that picked this suite has a certificate to show."""
    return number not in _known()[1]
