"""``dnscertscan rules``."""

import click


@click.command("rules", short_help="List every rule.")
@click.option("-f", "--format", "style", type=click.Choice(["text", "md", "json"]), default="text", show_default=True)
def command(style: str) -> None:
    """List every rule: code, severity, name and title; md and json hold the whole explanation."""
    from dnscertscan.checks import RULES
    from dnscertscan.checks.explain import rules_json, rules_markdown

    if style == "md":
        click.echo(rules_markdown(), nl=False)
    elif style == "json":
        click.echo(rules_json(), nl=False)
    else:
        for rule in RULES.values():
            click.echo(f"{rule.code}  {rule.severity!s:8}{rule.slug:24}{rule.title}")
