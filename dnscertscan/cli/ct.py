"""``dnscertscan ct``: everything about Certificate Transparency that is not a scan."""

from importlib import import_module

import click

COMMANDS = {
    "loglist": ("dnscertscan.cli.ct_loglist", "Show, update or verify the list of CT logs."),
    "inventory": ("dnscertscan.cli.ct_inventory", "Which certificates CT has for your domains that nobody here knows."),
    "audit": ("dnscertscan.cli.ct_audit", "Audit what one host serves, or the certificates of one file."),
}
"""Command -> (module with a ``command`` in it, one line of help)."""


class Group(click.Group):
    """Imports a command's module only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands in our order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command named."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list in ``--help``, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group("ct", cls=Group, short_help="Certificate Transparency.")
def command() -> None:
    """Certificate Transparency: the list of logs to judge by, audits of hosts and files, an inventory of what CT has."""
