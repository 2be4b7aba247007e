"""The report as Prometheus metrics, for the textfile collector and the exporter.

Times are timestamps, never "days left": those would go stale in the file, and Prometheus can subtract. The number of series
is bounded: those of endpoints by :data:`~dnscertscan.report.standings.MAX_ENDPOINTS`, those of zones by
:data:`~dnscertscan.report.standings.MAX_ZONES` times the states and reasons this program has words for. What has no series of
its own is counted in ``dnscertscan_endpoints``, and in every metric that is not about a single endpoint.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from dnscertscan.model.findings import Severity
from dnscertscan.model.report import Report, State
from dnscertscan.model.text import visible
from dnscertscan.report.exposition import Metric, Sample, exposition, value
from dnscertscan.report.standings import Standing, Standings, ZoneNames

_ENDPOINT = ("zone", "fqdn", "ip_address", "port")

INFO = Metric(
    "dnscertscan_scan_info", "Always 1; the version, the scan engine and the digest of the settings.",
    ("version", "engine", "config_digest"),
)
STARTED = Metric("dnscertscan_scan_start_timestamp_seconds", "When the scan began.")
ENDED = Metric("dnscertscan_scan_end_timestamp_seconds", "When the scan ended: how old everything here is.")
DURATION = Metric("dnscertscan_scan_duration_seconds", "How long the scan took.")
COMPLETE = Metric(
    "dnscertscan_scan_complete", "0 when a zone failed, the scan was cut short, or the scanner failed on a target; else 1."
)
INCONCLUSIVE = Metric(
    "dnscertscan_scan_inconclusive", "1 when so much failed that it must be the scanner's own network; else 0."
)
FINDINGS = Metric("dnscertscan_findings", "Findings by rule and severity.", ("code", "slug", "severity"))
ZONE_FINDINGS = Metric(
    "dnscertscan_zone_findings", "Findings by zone; one on a target that several zones lead to counts in each.",
    ("zone", "severity"),
)
RECORDS = Metric("dnscertscan_zone_records", "Records that name hosts.", ("zone",))
TARGETS = Metric(
    "dnscertscan_zone_targets", "Coverage: every record, address, port and name, by how it ended and why.",
    ("zone", "state", "reason"),
)
PROBLEMS = Metric(
    "dnscertscan_zone_problems", "Zones (or whole sources) that could not be read, and records that could not be used.",
    ("zone", "fault"),
)
ZONE_END = Metric(
    "dnscertscan_zone_not_after_timestamp_seconds", "When the first of all certificates served for names of the zone ends.",
    ("zone",),
)
ENDPOINTS = Metric(
    "dnscertscan_endpoints",
    "All endpoints by how the look at them ended; those skipped, at which nobody looked, have no series of their own.",
    ("state",),
)
OMITTED = Metric(
    "dnscertscan_endpoints_omitted",
    "Endpoints without series of their own: the least urgent ones, where there are more than the limit.",
)
SCANNED = Metric("dnscertscan_endpoint_scanned", "Whether the endpoint gave a certificate.", _ENDPOINT)
NOT_BEFORE = Metric("dnscertscan_endpoint_not_before_timestamp_seconds", "When the served certificate begins.", _ENDPOINT)
NOT_AFTER = Metric("dnscertscan_endpoint_not_after_timestamp_seconds", "When the served certificate ends.", _ENDPOINT)
CHAIN_END = Metric(
    "dnscertscan_endpoint_chain_not_after_timestamp_seconds",
    "When the first certificate of all that are sent ends, also one that no client needs.", _ENDPOINT,
)
ERRORS = Metric(
    "dnscertscan_endpoint_errors", "Findings of severity error about the endpoint: the verdict, by the trust mode of its zone.",
    _ENDPOINT,
)
VALID = Metric(
    "dnscertscan_endpoint_valid",
    "Whether the endpoint is valid for a trust store (time, name, chain, all of it); not whether its zone asks for that store.",
    (*_ENDPOINT, "store"),
)
CERTIFICATE = Metric(
    "dnscertscan_endpoint_certificate_info", "Always 1; which certificate is served.",
    (*_ENDPOINT, "sha256", "serial", "subject", "issuer"),
)
CT_LOGGED = Metric(
    "dnscertscan_endpoint_ct_logged", "Whether Certificate Transparency has the served certificate; absent when not known.",
    _ENDPOINT,
)
EXPECTED_MIN = Metric(
    "dnscertscan_endpoint_expected_min_seconds", "The least time that healthy rotation leaves the certificate; where it is set.",
    _ENDPOINT,
)
EXPECTED_MAX = Metric(
    "dnscertscan_endpoint_expected_max_seconds", "The most time that healthy rotation leaves the certificate; where that is set.",
    _ENDPOINT,
)
DUE = Metric(
    "dnscertscan_endpoint_rotation_due_timestamp_seconds",
    "When the certificate has to be replaced at the latest, as the rule rotation-overdue has it; where that is set.", _ENDPOINT,
)
METRICS = (
    INFO, STARTED, ENDED, DURATION, COMPLETE, INCONCLUSIVE, FINDINGS, ZONE_FINDINGS, RECORDS, TARGETS, PROBLEMS, ZONE_END,
    ENDPOINTS, OMITTED, SCANNED, NOT_BEFORE, NOT_AFTER, CHAIN_END, ERRORS, VALID, CERTIFICATE, CT_LOGGED,
    EXPECTED_MIN, EXPECTED_MAX, DUE,
)
"""All of them, in their order."""


def render_prometheus(report: Report) -> Iterator[bytes]:
    """Every metric of the run. Findings are gone through two or three times, observations once or twice."""
    yield from _run(report)
    standings = Standings.of(report)
    yield from _zones(report, standings)
    yield from _endpoints(standings)


def _run(report: Report) -> Iterator[bytes]:
    run = report.run
    yield from exposition(INFO, [((run.version, run.engine, run.config_digest), 1)])
    yield from value(STARTED, run.started.timestamp())
    yield from value(ENDED, run.finished.timestamp())
    yield from value(DURATION, (run.finished - run.started).total_seconds())
    yield from value(COMPLETE, report.complete)
    yield from value(INCONCLUSIVE, bool(report.inconclusive))
    found = Counter((finding.rule.code, finding.rule.slug, str(finding.severity)) for finding in report.findings)
    yield from exposition(FINDINGS, sorted(found.items()))


def _zones(report: Report, standings: Standings) -> Iterator[bytes]:
    coverage, tally = report.coverage, report.tally()
    names = ZoneNames.of(coverage.totals, tally)
    found: Counter[tuple[str, ...]] = Counter()
    records: Counter[tuple[str, ...]] = Counter()
    targets: Counter[tuple[str, ...]] = Counter()
    for zone in {*(zone.zone for zone in coverage.totals), *tally.by_zone}:
        for severity in Severity:  # a zero, too: a series that goes away when all is well tells nobody so
            found[names.label(zone), str(severity)] += tally.by_zone.get(zone, Counter())[severity]
    for totals in coverage.totals:
        label = names.label(totals.zone)
        records[label,] += totals.records
        for (state, reason), count in totals.rows.items():
            targets[label, str(state), reason] += count
    problems = Counter(
        (names.label(problem.zone or problem.source), str(problem.fault)) for problem in coverage.problems
    )
    ends: dict[tuple[str, ...], float] = {}
    for one, end in standings.soonest.items():
        key = (names.label(one),)
        ends[key] = min(end.timestamp(), ends.get(key, end.timestamp()))
    for metric, samples in ((ZONE_FINDINGS, found), (RECORDS, records), (TARGETS, targets), (PROBLEMS, problems)):
        yield from exposition(metric, sorted(samples.items()))
    yield from exposition(ZONE_END, sorted(ends.items()))


def _endpoints(standings: Standings) -> Iterator[bytes]:
    yield from exposition(ENDPOINTS, (((str(state),), standings.states[state]) for state in State))
    yield from value(OMITTED, standings.omitted)
    # Only hostile names can look alike; then the most urgent one speaks for them.
    by_labels = {one.labels: one for one in sorted(standings.endpoints, key=lambda one: one.urgency, reverse=True)}
    ordered = sorted(by_labels.items())
    yield from exposition(SCANNED, ((labels, one.scanned) for labels, one in ordered))
    yield from exposition(NOT_BEFORE, _moments((labels, one.begins) for labels, one in ordered))
    yield from exposition(NOT_AFTER, _moments((labels, one.ends) for labels, one in ordered))
    yield from exposition(CHAIN_END, _moments((labels, one.chain_end) for labels, one in ordered))
    yield from exposition(ERRORS, ((labels, one.errors) for labels, one in ordered))
    yield from exposition(VALID, (sample for labels, one in ordered for sample in _verdicts(labels, one)))
    yield from exposition(CERTIFICATE, (sample for labels, one in ordered for sample in _certificates(labels, one)))
    yield from exposition(CT_LOGGED, ((labels, one.ct == "logged") for labels, one in ordered if one.ct))
    rotated = [(labels, one.rotation) for labels, one in ordered if one.rotation]
    yield from exposition(EXPECTED_MIN, ((labels, rotation.least.total_seconds()) for labels, rotation in rotated))
    yield from exposition(EXPECTED_MAX, ((labels, rotation.most.total_seconds()) for labels, rotation in rotated))
    yield from exposition(DUE, _moments((labels, one.due) for labels, one in ordered))


def _moments(moments: Iterable[tuple[tuple[str, ...], datetime | None]]) -> Iterator[Sample]:
    for labels, moment in moments:
        if moment is not None:
            yield labels, moment.timestamp()


def _verdicts(labels: tuple[str, ...], one: Standing) -> Iterator[Sample]:
    for store, good in sorted({visible(store, 100): good for store, good in one.valid}.items()):
        yield (*labels, store), good


def _certificates(labels: tuple[str, ...], one: Standing) -> Iterator[Sample]:
    if one.leaf:
        yield (*labels, one.leaf.sha256, one.leaf.serial, one.leaf.subject, one.leaf.issuer), 1
