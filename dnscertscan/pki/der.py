"""A bounded walk over DER: offsets in, offsets out, no recursion, no copies (X.690; lenient where clients are)."""

from collections.abc import Iterator
from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31


class DerError(ValueError):
    """The octets are not the structure that was asked for; the text says what is wrong and at which offset."""


class LongLengthError(DerError):
    """A length is written with more octets than needed: BER that some clients take (X.690 10.1)."""


class LooseOctets(bytes):
    """Octets in which :func:`read` tolerates lengths that are longer than needed."""


Element = tuple[int, int, int]
"""Tag octet, offset of the first content octet, offset behind the last one."""


def read(data: bytes, pos: int, end: int) -> Element:
    """The element that starts at ``pos`` and must stop at or before ``end``."""
    if end - pos < 2:
        raise DerError(f"data ends inside an element header at offset {pos}")
    tag, length = data[pos], data[pos + 1]
    start = pos + 2
    if length > 0x7F:
        length, start = _long_length(data, start, end, length & 0x7F)
    if length > end - start:
        raise DerError(f"element at offset {pos} is longer than what encloses it")
    if tag & 0x1F == 0x1F:
        raise DerError(f"element at offset {pos} has a multi-octet tag")
    return tag, start, start + length


def _long_length(data: bytes, pos: int, end: int, count: int) -> tuple[int, int]:
    if count == 0:
        raise DerError(f"indefinite length at offset {pos}")
    if count > 4 or count > end - pos:
        raise DerError(f"length of {count} octets at offset {pos}")
    length = int.from_bytes(data[pos : pos + count], "big")
    if (length < 0x80 or data[pos] == 0) and not isinstance(data, LooseOctets):
        raise LongLengthError(f"length with needless octets at offset {pos}")
    return length, pos + count


def expect(data: bytes, pos: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Content range of the element at ``pos``, which must have this tag."""
    found, start, stop = read(data, pos, end)
    if found != tag:
        raise DerError(f"{what}: tag 0x{found:02x} at offset {pos} where 0x{tag:02x} is due")
    return start, stop


def children(data: bytes, pos: int, end: int) -> Iterator[Element]:
    """The elements that fill the range ``pos`` to ``end``."""
    while pos < end:
        element = read(data, pos, end)
        yield element
        pos = element[2]


def whole(data: bytes, tag: int, what: str) -> tuple[int, int]:
    """Content range of the one element that ``data`` must consist of."""
    start, stop = expect(data, 0, len(data), tag, what)
    if stop != len(data):
        raise DerError(f"{what}: {len(data) - stop} octets follow its end")
    return start, stop


def ends(pos: int, end: int, what: str) -> None:
    """Refuse anything between ``pos`` and ``end``, the last octet of what ``what`` names."""
    if pos != end:
        raise DerError(f"{what}: {end - pos} octets follow its last part")


def integer(content: bytes, *, padded: bool = False) -> int:
    """The value of INTEGER content octets; at most 20 kbit, so that no arithmetic on it gets slow.

    ``padded``: needless first octets are tolerated.
    """
    if not content:
        raise DerError("INTEGER without content")
    if len(content) > 2560:
        raise DerError(f"INTEGER of {len(content)} octets")
    if not padded and is_padded(content):
        raise DerError("INTEGER with a needless first octet")
    return int.from_bytes(content, "big", signed=True)


def is_padded(content: bytes) -> bool:
    """Whether the first nine bits of INTEGER content are all equal, which even BER does not allow (X.690 8.3.2)."""
    return len(content) > 1 and ((content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80))


def boolean(content: bytes) -> bool:
    """The value of BOOLEAN content octets; any non-zero octet is true, as BER has it."""
    if len(content) != 1:
        raise DerError(f"BOOLEAN of {len(content)} octets")
    return content != b"\0"


def bits(content: bytes) -> bytes:
    """The octets of BIT STRING content, without the count of unused bits."""
    if not content or content[0] > 7 or (content[0] and len(content) == 1):
        raise DerError("BIT STRING with a wrong count of unused bits")
    return content[1:]


@lru_cache(maxsize=2048)
def oid(content: bytes) -> str:
    """Dotted text of OBJECT IDENTIFIER content octets."""
    if not content or len(content) > 64 or content[-1] & 0x80:
        raise DerError("OBJECT IDENTIFIER is empty, cut off or longer than 64 octets")
    arcs: list[int] = []
    value = 0
    for octet in content:
        if octet == 0x80 and value == 0:
            raise DerError("OBJECT IDENTIFIER has an arc with a needless first octet")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
