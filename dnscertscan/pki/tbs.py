"""What a CT log signs of a certificate: its precertificate TBS, made by editing octets, never by encoding anew (RFC 6962 3.2)."""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.extensions import AUTHORITY_KEY, MAX_EXTENSIONS, SCT_LIST
from dnscertscan.pki.parse import MAX_CERTIFICATE, parse

POISON = "1.3.6.1.4.1.11129.2.4.3"
SIGNING_CA = "1.3.6.1.4.1.11129.2.4.4"
"""Extended key usage of a Precertificate Signing Certificate (RFC 6962 3.1)."""


@dataclass(frozen=True, slots=True)
class X509Entry:
    """A log entry that is a certificate as served; SCTs by TLS extension and OCSP response are over this one."""

    leaf: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PrecertEntry:
    """A log entry that is a precertificate: SHA-256 of the issuer's SubjectPublicKeyInfo, and the TBS that the CA will sign."""

    issuer_key_hash: bytes
    tbs: bytes = field(repr=False)


Entry = X509Entry | PrecertEntry


class _Extension(NamedTuple):
    kind: str
    whole: bytes
    value: bytes


class _Layout(NamedTuple):
    """Where the parts of a TBSCertificate lie. ``issuer`` is the range of the Name; ``options`` where [3] begins and ends."""

    data: bytes
    content: tuple[int, int]
    issuer: tuple[int, int]
    options: tuple[int, int] | None
    extensions: tuple[_Extension, ...]
    whole: bytes


def precert_tbs(certificate: Certificate, signing_ca: Certificate | None = None) -> bytes:
    """The TBSCertificate without SCT list and poison: the same octets for a precertificate and its final certificate.

    ``signing_ca``: the Precertificate Signing Certificate that issued this precertificate; its issuer and its
    authorityKeyIdentifier then take the place of those in the TBS (RFC 6962 3.2). An empty list of extensions stays where no
    extension is left, as logs and browsers have it. Raises :class:`~dnscertscan.pki.der.DerError`.
    """
    layout = _layout(certificate)
    kept = [extension for extension in layout.extensions if extension.kind not in (SCT_LIST, POISON)]
    if signing_ca is None and len(kept) == len(layout.extensions):
        return layout.whole
    data, (start, stop), issuer = layout.data, layout.content, layout.data[layout.issuer[0] : layout.issuer[1]]
    if signing_ca is not None:
        above = _layout(signing_ca)
        issuer = above.data[above.issuer[0] : above.issuer[1]]
        kept = _with_authority(kept, above.extensions)
    before, after = layout.options or (stop, stop)
    had = layout.options is not None
    listed = _wrap(0xA3, _wrap(der.SEQUENCE, b"".join(extension.whole for extension in kept))) if had or kept else b""
    head = data[start : layout.issuer[0]] + issuer + data[layout.issuer[1] : before]
    return _wrap(der.SEQUENCE, head + listed + data[after:stop])


@lru_cache(maxsize=4096)
def tbs_sha256(certificate: Certificate, signing_ca: Certificate | None = None) -> str:
    """Identity of an issuance: SHA-256 (hexadecimal) of :func:`precert_tbs`; empty when the octets are no certificate."""
    try:
        return sha256(precert_tbs(certificate, signing_ca)).hexdigest()
    except der.DerError:
        return ""


def precert_entry(certificate: Certificate, issuer: Certificate, signing_ca: Certificate | None = None) -> PrecertEntry:
    """The entry that embedded SCTs are over. ``issuer`` has the key that signs the final certificate: never the signing CA.

    Raises :class:`~dnscertscan.pki.der.DerError`.
    """
    key = parse(issuer).key
    if not key.spki:
        raise der.DerError("the public key of the issuer cannot be read")
    return PrecertEntry(key.digest, precert_tbs(certificate, signing_ca))


def is_precertificate(certificate: Certificate) -> bool:
    """Whether it has the poison (RFC 6962 3.1): then it is no certificate that anybody may serve."""
    return POISON in parse(certificate).extensions.present


