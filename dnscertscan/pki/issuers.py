"""Certificates as CAs publish them where authorityInfoAccess points: DER, PKCS #7 "certs-only", or PEM (RFC 5280 4.2.2.1)."""

from base64 import b64decode
from binascii import Error as Base64Error
from contextlib import suppress

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import parse
from dnscertscan.pki.signatures import verify

MAX_CERTIFICATES = 20
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_BEGIN, _END = b"-----BEGIN PKCS7-----", b"-----END PKCS7-----"
_BLANK = bytes(range(33))


def read_issuers(data: bytes, child: Certificate) -> tuple[tuple[Certificate, ...], str]:
    """Those certificates in ``data`` that issued ``child`` (name and signature fit), and what is wrong when there are none."""
    try:
        found = _read(data)
    except der.DerError as error:
        return (), f"what is there cannot be read as certificates ({error})"
    wanted = parse(child)
    issuers = []
    for certificate in found:
        facts = parse(certificate)
        fits = not facts.problem and facts.subject.key == wanted.issuer.key
        if fits and verify(facts.key, wanted.algorithm, wanted.signature, wanted.signed):
            issuers.append(certificate)
    return tuple(issuers), "" if issuers else "what is there is not the certificate of the issuer"


def _read(data: bytes) -> tuple[Certificate, ...]:
    if (begin := data.find(_BEGIN, 0, 4096)) >= 0:
        with suppress(Base64Error):  # then it is no certificate either, which is said below
            data = b64decode(data[begin + len(_BEGIN) : data.find(_END)].translate(None, _BLANK), validate=True)
    if data[:1] == b"\x30":
        start, stop = der.whole(data, der.SEQUENCE, "file")
        tag, oid_start, oid_stop = der.read(data, start, stop)
        if tag != der.OID:
            return (Certificate(data),)
        if der.oid(data[oid_start:oid_stop]) != _SIGNED_DATA:
            raise der.DerError("a PKCS #7 file that is not signed data")
        return _certificates(data, oid_stop, stop)
    chain, problems = read_chain(data)
    if not chain:
        raise der.DerError(problems[0])
    return chain[:MAX_CERTIFICATES]


def _certificates(data: bytes, pos: int, stop: int) -> tuple[Certificate, ...]:
    """The certificates of a SignedData (RFC 5652 5.1)."""
    start, end = der.expect(data, pos, stop, 0xA0, "signed data")
    start, end = der.expect(data, start, end, der.SEQUENCE, "signed data")
    for tag, first, last in der.children(data, start, end):
        if tag == 0xA0:
            found: list[Certificate] = []
            while first < last and len(found) < MAX_CERTIFICATES:
                _, _, behind = der.read(data, first, last)
                found.append(Certificate(data[first:behind]))
                first = behind  # noqa: PLW2901 - the walk moves on inside the element
            return tuple(found)
    raise der.DerError("signed data without certificates")
