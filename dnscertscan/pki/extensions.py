"""Certificate extensions as plain values, each read on its own so that one broken extension hides no other (RFC 5280 4.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from dnscertscan.pki import der
from dnscertscan.pki.distribution import DistributionPoint, parse_points
from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.general_names import Constraints, Names, names_in, parse_constraints, parse_names

T = TypeVar("T")

BASIC, USAGE, EXTENDED, ALT_NAME = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.17"
AUTHORITY_KEY, SUBJECT_KEY, NAME_CONSTRAINTS = "2.5.29.35", "2.5.29.14", "2.5.29.30"
CRL_POINTS = "2.5.29.31"
TLS_FEATURE, INFO_ACCESS, NETSCAPE_TYPE, SCT_LIST = (
    "1.3.6.1.5.5.7.1.24", "1.3.6.1.5.5.7.1.1", "2.16.840.1.113730.1.1", "1.3.6.1.4.1.11129.2.4.2",
)
NAMES = {
    BASIC: "basicConstraints", USAGE: "keyUsage", EXTENDED: "extKeyUsage", ALT_NAME: "subjectAltName",
    AUTHORITY_KEY: "authorityKeyIdentifier", SUBJECT_KEY: "subjectKeyIdentifier", NAME_CONSTRAINTS: "nameConstraints",
    TLS_FEATURE: "TLS feature", INFO_ACCESS: "authorityInfoAccess", NETSCAPE_TYPE: "nsCertType", SCT_LIST: "SCT list",
    CRL_POINTS: "cRLDistributionPoints",
    "1.3.6.1.4.1.11129.2.4.3": "CT poison", "1.3.6.1.5.5.7.1.14": "proxyCertInfo",
}
# What OpenSSL's X509_supported_extension knows, less proxyCertInfo, which it then refuses by default. Policies are known yet not
# processed, as in most browsers. Key identifiers and authorityInfoAccess must not be critical (RFC 5280 4.2.1).
UNDERSTOOD_CRITICAL = frozenset({
    BASIC, USAGE, EXTENDED, ALT_NAME, NAME_CONSTRAINTS, NETSCAPE_TYPE, "2.5.29.32", "2.5.29.31", "2.5.29.36", "2.5.29.33",
    "2.5.29.54", "1.3.6.1.5.5.7.1.7", "1.3.6.1.5.5.7.1.8",
})
# Broken or repeated, these make every client refuse the certificate; other extensions are then only ill-formed.
_DECISIVE = frozenset({BASIC, USAGE, EXTENDED, ALT_NAME, AUTHORITY_KEY, SUBJECT_KEY, NAME_CONSTRAINTS, NETSCAPE_TYPE})
MAX_EXTENSIONS = 200

DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT, CERT_SIGN = 0x80, 0x20, 0x08, 0x04
SERVER_AUTH, ANY_USAGE, OCSP_SIGNING = "1.3.6.1.5.5.7.3.1", "2.5.29.37.0", "1.3.6.1.5.5.7.3.9"
PURPOSES = {
    SERVER_AUTH: "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning", OCSP_SIGNING: "OCSPSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping", ANY_USAGE: "anyExtendedKeyUsage",
}
GATED_CRYPTO = frozenset({"1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"})


class BasicConstraints(NamedTuple):
    """``path_length`` is None when there is no limit."""

    ca: bool
    path_length: int | None


class AuthorityKey(NamedTuple):
    """AuthorityKeyIdentifier: each part None when absent; ``serial`` as signed content octets."""

    key_id: bytes | None
    issuers: tuple[DistinguishedName, ...]
    serial: bytes | None


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the extensions say. ``broken`` are faults every client refuses, ``quirks`` faults that common clients overlook."""

    basic: BasicConstraints | None = None
    usage: int | None = None
    """First octet of keyUsage, digitalSignature being 0x80."""
    extended: tuple[str, ...] | None = None
    alt_names: Names | None = None
    constraints: Constraints | None = None
    authority_key: AuthorityKey | None = None
    subject_key: bytes | None = None
    netscape_type: int | None = None
    must_staple: bool = False
    issuer_urls: tuple[str, ...] = ()
    crl_points: tuple[DistributionPoint, ...] = ()
    critical: frozenset[str] = frozenset()
    unknown_critical: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    present: frozenset[str] = frozenset()


