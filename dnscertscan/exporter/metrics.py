"""What the exporter tells of itself, beside the results of the last scan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dnscertscan.report.exposition import Metric, exposition, value

INFO = Metric("dnscertscan_exporter_info", "Always 1; the version of the exporter.", ("version",))
HEALTHY = Metric(
    "dnscertscan_exporter_healthy",
    "0 when the last scan failed, is not complete or older than two intervals, an output failed, or none has ended yet; else 1.",
)
SUCCESS = Metric("dnscertscan_exporter_last_scan_success", "0 when the last scan failed: the results are of an earlier one.")
ATTEMPT = Metric("dnscertscan_exporter_last_scan_timestamp_seconds", "When the last scan ended, failed ones included.")
RESULTS = Metric("dnscertscan_exporter_results_timestamp_seconds", "When the scan ended that the results are of.")
OUTPUTS = Metric(
    "dnscertscan_exporter_outputs_failed", "Files and receivers that did not get the results of the last scan that had some."
)
SCANNING = Metric("dnscertscan_exporter_scan_running", "Whether a scan is going on.")
SCANS = Metric("dnscertscan_exporter_scans_total", "Scans that have ended, by how they ended.", ("outcome",))
INTERVAL = Metric("dnscertscan_exporter_interval_seconds", "From the start of one scan to the start of the next.")
STARTED = Metric("dnscertscan_exporter_start_timestamp_seconds", "When the exporter was started.")
METRICS = (INFO, HEALTHY, SUCCESS, ATTEMPT, RESULTS, OUTPUTS, SCANNING, SCANS, INTERVAL, STARTED)
"""All of them, in their order."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The values; times are seconds since 1970, None what has not happened yet."""

    version: str
    started: float
    interval: float
    healthy: bool
    scanning: bool
    succeeded: bool | None
    attempt: float | None
    results: float | None
    outputs: int | None
    scans: Mapping[str, int]


def render(figures: Figures) -> Iterator[bytes]:
    """All that have a value."""
    yield from exposition(INFO, [((figures.version,), 1)])
    numbers = (
        (HEALTHY, figures.healthy), (SUCCESS, figures.succeeded), (ATTEMPT, figures.attempt), (RESULTS, figures.results),
        (OUTPUTS, figures.outputs), (SCANNING, figures.scanning), (INTERVAL, figures.interval), (STARTED, figures.started),
    )
    for metric, number in numbers:
        if number is not None:
            yield from value(metric, number)
    yield from exposition(SCANS, [((outcome,), count) for outcome, count in sorted(figures.scans.items())])
