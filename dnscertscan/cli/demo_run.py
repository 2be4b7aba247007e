"""The demonstration: the same code path as a real scan, by AXFR from a real (small) DNS server."""

import sys
from pathlib import Path

from dnscertscan.assembly import utc_now
from dnscertscan.cli.session import scan_and_report
from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.errors import ExitStatus, UsageError
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.models import Settings

_NEXT = """
That was a real scan of a fleet on loopback. Its results are in {folder}:
  report.csv      one row per finding, for a spreadsheet
  report.html     one page for a browser: findings by certificate, expiries, zones
  report.json     everything, for programs
  coverage.csv    one row per target, with its outcome

What does a finding mean?      dnscertscan explain DCS201
Scan your own zones:           dnscertscan --axfr example.com@192.0.2.53 -o report.csv
... or from a zones JSON:      dnscertscan --from-zones-json zones.json -o report.csv
What would be scanned?         dnscertscan targets --from-zones-json zones.json
"""


def run_demo(folder: Path, *, quiet: bool) -> ExitStatus:
    """Start the fleet, scan it, end it. Findings are what a demonstration is for, so they are no failure of the command."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageError(f"cannot make the folder {folder}: {problem.strerror}; name another with --output") from problem
    with DemoFleet(utc_now()) as fleet:
        anchors = folder / "demo-ca.pem"
        anchors.write_bytes(fleet.ca_pem)
        print(f"demo fleet up: DNS on 127.0.0.1:{fleet.dns_port}, TLS on 127.0.0.0/8 port {fleet.tls_port}", file=sys.stderr)  # noqa: T201 - the command's own words
        status = scan_and_report(Loaded(_settings(fleet, folder, anchors, quiet=quiet), None, {}), resumable=False)
    print(_NEXT.format(folder=folder))  # noqa: T201 - the command's own words
    return ExitStatus.CLEAN if status in (ExitStatus.CLEAN, ExitStatus.FINDINGS) else status


def _settings(fleet: DemoFleet, folder: Path, anchors: Path, *, quiet: bool) -> Settings:
    server = f"127.0.0.1:{fleet.dns_port}"
    return Settings.model_validate({
        "zones": [{"kind": "axfr", "zone": zone, "servers": [server]} for zone in fleet.zone_texts],
        "resolve": {"nameservers": [server], "timeout": 1.0, "retries": 0},
        "scan": {"ports": [fleet.tls_port], "timeout": 4.0},
        "trust": {"ca_files": [str(anchors)]},
        "output": {
            "files": [str(folder / f"report.{ending}") for ending in ("csv", "json", "html")],
            "coverage": str(folder / "coverage.csv"),
        },
        "log": {"level": "error" if quiet else "warning"},
    })
