"""Groups of commands that are imported when they are called, so that ``--version`` and usage errors stay quick."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """Imports a command's module only when it is asked for."""

    modules: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """Command -> (module with a ``command`` in it, one line of help). The list is the order in ``--help``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All commands in our order."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command named."""
        if cmd_name not in self.modules:
            return None
        command = import_module(self.modules[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.modules[cmd_name][0]} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The list in ``--help``, without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.modules.items()])
