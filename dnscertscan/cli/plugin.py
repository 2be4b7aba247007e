"""Commands for Nagios and its kind, which want one line and a status of their own whatever happens."""

import logging
from typing import Any

import click

from dnscertscan.errors import DnsCertScanError
from dnscertscan.model.text import visible

_UNKNOWN = 3


class Plugin(click.Command):
    """A command for monitoring: what cannot be done is UNKNOWN (3) with a first line that says why, also a wrong call.

    ``service`` begins that line.
    """

    service = "CT"

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as problem:
            problem.show()
            raise self._give_up(problem.format_message()) from problem

    def invoke(self, ctx: click.Context) -> Any:
        """Do it."""
        try:
            return super().invoke(ctx)
        except DnsCertScanError as problem:
            raise self._give_up(str(problem)) from problem
        except (click.ClickException, click.exceptions.Exit, click.Abort, OSError):
            raise
        except Exception as problem:  # the last line of defence: monitoring gets its line, the log the traceback
            logging.getLogger("dnscertscan").critical("internal error", exc_info=problem)
            text = f"internal error ({type(problem).__name__}: {problem}); this is a bug: please report it"
            raise self._give_up(text) from problem

    def _give_up(self, message: str) -> click.exceptions.Exit:
        from dnscertscan.ct.audit_output import plain

        click.echo(plain(f"{self.service} UNKNOWN - {visible(message)}"))
        return click.exceptions.Exit(_UNKNOWN)
