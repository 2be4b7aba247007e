"""Signed Certificate Timestamps: read one by one, and checked against the key of their log (RFC 6962 3.2, 3.3)."""

from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import BadSct, Log, LogKind, Sct, SctVerdict, read_leaf_index
from dnscertscan.pki import der
from dnscertscan.pki.extensions import SCT_LIST
from dnscertscan.pki.keys import MIN_RSA, load_key
from dnscertscan.pki.mimics import MIMICS
from dnscertscan.pki.ocsp import parse_response
from dnscertscan.pki.parse import parse
from dnscertscan.pki.tbs import Entry, PrecertEntry, extension_values

OCSP_SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"
LIST_BROKEN = "SCT list: "
"""How the problem of a :class:`BadSct` begins that stands for (the rest of) a list and not for one SCT."""
UNKNOWN_VERSION = "unknown SCT version "
MAX_SCTS = 100
MIMIC = "it is of a mimic log, whose private key is published: anybody can have made it"
_FIXED = 1 + 32 + 8 + 2
_SHA256, _RSA, _ECDSA = 4, 1, 3


def parse_sct_list(octets: bytes) -> tuple[Sct | BadSct, ...]:
    """The SCTs of a SignedCertificateTimestampList in order (RFC 6962 3.3); never raises.

    A malformed SCT, or one of an unknown version, is a :class:`BadSct` and the others are still there. Where the list itself is
    broken, one BadSct says how, behind the SCTs before the break; when its very length is wrong, it is the only one.
    """
    if len(octets) < 2:
        return (BadSct(octets, f"{LIST_BROKEN}{len(octets)} octets, too few for its length"),)
    declared, there = int.from_bytes(octets[:2], "big"), len(octets) - 2
    if declared != there:
        return (BadSct(octets, f"{LIST_BROKEN}it declares {declared} octets, {there} are there"),)
    if not there:
        return (BadSct(octets, f"{LIST_BROKEN}it is empty"),)
    return tuple(_split(octets))


def _split(octets: bytes) -> Iterator[Sct | BadSct]:
    pos, count = 2, 0
    while pos < len(octets):
        count += 1
        if count > MAX_SCTS:
            yield BadSct(octets[pos:], f"{LIST_BROKEN}more than {MAX_SCTS} SCTs, the rest was not looked at")
            return
        left = len(octets) - pos - 2
        size = int.from_bytes(octets[pos : pos + 2], "big")
        if left < 0 or size > left:
            what = f"an SCT of {size} octets where {left} are left" if left >= 0 else "one octet behind the last SCT"
            yield BadSct(octets[pos:], f"{LIST_BROKEN}{what}")
            return
        yield parse_sct(octets[pos + 2 : pos + 2 + size])
        pos += 2 + size


def parse_sct(raw: bytes) -> Sct | BadSct:
    """One SerializedSCT."""
    if not raw:
        return BadSct(raw, "SCT without octets")
    if raw[0] != 0:
        return BadSct(raw, f"{UNKNOWN_VERSION}{raw[0]}")
    if len(raw) < _FIXED:
        return BadSct(raw, f"SCT of {len(raw)} octets, it ends before its extensions")
    behind = _FIXED + int.from_bytes(raw[_FIXED - 2 : _FIXED], "big")
    if len(raw) < behind + 4:
        return BadSct(raw, "SCT ends inside its extensions or before its signature")
    size = int.from_bytes(raw[behind + 2 : behind + 4], "big")
    signature = raw[behind + 4 :]
    if size != len(signature):
        return BadSct(raw, f"signature of {size} octets declared, {len(signature)} are there")
    return Sct(
        raw, 0, raw[1:33], int.from_bytes(raw[33:41], "big"), raw[_FIXED:behind], raw[behind], raw[behind + 1], signature
    )


def embedded_sct_list(certificate: Certificate) -> bytes | None:
    """The list in the certificate's extension; None when it has none.

    Raises :class:`~dnscertscan.pki.der.DerError` when the extension cannot be read or occurs twice.
    """
    values = extension_values(certificate, SCT_LIST)
    if not values:
        return None
    if len(values) > 1:
        raise der.DerError("the SCT list extension occurs twice")
    return _unwrap(values[0])


def stapled_sct_list(staple: bytes, certificate: Certificate) -> bytes | None:
    """The list in what an OCSP response says about ``certificate``; None when there is none.

    Raises :class:`~dnscertscan.pki.der.DerError` when the response cannot be read or says nothing about this certificate. Who
    signed the response does not matter here: an SCT proves itself.
    """
    response = parse_response(staple)
    if isinstance(response, str):
        raise der.DerError(f"the responder answered {response}")
    start, stop = der.whole(response.signed, der.SEQUENCE, "response data")
    serial, about = parse(certificate).serial, False
    for tag, first, last in der.children(response.signed, start, stop):
        if tag != der.SEQUENCE:
            continue
        for _, single, single_stop in der.children(response.signed, first, last):
            if _serial(response.signed, single, single_stop) == serial:
                about = True
                found = _single_list(response.signed, single, single_stop)
                if found is not None:
                    return found
        break
    if not about:
        raise der.DerError("it is about another certificate")
    return None


