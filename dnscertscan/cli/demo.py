"""``dnscertscan demo``: a real scan of a small fleet with known faults, nothing but loopback."""

from pathlib import Path

import click


@click.command("demo", short_help="Scan a small fleet with known faults on loopback.")
@click.option("-o", "--output", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False),
              default=Path("demo-output"), show_default=True, help="Folder for the CSV, JSON, HTML and coverage files.")
@click.option("-q", "--quiet", is_flag=True, help="No log lines, no progress; only the table.")
def command(folder: Path, quiet: bool) -> None:
    """Start a DNS server and a fleet of TLS servers with known faults on loopback, scan them, and show what comes out.

    It needs no network, no privileges and no configuration. The exit status is 0 when the scan found what the fleet hides.
    """
    from dnscertscan.cli.demo_run import run_demo

    click.get_current_context().exit(int(run_demo(folder, quiet=quiet)))
