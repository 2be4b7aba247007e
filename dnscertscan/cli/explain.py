"""``dnscertscan explain CODE``."""

import click


@click.command("explain", short_help="What a finding means.")
@click.argument("code", metavar="CODE")
def command(code: str) -> None:
    """Say what a finding means, why it matters and how to fix it. CODE is DCS101, 101 or cert-expired."""
    from dnscertscan.checks import rule_for
    from dnscertscan.checks.explain import explain

    click.echo(explain(rule_for(code)))
