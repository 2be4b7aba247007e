"""Certificate revocation lists as plain values: the head at once, of the entries only those asked for (RFC 5280 5.1).

Lists of tens of megabytes are ordinary. The head costs no walk over the entries, so that who signed a list and what it covers is
known before any of its entries is read; the walk keeps nothing but what was asked for.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from dnscertscan.pki import der
from dnscertscan.pki.distribution import Scope, parse_scope
from dnscertscan.pki.dn import DistinguishedName, read_name
from dnscertscan.pki.extensions import AUTHORITY_KEY, read_extensions
from dnscertscan.pki.ocsp import REASONS
from dnscertscan.pki.times import read_time

REMOVED = 8
HOLD = 6
_NUMBER, _DELTA, _SCOPE, _REASON, _ISSUER = "2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.21", "2.5.29.29"
_TIMES = {der.UTC_TIME: 13, der.GENERALIZED_TIME: 15}
_BEGIN, _END = b"-----BEGIN X509 CRL-----", b"-----END X509 CRL-----"
_BLANK = bytes(range(33))
_COMMON = 1024
"""How many different entry extensions are remembered as harmless; a list has a handful, one per reason."""


class Entry(NamedTuple):
    """One revocation. ``reason`` is the number of CRLReason (0, unspecified, when none is given)."""

    when: datetime
    reason: int

    @property
    def reason_text(self) -> str:
        """``keyCompromise`` and so on."""
        return REASONS.get(self.reason, f"reason {self.reason}") if self.reason else "no reason given"


@dataclass(frozen=True, slots=True)
class RevocationList:
    """The head of one list. ``problem`` is why it can be used for no certificate at all, whoever signed it; empty when it can."""

    data: bytes = field(repr=False)
    signed: tuple[int, int]
    """Range of the octets that the signature is over."""
    entries: tuple[int, int]
    """Range of the revoked certificates; empty when there are none."""
    algorithm: bytes
    signature: bytes = field(repr=False)
    issuer: DistinguishedName
    this_update: datetime
    next_update: datetime | None
    scope: Scope | None
    problem: str

    def find(self, serials: Collection[bytes]) -> dict[bytes, Entry]:
        """The entries of the ``serials`` (INTEGER content octets) that are listed; entries that undo a revocation are left out.

        One pass over the list. Raises :class:`~dnscertscan.pki.der.DerError` for entries that are broken, or that have a critical
        extension which is not understood: then the list must not be used for any certificate (RFC 5280 5.3).
        """
        data, (pos, stop) = self.data, self.entries
        found: dict[bytes, Entry] = {}
        harmless: set[bytes] = set()
        while pos < stop:
            _, start, end = _sequence(data, pos, stop)
            number, pos_time = _short(data, start, end, der.INTEGER)
            rest = _behind_time(data, pos_time, end)
            if rest < end and (extensions := data[rest:end]) not in harmless:
                if b"\x01\x01" in extensions:  # only then there can be a BOOLEAN in it, and so a critical extension
                    _check_critical(extensions)
                if len(harmless) < _COMMON:
                    harmless.add(extensions)
            serial = data[number:pos_time]
            if serial in serials:
                entry = _entry(data, pos_time, rest, end)
                if entry.reason != REMOVED:
                    found.setdefault(serial, entry)
            pos = end
        return found


def read_list(data: bytes) -> RevocationList:
    """The head of a list in DER, or in PEM as some private CAs publish it; raises :class:`~dnscertscan.pki.der.DerError`."""
    data = _unwrap(data)
    start, stop = der.whole(data, der.SEQUENCE, "revocation list")
    tbs_start, tbs_stop = der.expect(data, start, stop, der.SEQUENCE, "tbsCertList")
    _, algorithm_stop = der.expect(data, tbs_stop, stop, der.SEQUENCE, "signatureAlgorithm")
    bits_start, bits_stop = der.expect(data, algorithm_stop, stop, der.BIT_STRING, "signature")
    pos = tbs_start
    if data[pos : pos + 1] == bytes([der.INTEGER]):
        _, _, pos = der.read(data, pos, tbs_stop)
    _, inner_stop = der.expect(data, pos, tbs_stop, der.SEQUENCE, "signature algorithm")
    algorithm = data[tbs_stop:algorithm_stop]
    issuer, issuer_stop = read_name(data, inner_stop, tbs_stop)
    this_update, end = _time(data, issuer_stop, tbs_stop, "thisUpdate")
    next_update, entries, scope, problem = None, (0, 0), None, ""
    if data[end : end + 1] and data[end] in _TIMES and end < tbs_stop:
        next_update, end = _time(data, end, tbs_stop, "nextUpdate")
    for tag, part_start, part_stop in der.children(data, end, tbs_stop):
        if tag == der.SEQUENCE and entries == (0, 0):
            entries = (part_start, part_stop)
        elif tag == 0xA0:
            scope, problem = _extensions(data, part_start, part_stop)
        else:
            raise der.DerError(f"revocation list has a part with tag 0x{tag:02x}")
    if data[pos:inner_stop] != algorithm:
        problem = problem or "its two signature algorithms differ"
    signature = der.bits(data[bits_start:bits_stop])
    return RevocationList(
        data, (start, tbs_stop), entries, algorithm, signature, issuer, this_update, next_update, scope, problem,
    )


def _unwrap(data: bytes) -> bytes:
    begin = data.find(_BEGIN, 0, 4096)
    if data[:1] == b"\x30" or begin < 0:
        if data[:64].lstrip()[:1] == b"<":
            raise der.DerError("it is a web page")
        return data
    end = data.find(_END, begin)
    try:
        return b64decode(data[begin + len(_BEGIN) : end if end >= 0 else None].translate(None, _BLANK), validate=True)
    except Base64Error as error:
        raise der.DerError("its PEM text is not base64") from error


def _extensions(data: bytes, start: int, stop: int) -> tuple[Scope | None, str]:
    values, critical, notes = read_extensions(data, start, stop)
    if notes:
        raise der.DerError("; ".join(notes))
    scope = parse_scope(values[_SCOPE]) if _SCOPE in values else None
    if _DELTA in values:
        return scope, "it is a delta list, which tells only what changed since another one"
    unknown = sorted(critical - {_SCOPE, _NUMBER, AUTHORITY_KEY})
    return scope, f"it has the critical extension {unknown[0]}, which is not understood" if unknown else ""


def _sequence(data: bytes, pos: int, stop: int) -> der.Element:
    """The entry at ``pos``: like der.read, with a short cut for the lengths that nearly all have."""
    if pos + 2 <= stop and data[pos] == der.SEQUENCE and data[pos + 1] < 0x80 and pos + 2 + data[pos + 1] <= stop:
        return der.SEQUENCE, pos + 2, pos + 2 + data[pos + 1]
    return (der.SEQUENCE, *der.expect(data, pos, stop, der.SEQUENCE, "revoked certificate"))


def _short(data: bytes, pos: int, stop: int, tag: int) -> tuple[int, int]:
    if pos + 2 <= stop and data[pos] == tag and data[pos + 1] < 0x80 and pos + 2 + data[pos + 1] <= stop:
        return pos + 2, pos + 2 + data[pos + 1]
    return der.expect(data, pos, stop, tag, "serial number of a revoked certificate")


def _behind_time(data: bytes, pos: int, stop: int) -> int:
    if pos + 2 <= stop and _TIMES.get(data[pos]) == data[pos + 1] and pos + 2 + data[pos + 1] <= stop:
        return pos + 2 + data[pos + 1]
    raise der.DerError(f"revocation date at offset {pos} is not a time")


def _check_critical(extensions: bytes) -> None:
    _, critical, _ = read_extensions(extensions, 0, len(extensions))
    if _ISSUER in critical:
        raise der.DerError("it has entries of other issuers (an indirect list), which is not supported")
    if unknown := sorted(critical - {_REASON}):
        raise der.DerError(f"an entry has the critical extension {unknown[0]}, which is not understood")


def _entry(data: bytes, pos: int, rest: int, end: int) -> Entry:
    when, _ = _time(data, pos, end, "revocationDate")
    reason = 0
    if rest < end:
        values, _, _ = read_extensions(data, rest, end)
        if _REASON in values:
            start, stop = der.whole(values[_REASON], der.ENUMERATED, "reason")
            reason = der.integer(values[_REASON][start:stop])
    return Entry(when, reason)


def _time(data: bytes, pos: int, end: int, what: str) -> tuple[datetime, int]:
    tag, start, stop = der.read(data, pos, end)
    when, problem = read_time(tag, data[start:stop])
    if when is None:
        raise der.DerError(f"{what} {problem}")
    return when, stop
