"""ClientHello messages of our own (RFC 8446 4.1.2, RFC 5246 7.4.1.2).

They never lead further than reading the answer, so up to TLS 1.2 no key exchange, curve or hash of the server has to be
supported here. What one kind of hello offers is put together once; then only the name and the random differ.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from dnscertscan.scan import ciphers

TLS13 = 0x0304
TLS12 = 0x0303
TLS10 = 0x0301
SSL30 = 0x0300
_RENEGOTIATION_SCSV = 0x00FF
# secp256r1, x25519, secp384r1, secp521r1, x448, then what only old or odd servers use: secp224r1, secp192r1, secp256k1,
# brainpool and the finite fields of RFC 7919.
_ALL_GROUPS = (23, 29, 24, 25, 30, 21, 19, 22, 26, 27, 28, 256, 257, 258)
_ALL_SIGNATURES = (
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B,
    0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0302, 0x0202, 0x0101,
)
# What OpenSSL 1.1.1 and later offer, in their order: a server with several certificates goes by it (RFC 8446 4.4.2.2).
_GROUPS = (29, 23, 30, 25, 24)
_SIGNATURES = (
    0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601,
    0x0303, 0x0301, 0x0302, 0x0402, 0x0502, 0x0602,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of hello: the newest version without TLS 1.3, suites, and extensions other than the name."""

    version: int
    suites: bytes
    extensions: bytes = b""
    asks_scts: bool = False
    """Whether it asks for SCTs and for a stapled OCSP response (extensions 18 and 5)."""

    def hello(self, random: bytes, server_name: str, session: bytes = b"") -> bytes:
        """One record. ``random`` is 32 octets; an empty ``server_name`` sends no SNI (RFC 6066 3)."""
        body = self.version.to_bytes(2) + random + _vector(1, session) + self.suites + b"\x01\0"
        extensions = (_server_name(server_name) if server_name else b"") + self.extensions
        if extensions:
            body += _vector(2, extensions)
        return b"\x16" + min(self.version, TLS10).to_bytes(2) + _vector(2, b"\x01" + _vector(3, body))


def client_hello(suites: Sequence[int], random: bytes, server_name: str = "", version: int = TLS12) -> bytes:
    """A hello with everything that ever was, up to ``version``: for servers that a current TLS library no longer talks to."""
    extensions = b""
    if version >= TLS12:
        extensions = (
            _extension(5, b"\x01\0\0\0\0") + _extension(10, _vector(2, _numbers(_ALL_GROUPS))) + _extension(11, _vector(1, b"\0"))
            + _extension(13, _vector(2, _numbers(_ALL_SIGNATURES))) + _extension(23, b"")
        )
    return Offer(version, _suites(suites), extensions).hello(random, server_name)


@cache
def current(key_shares: tuple[tuple[int, bytes], ...], tls13_suites: tuple[int, ...], protocols: tuple[bytes, ...]) -> Offer:
    """What a current client offers: TLS 1.3 and everything older that it still speaks. ``protocols`` are for ALPN."""
    alpn = _extension(16, _vector(2, b"".join(_vector(1, name) for name in protocols))) if protocols else b""
    shares = b"".join(group.to_bytes(2) + _vector(2, share) for group, share in key_shares)
    extensions = (
        _older(TLS12) + alpn + _extension(51, _vector(2, shares)) + _extension(45, b"\x01\x01")
        + _extension(43, _vector(1, _numbers((TLS13, TLS12, TLS12 - 1, TLS10))))
    )
    return Offer(TLS12, _suites((*tls13_suites, *ciphers.offered())), extensions, asks_scts=True)


@cache
def one_key(version: int, *, rsa: bool) -> Offer:
    """Up to ``version`` (TLS 1.2 or older), for a server that has an RSA key, or for one that has another."""
    return Offer(version, _suites(ciphers.by_key(rsa=rsa)), _older(version), asks_scts=version > SSL30)


@cache
def obsolete() -> Offer:
    """A client that knows nothing newer than TLS 1.1."""
    return Offer(TLS12 - 1, _suites((*ciphers.by_key(rsa=True), *ciphers.by_key(rsa=False))), _older(TLS12 - 1))


def _older(version: int) -> bytes:
    """The extensions of a hello up to TLS 1.2; SSL 3.0 has none."""
    if version <= SSL30:
        return b""
    extensions = _extension(23, b"") + _extension(10, _vector(2, _numbers(_GROUPS))) + _extension(11, b"\x01\0")
    if version >= TLS12:
        extensions += _extension(13, _vector(2, _numbers(_SIGNATURES)))
    return extensions + _extension(5, b"\x01\0\0\0\0") + _extension(18, b"")


def _suites(numbers: Iterable[int]) -> bytes:
    return _vector(2, _numbers((*numbers, _RENEGOTIATION_SCSV)))


def _numbers(values: Iterable[int]) -> bytes:
    return b"".join(value.to_bytes(2) for value in values)


def _vector(prefix: int, data: bytes) -> bytes:
    return len(data).to_bytes(prefix) + data


def _extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2) + _vector(2, data)


def _server_name(server_name: str) -> bytes:
    return _extension(0, _vector(2, b"\0" + _vector(2, server_name.encode("ascii"))))