NO_EXTENSIONS = Extensions()


class _Reader:
    """The list of extensions, read one by one; remembers what was wrong."""

    def __init__(self, data: bytes, pos: int, end: int) -> None:
        self.values: dict[str, bytes] = {}
        self.critical: set[str] = set()
        self.repeated: set[str] = set()
        self.broken: list[str] = []
        self.quirks: list[str] = []
        start, stop = der.whole(data[pos:end], der.SEQUENCE, "extensions")
        for count, (tag, ext_start, ext_stop) in enumerate(der.children(data, pos + start, pos + stop)):
            if tag != der.SEQUENCE:
                raise der.DerError(f"extension {count} has tag 0x{tag:02x}")
            if count >= MAX_EXTENSIONS:
                raise der.DerError(f"more than {MAX_EXTENSIONS} extensions")
            self._add(data, ext_start, ext_stop)

    def _add(self, data: bytes, pos: int, end: int) -> None:
        start, stop = der.expect(data, pos, end, der.OID, "extension")
        kind = der.oid(data[start:stop])
        tag, start, stop = der.read(data, stop, end)
        if tag == der.BOOLEAN:
            if der.boolean(data[start:stop]):
                self.critical.add(kind)
            tag, start, stop = der.read(data, stop, end)
        if tag != der.OCTET_STRING or stop != end:
            raise der.DerError(f"extension {kind} is not wrapped in an OCTET STRING")
        if kind in self.values:
            self.repeated.add(kind)
            self.note(kind, "occurs twice")
        self.values.setdefault(kind, data[start:stop])

    def note(self, kind: str, text: str) -> None:
        decisive = kind in _DECISIVE or (kind == CRL_POINTS and kind in self.critical)
        (self.broken if decisive else self.quirks).append(f"{NAMES.get(kind, f'extension {kind}')} {text}")

    def take(self, kind: str, parse: Callable[[bytes], T]) -> T | None:
        value = self.values.get(kind)
        if value is None:
            return None
        try:
            return parse(value)
        except der.DerError as error:
            self.note(kind, f"cannot be read ({error})")
            return None


def read_extensions(data: bytes, pos: int, end: int) -> tuple[Mapping[str, bytes], frozenset[str], tuple[str, ...]]:
    """Any Extensions SEQUENCE (revocation lists and their entries have one, too): values, critical ones, which occur twice."""
    reader = _Reader(data, pos, end)
    return reader.values, frozenset(reader.critical), (*reader.broken, *reader.quirks)


def parse_extensions(data: bytes, pos: int, end: int) -> Extensions:
    """The Extensions SEQUENCE in the range; raises :class:`~dnscertscan.pki.der.DerError` only when the list itself is broken."""
    reader = _Reader(data, pos, end)
    # Which of two lists of names counts nobody can say; that there are two is an error already.
    names = None if ALT_NAME in reader.repeated else reader.take(ALT_NAME, parse_names)
    features = reader.take(TLS_FEATURE, _features)
    reader.take(SCT_LIST, _sct_list)
    return Extensions(
        basic=reader.take(BASIC, _basic), usage=reader.take(USAGE, _first_octet), extended=reader.take(EXTENDED, _purposes),
        alt_names=names, constraints=reader.take(NAME_CONSTRAINTS, _constraints),
        authority_key=reader.take(AUTHORITY_KEY, _authority_key), subject_key=reader.take(SUBJECT_KEY, _subject_key),
        netscape_type=reader.take(NETSCAPE_TYPE, _first_octet), must_staple=features is not None and 5 in features,
        issuer_urls=reader.take(INFO_ACCESS, _issuer_urls) or (), crl_points=reader.take(CRL_POINTS, parse_points) or (),
        critical=frozenset(reader.critical),
        unknown_critical=tuple(sorted(reader.critical - UNDERSTOOD_CRITICAL)),
        broken=tuple(reader.broken), quirks=(*reader.quirks, *(names.quirks if names else ())), present=frozenset(reader.values),
    )


