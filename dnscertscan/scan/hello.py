"""A ClientHello of our own (RFC 5246 7.4.1.2): asks servers that a current TLS library no longer talks to.

It offers everything up to TLS 1.2 and never goes further than reading the answer, so no key exchange, curve or hash of the
server has to be supported here.
"""

from collections.abc import Sequence

TLS12 = 0x0303
TLS10 = 0x0301
_RENEGOTIATION_SCSV = 0x00FF
# secp256r1, x25519, secp384r1, secp521r1, x448, then what only old or odd servers use: secp224r1, secp192r1, secp256k1,
# brainpool and the finite fields of RFC 7919.
_GROUPS = (23, 29, 24, 25, 30, 21, 19, 22, 26, 27, 28, 256, 257, 258)
_SIGNATURES = (
    0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0603, 0x0806, 0x0601, 0x0807, 0x0808, 0x0809, 0x080A, 0x080B,
    0x0303, 0x0301, 0x0203, 0x0201, 0x0402, 0x0302, 0x0202, 0x0101,
)


def client_hello(ciphers: Sequence[int], random: bytes, server_name: str = "", version: int = TLS12) -> bytes:
    """One record with one ClientHello. ``random`` is 32 octets; an empty ``server_name`` sends no SNI (RFC 6066 3)."""
    suites = b"".join(code.to_bytes(2) for code in (*ciphers, _RENEGOTIATION_SCSV))
    body = version.to_bytes(2) + random + _vector(1, b"") + _vector(2, suites) + _vector(1, b"\0")
    extensions = _server_name(server_name) if server_name else b""
    if version >= TLS12:
        extensions += _common()
    if extensions:
        body += _vector(2, extensions)
    message = b"\x01" + _vector(3, body)
    return b"\x16" + min(version, TLS10).to_bytes(2) + _vector(2, message)


def _vector(prefix: int, data: bytes) -> bytes:
    return len(data).to_bytes(prefix) + data


def _extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2) + _vector(2, data)


def _server_name(server_name: str) -> bytes:
    return _extension(0, _vector(2, b"\0" + _vector(2, server_name.encode("ascii"))))


def _common() -> bytes:
    groups = b"".join(group.to_bytes(2) for group in _GROUPS)
    signatures = b"".join(scheme.to_bytes(2) for scheme in _SIGNATURES)
    status_request = b"\x01\0\0\0\0"
    return (
        _extension(5, status_request) + _extension(10, _vector(2, groups)) + _extension(11, _vector(1, b"\0"))
        + _extension(13, _vector(2, signatures)) + _extension(23, b"")
    )
