"""CAs, what they issued, and what search services say of it: for the rules about CT, without any server.

    old, new = made("www.example.com", ago=40), made("www.example.com", ago=5)
    codes(found([at(1, old), at(2, new)], ct=[old, new]))   # ["ct-superseded"]
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from servers.judging import NOW, deployment, observed, target

from dnscertscan.checks.ct_fleet import look
from dnscertscan.ct.search_merge import merge
from dnscertscan.ct.search_reading import read_certificate
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Issuance, LogList
from dnscertscan.model.findings import Finding
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Observation
from dnscertscan.model.sightings import SearchResult, Sightings, Verdict
from dnscertscan.model.transparency import CaaAnswer, CaaRecord, CtFacts, CtPolicy, Known, Published
from dnscertscan.pki.parse import parse

ROOT = Authority.root("House Root", now=NOW)
HOUSE, SECOND, OTHER = ROOT.intermediate("House Issuer"), ROOT.intermediate("House Issuer 2"), Authority.root("Other", now=NOW)
ZONE = DnsName("example.com")
LISTS = LogList("none", "1", NOW, {}, "test", True)


@dataclass(frozen=True)
class Made:
    """What a CA issued, and the precertificate of it."""

    chain: tuple[Certificate, ...]
    precert: Certificate
    issuer: str
    """SHA-256 of the key of the CA."""

    @property
    def leaf(self) -> Certificate:
        return self.chain[0]

    @property
    def key(self) -> str:
        return parse(self.leaf).key.digest.hex()

    @property
    def issuance(self) -> Issuance:
        return issuance(self.leaf)

    @property
    def tbs(self) -> str:
        return self.issuance.tbs_sha256

    @property
    def serial(self) -> str:
        return self.issuance.serial


def made(
    *names: str, ca: Authority = HOUSE, ago: float = 20, days: float = 90, key: Any = "ec", serial: int = 0,
) -> Made:
    """A certificate that begins ``ago`` days before NOW and is valid for ``days``, both ends counted."""
    base: list[x509.CertificateBuilder] = []

    def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        builder._serial_number = serial or builder._serial_number
        base.append(builder)
        return builder

    start = NOW - timedelta(days=ago)
    end = start + timedelta(days=days, seconds=-1)
    credential = ca.leaf(*names, key=key, not_before=start, not_after=end, amend=amend)
    poisoned = base[0].add_extension(x509.PrecertPoison(), critical=True).sign(ca.credential.key, hashes.SHA256())
    chain = tuple(Certificate(one.public_bytes(Encoding.DER)) for one in credential.chain)
    digest = parse(Certificate(ca.certificate.public_bytes(Encoding.DER))).key.digest.hex()
    return Made(chain, Certificate(poisoned.public_bytes(Encoding.DER)), digest)


def issuance(certificate: Certificate, source: str = "crt.sh", seen: datetime | None = None, **changed: Any) -> Issuance:
    """A row of a search service, as it comes from there."""
    found = read_certificate(certificate.der, source, seen)
    assert found is not None
    return replace(found, **changed)


def sightings(*rows: Made | Issuance, answers: Iterable[SearchResult] = ()) -> Sightings:
    """What a service has; a :class:`Made` is there as precertificate and as certificate, in two sources."""
    found: dict[str, list[Issuance]] = {"crt.sh": [], "sslmate": []}
    for row in rows:
        if isinstance(row, Made):
            found["crt.sh"].append(issuance(row.precert))
            found["sslmate"].append(issuance(row.leaf, "sslmate", issuer_spki_sha256=row.issuer))
        else:
            found.setdefault(row.source, []).append(row)
    results = [SearchResult(source, ZONE, Verdict.FOUND, tuple(some), NOW) for source, some in found.items() if some]
    return merge([*results, *answers])


def at(
    number: int, *served: Made | Deployment, name: str = "www.example.com", port: int = 443, **handshake: Any
) -> Observation:
    """A server at 192.0.2.NUMBER that serves these for the name."""
    shown = [one if isinstance(one, Deployment) else deployment(*one.chain) for one in served]
    return observed(target(name, f"192.0.2.{number}", port), *shown, **handshake)


def published(*names: str, cuts: Sequence[str] = (), dangling: Sequence[str] = (), zone: str = "example.com") -> Published:
    """A zone with these names."""
    zones, *rest = (frozenset(map(DnsName, some)) for some in ([zone], names, cuts, dangling))
    return Published(zones, *rest)


WWW = published("www.example.com", "example.com")


def policy(**changed: Any) -> CtPolicy:
    return replace(CtPolicy(LISTS), **changed)


def caa(place: str, *values: str, critical: bool = False) -> CaaAnswer:
    """An RRset of ``tag value`` texts."""
    records = tuple(CaaRecord(critical, *value.split(" ", 1)) for value in values)
    return CaaAnswer(DnsName(place), records)


def found(
    seen: Iterable[Observation] = (), *, ct: Sequence[Made | Issuance] | Sightings = (), names: Published = WWW,
    known: Mapping[str, str] | Known | None = None, caa_of: Mapping[str, CaaAnswer] | None = None, when: datetime = NOW,
    public: bool | None = True, unasked: tuple[str, ...] = (), **policies: Any,
) -> list[Finding]:
    """Findings; ``known`` are keys unless it says otherwise."""
    what = ct if isinstance(ct, Sightings) else sightings(*ct)
    facts = CtFacts(
        sightings=what, caa={DnsName(name): answer for name, answer in (caa_of or {}).items()}, published=names,
        known=known if isinstance(known, Known) else Known(known or {}), unasked=unasked, at=when,
    )
    return list(look(seen, policy(**policies), facts, when, lambda *_: public))


def codes(findings: Iterable[Finding]) -> list[str]:
    """Slugs, in order."""
    return [finding.rule.slug for finding in findings]


def levels(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Slugs and how bad, in order."""
    return [(finding.rule.slug, finding.severity.name.lower()) for finding in findings]
