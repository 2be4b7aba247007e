"""``dnscertscan scan``: the main job."""

from pathlib import Path
from typing import Any

import click

from dnscertscan.cli.options import load_settings, log_options, name_options, require_zones, search_options, source_options

_FILE = click.Path(path_type=Path)


@click.command("scan", short_help="Scan every endpoint the zones publish.")
@source_options
@name_options
@click.option("--ca-file", "ca_files", metavar="PEM", multiple=True, type=_FILE,
              help="Private trust anchors (repeatable); they replace the public stores.")
@click.option("--crl", is_flag=True, help="Fetch the revocation lists that certificates name, and report what is revoked.")
@click.option("--fetch-issuers", is_flag=True,
              help="Fetch issuers that servers do not send from where their certificates point, to say what is missing.")
@search_options
@click.option("--ct-inclusion", is_flag=True, help="Ask the CT logs to prove that they have what is served.")
@click.option("--ct-known", metavar="PATH", multiple=True, type=_FILE,
              help="Certificates, keys or CSRs that are in use elsewhere, or folders of them (repeatable).")
@click.option("--ct-log-list", metavar="FILE", type=_FILE, help="A list of CT logs of your own, beside the one in use.")
@click.option("--expiring-within", metavar="DAYS|PERCENT%", help="Warn this long before the end, e.g. 30d or 25%. "
              "Default: a quarter of the certificate's lifetime, at most 30 days.")
@click.option("--engine", metavar="NAME", help="Scan engine (default sslyze).")
@click.option("--concurrency", type=int, metavar="N", help="Targets in flight (default 100).")
@click.option("--per-address", type=int, metavar="N", help="Connections to one address at a time (default 4).")
@click.option("--per-network", type=int, metavar="N", help="Connections to one /24 (IPv6: /48) at a time (default 64).")
@click.option("--rate", type=float, metavar="TARGETS_PER_SECOND", help="Begin no more targets per second (default: no limit).")
@click.option("--timeout", metavar="SECONDS", help="Time limit per target, over everything (default 10).")
@click.option("--deadline", metavar="SECONDS", help="Time limit of the whole run; what was seen by then is reported.")
@click.option("-o", "--output", "--output-csv", "outputs", metavar="PATH", multiple=True, type=_FILE,
              help="Write results to a file (repeatable); the format follows the ending.")
@click.option("-f", "--format", "format", metavar="FORMAT", help="Format on standard output: table (default) or another.")
@click.option("--coverage", metavar="PATH", type=_FILE, help="Write one row for every target, with its outcome and the reason.")
@click.option("--stat-endpoint", "stat_endpoints", metavar="HOST:PORT", multiple=True,
              help="Send figures by UDP (repeatable): influx line protocol, or statsd://HOST:PORT.")
@click.option("--fail-on", type=click.Choice(["error", "warning", "never"]),
              help="Findings that make the exit status 1 (default error).")
@click.option("--fail-on-unreachable", is_flag=True, help="Make endpoints that give no certificate findings too.")
@click.option("--resume", is_flag=True, help="Continue the last run with these settings that did not end.")
@click.option("--journal", metavar="PATH", type=_FILE,
              help="Where a run notes what it has seen, to be continued (default: below ~/.local/state); kept at its end.")
@log_options
def command(**given: Any) -> None:
    """Scan every endpoint the zones publish and report each problem, the certificate at fault and the next step.

    Results go to standard output, the log and the progress to standard error.

    \b
    Examples:
      dnscertscan --from-zones-json zones.json -o report.csv
      dnscertscan --axfr example.com@192.0.2.53 --tsig key-name:hmac-sha256:file:key.txt
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
    loaded = load_settings(given)
    require_zones(loaded)
    from dnscertscan.cli.session import scan_and_report

    click.get_current_context().exit(int(scan_and_report(loaded)))
