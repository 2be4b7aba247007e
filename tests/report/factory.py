"""Small reports with everything a reporter may meet; each part can be replaced."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.endpoints import Endpoint, Provenance, Target
from dnscertscan.model.findings import Finding, Rule, Scope, Severity, Subject
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import (
    ClientAuth,
    Deployment,
    Failure,
    FailureKind,
    Handshake,
    Observation,
    Outcome,
    StoreVerdict,
)
from dnscertscan.model.records import Origin, Record, ZoneFault, ZoneProblem
from dnscertscan.model.report import Coverage, CoverageRow, Report, Run, State, ZoneTotals

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def rule(
    code: str = "DCS101", slug: str = "cert-expired", severity: Severity = Severity.ERROR, scope: Scope = Scope.ENDPOINT
) -> Rule:
    return Rule(code, slug, "title", severity, scope, "why", "fix")


EXPIRING = rule("DCS103", "cert-expiring", Severity.WARNING)
ROOT_SENT = rule("DCS207", "chain-includes-root", Severity.INFO)
DANGLING = rule("DCS501", "dangling-target", Severity.WARNING, Scope.ZONE)
ZONE_FAILED = rule("DCS507", "zone-failed", Severity.ERROR, Scope.ZONE)


def reference(
    subject: str = "CN=www.example.com", *, position: int | None = 0, days: float = 10, digest: str = "ab" * 32
) -> CertificateRef:
    end = NOW + timedelta(days=days)
    return CertificateRef(position, digest, subject, "CN=Issuing CA,O=Example Trust", "0A1B", end - timedelta(days=90), end)


def finding(
    message: str = "certificate has expired", *, rule_hit: Rule | None = None, address: str = "192.0.2.1", port: int | None = 443,
    fqdn: str = "www.example.com", zone: str = "example.com", certificate: CertificateRef | None = None,
    leaf: CertificateRef | None = None, store: str | None = None, record: str = "www.example.com. A 192.0.2.1",
    wildcard: str = "",
) -> Finding:
    hit = rule_hit or rule()
    subject = Subject(zone, fqdn, address, port, record, wildcard)
    return Finding(hit, hit.severity, subject, message, certificate, store, leaf)


@cache
def credential_chain() -> tuple[Certificate, ...]:
    """A real chain: leaf for www.example.com and 192.0.2.1, intermediate."""
    issuing = Authority.root("Root", now=NOW).intermediate("Issuing CA")
    return tuple(Certificate(item.public_bytes(Encoding.DER)) for item in issuing.leaf("www.example.com", "192.0.2.1").chain)


def handshake(chain: tuple[Certificate, ...] | None = None) -> Handshake:
    verdicts = (StoreVerdict("Mozilla", trusted=False, reason="validation failed"), StoreVerdict("Private", trusted=True))
    served = Deployment(chain or credential_chain(), ("TLS 1.2 RSA", "TLS 1.3"), staple=b"\x30\x00", verdicts=verdicts)
    without_name = Deployment((chain or credential_chain())[:1], ("no SNI",), sni=False)
    return Handshake((served, without_name), "TLS 1.3", "TLS_AES_128_GCM_SHA256", ClientAuth.REQUESTED)


def observation(
    outcome: Outcome | None = None, *, address: str = "192.0.2.1", port: int = 443, fqdn: str = "www.example.com",
    zone: str = "example.com",
) -> Observation:
    record = Record(DnsName(fqdn), "AAAA" if ":" in address else "A", address, 300, Origin("zones.json", 1))
    target = Target(Endpoint(address, port), DnsName(fqdn), (Provenance(record, DnsName(zone)),))
    return Observation(target, outcome or handshake(), "sslyze", NOW, 0.25)


def row(
    state: State = State.SCANNED, reason: str = "ok", *, address: str = "192.0.2.1", port: int | None = 443,
    fqdn: str = "www.example.com", zone: str = "example.com", detail: str = "", wildcard: str = "",
) -> CoverageRow:
    record = f"{fqdn}. A {address}"
    return CoverageRow(zone, record, fqdn, address, port, state, reason, detail, wildcard, "zones.json record 1", 0.25)


def coverage(rows: Iterable[CoverageRow] = (), problems: Iterable[ZoneProblem] = ()) -> Coverage:
    """Coverage whose totals are counted from the rows, one record per row."""
    held = tuple(rows)
    by_zone: dict[str, list[CoverageRow]] = {}
    for one in held:
        by_zone.setdefault(one.zone, []).append(one)
    totals = [
        ZoneTotals(zone, len(group), 2, dict(Counter((one.state, one.reason) for one in group)))
        for zone, group in sorted(by_zone.items())
    ]
    return Coverage(held, tuple(totals), tuple(problems))


def report(
    findings: Iterable[Finding] = (), observations: Iterable[Observation] = (), covered: Coverage | None = None, *,
    complete: bool = True, valid: dict[tuple[str, int, str], dict[str, bool]] | None = None,
) -> Report:
    run = Run("0.1.0", NOW, NOW + timedelta(seconds=42), "sslyze", "c" * 64, ("--from-zones-json", "zones.json"))
    return Report(run, covered or coverage(), tuple(observations), tuple(findings), complete, valid or {})


def rich_report() -> Report:
    """Every kind of finding, observation and coverage row in one incomplete run of three zones, one of which failed."""
    expired, old_root = reference(days=-3.5), reference("CN=Old", position=None)
    gone = {"address": "", "port": None, "fqdn": "gone.example.com", "record": "gone.example.com. CNAME x.test."}
    probe = {"fqdn": "probe.w.example.net", "zone": "example.net", "address": "192.0.2.9", "wildcard": "*.w.example.net"}
    findings = [
        finding(certificate=expired),
        finding('certificate "CN=x" expiring at 2026-12-01T00:00:00+00:00', rule_hit=EXPIRING, leaf=reference(days=10)),
        finding("chain includes the trust anchor", rule_hit=ROOT_SENT, certificate=reference("CN=Root", position=2)),
        finding("unable to get local issuer certificate", certificate=old_root, store="Mozilla", address="2001:db8::1"),
        finding("target does not exist", rule_hit=DANGLING, **gone),
        finding("zone could not be read", rule_hit=ZONE_FAILED, address="", port=None, fqdn="", zone="broken.example", record=""),
        finding(certificate=expired, **probe),
    ]
    observations = [
        observation(), observation(address="2001:db8::1"),
        observation(fqdn="probe.w.example.net", zone="example.net", address="192.0.2.9"),
        observation(Failure(FailureKind.REFUSED, "connection refused"), fqdn="old.example.com", address="192.0.2.3"),
        observation(Failure(FailureKind.ENGINE, "worker died"), fqdn="odd.example.com", address="192.0.2.4"),
    ]
    rows = [
        row(), row(address="2001:db8::1"), row(**probe),
        row(State.SKIPPED, "duplicate", zone="example.net"),
        row(State.FAILED, "refused", fqdn="old.example.com", address="192.0.2.3", detail="connection refused"),
        row(State.FAILED, "engine", fqdn="odd.example.com", address="192.0.2.4", detail="worker died"),
        row(State.FAILED, "dangling", fqdn="gone.example.com", address="", port=None),
        row(State.SKIPPED, "filtered", fqdn="private.example.com", address="192.0.2.5"),
        row(State.SKIPPED, "deadline", fqdn="late.example.com", address="192.0.2.6"),
    ]
    problems = [
        ZoneProblem(ZoneFault.FAILED, "broken.example", "dns://192.0.2.53:53", "zone broken.example: REFUSED by 192.0.2.53"),
        ZoneProblem(ZoneFault.BAD_RECORD, "example.com", "zones.json", "zones.json: example.com record 7: no target"),
    ]
    valid = {("192.0.2.1", 443, "www.example.com"): {"Mozilla": False, "Private": True}}
    return report(findings, observations, coverage(rows, problems), complete=False, valid=valid)


HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "formula": "=HYPERLINK(\"http://evil.example\",\"click\")",
    "plus": "+1+1", "minus": "-1+1", "at": "@SUM(A1)", "tab": "\t=1+1", "return": "\r=1+1", "fullwidth": "\uff1d1+1",
    "ansi": "\x1b[2J\x1b]0;owned\x07 CN=x", "c1": "\x9b31m", "bidi": "CN=moc.elpmaxe\u202e\u2066",
    "newline": "line one\nERROR forged line\r\nthree", "separators": "a\u2028b\u2029c\x85d", "nul": "a\x00b",
    "quotes": "a\"b,c;d'e", "surrogates": "a\ud800b\udfffc", "long": "CN=" + "x" * 100_000,
    "wide": "CN=\u4f8b\u3048.\u30c6\u30b9\u30c8 \U0001f512", "empty": "",
    "runner": "a##[stop-commands]token", "logging": "##vso[task.setvariable variable=A]x", "workflow": "::stop-commands::token",
}


def hostile_report() -> Report:
    """Every hostile text in every field that comes from outside."""
    findings = [
        finding(
            text, fqdn=text, zone=text, record=text, wildcard=text, store=text or None,
            certificate=reference(text, digest=f"{number:064x}"),
        )
        for number, text in enumerate(HOSTILE.values())
    ]
    rows = [row(detail=text, fqdn=text, zone=text, wildcard=text) for text in HOSTILE.values()]
    observations = [observation(fqdn=text, zone=text) for text in HOSTILE.values()]
    return report(findings, observations, coverage(rows))
