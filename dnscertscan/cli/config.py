"""``dnscertscan config check|show``."""

import json
from typing import Any

import click

from dnscertscan.cli.options import load_settings, name_options, source_options


@click.group("config", short_help="Check a configuration, or show the one in force.")
def command() -> None:
    """Check a configuration, or show the one in force."""


@command.command("check")
@source_options
@name_options
def check(**given: Any) -> None:
    """Read and validate the configuration; every problem is one line with file, line, key and the nearest known key."""
    loaded = load_settings(given)
    click.echo(f"{loaded.path or 'no configuration file found: the defaults'}: ok")


@command.command("show")
@source_options
@name_options
def show(**given: Any) -> None:
    """Show every setting in force and where its value comes from. Secrets are references and stay so."""
    loaded = load_settings(given)
    for key, value in _flatten("", loaded.settings.model_dump(mode="json")):
        origin = next((loaded.origins[part] for part in _prefixes(key) if part in loaded.origins), "default")
        click.echo(f"{key} = {json.dumps(value)}  # {origin}")


def _flatten(prefix: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [pair for key, below in value.items() for pair in _flatten(f"{prefix}.{key}" if prefix else key, below)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for index, below in enumerate(value) for pair in _flatten(f"{prefix}.{index}", below)]
    return [(prefix, value)]


def _prefixes(key: str) -> list[str]:
    parts = key.split(".")
    return [".".join(parts[:size]) for size in range(len(parts), 0, -1)]
