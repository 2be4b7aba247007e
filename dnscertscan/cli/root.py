"""The command tree. ``scan`` is the default command, so that ``dnscertscan --from-zones-json FILE`` works."""

import click

from dnscertscan import __version__
from dnscertscan.cli.lazy import LazyGroup

COMMANDS = {
    "scan": ("dnscertscan.cli.scan", "Scan every endpoint the zones publish (the default command)."),
    "zones": ("dnscertscan.cli.zones", "Fetch zones and export or list them, or check zones JSON; scans nothing."),
    "targets": ("dnscertscan.cli.targets", "Dry run: what would be scanned or skipped, and why."),
    "explain": ("dnscertscan.cli.explain", "What a finding means, why it matters and how to fix it."),
    "rules": ("dnscertscan.cli.rules", "List every rule."),
    "diagnose": ("dnscertscan.cli.diagnose", "Why a chain in a file is not valid for a name, and which certificate is at fault."),
    "check": ("dnscertscan.cli.check", "Check one host: a plug-in for Nagios and Icinga."),
    "ct": ("dnscertscan.cli.ct", "Certificate Transparency: the list of logs, audits, an inventory of what CT has."),
    "exporter": ("dnscertscan.cli.exporter", "Serve metrics to Prometheus, and scan again and again."),
    "config": ("dnscertscan.cli.config", "Check a configuration, or show the one in force."),
    "report-schema": ("dnscertscan.cli.report_schema", "Print the JSON Schema of the JSON report."),
    "demo": ("dnscertscan.cli.demo", "Start a small fleet with known faults on loopback and scan it."),
}
"""Command -> (module with a ``command`` in it, one line of help). The list is the order in ``--help``."""


class Root(LazyGroup):
    """Puts ``scan`` where no command is named."""

    modules = COMMANDS

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Where the first word is an option of ``scan``, or there is no word at all, the command is ``scan``."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h", "--version")):
            args = ["scan", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(prog)s %(version)s")
def root() -> None:
    """Scan every TLS endpoint that DNS zones publish, and say exactly which certificate is bad, and why.

    \b
    Exit status: 0 clean, 1 findings at or above --fail-on, 2 usage or configuration error,
    3 incomplete (a zone failed, the run was cut short, the scanner failed on a target), 4 a bug.
    `dnscertscan scan --help` shows the options of the main job.
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
