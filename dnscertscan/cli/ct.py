"""``dnscertscan ct``: everything about Certificate Transparency that is not a scan."""

import click

from dnscertscan.cli.lazy import LazyGroup

COMMANDS = {
    "loglist": ("dnscertscan.cli.ct_loglist", "Show, update or verify the list of CT logs."),
    "inventory": ("dnscertscan.cli.ct_inventory", "Which certificates CT has for your domains that nobody here knows."),
    "audit": ("dnscertscan.cli.ct_audit", "Audit what one host serves, or the certificates of one file."),
}
"""Command -> (module with a ``command`` in it, one line of help)."""


class Group(LazyGroup):
    """The commands above."""

    modules = COMMANDS


@click.group("ct", cls=Group, short_help="Certificate Transparency.")
def command() -> None:
    """Certificate Transparency: the list of logs to judge by, audits of hosts and files, an inventory of what CT has."""
