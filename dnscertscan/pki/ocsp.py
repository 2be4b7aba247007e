"""OCSP responses as plain values (RFC 6960 4.2.1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.times import read_time

MAX_RESPONSE = 1 << 17
MAX_SINGLES = 500
STATUS_NAMES = {1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
REASONS = {
    0: "unspecified", 1: "keyCompromise", 2: "cACompromise", 3: "affiliationChanged", 4: "superseded", 5: "cessationOfOperation",
    6: "certificateHold", 8: "removeFromCRL", 9: "privilegeWithdrawn", 10: "aACompromise",
}


class Status(Enum):
    """CertStatus."""

    GOOD = 0x80
    REVOKED = 0xA1
    UNKNOWN = 0x82


@dataclass(frozen=True, slots=True)
class Single:
    """One SingleResponse: which certificate (hashes of its issuer, serial content octets) and what is said of it."""

    hash_oid: str
    name_hash: bytes
    key_hash: bytes
    serial: bytes
    status: Status
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A successful response. ``signed`` are the octets the signature is over; ``certificates`` those that came along."""

    singles: tuple[Single, ...]
    signed: bytes
    algorithm: bytes
    signature: bytes
    certificates: tuple[Certificate, ...]


def parse_response(data: bytes) -> Response | str:
    """The response, or the name of the error status it carries. Raises :class:`~dnscertscan.pki.der.DerError`."""
    if len(data) > MAX_RESPONSE:
        raise der.DerError(f"OCSP response of {len(data)} octets")
    start, stop = der.whole(data, der.SEQUENCE, "OCSP response")
    status_start, status_stop = der.expect(data, start, stop, der.ENUMERATED, "response status")
    status = der.integer(data[status_start:status_stop])
    if status:
        return STATUS_NAMES.get(status, f"status {status}")
    inner_start, inner_stop = der.expect(data, status_stop, stop, 0xA0, "response bytes")
    inner_start, inner_stop = der.expect(data, inner_start, inner_stop, der.SEQUENCE, "response bytes")
    oid_start, oid_stop = der.expect(data, inner_start, inner_stop, der.OID, "response type")
    if der.oid(data[oid_start:oid_stop]) != "1.3.6.1.5.5.7.48.1.1":
        raise der.DerError("response type is not id-pkix-ocsp-basic")
    body_start, body_stop = der.expect(data, oid_stop, inner_stop, der.OCTET_STRING, "response")
    return _basic(data[body_start:body_stop])


def _basic(data: bytes) -> Response:
    start, stop = der.whole(data, der.SEQUENCE, "basic response")
    tbs_start, tbs_stop = der.expect(data, start, stop, der.SEQUENCE, "response data")
    _, algorithm_stop = der.expect(data, tbs_stop, stop, der.SEQUENCE, "signature algorithm")
    bits_start, bits_stop = der.expect(data, algorithm_stop, stop, der.BIT_STRING, "signature")
    certificates: list[Certificate] = []
    if bits_stop < stop:
        certs_start, certs_stop = der.expect(data, bits_stop, stop, 0xA0, "certificates")
        certs_start, certs_stop = der.expect(data, certs_start, certs_stop, der.SEQUENCE, "certificates")
        pos = certs_start
        while pos < certs_stop and len(certificates) < 5:
            _, _, end = der.read(data, pos, certs_stop)
            certificates.append(Certificate(data[pos:end]))
            pos = end
    return Response(
        _singles(data, tbs_start, tbs_stop), data[start:tbs_stop], data[tbs_stop:algorithm_stop],
        der.bits(data[bits_start:bits_stop]), tuple(certificates),
    )


def _singles(data: bytes, pos: int, end: int) -> tuple[Single, ...]:
    """The responses inside ResponseData, behind version, responder and producedAt."""
    for tag, start, stop in der.children(data, pos, end):
        if tag == der.SEQUENCE:
            parts = [(first, last) for _, first, last in der.children(data, start, stop)]
            if len(parts) > MAX_SINGLES:
                raise der.DerError(f"more than {MAX_SINGLES} single responses")
            return tuple(_single(data, first, last) for first, last in parts)
    raise der.DerError("no single responses")


def _single(data: bytes, pos: int, end: int) -> Single:
    id_start, id_stop = der.expect(data, pos, end, der.SEQUENCE, "certificate id")
    alg_start, alg_stop = der.expect(data, id_start, id_stop, der.SEQUENCE, "hash algorithm")
    oid_start, oid_stop = der.expect(data, alg_start, alg_stop, der.OID, "hash algorithm")
    name_start, name_stop = der.expect(data, alg_stop, id_stop, der.OCTET_STRING, "issuer name hash")
    key_start, key_stop = der.expect(data, name_stop, id_stop, der.OCTET_STRING, "issuer key hash")
    serial_start, serial_stop = der.expect(data, key_stop, id_stop, der.INTEGER, "serial number")
    tag, status_start, status_stop = der.read(data, id_stop, end)
    if tag not in (0x80, 0xA1, 0x82):
        raise der.DerError(f"certificate status 0x{tag:02x}")
    revoked_at, reason = _revocation(data, status_start, status_stop) if tag == 0xA1 else (None, "")
    this_tag, this_start, this_stop = der.read(data, status_stop, end)
    following = None
    if this_stop < end:
        tag_next, next_start, next_stop = der.read(data, this_stop, end)
        if tag_next == 0xA0:
            time_tag, time_start, time_stop = der.read(data, next_start, next_stop)
            following = _time(time_tag, data[time_start:time_stop], "nextUpdate")
    return Single(
        der.oid(data[oid_start:oid_stop]), data[name_start:name_stop], data[key_start:key_stop], data[serial_start:serial_stop],
        Status(tag), _time(this_tag, data[this_start:this_stop], "thisUpdate"), following, revoked_at, reason,
    )


def _revocation(data: bytes, pos: int, end: int) -> tuple[datetime, str]:
    tag, start, stop = der.read(data, pos, end)
    when = _time(tag, data[start:stop], "revocationTime")
    if stop >= end:
        return when, "no reason given"
    reason_start, reason_stop = der.expect(data, stop, end, 0xA0, "reason")
    value_start, value_stop = der.expect(data, reason_start, reason_stop, der.ENUMERATED, "reason")
    number = der.integer(data[value_start:value_stop])
    return when, REASONS.get(number, f"reason {number}")


def _time(tag: int, content: bytes, what: str) -> datetime:
    when, problem = read_time(tag, content)
    if when is None:
        raise der.DerError(f"{what} {problem}")
    return when
