"""``dnscertscan report-schema``."""

import click


@click.command("report-schema", short_help="Print the JSON Schema of the JSON report.")
def command() -> None:
    """Print the JSON Schema of the report that ``-o report.json`` writes."""
    from dnscertscan.report.schema import schema_text

    click.echo(schema_text(), nl=False)
