"""``dnscertscan exporter``: the metrics of the last scan over HTTP, and scans on a schedule of its own."""

from typing import Any

import click

from dnscertscan.cli.options import load_settings, require_zones
from dnscertscan.cli.scan import command as scan

_NOT_FOR_A_DAEMON = frozenset({"format", "fail_on", "resume", "journal"})


@click.command(
    "exporter", short_help="Serve metrics to Prometheus and scan again and again.",
    params=[option for option in scan.params if option.name not in _NOT_FOR_A_DAEMON],
)
@click.option("--listen", metavar="HOST:PORT", help="Where to answer (default 127.0.0.1:9793).")
@click.option("--interval", metavar="SECONDS", help="From the start of one scan to the start of the next, e.g. 6h (default).")
def command(**given: Any) -> None:
    """Scan on a schedule and serve the results over HTTP.

    /metrics is for Prometheus, /health for whoever relies on the results, /livez for whoever keeps this process running.

    A scan that fails leaves the results of the one before in their place, and says so in the metrics; it is tried again after a
    tenth of the interval. /health answers 503 while the last scan failed, is not complete or older than two intervals, an output
    could not be written, or no scan has ended yet; /livez answers 200 as long as the process serves.

    Files named with -o and --stat-endpoint get the results of every scan. SIGTERM ends it in order.

    \b
    Example:
      dnscertscan exporter --from-zones-json zones.json --interval 6h
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
    loaded = load_settings(given)
    require_zones(loaded)
    from dnscertscan.cli.exporting import export

    click.get_current_context().exit(int(export(loaded)))
