"""Cipher suites: names for numbers, and the numbers a hello of our own offers."""

import ssl
from functools import cache

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


@cache
def _known() -> tuple[dict[int, str], dict[int, str]]:
    """(suites with a certificate, suites without): number -> OpenSSL name, up to TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    proven: dict[int, str] = {}
    blind: dict[int, str] = {}
    for suite in context.get_ciphers():
        number = suite["id"] & 0xFFFF
        if suite["auth"] == "auth-any":
            continue  # TLS 1.3
        without = suite["auth"] in ("auth-null", "auth-psk", "auth-srp")
        (blind if without else proven)[number] = suite["name"]
    return proven | {number: name for number, name in _OLD.items() if number not in proven}, blind | _BLIND


def with_certificate() -> tuple[int, ...]:
    """Every suite up to TLS 1.2 in which the server shows a certificate."""
    return tuple(_known()[0])


def without_certificate() -> tuple[int, ...]:
    """Anonymous, pre-shared key and SRP suites: the server shows no certificate."""
    return tuple(_known()[1])


_TLS13 = {
    0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256",
    0x1304: "TLS_AES_128_CCM_SHA256", 0x1305: "TLS_AES_128_CCM_8_SHA256",
}


def name(number: int | None) -> str:
    """OpenSSL's name of a suite, ``0x00ff`` when it has none, empty for None."""
    if number is None:
        return ""
    proven, blind = _known()
    return _TLS13.get(number) or proven.get(number) or blind.get(number) or f"0x{number:04x}"


def shows_certificate(number: int | None) -> bool:
    """Whether a server that picked this suite has a certificate to show."""
    return number not in _known()[1]
