"""What CT has, made ready for the rules: issuances that have not ended, by their names, and how messages name them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address

from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.ct import Issuance
from dnscertscan.model.findings import Subject
from dnscertscan.model.sightings import Sighting, Sightings
from dnscertscan.model.text import visible
from dnscertscan.pki.dn import COMMON_NAME
from dnscertscan.pki.parse import Facts

_BACKDATED = timedelta(days=2)
_LONGEST = 253
"""Octets of a domain name, as text without the final dot (RFC 1035 2.3.4)."""
SHOWN = 8
"""Names, addresses, domains in one message."""


@dataclass(frozen=True, slots=True)
class Row:
    """One issuance that has not ended. ``names`` are those in zones of the run, sorted; ``own`` those of them not delegated away.

    ``names_key`` stands for all its names.
    """

    issuance: Issuance
    sighting: Sighting
    names_key: bytes
    names: tuple[str, ...] = field(repr=False)
    own: tuple[str, ...] = field(repr=False)

    @property
    def since(self) -> datetime | None:
        """About when it was issued: when CT got it, unless that was long after its validity began.

        No CA dates a certificate back by more than two days; a source that was set up later has seen it later.
        """
        start, seen = self.issuance.not_before, self.issuance.first_seen
        if start is None or seen is None:
            return start or seen
        return max(start, min(seen, start + _BACKDATED))

    def begins_after(self, at: datetime) -> bool:
        """Whether it is not valid yet: made already, it is of interest by whom, and can be in nobody's use."""
        return self.issuance.not_before is not None and self.issuance.not_before > at


def names_key(names: Iterable[str]) -> bytes:
    """The same for the same set of names, in any order and case."""
    text = "\n".join(sorted({name.rstrip(".").lower() for name in names}))
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def names_of(facts: Facts) -> tuple[str, ...]:
    """The names of a certificate as search services have them: subjectAltName, else the common names."""
    alternative = facts.extensions.alt_names
    if alternative is None or not (alternative.dns or alternative.ips):
        return tuple(name.lower() for name in facts.subject.values(COMMON_NAME) if name)
    addresses = (str(ip_address(octets)) for octets in alternative.ips if len(octets) in (4, 16))
    return (*(name.rstrip(".").lower() for name in alternative.dns), *addresses)


def valid_rows(
    sightings: Sightings, places: Places, at: datetime, too_long: Callable[[str], None],
) -> Mapping[str, Row]:
    """Issuances that are not known to have ended, by TBS hash; those that begin later are among them.

    Names that are no domain names, being longer than one can be, are not used; ``too_long`` is told which certificate has them.
    """
    rows: dict[str, Row] = {}
    for tbs in sorted(sightings.issuances):
        sighting = sightings.issuances[tbs]
        one = sighting.issuance
        if one.not_after is not None and one.not_after < at:
            continue
        read = {part for name in one.names for part in _readings(name)}
        short = {part for part in read if len(part.rstrip(".").encode("utf-8", "surrogatepass")) <= _LONGEST}
        if len(short) < len(read):
            too_long(f"serial {one.serial}" if one.serial else f"TBS {one.tbs_sha256[:16]}")
        names = sorted(part for part in short if places.zone_of(part) is not None)
        own = tuple(name for name in names if places.standing(name) is not Standing.DELEGATED)
        rows[tbs] = Row(one, sighting, names_key(one.names), tuple(names), own)
    return rows


def _readings(name: str) -> tuple[str, ...]:
    """A name, and what clients that end at a NUL would take it for."""
    return (name, name.partition("\0")[0]) if "\0" in name else (name,)


def subject(names: Sequence[str], places: Places) -> Subject:
    """What a finding about an issuance is about: the first of its names in the zones of the run, else the first of them all."""
    name = names[0] if names else ""
    return name_subject(name, places)


def name_subject(name: str, places: Places) -> Subject:
    """A name as a subject."""
    shown = visible(name, 260)
    return Subject(zone=places.zone_of(name) or "", fqdn=shown, wildcard=shown if name.startswith("*.") else "")


def ref(sighting: Sighting) -> CertificateRef:
    """How a finding names an issuance: by the final certificate where a source has it, else by the precertificate."""
    one = sighting.issuance
    digest = one.cert_sha256 or next(iter(sighting.forms), "")
    return CertificateRef(None, digest, one.subject, one.issuer, one.serial, one.not_before, one.not_after)


def told(sighting: Sighting) -> str:
    """One issuance in a message: subject, how to find it elsewhere, validity, and whether it is known to be revoked."""
    one = sighting.issuance
    what = f'"{visible(one.subject, 150)}"' if one.subject else f"a certificate for {listed(one.names, 3)}"
    revoked = ", revoked" if one.revoked else ""
    return f"{what} ({marks(one.serial, one.cert_sha256, one.tbs_sha256)}, {validity(one.not_before, one.not_after)}{revoked})"


def origin(sighting: Sighting) -> str:
    """Who issued it and who saw it."""
    one = sighting.issuance
    issuer = f'issued by "{visible(one.issuer, 150)}"' if one.issuer else "issuer not told"
    seen = f", in CT since {moment(one.first_seen)}" if one.first_seen else ", in CT"
    return f"{issuer}{seen} as {', '.join(visible(name, 40) for name in sighting.sources)} {_has(sighting)}"


def _has(sighting: Sighting) -> str:
    return "has it" if len(sighting.sources) == 1 else "have it"


def marks(serial: str, digest: str | None, tbs: str) -> str:
    """Serial number and the digest it is found by."""
    number = f"serial {visible(serial, 60)}, " if serial else ""
    return f"{number}sha256 {digest[:16]}" if digest else f"{number}TBS {tbs[:16]}"


def validity(start: datetime | None, end: datetime | None) -> str:
    """``valid from ... to ...``."""
    return f"valid from {moment(start)} to {moment(end)}"


def moment(when: datetime | None) -> str:
    """``2026-12-01T00:00:00+00:00``."""
    return "unknown" if when is None else when.astimezone(UTC).isoformat()


def listed(texts: Iterable[str], most: int = SHOWN) -> str:
    """The first texts, made safe, and how many there are more."""
    every = list(texts)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(visible(text, 120) for text in every[:most]) + more


def wildcard_above(name: str) -> str:
    """The wildcard of a certificate that stands for ``name``."""
    return f"*.{name.partition('.')[2]}"
