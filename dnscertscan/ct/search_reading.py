"""Reading what search services send: certificates, names, dates; hostile, in other types, of any size. Pure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.text import visible
from dnscertscan.pki.dn import COMMON_NAME
from dnscertscan.pki.parse import parse, serial_text
from dnscertscan.pki.tbs import is_precertificate, tbs_sha256

MAX_NAME, MAX_NAMES, MAX_TEXT = 1000, 20_000, 4000
"""Characters of one name, names of one row, characters of any other text; more is not kept, and said."""
MAX_ID = 2**63 - 1
MAX_PROBLEMS = 20
_LONGEST = timedelta(days=400)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_SERIAL = re.compile(r"-?[0-9a-fA-F]{1,128}")


@dataclass(slots=True)
class Problems:
    """What could not be read: the first ones in words, all of them counted.

    ``until`` is when the row ends that is read now, None when it does not say; its problems end with it.
    """

    said: list[str] = field(default_factory=list)
    count: int = 0
    until: datetime | None = None
    _ends: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[str], ends: Iterable[datetime], at: datetime) -> "Problems":
        """Those of an earlier answer that are not over at ``at``."""
        left = {line: end for line, end in zip(lines, ends, strict=False) if end >= at}
        return cls(list(left), len(left), None, left)

    def add(self, place: str, what: str) -> None:
        """One more; the same words count once."""
        line = f"{visible(place, 80)}: {visible(what, 200)}"
        if line in self.said:
            return
        self.count += 1
        if len(self.said) < MAX_PROBLEMS:
            self.said.append(line)
            if self.until is not None:
                self._ends[line] = self.until

    @property
    def lines(self) -> tuple[str, ...]:
        """At most :data:`MAX_PROBLEMS` and one."""
        more = self.count - len(self.said)
        return (*self.said, *([f"and {more} more"] if more else []))

    def ends(self, at: datetime) -> tuple[datetime, ...]:
        """Until when each of the lines counts: with its row, else as long as a certificate of today is valid."""
        return tuple(self._ends.get(line, at + _LONGEST) for line in self.lines)


class UnreadableError(ValueError):
    """An answer that is none: HTML, an error text, cut off; the text is one line, safe to show."""


def read_rows(body: bytes, what: str) -> list[object]:
    """The elements of a JSON array, which may be empty; :class:`UnreadableError` for everything else, also an empty body."""
    start = body[:200].lstrip()
    if not start:
        raise UnreadableError(f"{what} sent an empty body")
    if start[:1] == b"<":
        raise UnreadableError(f"{what} sent a web page in place of data: {_shown(start)}")
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{what} sent no whole JSON: {_shown(start)}") from error
    if not isinstance(found, list):
        raise UnreadableError(f"{what} sent no JSON array: {_shown(start)}")
    return found


def _shown(start: bytes) -> str:
    return visible(start.decode("utf-8", "replace"), 100)


def text_of(row: Mapping[str, object], name: str, limit: int = MAX_TEXT) -> str:
    """A text of a row; empty when there is none or it is of another type."""
    found = row.get(name)
    return found[:limit] if isinstance(found, str) else ""


def moment_of(row: Mapping[str, object], name: str) -> datetime | None:
    """A time of a row: RFC 3339, or without a zone, which is UTC then."""
    text = text_of(row, name, 40)
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def number_of(row: Mapping[str, object], name: str) -> int | None:
    """A positive whole number of a row, also one that is written as text."""
    found = row.get(name)
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found <= MAX_ID else None


def digest_of(row: Mapping[str, object], name: str) -> str | None:
    """A SHA-256 digest of a row in lower case."""
    text = text_of(row, name, 65)
    return text.lower() if _SHA256.fullmatch(text) else None


def read_serial(text: str) -> str:
    """A serial number in the form of :attr:`Issuance.serial`; empty when it is none."""
    bare = text.replace(":", "").strip()
    if not _SERIAL.fullmatch(bare):
        return ""
    value = int(bare, 16)
    digits = f"{abs(value):X}"
    return f"{'-' if value < 0 else ''}{digits.zfill(len(digits) + len(digits) % 2)}"


def read_names(found: Iterable[object], place: str, problems: Problems) -> tuple[str, ...]:
    """DNS names, lower case, each once, in order; addresses of e-mail are none. What is too long is left out, and said."""
    names: dict[str, None] = {}
    for name in found:
        if not isinstance(name, str):
            problems.add(place, f"a name that is no text but {type(name).__name__}")
        elif len(name) > MAX_NAME:
            problems.add(place, f"a name of {len(name)} characters: {name[:60]}")
        elif len(names) >= MAX_NAMES:
            problems.add(place, f"more than {MAX_NAMES} names")
            break
        elif (bare := name.strip().rstrip(".").lower()) and "@" not in bare:
            names[bare] = None
    return tuple(names)


def concerns(names: Iterable[str], domain: DnsName) -> bool:
    """Whether one of the names is ``domain`` or below it. A name is also read up to a NUL: so did some clients once."""
    return any(_within(part, domain.text) for name in names for part in (name, name.partition("\0")[0]))


def is_wildcard_over(names: Iterable[str], domain: DnsName) -> bool:
    """Whether one of the names is the wildcard that stands for ``domain``: of whoever has the suffix that it is under."""
    return f"*.{domain.parent.text}" in names


def _within(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def read_certificate(der: bytes, source: str, first_seen: datetime | None) -> Issuance | None:
    """The issuance that a certificate or precertificate is; None for octets that have no TBS hash, so no identity."""
    certificate = Certificate(bytes(der))
    identity = tbs_sha256(certificate)
    if not identity:
        return None
    facts = parse(certificate)
    precert = is_precertificate(certificate)
    return Issuance(
        identity, None if precert else certificate.sha256, None, facts.issuer.text[:MAX_TEXT], facts.subject.text[:MAX_TEXT],
        serial_text(facts.serial), certificate_names(certificate), facts.not_before, facts.not_after,
        facts.key.digest.hex() or None, source, first_seen, certificate.der, precert,
    )


def certificate_names(certificate: Certificate) -> tuple[str, ...]:
    """DNS names and addresses of the subjectAltName; what the common name says when there are none, as old clients had it."""
    facts = parse(certificate)
    alternative = facts.extensions.alt_names
    if alternative is None or not (alternative.dns or alternative.ips):
        return tuple(name.lower() for name in facts.subject.values(COMMON_NAME) if name)
    addresses = (str(ip_address(octets)) for octets in alternative.ips if len(octets) in (4, 16))
    return tuple(dict.fromkeys([*(name.rstrip(".").lower() for name in alternative.dns), *addresses]))


def completed(row: Issuance, certificate: Issuance) -> Issuance:
    """What the certificate says, with what only the source's row knows."""
    return replace(
        certificate, issuer_spki_sha256=certificate.issuer_spki_sha256 or row.issuer_spki_sha256,
        first_seen=certificate.first_seen or row.first_seen, names=certificate.names or row.names,
        cert_sha256=certificate.cert_sha256 or row.cert_sha256, revoked=row.revoked,
    )
