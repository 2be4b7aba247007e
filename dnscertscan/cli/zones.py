"""``dnscertscan zones export|list|check``: one host that may transfer zones exports them, others check and scan the file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnscertscan.cli.options import load_settings, log_options, require_zones, source_options
from dnscertscan.errors import ExitStatus, UsageError, ZoneError

if TYPE_CHECKING:
    from dnscertscan.pipeline.fetch import AllZones


_NOTHING = "no zone could be read: nothing is written, an earlier export stays as it is"


@click.group("zones", short_help="Fetch zones; export or list them; check zones JSON.")
def command() -> None:
    """Fetch zones and export or list them, or check zones JSON; scans nothing."""


@command.command("export")
@source_options
@click.option("-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="File to write (default: standard output).")
@log_options
def export(output: Path | None, **given: Any) -> None:
    """Write the zones as zones JSON, for ``--from-zones-json`` on a host without transfer rights.

    Zones that fail are named on standard error and left out; the exit status is then 3.
    """
    everything, status = _fetch(given)
    if not everything.zones:
        raise (UsageError if status is ExitStatus.USAGE else ZoneError)(_NOTHING)
    from dnscertscan.report.files import write_atomically
    from dnscertscan.zones.export import zones_json

    write_atomically(output or Path("-"), [zones_json(everything.zones).encode()])
    click.get_current_context().exit(int(status))


@command.command("list")
@source_options
@log_options
def listing(**given: Any) -> None:
    """List the zones with serial, number of records and source."""
    everything, status = _fetch(given)
    from tabulate import tabulate

    from dnscertscan.model.text import visible
    from dnscertscan.zones.export import zone_rows

    rows = [[visible("" if cell is None else str(cell), 200) for cell in row] for row in zone_rows(everything.zones)]
    click.echo(tabulate(rows, headers=["zone", "serial", "records", "source", "view"], disable_numparse=True))
    click.get_current_context().exit(int(status))


@command.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Read and validate zones JSON; every zone and record that cannot be used is one line with its file.

    All files are read to their end. Opens no connection, looks no name up.
    """
    from dnscertscan.model.text import visible
    from dnscertscan.zones.json_file import JsonFileSource

    problems: list[str] = []
    for file in files:
        fetched = JsonFileSource(file).fetch()
        problems += (problem.message for problem in fetched.problems)
        if not fetched.problems:
            records = sum(len(zone.records) for zone in fetched.zones)
            click.echo(f"{visible(str(file))}: ok (zones: {len(fetched.zones)}, records: {records})")
    if problems:
        raise UsageError("\n".join(problems))


def _fetch(given: dict[str, Any]) -> "tuple[AllZones, ExitStatus]":
    loaded = load_settings(given)
    require_zones(loaded)
    from dnscertscan.cli.session import fetch_zones, zones_status

    everything = fetch_zones(loaded)
    return everything, zones_status(loaded, everything)
