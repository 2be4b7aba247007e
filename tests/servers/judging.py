"""Hand-made observations and diagnoses for tests of the judge, which asks for nothing but values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Failure, Handshake, Observation
from dnscertscan.model.records import Origin, Record, Resolution, Verdict
from dnscertscan.pki.fault import Diagnosis, Fault

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def certificate(*made: x509.Certificate) -> tuple[Certificate, ...]:
    """Certificates made by the demo authority, as they come over the wire."""
    return tuple(Certificate(one.public_bytes(Encoding.DER)) for one in made)


def ref(
    subject: str = "CN=www.example.com", *, position: int | None = 0, start: timedelta = timedelta(days=-30),
    end: timedelta = timedelta(days=60), issuer: str = "CN=Issuer,O=Example Trust", digest: str = "",
) -> CertificateRef:
    """A reference to a certificate valid from ``NOW + start`` to ``NOW + end``."""
    sha = digest or subject.encode().hex().ljust(64, "0")[:64]
    return CertificateRef(position, sha, subject, issuer, "0A", NOW + start, NOW + end)


def provenance(
    owner: str = "www.example.com", zone: str = "example.com", data: str = "192.0.2.1", kind: str = "A", *,
    verdict: Verdict | None = None, reason: str = "", followed: str = "", wildcard: str = "",
) -> Provenance:
    """A record and how following it ended (not followed when ``verdict`` is None)."""
    name = DnsName(owner)
    record = Record(name, kind, data, 300, Origin("zones.json", 1))
    resolution = Resolution(DnsName(followed or owner), (), verdict, reason=reason) if verdict else None
    return Provenance(record, DnsName(zone), resolution, DnsName(wildcard) if wildcard else None)


def target(name: str = "www.example.com", address: str = "192.0.2.1", port: int = 443, *origins: Provenance) -> Target:
    """A target; by default with one A record of ``example.com``."""
    return Target(Endpoint(address, port), DnsName(name), origins or (provenance(name, data=address),))


def deployment(
    *chain: Certificate, how: Sequence[str] = ("TLS 1.3",), sni: bool = True, staple: bytes | None = None
) -> Deployment:
    """A deployment; without certificates given, one of three octets that no diagnosis but a hand-made one can read."""
    return Deployment(chain or (Certificate(b"leaf"),), tuple(how), sni, staple)


def observed(
    where: Target, *deployments: Deployment, engine: str = "test", at: datetime = NOW, **handshake: Any
) -> Observation:
    """A handshake that showed ``deployments``."""
    outcome = replace(Handshake(deployments, "TLS 1.3", "TLS_AES_128_GCM_SHA256"), **handshake)
    return Observation(where, outcome, engine, at, 0.1)


def failed(where: Target, failure: Failure, *, engine: str = "test") -> Observation:
    """A target that gave no certificate."""
    return Observation(where, failure, engine, NOW, 0.1)


def diagnosis(*faults: Fault, leaf: CertificateRef | None = None, **more: Any) -> Diagnosis:
    """A diagnosis of a healthy path of one certificate, with ``faults``; other fields by keyword."""
    leaf = leaf or ref()
    anchor = ref("CN=Root", position=None, start=timedelta(days=-400), end=timedelta(days=4000), issuer="CN=Root")
    found = Diagnosis(leaf, faults, {"public": not faults}, (leaf, anchor))
    return replace(found, **more)
