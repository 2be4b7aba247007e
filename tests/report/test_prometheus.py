"""The metrics: accepted by Prometheus' own tool, right in their sums, bounded in their number."""

import re
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from report import audits, factory
from report.exposed import assert_accepted, exposed, labelled
from report.test_formats import many

from dnscertscan.demo.authority import Authority
from dnscertscan.exporter.metrics import METRICS as OWN
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Logged
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.model.report import Report
from dnscertscan.model.rotation import Rotation
from dnscertscan.pki.parse import parse
from dnscertscan.report import format_for, standings
from dnscertscan.report.base import CHUNK
from dnscertscan.report.prometheus import METRICS, render_prometheus

WWW = ("example.com", "www.example.com", "192.0.2.1", "443")
PLACE = ("zone", "fqdn", "ip_address", "port")
README = (Path(__file__).parents[2] / "README.md").read_text()


def metrics_of(report: Report) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    return exposed(b"".join(render_prometheus(report)))


@pytest.mark.parametrize("report", [factory.report, factory.rich_report, factory.hostile_report], ids=lambda made: made.__name__)
def test_promtool_accepts_it(report) -> None:
    """`promtool check metrics` finds neither errors nor bad habits, whatever the names and certificates hold."""
    assert_accepted(b"".join(render_prometheus(report())))


def test_an_empty_run_says_that_it_was_one() -> None:
    """Without a single target there is still when, how long and how complete."""
    found = metrics_of(factory.report())
    assert found["dnscertscan_scan_end_timestamp_seconds"] == {(): factory.NOW.timestamp() + 42}
    assert found["dnscertscan_scan_start_timestamp_seconds"] == {(): factory.NOW.timestamp()}
    assert found["dnscertscan_scan_duration_seconds"] == {(): 42}
    assert found["dnscertscan_scan_complete"] == {(): 1}
    assert found["dnscertscan_endpoints_omitted"] == {(): 0}
    assert not any(name.startswith("dnscertscan_endpoint_") for name in found)


def test_times_are_timestamps() -> None:
    """Begin and end of the leaf, and the first end of the chain, as seconds since 1970; nothing counts days."""
    found = metrics_of(factory.rich_report())
    leaf = factory.credential_chain()[0]
    facts = parse(leaf)
    assert labelled(found["dnscertscan_endpoint_not_before_timestamp_seconds"], *PLACE)[WWW] == facts.not_before.timestamp()
    assert labelled(found["dnscertscan_endpoint_not_after_timestamp_seconds"], *PLACE)[WWW] == facts.not_after.timestamp()
    ends = [parse(one).not_after.timestamp() for one in factory.credential_chain()]
    assert labelled(found["dnscertscan_endpoint_chain_not_after_timestamp_seconds"], *PLACE)[WWW] == min(ends)
    assert labelled(found["dnscertscan_zone_not_after_timestamp_seconds"], "zone")["example.com",] == facts.not_after.timestamp()
    assert not any("day" in name for name in found)


def test_verdicts_per_trust_store() -> None:
    """Each store has its word; an endpoint that nobody judged has none."""
    found = labelled(metrics_of(factory.rich_report())["dnscertscan_endpoint_valid"], *PLACE, "store")
    assert found == {(*WWW, "Mozilla"): 0, (*WWW, "Private"): 1}


def test_the_verdict_is_that_of_the_findings() -> None:
    """Errors count against an endpoint, warnings do not; a store that its zone does not ask for is no fault."""
    other = ("example.com", "www.example.com", "2001:db8::1", "443")
    errors = labelled(metrics_of(factory.rich_report())["dnscertscan_endpoint_errors"], *PLACE)
    assert (errors[WWW], errors[other]) == (1, 1)
    private = {("192.0.2.1", 443, "www.example.com"): {"Mozilla": False, "private bundle": True}}
    warned = factory.finding(rule_hit=factory.EXPIRING)
    report = factory.report([warned], [factory.observation()], valid=private)
    found = metrics_of(report)
    assert labelled(found["dnscertscan_endpoint_errors"], *PLACE) == {WWW: 0}
    assert labelled(found["dnscertscan_endpoint_valid"], *PLACE, "store")[*WWW, "Mozilla"] == 0
    [standing] = standings.Standings.of(report).endpoints
    assert standing.urgency[0] > standings.Standings.of(replace(report, findings=(factory.finding(),))).endpoints[0].urgency[0]


