"""Keys as octets whose order (memcmp, as SQLite compares BLOBs) is the order of the tuples they were made of."""

from dnscertscan.model.collected import Key
from dnscertscan.model.endpoints import Target

_NONE, _TEXT, _ZERO = b"\x01", b"\x02", 0x40


def key_octets(key: Key) -> bytes:
    """A tuple of texts, integers and nested tuples; None stands before everything. No key is the beginning of another.

    Texts compare by code point (as UTF-8 octets do), lone surrogates included; the tuples of one order must be of one shape.
    """
    return b"".join(map(_part, key))


def target_key(target: Target) -> bytes:
    """What a target is stored under: keys compare as targets do."""
    endpoint = target.endpoint
    return key_octets((endpoint.address, endpoint.port, endpoint.service, target.server_name.text))


def _part(part: object) -> bytes:
    match part:
        case str():
            octets = part.encode("utf-8", "surrogatepass")
            # NUL NUL ends a text: shorter texts come first, and a NUL inside comes after the end of a text and before all else.
            return _TEXT + (octets.replace(b"\0", b"\0\xff") if b"\0" in octets else octets) + b"\0\0"
        case int():
            size = (part.bit_length() + 7) // 8
            if part < 0:
                return bytes((_ZERO - 1 - size,)) + (part + (1 << 8 * size)).to_bytes(size, "big")
            return bytes((_ZERO + size,)) + part.to_bytes(size, "big")
        case None:
            return _NONE
        case tuple():
            return key_octets(part)
        case _:
            raise TypeError(f"no key can be made of {type(part).__name__}")
