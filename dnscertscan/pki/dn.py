"""Distinguished names: RFC 4514 text for people, a canonical key for comparing (RFC 5280 7.1, as OpenSSL does it)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from dnscertscan.pki import der

_LABELS = {
    "2.5.4.3": "CN", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.6": "C",
    "2.5.4.9": "STREET", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}
COMMON_NAME = "2.5.4.3"
EMAIL_ADDRESS = "1.2.840.113549.1.9.1"
_UTF8, _PRINTABLE, _T61, _IA5, _VISIBLE, _UNIVERSAL, _BMP = 0x0C, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E
_ENCODINGS = {
    _UTF8: "utf-8", _PRINTABLE: "ascii", _T61: "ascii", _IA5: "ascii", _VISIBLE: "ascii", _UNIVERSAL: "utf-32-be",
    _BMP: "utf-16-be",
}
# Universal types OpenSSL takes for no attribute value (its B_ASN1_PRINTABLE leaves them out), VisibleString among them.
_NO_STRINGS = frozenset({0, 1, 2, 4, 5, 6, 10, 17, 21, 23, 24, 25, 26, 27})
_MULTI_OCTET = frozenset({_UTF8, _UNIVERSAL, _BMP})
_SPECIAL = str.maketrans({char: f"\\{char}" for char in '"+,;<>\\'} | {"\0": "\\00"})
_MAX_ATTRIBUTES = 200
_CACHED_SIZE = 256

Attribute = tuple[str, str]
"""Dotted type and text."""
Key = tuple[tuple[tuple[str, str], ...], ...]
"""One sorted tuple of (type, folded text) per RDN, in the order of the encoding."""


@dataclass(frozen=True, slots=True)
class DistinguishedName:
    """One Name. ``key`` is equal for names that clients take as equal.

    ``broken`` are attributes that are no string or one that cannot be decoded, for which clients refuse the certificate;
    ``quirks`` strings with octets that their type does not have, which clients read as Latin-1.
    """

    der: bytes
    key: Key
    text: str
    attributes: tuple[Attribute, ...]
    broken: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()

    def values(self, kind: str) -> tuple[str, ...]:
        """Texts of all attributes of one type, in order."""
        return tuple(text for found, text in self.attributes if found == kind)

    def is_within(self, base: "DistinguishedName") -> bool:
        """Whether this name is in the subtree ``base`` (RFC 5280 7.1: the first RDNs are equal)."""
        return self.key[: len(base.key)] == base.key


EMPTY_NAME = DistinguishedName(b"", (), "", ())


def read_name(data: bytes, pos: int, end: int) -> tuple[DistinguishedName, int]:
    """The Name at ``pos`` and the offset behind it."""
    _, stop = der.expect(data, pos, end, der.SEQUENCE, "distinguished name")
    return parse_name(data[pos:stop]), stop


@lru_cache(maxsize=1024)
def _parse_small(encoded: bytes) -> DistinguishedName:
    return _parse(encoded)


def parse_name(encoded: bytes) -> DistinguishedName:
    """The Name that ``encoded`` (the whole SEQUENCE) holds."""
    return _parse_small(encoded) if len(encoded) <= _CACHED_SIZE else _parse(encoded)


def _parse(encoded: bytes) -> DistinguishedName:
    start, stop = der.expect(encoded, 0, len(encoded), der.SEQUENCE, "distinguished name")
    key: list[tuple[tuple[str, str], ...]] = []
    shown: list[str] = []
    attributes: list[Attribute] = []
    broken: list[str] = []
    quirks: list[str] = []
    for tag, rdn_start, rdn_stop in der.children(encoded, start, stop):
        if tag != der.SET:
            raise der.DerError(f"RDN with tag 0x{tag:02x}")
        folded, texts = [], []
        for _, atv_start, atv_stop in der.children(encoded, rdn_start, rdn_stop):
            value = _attribute(encoded, atv_start, atv_stop)
            attributes.append((value.kind, value.text))
            folded.append((value.kind, _fold(value.text)))
            label = _LABELS.get(value.kind, value.kind)
            texts.append(f"{label}={value.text if value.is_raw else _escape(value.text)}")
            if value.wrong_octets:
                text = f"{label} has octets that string type 0x{value.tag:02x} does not have"
                (broken if value.tag in _MULTI_OCTET else quirks).append(text)
            if value.wrong_form:
                broken.append(f"{label} {value.wrong_form}")
        key.append(tuple(sorted(folded)))
        shown.append("+".join(texts))
        if len(attributes) > _MAX_ATTRIBUTES:
            raise der.DerError(f"distinguished name with more than {_MAX_ATTRIBUTES} attributes")
    return DistinguishedName(encoded, tuple(key), ",".join(reversed(shown)), tuple(attributes), tuple(broken), tuple(quirks))


class _Value(NamedTuple):
    kind: str
    text: str
    tag: int
    is_raw: bool = False
    wrong_octets: bool = False
    wrong_form: str = ""


def _attribute(data: bytes, pos: int, end: int) -> _Value:
    start, stop = der.expect(data, pos, end, der.OID, "attribute type")
    kind = der.oid(data[start:stop])
    tag, value_start, value_stop = der.read(data, stop, end)
    value = data[value_start:value_stop]
    encoding = _ENCODINGS.get(tag)
    wrong_form = ""
    if value_stop != end:
        wrong_form = "has something behind its value"
    elif tag & 0xC0 or tag & 0x1F in _NO_STRINGS:
        wrong_form = f"has a value with tag 0x{tag:02x}, which is no string"
    if encoding is None:
        return _Value(kind, f"#{data[stop:value_stop].hex()}", tag, is_raw=True, wrong_form=wrong_form)
    try:
        return _Value(kind, value.decode(encoding), tag, wrong_form=wrong_form)
    except UnicodeDecodeError:
        return _Value(kind, value.decode("latin-1"), tag, wrong_octets=True, wrong_form=wrong_form)


def _fold(text: str) -> str:
    """Lower case for ASCII only, white space collapsed: the canonical form of OpenSSL."""
    collapsed = text if "  " not in text else " ".join(part for part in text.split(" ") if part)
    stripped = collapsed.strip(" \t\n\v\f\r")
    return stripped.lower() if stripped.isascii() else "".join(char.lower() if char.isascii() else char for char in stripped)


def _escape(text: str) -> str:
    escaped = text.translate(_SPECIAL)
    if text.startswith(("#", " ")):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if text.endswith(" ") and len(text) > 1 else escaped