def is_signing_ca(certificate: Certificate) -> bool:
    """Whether it may sign precertificates, and nothing else (RFC 6962 3.1)."""
    facts = parse(certificate)
    return facts.is_ca and SIGNING_CA in (facts.extensions.extended or ())


def extension_values(certificate: Certificate, kind: str) -> tuple[bytes, ...]:
    """The content of every extension of this kind, in order. Raises :class:`~dnscertscan.pki.der.DerError`."""
    if kind not in parse(certificate).extensions.present:  # known already for nearly every certificate
        return ()
    return tuple(extension.value for extension in _layout(certificate).extensions if extension.kind == kind)


def _with_authority(kept: list[_Extension], above: tuple[_Extension, ...]) -> list[_Extension]:
    """The extensions with the authorityKeyIdentifier of the signing CA in place of their own, or behind them."""
    theirs = next((extension for extension in above if extension.kind == AUTHORITY_KEY), None)
    place = next((number for number, extension in enumerate(kept) if extension.kind == AUTHORITY_KEY), len(kept))
    return kept[:place] + ([theirs] if theirs else []) + kept[place + 1 :]


def _layout(certificate: Certificate) -> _Layout:
    data = certificate.der
    if len(data) > MAX_CERTIFICATE:
        raise der.DerError(f"certificate of {len(data)} octets")
    try:
        return _walk(data)
    except der.LongLengthError:
        return _walk(der.LooseOctets(data))


def _walk(data: bytes) -> _Layout:
    """One pass over the TBSCertificate (RFC 5280 4.1)."""
    outer, end = der.whole(data, der.SEQUENCE, "certificate")
    start, stop = der.expect(data, outer, end, der.SEQUENCE, "tbsCertificate")
    tag, _, pos = der.read(data, start, stop)
    pos = pos if tag == 0xA0 else start
    _, pos = der.expect(data, pos, stop, der.INTEGER, "serial number")
    _, pos = der.expect(data, pos, stop, der.SEQUENCE, "signature algorithm")
    _, issuer_stop = der.expect(data, pos, stop, der.SEQUENCE, "issuer")
    issuer, pos = (pos, issuer_stop), issuer_stop
    for what in ("validity", "subject", "public key"):
        _, pos = der.expect(data, pos, stop, der.SEQUENCE, what)
    options: tuple[int, int] | None = None
    extensions: tuple[_Extension, ...] = ()
    while pos < stop:
        tag, first, last = der.read(data, pos, stop)
        if tag == 0xA3:
            if options:
                raise der.DerError("tbsCertificate has two lists of extensions")
            options, extensions = (pos, last), _extensions(data, first, last)
        pos = last
    return _Layout(data, (start, stop), issuer, options, extensions, bytes(data[outer:stop]))


def _extensions(data: bytes, pos: int, end: int) -> tuple[_Extension, ...]:
    start, stop = der.expect(data, pos, end, der.SEQUENCE, "extensions")
    der.ends(stop, end, "extensions")
    found: list[_Extension] = []
    while start < stop:
        if len(found) >= MAX_EXTENSIONS:
            raise der.DerError(f"more than {MAX_EXTENSIONS} extensions")
        first, last = der.expect(data, start, stop, der.SEQUENCE, "extension")
        oid_start, oid_stop = der.expect(data, first, last, der.OID, "extension")
        kind = der.oid(data[oid_start:oid_stop])
        tag, value, value_stop = der.read(data, oid_stop, last)
        if tag == der.BOOLEAN:
            tag, value, value_stop = der.read(data, value_stop, last)
        if tag != der.OCTET_STRING or value_stop != last:
            raise der.DerError(f"extension {kind} is not wrapped in an OCTET STRING")
        found.append(_Extension(kind, data[start:last], data[value:value_stop]))
        start = last
    return tuple(found)


def _wrap(tag: int, content: bytes) -> bytes:
    """One element with the shortest length."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content