def test_what_nobody_looked_at_has_no_series() -> None:
    """All endpoints are counted by state; of those that a deadline left out nothing is claimed."""
    late = factory.observation(Failure(FailureKind.DEADLINE, "deadline of 5 s reached"), fqdn="late.example.com")
    gone = factory.observation(Failure(FailureKind.REFUSED, "connection refused"), fqdn="gone.example.com")
    found = metrics_of(factory.report([], [factory.observation(), late, gone], complete=False))
    assert labelled(found["dnscertscan_endpoints"], "state") == {("scanned",): 1, ("failed",): 1, ("skipped",): 1}
    assert set(labelled(found["dnscertscan_endpoint_scanned"], "fqdn")) == {("www.example.com",), ("gone.example.com",)}
    assert found["dnscertscan_endpoints_omitted"] == {(): 0}


def test_coverage_and_findings_reconcile() -> None:
    """Sums of the metrics are the totals of the report, for coverage, for findings, and for each zone."""
    report = factory.rich_report()
    found = metrics_of(report)
    targets = labelled(found["dnscertscan_zone_targets"], "zone", "state", "reason")
    assert sum(targets.values()) == len(report.coverage.rows)
    assert targets["example.com", "failed", "refused"] == 1
    by_rule = labelled(found["dnscertscan_findings"], "code", "slug", "severity")
    assert by_rule == Counter((one.rule.code, one.rule.slug, str(one.severity)) for one in report.findings)
    by_zone = labelled(found["dnscertscan_zone_findings"], "zone", "severity")
    assert by_zone["example.com", "error"] == 2
    assert by_zone["example.net", "warning"] == 0  # a zero is said, too
    assert labelled(found["dnscertscan_zone_problems"], "zone", "fault") == {
        ("broken.example", "failed"): 1, ("example.com", "bad-record"): 1
    }
    assert found["dnscertscan_scan_complete"] == {(): 0}


def test_silent_endpoints_are_there() -> None:
    """An endpoint that gave no certificate has a series that says so, and no times."""
    found = metrics_of(factory.rich_report())
    scanned = labelled(found["dnscertscan_endpoint_scanned"], *PLACE)
    silent = ("example.com", "old.example.com", "192.0.2.3", "443")
    assert (scanned[WWW], scanned[silent]) == (1, 0)
    assert silent not in labelled(found["dnscertscan_endpoint_not_after_timestamp_seconds"], *PLACE)


@pytest.mark.parametrize(("logged", "said"), [(Logged.LOGGED, 1), (Logged.NOT_LOGGED, 0), (Logged.UNKNOWN, None)])
def test_ct_is_told_when_it_is_known(logged: Logged, said: int | None) -> None:
    """Logged and not logged are values; what nobody knows is absent, as is everything when nobody looked."""
    leaf = factory.credential_chain()[0].sha256
    found = metrics_of(audits.of_leaves({leaf: audits.audit(logged=logged)}))
    assert labelled(found.get("dnscertscan_endpoint_ct_logged", {}), *PLACE).get(WWW) == said
    assert "dnscertscan_endpoint_ct_logged" not in metrics_of(factory.rich_report())


def test_expected_rotation() -> None:
    """Where it is set for the zone or the issuer, the range that healthy rotation leaves; nothing elsewhere."""
    day = timedelta(days=1)
    rotation = Rotation(zone="example.com", validity=90 * day, rotation=30 * day, slack=day)
    found = metrics_of(replace(factory.rich_report(), rotations=(rotation,)))
    least = labelled(found["dnscertscan_endpoint_expected_min_seconds"], *PLACE)
    assert least[WWW] == 59 * 86_400
    assert {zone for zone, *_ in least} == {"example.com"}
    assert labelled(found["dnscertscan_endpoint_expected_max_seconds"], *PLACE)[WWW] == 91 * 86_400
    assert "dnscertscan_endpoint_expected_min_seconds" not in metrics_of(factory.rich_report())


