"""``dnscertscan zones export|list``: transfer rights may belong to one host only; it exports, others scan the file."""

from pathlib import Path
from typing import Any

import click

from dnscertscan.cli.options import load_settings, log_options, require_zones, source_options
from dnscertscan.errors import ExitStatus


@click.group("zones", short_help="Fetch zones; export or list them.")
def command() -> None:
    """Fetch zones and export or list them; scans nothing."""


@command.command("export")
@source_options
@click.option("-o", "--output", metavar="PATH", type=click.Path(path_type=Path), help="File to write (default: standard output).")
@log_options
def export(output: Path | None, **given: Any) -> None:
    """Write the zones as zones JSON, for ``--from-zones-json`` on a host without transfer rights.

    Zones that fail are named on standard error and left out; the exit status is then 3.
    """
    everything = _fetch(given)
    from dnscertscan.report.files import write_atomically
    from dnscertscan.zones.export import zones_json

    write_atomically(output or Path("-"), [zones_json(everything.zones).encode()])
    _leave(problems=bool(everything.problems))


@command.command("list")
@source_options
@log_options
def listing(**given: Any) -> None:
    """List the zones with serial, number of records and source."""
    everything = _fetch(given)
    from tabulate import tabulate

    from dnscertscan.model.text import visible
    from dnscertscan.zones.export import zone_rows

    rows = [[visible("" if cell is None else str(cell), 200) for cell in row] for row in zone_rows(everything.zones)]
    click.echo(tabulate(rows, headers=["zone", "serial", "records", "source", "view"], disable_numparse=True))
    _leave(problems=bool(everything.problems))


def _fetch(given: dict[str, Any]) -> Any:
    loaded = load_settings(given)
    require_zones(loaded)
    from dnscertscan.cli.session import fetch_zones

    return fetch_zones(loaded)


def _leave(*, problems: bool) -> None:
    click.get_current_context().exit(int(ExitStatus.INCOMPLETE if problems else ExitStatus.CLEAN))
