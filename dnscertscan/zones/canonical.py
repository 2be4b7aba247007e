"""One spelling for every record, whichever source it came from, and one order.

A record transferred from a server and the same record read back from the exported JSON are equal because both are made
here. Owner names are A-labels in lower case; addresses are written as :mod:`ipaddress` writes them; targets of CNAME and
DNAME are absolute with a final dot; every other type keeps its rdata text as it came.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from operator import attrgetter

from dnscertscan.model.names import MAX_NAME, DnsName
from dnscertscan.model.records import Origin, Record, Zone
from dnscertscan.model.text import visible

MAX_TTL = 2**31 - 1
"""RFC 2181 section 8."""
_TYPE = re.compile(r"[A-Z][A-Z0-9-]{0,31}")
_GENERIC = {"TYPE1": "A", "TYPE5": "CNAME", "TYPE6": "SOA", "TYPE28": "AAAA", "TYPE39": "DNAME"}
"""RFC 3597 spellings of the types that matter here."""
_TOKEN = re.compile(r"\\([0-9]{3})|\\(.)|\.|[^.\\]+|\\", re.DOTALL)
"""Octet by number, escaped character, end of a label, plain text, a stray backslash."""
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
"""An IPv4 address that is canonical already: most of all records, and ten times as quick as :mod:`ipaddress`."""
_SHOWN = 80
_LABEL_END = "\0\0"
"""Sorts before every octet of a label; a NUL inside one is written ``\\0\\1`` beside it."""


class BadRecordError(ValueError):
    """A record cannot be used; the text says which field and why, on one line."""


def zone_name(text: str) -> DnsName:
    """The name of a zone as a user or a file writes it, with or without final dot. ``"."`` is the root.

    Raises BadRecordError when no zone can have this name.
    """
    name = DnsName.parse(text)
    if text.strip() in ("", "@"):
        raise BadRecordError(f"{visible(text, _SHOWN)!r} is no zone name")
    if len(name.text) > MAX_NAME:
        raise BadRecordError(f"{visible(name.text, _SHOWN)!r} is longer than the {MAX_NAME} octets a zone name may have")
    if name.text.endswith("\\"):
        raise BadRecordError(f"{visible(text, _SHOWN)!r} ends in a backslash, so it is no zone name")
    if name.text and not all(name.labels):
        raise BadRecordError(f"{visible(text, _SHOWN)!r} has an empty label, so it is no zone name")
    return name


def owner_name(text: str, zone: DnsName) -> DnsName:
    r"""The owner of a record: relative to the zone, absolute with a final dot, ``@`` or empty for the apex.

    ``\052`` as first label is the wildcard: Amazon Route 53 writes ``*`` so (octal), and exports carry it on.
    Raises BadRecordError for a name outside the zone: a name server would ignore it, too (RFC 5936 section 3.5).
    """
    if text == "\\052" or text.startswith("\\052."):
        text = "*" + text[4:]
    name = _parsed("name", text, zone)
    if not name.is_within(zone):
        raise BadRecordError(
            f"name {visible(text, _SHOWN)!r} is outside the zone {zone.display}; move it to its own zone or remove the final dot"
        )
    return name


@lru_cache(maxsize=256)
def type_text(text: str) -> str:
    """The type in upper case. Unknown types are welcome; text that no type can have raises BadRecordError."""
    kind = text.strip().upper() if text.isascii() else text
    if not _TYPE.fullmatch(kind):
        raise BadRecordError(f"type {visible(text, _SHOWN)!r} is no record type")
    return _GENERIC.get(kind, kind)


def rdata_text(kind: str, text: str, zone: DnsName) -> str:
    """The rdata in its one spelling; ``zone`` completes relative targets. Raises BadRecordError when it does not fit ``kind``."""
    canonical = _CANONICAL.get(kind)
    return canonical(text, zone) if canonical else text


def _ipv4(text: str, _zone: DnsName) -> str:
    if _IPV4.fullmatch(text):
        return text
    try:
        return str(IPv4Address(text.strip()))
    except AddressValueError:
        raise BadRecordError(f"target {visible(text, _SHOWN)!r} is not an IPv4 address") from None


def _ipv6(text: str, _zone: DnsName) -> str:
    try:
        address = IPv6Address(text.strip())
    except AddressValueError:
        raise BadRecordError(f"target {visible(text, _SHOWN)!r} is not an IPv6 address") from None
    if address.scope_id is not None:
        raise BadRecordError(f"target {visible(text, _SHOWN)!r} has a scope, which an AAAA record cannot hold")
    return str(address)


def _alias(text: str, zone: DnsName) -> str:
    if not text.strip():
        raise BadRecordError("target is empty; write the name it points to, or @ for the zone itself")
    return _parsed("target", text, zone).text + "."


def _parsed(field: str, text: str, zone: DnsName) -> DnsName:
    if text.strip().removesuffix(".").endswith("\\"):  # it would escape the dot that follows, and name something else
        raise BadRecordError(f"{field} {visible(text, _SHOWN)!r} ends in a backslash, which escapes nothing; remove it")
    return DnsName.parse(text, zone)


_CANONICAL: dict[str, Callable[[str, DnsName], str]] = {"A": _ipv4, "AAAA": _ipv6, "CNAME": _alias, "DNAME": _alias}


def name_key(name: DnsName) -> tuple[str, str]:
    """Sorts names in DNSSEC order: by label from the right, in octets (RFC 4034 section 6.1); the text settles ties."""
    return _from_the_right(name.text), name.text


def _from_the_right(text: str) -> str:
    """The labels in reverse order, as one text that compares as the list of them would: a zone has very many names."""
    if "\\" not in text and "\0" not in text:
        return _LABEL_END.join(text.split(".")[::-1])
    labels = [""]
    for token in _TOKEN.finditer(text):
        if token[0] == ".":
            labels.append("")
        else:
            labels[-1] += chr(int(token[1])) if token[1] else token[2] or token[0]
    return _LABEL_END.join(label.replace("\0", "\0\1") for label in reversed(labels))


def record_key(record: Record) -> tuple[tuple[str, str], str, str, int]:
    """Sorts records by owner (DNSSEC order), type, rdata and TTL (none first): the order of every Zone and export."""
    return name_key(record.name), record.type, record.data, _ttl_rank(record)


def build_zone(name: DnsName, records: Iterable[Record], source: str, view: str = "", *, once: bool = False) -> Zone:
    """A zone with its records in order, and its serial from the SOA at the apex where there is one.

    With ``once`` each RR stands once, with its smallest TTL (RFC 2181 section 5).
    """
    ordered = list(records)
    for key in (_ttl_rank, _data, _type, _text, _place):  # sorts are stable; one key at a time needs a fraction of the memory
        ordered.sort(key=key)
    kept = tuple(_distinct(ordered) if once else ordered)
    serials = (_serial(record.data) for record in kept if record.type == "SOA" and record.name == name)
    return Zone(name=name, serial=next(serials, None), records=kept, source=source, view=view)


_data, _type, _text = attrgetter("data"), attrgetter("type"), attrgetter("name.text")


def _place(record: Record) -> str:
    return _from_the_right(record.name.text)


def _ttl_rank(record: Record) -> int:
    return -1 if record.ttl is None else record.ttl


def _distinct(ordered: list[Record]) -> Iterator[Record]:
    """The first record of each run of equal owner, type and rdata."""
    last: Record | None = None
    for record in ordered:
        if last is None or record.data != last.data or record.type != last.type or record.name != last.name:
            yield record
        last = record


def _serial(soa: str) -> int | None:
    fields = soa.split(maxsplit=3)
    text = fields[2] if len(fields) > 2 else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) < 2**32 else None


class RecordBuilder:
    """Makes the records of one zone. Equal names, texts and TTLs are one object, however often they stand in the zone."""

    def __init__(self, zone: DnsName) -> None:
        self.zone = zone
        self._names: dict[str, DnsName] = {}
        self._texts: dict[str, str] = {}
        self._ttls: dict[int | None, int | None] = {}

    def build(self, name: str, kind: str, data: str, ttl: int | None, origin: Origin, index: int | None = None) -> Record:
        """A record in its canonical spelling; raises BadRecordError naming the first field that cannot be used.

        ``index`` is its number when ``origin`` is the place that all records share.
        """
        owner = self._names.get(name)
        if owner is None:
            owner = self._names[name] = owner_name(name, self.zone)
        known = type_text(kind)
        text = rdata_text(known, data, self.zone)
        return Record(owner, known, self._texts.setdefault(text, text), self._ttls.setdefault(ttl, ttl), origin, index)
