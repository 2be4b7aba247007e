"""``dnscertscan targets``: a dry run."""

from typing import Any

import click

from dnscertscan.cli.options import load_settings, log_options, name_options, require_zones, search_options, source_options


@click.command("targets", short_help="Dry run: what would be scanned or skipped.")
@source_options
@name_options
@search_options
@click.option("-f", "--format", "style", type=click.Choice(["table", "csv"]), default="table", show_default=True)
@log_options
def command(style: str, **given: Any) -> None:
    """Show the IP -> FQDN map: what would be scanned or skipped, and why. Opens no connection to any target."""
    loaded = load_settings(given)
    require_zones(loaded)
    from dnscertscan.cli.session import show_targets

    click.get_current_context().exit(int(show_targets(loaded, style)))