@pytest.mark.parametrize("expected", [90, 300])
def test_the_time_a_replacement_is_due(expected: int) -> None:
    """It is the one of the rule rotation-overdue, also for a certificate that is issued for less than is expected."""
    rotation = Rotation(zone="example.com", validity=timedelta(days=expected), rotation=timedelta(days=20))
    found = metrics_of(replace(factory.rich_report(), rotations=(rotation,)))
    facts = parse(factory.credential_chain()[0])
    due = labelled(found["dnscertscan_endpoint_rotation_due_timestamp_seconds"], *PLACE)[WWW]
    assert due == rotation.due(facts.not_before, facts.not_after).timestamp()
    assert due >= (facts.not_before + timedelta(days=20)).timestamp()
    assert "dnscertscan_endpoint_rotation_due_timestamp_seconds" not in metrics_of(factory.rich_report())


def test_an_inconclusive_run_says_so() -> None:
    """When our own network fails, nothing looks like health."""
    found = metrics_of(replace(factory.report(complete=False), inconclusive="3 of 3 canaries fail"))
    assert (found["dnscertscan_scan_inconclusive"], found["dnscertscan_scan_complete"]) == ({(): 1}, {(): 0})


def test_beyond_the_limits_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """More endpoints and zones than the limits: the most urgent keep their series, all are counted."""
    observations = [factory.observation(address=f"192.0.2.{n}", fqdn=f"h{n}.z{n}.test", zone=f"z{n}.test") for n in range(1, 9)]
    bad = observations[5].target
    place = (bad.endpoint.address, bad.endpoint.port, bad.server_name.text)
    rows = [factory.row(address=f"192.0.2.{n}", fqdn=f"h{n}.z{n}.test", zone=f"z{n}.test") for n in range(1, 9)]
    report = factory.report(
        [factory.finding(zone="z7.test", address=place[0], fqdn=place[2])], observations, factory.coverage(rows)
    )
    monkeypatch.setattr(standings.Standings.of.__func__, "__defaults__", (3,))
    monkeypatch.setattr(standings.ZoneNames.of.__func__, "__defaults__", (2,))
    found = metrics_of(report)
    named = labelled(found["dnscertscan_endpoint_scanned"], "fqdn")
    assert ("h6.z6.test",) in named
    assert len(named) == 3
    assert found["dnscertscan_endpoints_omitted"] == {(): 5}
    records = labelled(found["dnscertscan_zone_records"], "zone")
    assert records == {("z1.test",): 1, ("z7.test",): 1, ("(others)",): 6}
    assert sum(labelled(found["dnscertscan_zone_targets"], "zone", "state", "reason").values()) == 8
    assert ("(others)",) in labelled(found["dnscertscan_zone_not_after_timestamp_seconds"], "zone")


def test_names_that_look_alike_are_one_series() -> None:
    """Names that are cut to the same label give one series, of the most urgent endpoint; a scrape never fails for them."""
    names = ["a" * 300 + ending for ending in ("x", "y")]
    observations = [factory.observation(fqdn=name) for name in names]
    found = metrics_of(factory.report([factory.finding(fqdn=names[1])], observations))
    assert list(found["dnscertscan_endpoint_errors"].values()) == [1]


def test_a_hundred_thousand_findings() -> None:
    """Findings are counted, not listed: the size does not grow with them; the time does a little."""
    report = many(100_000)
    started = time.monotonic()
    document = b"".join(render_prometheus(report))
    assert time.monotonic() - started < 30
    assert len(document) < 5000
    assert sum(exposed(document)["dnscertscan_findings"].values()) == 100_000


def test_many_endpoints_come_in_pieces() -> None:
    """20,000 endpoints: 10,000 have series, handed on in pieces, each metric with its help once."""
    chain = factory.handshake()
    observations = [
        factory.observation(chain, address=f"10.0.{n >> 8}.{n & 255}", fqdn=f"h{n}.example.com") for n in range(20_000)
    ]
    pieces = list(render_prometheus(factory.report([], observations)))
    assert max(map(len, pieces)) < 2 * CHUNK
    document = b"".join(pieces)
    found = exposed(document)
    assert found["dnscertscan_endpoints_omitted"] == {(): 10_000}
    assert len(found["dnscertscan_endpoint_not_after_timestamp_seconds"]) == 10_000
    assert document.count(b"# HELP dnscertscan_endpoint_scanned ") == 1


