"""The facts of one certificate, read leniently: what cannot be read is said, the rest is still there (RFC 5280 4.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.pki import der
from dnscertscan.pki.dn import EMPTY_NAME, DistinguishedName, read_name
from dnscertscan.pki.encoding import encoding_quirks
from dnscertscan.pki.extensions import NO_EXTENSIONS, Extensions, parse_extensions
from dnscertscan.pki.keys import NO_KEY, PublicKey, parse_key
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.times import read_time
from dnscertscan.pki.weight import facts_weight

MAX_CERTIFICATE = 1 << 20
_CACHED_SIZE = 16_384
_KEPT, _KEPT_OCTETS = 2048, 8 << 20
# issuerUniqueID, subjectUniqueID (also in parts, as BER has it), extensions: at most one of each, in this order.
_OPTIONS = {0x81: 1, 0xA1: 1, 0x82: 2, 0xA2: 2, 0xA3: 3}


@dataclass(frozen=True, slots=True)
class Facts:
    """What one certificate says. Two facts are equal when their certificates are.

    ``problem`` is why it cannot be taken for a certificate at all (then later fields may be missing); ``broken`` are parts that
    every client refuses; ``quirks`` departures from RFC 5280 that common clients overlook; ``time_problems`` unreadable dates.
    """

    certificate: Certificate
    problem: str = field(default="", compare=False)
    version: int = field(default=0, compare=False)
    serial: bytes = field(default=b"", compare=False)
    signed: bytes = field(default=b"", compare=False, repr=False)
    algorithm: bytes = field(default=b"", compare=False, repr=False)
    """AlgorithmIdentifier of the signature, whole."""
    signature: bytes = field(default=b"", compare=False, repr=False)
    issuer: DistinguishedName = field(default=EMPTY_NAME, compare=False)
    subject: DistinguishedName = field(default=EMPTY_NAME, compare=False)
    not_before: datetime | None = field(default=None, compare=False)
    not_after: datetime | None = field(default=None, compare=False)
    key: PublicKey = field(default=NO_KEY, compare=False)
    extensions: Extensions = field(default=NO_EXTENSIONS, compare=False)
    time_problems: tuple[str, ...] = field(default=(), compare=False)
    broken: tuple[str, ...] = field(default=(), compare=False)
    quirks: tuple[str, ...] = field(default=(), compare=False)
    algorithms_differ: bool = field(default=False, compare=False)

    @property
    def sha256(self) -> str:
        """Digest of the certificate."""
        return self.certificate.sha256

    @property
    def is_self_issued(self) -> bool:
        """Subject and issuer are the same name (RFC 5280 3.2)."""
        return self.subject.key == self.issuer.key

    @property
    def names_itself(self) -> bool:
        """Self-issued, and the key identifiers (where present) do not point to another key: taken as self-signed."""
        if not self.is_self_issued or self.problem:
            return False
        authority, own = self.extensions.authority_key, self.extensions.subject_key
        return authority is None or authority.key_id is None or own is None or authority.key_id == own

    @property
    def is_ca(self) -> bool:
        """BasicConstraints says so."""
        return self.extensions.basic is not None and self.extensions.basic.ca


def parse(certificate: Certificate) -> Facts:
    """The facts of ``certificate``; never raises. Those used last are kept: at most 2048, in about 8 MiB."""
    if len(certificate.der) > _CACHED_SIZE:
        return _parse(certificate)
    facts = _MEMORY.get(certificate.sha256)
    if facts is None:
        facts = _parse(certificate)
        _MEMORY.put(certificate.sha256, facts)
    return facts


def reference(certificate: Certificate, position: int | None) -> CertificateRef:
    """How findings name ``certificate``; ``position`` in the list the server sent, None for an anchor that was not sent."""
    return refer(parse(certificate), position)


def refer(facts: Facts, position: int | None) -> CertificateRef:
    """The same for facts at hand."""
    serial = serial_text(facts.serial)
    return CertificateRef(
        position, facts.sha256, facts.subject.text, facts.issuer.text, serial, facts.not_before, facts.not_after
    )


def serial_text(content: bytes) -> str:
    """Upper-case hexadecimal of INTEGER content octets, without the sign octet; ``-`` before a negative one."""
    if not content:
        return ""
    if len(content) > 64:
        return content[:64].hex().upper() + "..."
    value = int.from_bytes(content, "big", signed=True)
    digits = f"{abs(value):X}"
    return f"{'-' if value < 0 else ''}{digits.zfill(len(digits) + len(digits) % 2)}"


def weigh(facts: Facts) -> int:
    """About how many octets of memory ``facts`` take, the certificate included."""
    return facts_weight(len(facts.certificate.der), facts.subject, facts.issuer, facts.extensions)


_MEMORY: Kept[str, Facts] = Kept(_KEPT, _KEPT_OCTETS, weigh)


def _parse(certificate: Certificate) -> Facts:
    if not certificate.der:
        return Facts(certificate, "it has no octets")
    if len(certificate.der) > MAX_CERTIFICATE:
        return Facts(certificate, f"it has {len(certificate.der)} octets, more than {MAX_CERTIFICATE}")
    try:
        return _read(certificate, certificate.der)
    except der.LongLengthError as error:
        return _read(certificate, der.LooseOctets(certificate.der), f"{error}: BER, not DER")


def _read(certificate: Certificate, data: bytes, *quirks: str) -> Facts:
    """One pass over the octets; stops at the first place where the frame is broken and keeps what was read until there."""
    version, serial, signed, inner, algorithm, signature = 0, b"", b"", b"", b"", b""
    issuer = subject = EMPTY_NAME
    dates = _Validity()
    key, extensions, problem = NO_KEY, NO_EXTENSIONS, ""
    broken: list[str] = []
    try:
        start, stop = der.whole(data, der.SEQUENCE, "certificate")
        tbs_start, tbs_stop = der.expect(data, start, stop, der.SEQUENCE, "tbsCertificate")
        signed = data[start:tbs_stop]
        _, algorithm_stop = der.expect(data, tbs_stop, stop, der.SEQUENCE, "signatureAlgorithm")
        algorithm = data[tbs_stop:algorithm_stop]
        bits_start, bits_stop = der.expect(data, algorithm_stop, stop, der.BIT_STRING, "signature")
        signature = der.bits(data[bits_start:bits_stop])
        if data[bits_start]:
            broken.append("signature with unused bits")
        broken += _surplus(bits_stop, stop, "certificate")
        version, pos, surplus = _version(data, tbs_start, tbs_stop)
        broken += surplus
        serial_start, pos_after = der.expect(data, pos, tbs_stop, der.INTEGER, "serial number")
        serial = data[serial_start:pos_after]
        if not serial or der.is_padded(serial):
            broken.append("serial number with a needless first octet" if serial else "serial number without octets")
        _, inner_stop = der.expect(data, pos_after, tbs_stop, der.SEQUENCE, "signature algorithm")
        inner = data[pos_after:inner_stop]
        issuer, pos = read_name(data, inner_stop, tbs_stop)
        validity_start, validity_stop = der.expect(data, pos, tbs_stop, der.SEQUENCE, "validity")
        dates = _validity(data, validity_start, validity_stop)
        subject, pos = read_name(data, validity_stop, tbs_stop)
        _, key_stop = der.expect(data, pos, tbs_stop, der.SEQUENCE, "public key")
        key, key_problem = _key(data[pos:key_stop])
        broken += [key_problem] if key_problem else []
        options = list(_options(data, key_stop, tbs_stop, broken))
        for ext_start, ext_stop in options[:1]:
            extensions = parse_extensions(data, ext_start, ext_stop)
    except der.DerError as error:
        if isinstance(error, der.LongLengthError) and not isinstance(data, der.LooseOctets):
            raise
        problem = str(error)
    departures = encoding_quirks(version, serial, issuer, subject, extensions)
    return Facts(
        certificate, problem, version, serial, signed, algorithm, signature, issuer, subject, dates.not_before, dates.not_after,
        key, extensions, dates.problems, (*broken, *dates.broken, *issuer.broken, *subject.broken, *extensions.broken),
        (*quirks, *departures, *dates.quirks, *subject.quirks, *extensions.quirks),
        algorithms_differ=inner != algorithm,
    )


@dataclass(frozen=True, slots=True)
class _Validity:
    not_before: datetime | None = None
    not_after: datetime | None = None
    problems: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def _surplus(pos: int, end: int, what: str) -> tuple[str, ...]:
    """What follows the last part of a SEQUENCE: no client loads such a certificate."""
    return () if pos == end else (f"{what} has something behind its last part",)


def _options(data: bytes, pos: int, end: int, broken: list[str]) -> Iterator[tuple[int, int]]:
    """The ranges of extensions behind the public key; what else is there goes to ``broken`` (RFC 5280 4.1.2.8, 4.1.2.9)."""
    last = 0
    for tag, start, stop in der.children(data, pos, end):
        number = _OPTIONS.get(tag, 0)
        if number <= last:
            broken.append(f"tbsCertificate has tag 0x{tag:02x} where it may not be")
        last = max(last, number)
        if number == 3:
            yield start, stop


def _version(data: bytes, pos: int, end: int) -> tuple[int, int, tuple[str, ...]]:
    """Version number, offset behind it, what is wrong with it."""
    tag, start, stop = der.read(data, pos, end)
    if tag != 0xA0:
        return 1, pos, ()
    number_start, number_stop = der.expect(data, start, stop, der.INTEGER, "version")
    return der.integer(data[number_start:number_stop]) + 1, stop, _surplus(number_stop, stop, "version")


def _key(spki: bytes) -> tuple[PublicKey, str]:
    try:
        return parse_key(spki), ""
    except der.DerError as error:
        return NO_KEY, f"public key cannot be read ({error})"


def _validity(data: bytes, pos: int, end: int) -> _Validity:
    moments: list[datetime | None] = []
    problems, quirks = [], []
    for label in ("notBefore", "notAfter"):
        tag, start, pos = der.read(data, pos, end)
        moment, problem = read_time(tag, data[start:pos])
        moments.append(moment)
        if problem:
            problems.append(f"{label} {problem}")
        elif moment and tag == der.GENERALIZED_TIME and 1950 <= moment.year < 2050:
            quirks.append(f"{label} before 2050 is a GeneralizedTime, UTCTime is due")
    return _Validity(moments[0], moments[1], tuple(problems), tuple(quirks), _surplus(pos, end, "validity"))
