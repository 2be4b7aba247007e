"""Commands for Nagios and its kind, which want one line and a status of their own whatever happens."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
from click.core import ParameterSource

from dnscertscan.errors import DnsCertScanError, UsageError
from dnscertscan.model.text import visible

_UNKNOWN = 3
_FORMAT = ("-f", "--format")


class Plugin(click.Command):
    """A command for monitoring: what cannot be done is UNKNOWN (3) with a first line that says why, also a wrong call.

    ``service`` begins that line. Where JSON was asked for it is an object with ``schema``, whose ``error`` says why.
    """

    service = "CT"
    schema = "dnscertscan/ct-audit/1"
    _json = False

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the command line."""
        self._json = _asks_for_json(args)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as problem:
            problem.show()
            raise self._give_up(problem.format_message()) from problem

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The same, without empty values: such a one is a variable of a script that was never set."""
        given, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter in order:
            values = given.get(parameter.name or "")
            for value in values if isinstance(values, (list, tuple)) else (values,):
                if isinstance(value, str) and not value.strip():
                    raise click.UsageError(f"{parameter.get_error_hint(ctx)} has an empty value; leave it out or write one", ctx)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Do it."""
        try:
            return super().invoke(ctx)
        except DnsCertScanError as problem:
            raise self._give_up(str(problem)) from problem
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except click.ClickException as problem:
            problem.show()
            raise self._give_up(problem.format_message()) from problem
        except OSError as problem:  # where standard output is what fails, this fails as well, and the entry point sees it
            place = visible(str(problem.filename or "standard output"), 300)
            raise self._give_up(f"{place}: {problem.strerror or problem}") from problem
        except Exception as problem:
            logging.getLogger("dnscertscan").critical("internal error", exc_info=problem)
            said = f"internal error ({type(problem).__name__}: {problem})"
            raise self._give_up(f"{said}; this is a bug: please report it with the traceback from the log") from problem

    def _give_up(self, message: str) -> click.exceptions.Exit:
        from dnscertscan.ct.audit_output import plain

        if self._json:
            said = {"schema": self.schema, "status": "UNKNOWN", "exit_status": _UNKNOWN, "error": visible(message)}
            click.echo(json.dumps(said, indent=2))
        else:
            click.echo(plain(f"{self.service} UNKNOWN - {visible(message)}"))
        sys.stdout.flush()
        return click.exceptions.Exit(_UNKNOWN)


def refuse_beside(context: click.Context, names: Iterable[str], why: str) -> None:
    """:class:`UsageError` ``why`` when one of these parameters was given on the command line, though it would do nothing."""
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"{parameter.get_error_hint(context)}: {why}")


def _asks_for_json(args: Sequence[str]) -> bool:
    """By the words themselves, since they may be the very ones that cannot be read."""
    joined = {"-fjson", "--json", *(f"{name}=json" for name in _FORMAT)}
    return any(
        word in joined or (word == "json" and before in _FORMAT) for before, word in zip(["", *args], args, strict=False)
    )