def _serial(data: bytes, pos: int, end: int) -> bytes:
    """The serial number in the CertID of a SingleResponse (RFC 6960 4.1.1)."""
    start, stop = der.expect(data, pos, end, der.SEQUENCE, "certificate id")
    for tag, first, last in der.children(data, start, stop):
        if tag == der.INTEGER:
            return data[first:last]
    return b""


def _single_list(data: bytes, pos: int, end: int) -> bytes | None:
    """The SCT list among the singleExtensions [1] of a SingleResponse."""
    for mark, start, stop in der.children(data, pos, end):
        if mark != 0xA1 or stop != end:  # revoked has the same tag, but never stands last
            continue
        first, last = der.expect(data, start, stop, der.SEQUENCE, "single extensions")
        for _, ext_start, ext_stop in der.children(data, first, last):
            oid_start, oid_stop = der.expect(data, ext_start, ext_stop, der.OID, "single extension")
            if der.oid(data[oid_start:oid_stop]) == OCSP_SCT_LIST:
                tag, value, value_stop = der.read(data, oid_stop, ext_stop)
                if tag == der.BOOLEAN:
                    _, value, value_stop = der.read(data, value_stop, ext_stop)
                return _unwrap(data[value:value_stop])
    return None


def _unwrap(value: bytes) -> bytes:
    start, stop = der.whole(value, der.OCTET_STRING, "SCT list extension")
    return value[start:stop]


def signed_data(sct: Sct, entry: Entry) -> bytes:
    """What the log signs (RFC 6962 3.2); the very same octets are the MerkleTreeLeaf (3.4). ``entry`` has under 2^24 octets."""
    head = b"\0\0" + sct.timestamp.to_bytes(8, "big")
    if isinstance(entry, PrecertEntry):
        body = b"\0\1" + entry.issuer_key_hash + len(entry.tbs).to_bytes(3, "big") + entry.tbs
    else:
        body = b"\0\0" + len(entry.leaf).to_bytes(3, "big") + entry.leaf
    return b"".join((head, body, len(sct.extensions).to_bytes(2, "big"), sct.extensions))


def verify(sct: Sct, log: Log, entry: Entry) -> tuple[SctVerdict, str]:
    """VALID or INVALID, and why. The reason of a valid one is a remark, mostly empty."""
    if sct.log_id in MIMICS:
        return SctVerdict.INVALID, MIMIC
    if sct.log_id != log.log_id:
        return SctVerdict.INVALID, "it is of another log"
    problem = signature_problem(log, sct.hash_algorithm, sct.signature_algorithm, sct.signature, signed_data(sct, entry))
    if problem:
        return SctVerdict.INVALID, problem
    if log.kind is not LogKind.STATIC:
        return SctVerdict.VALID, ""
    index, problem = read_leaf_index(sct.extensions)
    if problem:
        return SctVerdict.INVALID, problem
    return SctVerdict.VALID, "" if index is not None else "a static-ct log that gave no leaf_index"


class _Key(NamedTuple):
    log_id: bytes
    key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey | None
    problem: str


@lru_cache(maxsize=1024)
def _log_key(spki: bytes) -> _Key:
    """A log's key, loaded once (RFC 6962 2.1.4: ECDSA on P-256, or RSA of at least 2048 bits)."""
    digest = sha256(spki).digest()
    match load_key(spki):
        case ec.EllipticCurvePublicKey() as key if isinstance(key.curve, ec.SECP256R1):
            return _Key(digest, key, "")
        case rsa.RSAPublicKey() as key if key.key_size >= MIN_RSA:
            return _Key(digest, key, "")
        case None:
            return _Key(digest, None, "the key of the log cannot be read")
        case _:
            return _Key(digest, None, "the key of the log is neither ECDSA on P-256 nor RSA of 2048 bits and more")


def signature_problem(log: Log, hash_algorithm: int, scheme: int, signature: bytes, signed: bytes) -> str:
    """Why this DigitallySigned (RFC 5246 4.7) is not of ``log`` over ``signed``; empty when it is."""
    log_id, key, problem = _log_key(log.key)
    if log_id != log.log_id:
        return "the key of the log does not have its log id"
    if key is None:
        return problem
    due = _RSA if isinstance(key, rsa.RSAPublicKey) else _ECDSA
    if (hash_algorithm, scheme) != (_SHA256, due):
        return f"signature algorithm {hash_algorithm}/{scheme} where {_SHA256}/{due} is due"
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return "the signature is not by the key of the log over this"
    return ""