def _basic(value: bytes) -> BasicConstraints:
    pos, stop = der.whole(value, der.SEQUENCE, "basicConstraints")
    ca, limit = False, None
    for tag, start, end in der.children(value, pos, stop):
        if tag == der.BOOLEAN:
            ca = der.boolean(value[start:end])
        elif tag == der.INTEGER:
            limit = der.integer(value[start:end])
        else:
            raise der.DerError(f"tag 0x{tag:02x} in it")
    if limit is not None and limit < 0:
        raise der.DerError("negative path length")
    return BasicConstraints(ca, limit)


def _constraints(value: bytes) -> Constraints:
    """NameConstraints, whose two parts have an order and occur once (RFC 5280 4.2.1.10)."""
    pos, stop = der.whole(value, der.SEQUENCE, "NameConstraints")
    tags = [tag for tag, _, _ in der.children(value, pos, stop)]
    if tags != sorted(set(tags)):
        raise der.DerError("its parts are not in order")
    return parse_constraints(value)


def _first_octet(value: bytes) -> int:
    start, stop = der.whole(value, der.BIT_STRING, "bits")
    octets = der.bits(value[start:stop])
    return octets[0] if octets else 0


def _purposes(value: bytes) -> tuple[str, ...]:
    pos, stop = der.whole(value, der.SEQUENCE, "purposes")
    found = []
    for tag, start, end in der.children(value, pos, stop):
        if tag != der.OID:
            raise der.DerError(f"tag 0x{tag:02x} in it")
        found.append(der.oid(value[start:end]))
    return tuple(found)


def _authority_key(value: bytes) -> AuthorityKey:
    pos, stop = der.whole(value, der.SEQUENCE, "key identifier")
    key_id = serial = None
    issuers: tuple[DistinguishedName, ...] = ()
    for tag, start, end in der.children(value, pos, stop):
        if tag == 0x80:
            key_id = value[start:end]
        elif tag == 0x82:
            serial = value[start:end]
        elif tag == 0xA1:
            issuers = names_in(value, start, end).directories
        else:
            raise der.DerError(f"tag 0x{tag:02x} in it")
    return AuthorityKey(key_id, issuers, serial)


def _subject_key(value: bytes) -> bytes:
    start, stop = der.whole(value, der.OCTET_STRING, "key identifier")
    return value[start:stop]


def _features(value: bytes) -> tuple[int, ...]:
    pos, stop = der.whole(value, der.SEQUENCE, "features")
    return tuple(der.integer(value[start:end]) for _, start, end in der.children(value, pos, stop))


def _issuer_urls(value: bytes) -> tuple[str, ...]:
    pos, stop = der.whole(value, der.SEQUENCE, "descriptions")
    urls = []
    for _, start, end in der.children(value, pos, stop):
        oid_start, oid_stop = der.expect(value, start, end, der.OID, "access method")
        tag, url_start, url_stop = der.read(value, oid_stop, end)
        if tag == 0x86 and der.oid(value[oid_start:oid_stop]) == "1.3.6.1.5.5.7.48.2":
            urls.append(value[url_start:url_stop].decode("latin-1"))
    return tuple(urls[:4])


def _sct_list(value: bytes) -> None:
    start, stop = der.whole(value, der.OCTET_STRING, "SCT list")
    octets = value[start:stop]
    if len(octets) < 2 or int.from_bytes(octets[:2], "big") != len(octets) - 2:
        raise der.DerError("its length field does not match")