def test_a_leaf_without_readable_dates_is_urgent() -> None:
    """What cannot be read is no reason to be left out: it comes before all that is well."""
    broken = factory.observation(factory.handshake((Certificate(b"\x30\x03garbage"),)), fqdn="broken.example.com")
    made = standings.Standings.of(factory.report([], [factory.observation(), broken]), most=1)
    assert ([one.place[2] for one in made.endpoints], made.omitted) == (["broken.example.com"], 1)


def test_the_soonest_comes_first() -> None:
    """Among valid endpoints it is the end that counts; those that gave no certificate come last."""
    ends = [timedelta(days=days) for days in (9, 3, 6)]
    made = [standings.standing(factory.observation(fqdn=f"{end.days}.test"), {}) for end in ends]
    made = [replace(one, chain_end=factory.NOW + end) for one, end in zip(made, ends, strict=True)]
    made.append(replace(made[1], scanned=False))
    assert [one.place[2] for one in sorted(made, key=lambda one: one.urgency)] == ["3.test", "6.test", "9.test", "3.test"]


def test_silent_endpoints_keep_a_share() -> None:
    """Above the limit a quarter of the places is for those that give no certificate, and what one kind leaves the other gets."""
    def chosen(answering: int, silent: int) -> tuple[int, int, int]:
        refused = Failure(FailureKind.REFUSED, "connection refused")
        observations = [
            factory.observation(refused if number < silent else None, fqdn=f"h{number}.test")
            for number in range(answering + silent)
        ]
        made = standings.Standings.of(factory.report([], observations), most=8)
        assert [one.place for one in made.endpoints] == sorted(one.place for one in made.endpoints)
        spoke = sum(one.scanned for one in made.endpoints)
        return spoke, len(made.endpoints) - spoke, made.omitted

    assert chosen(40, 40) == (6, 2, 72)
    assert chosen(40, 1) == (7, 1, 33)
    assert chosen(3, 40) == (3, 5, 35)
    assert chosen(3, 2) == (3, 2, 0)
    assert chosen(0, 0) == (0, 0, 0)


def test_the_most_urgent_are_chosen_whatever_their_order() -> None:
    """Those with errors, at any place in a long list, are among the few that have series."""
    bad = (3, 17, 58, 199)
    observations = [factory.observation(fqdn=f"h{number}.test") for number in range(200)]
    report = factory.report([factory.finding(fqdn=f"h{number}.test") for number in bad], observations)
    made = standings.Standings.of(report, most=5)
    assert {f"h{number}.test" for number in bad} <= {one.place[2] for one in made.endpoints}
    assert (len(made.endpoints), made.omitted) == (5, 195)


@pytest.mark.parametrize("years", [(1, 1), (9998, 9999), (1, 9999), (9999, 1)])
def test_certificates_of_any_year_have_a_due_time_or_none(years: tuple[int, int]) -> None:
    """Dates that no calendar can subtract from make no run fail."""
    made = Authority.root("Root", now=factory.NOW).leaf(
        "www.example.com", not_before=datetime(8001, 1, 2, tzinfo=UTC), not_after=datetime(8002, 1, 2, tzinfo=UTC)
    )
    der = made.certificate.public_bytes(Encoding.DER)
    for year, other in zip((b"8001", b"8002"), years, strict=True):
        der = der.replace(year + b"0102000000Z", b"%04d0102000000Z" % other)
    assert parse(Certificate(der)).not_after == datetime(years[1], 1, 2, tzinfo=UTC)
    rotation = Rotation(zone="example.com", validity=timedelta(days=4000), rotation=timedelta(days=20))
    observed = factory.observation(factory.handshake((Certificate(der),)))
    metrics_of(replace(factory.report([], [observed]), rotations=(rotation,)))


def test_every_metric_is_documented() -> None:
    """The README names each metric with its labels, and no other."""
    table = README.split("### Prometheus")[1].split("\n## ")[0]
    said = dict(re.findall(r"^\| `(dnscertscan_\w+)(?:\{([\w, ]*)\})?` \|", table, re.MULTILINE))
    assert said == {metric.name: ", ".join(metric.labels) for metric in (*METRICS, *OWN)}
    for limit in (standings.MAX_ENDPOINTS, standings.MAX_ZONES):
        assert f"At most {limit:,} " in README
    assert f"{standings.LABEL} characters" in README


def test_the_ending_asks_for_it() -> None:
    """`-o r.prom`, which is what node_exporter's textfile collector reads."""
    assert format_for(Path("r.prom")).name == "prometheus"
