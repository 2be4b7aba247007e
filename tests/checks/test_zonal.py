"""What zones show before any server is asked."""

import pytest
from servers.judging import NOW, provenance

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.findings import Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop, Origin, Record, Resolution, Verdict, Zone, ZoneFault, ZoneProblem

JUDGE = Judge(CheckPolicy(), (), (), NOW)
BAD = {
    Verdict.DANGLING: ("DCS501", "alias leads to a name without an address"),
    Verdict.LOOP: ("DCS502", "alias leads back to itself"),
    Verdict.TOO_LONG: ("DCS503", "alias chain is too long"),
    Verdict.FAILED: ("DCS504", "name could not be looked up"),
}


@pytest.mark.parametrize("verdict", Verdict)
def test_each_bad_verdict_has_its_rule(verdict) -> None:
    """Resolved names and third parties are fine; everything else is said with its reason."""
    findings = JUDGE.zone([provenance(kind="CNAME", data="gone.example.net.", verdict=verdict, reason="NXDOMAIN")], (), ())
    assert [finding.rule.code for finding in findings] == ([BAD[verdict][0]] if verdict in BAD else [])
    for finding in findings:
        assert finding.message == f"{BAD[verdict][1]}: www.example.com (NXDOMAIN)"
        assert finding.subject.record == "www.example.com. CNAME gone.example.net."
        assert (finding.subject.fqdn, finding.subject.ip_address, finding.subject.port) == ("www.example.com", "", None)


def test_the_chain_is_shown() -> None:
    """Whoever reads it can see which record to change."""
    origin = provenance(kind="CNAME", data="b.example.com.", verdict=Verdict.DANGLING)
    hops = (
        Hop(DnsName("www.example.com"), "CNAME", DnsName("b.example.com"), "zone example.com"),
        Hop(DnsName("b.example.com"), "CNAME", DnsName("gone.example.net"), "zone example.com"),
    )
    resolution = Resolution(DnsName("www.example.com"), hops, Verdict.DANGLING, reason="NXDOMAIN from 192.0.2.53")
    object.__setattr__(origin, "resolution", resolution)
    (finding,) = JUDGE.zone([origin], (), ())
    assert finding.message.endswith(": www.example.com -> b.example.com -> gone.example.net (NXDOMAIN from 192.0.2.53)")


def test_one_name_in_two_zones_is_one_finding() -> None:
    """Each problem once, with both zones; the order of the plan does not matter."""
    origins = [
        provenance(zone=zone, kind="CNAME", data="gone.", verdict=Verdict.DANGLING, reason="NXDOMAIN")
        for zone in ("example.com", "com")
    ]
    assert JUDGE.zone(origins, (), ()) == JUDGE.zone(origins[::-1], (), ())
    (finding,) = JUDGE.zone(origins, (), ())
    assert finding.subject.zone == "com, example.com"


def test_a_wildcard_is_shown_with_its_probe() -> None:
    """The name followed and the wildcard it stands for are both there."""
    origin = provenance(
        "*.example.com", kind="CNAME", data="gone.", verdict=Verdict.DANGLING, followed="probe.example.com",
        wildcard="*.example.com",
    )
    (finding,) = JUDGE.zone([origin], (), ())
    assert (finding.subject.fqdn, finding.subject.wildcard) == ("probe.example.com", "*.example.com")


@pytest.mark.parametrize(
    ("name", "unscannable"),
    [("www.example.com", False), ("_dmarc.example.com", False), ("*.example.com", False), ("a" * 64 + ".example.com", True),
     ("a..example.com", True), ("sp ace.example.com", True), ("*." + "a" * 64 + ".com", True)],
)
def test_names_nobody_can_ask_for(name, unscannable) -> None:
    """Information: it may be data, it may be a slip."""
    record = provenance(name).record
    zone = Zone(DnsName("example.com"), 1, (record, provenance("www.example.com").record), "zones.json")
    findings = JUDGE.zone((), (), [zone, zone])
    assert [(finding.rule.code, finding.severity) for finding in findings] == ([("DCS505", Severity.INFO)] if unscannable else [])


def test_a_name_of_a_million_characters_makes_a_short_finding() -> None:
    """Whatever a zone holds, the report stays readable."""
    record = provenance("x" * 1_000_000 + ".example.com").record
    zone = Zone(DnsName("example.com"), 1, (record, provenance().record), "zones.json")
    (finding,) = Judge(CheckPolicy(), (), (), NOW, record_text=lambda origin: origin.record.name.display).zone((), (), [zone])
    assert len(repr(finding.subject)) + len(finding.message) < 2000


def test_dname_owners_are_no_hosts() -> None:
    """Nobody connects to the owner of a DNAME."""
    record = provenance("a..example.com", kind="DNAME", data="example.net.").record
    zone = Zone(DnsName("example.com"), 1, (record,), "zones.json")
    assert JUDGE.zone((), (), [zone]) == ()


def _zone(*types: str) -> Zone:
    origin = Origin("zones.json", 1)
    records = tuple(Record(DnsName("x.example.com"), kind, "data", 300, origin) for kind in types)
    return Zone(DnsName("example.com"), 1, records, "zones.json")


@pytest.mark.parametrize(
    ("types", "empty"), [((), True), (("TXT", "MX"), True), (("TXT", "A"), False), (("DNAME",), False), (("AAAA",), False)]
)
def test_zones_without_hosts(types, empty) -> None:
    """A zone that leads to no address is worth a warning: its export may be cut short."""
    findings = JUDGE.zone((), (), [_zone(*types)])
    assert [finding.rule.code for finding in findings] == (["DCS506"] if empty else [])


@pytest.mark.parametrize(("fault", "code"), [(ZoneFault.FAILED, "DCS507"), (ZoneFault.BAD_RECORD, "DCS508")])
def test_problems_of_sources_are_findings(fault, code) -> None:
    """The message of the source is passed on, safe to print."""
    (finding,) = JUDGE.zone((), [ZoneProblem(fault, "Example.com.", "zones.json", "zones.json: broken\x1b[2J")], ())
    assert (finding.rule.code, finding.subject.zone, finding.severity) == (code, "example.com", Severity.ERROR)
    assert finding.message == "zones.json: broken\\x1b[2J"


def test_two_failed_zones_are_two_problems() -> None:
    """Their fingerprints differ."""
    problems = [ZoneProblem(ZoneFault.FAILED, zone, "s", "refused") for zone in ("a.example", "b.example")]
    assert len({finding.fingerprint for finding in JUDGE.zone((), problems, ())}) == 2
