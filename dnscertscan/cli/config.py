"""``dnscertscan config check|show``."""

import json
from pathlib import Path
from typing import Any

import click

from dnscertscan.cli.options import load_settings, name_options, source_options
from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible


@click.group("config", short_help="Check a configuration, or show the one in force.")
def command() -> None:
    """Check a configuration, or show the one in force."""


@command.command("check")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@source_options
@name_options
def check(files: tuple[Path, ...], **given: Any) -> None:
    """Read and validate the configuration; every problem is one line with file, line, key and the nearest known key.

    With FILE, each of these is read instead of the one that a run would find. Opens no connection, looks no name up.
    """
    if files and given["config"]:
        raise UsageError("the configurations to check are named as FILE or with --config, not both ways; leave one of them out")
    problems: list[str] = []
    for file in files or (given["config"],):
        try:
            loaded = load_settings({**given, "config": file})
        except UsageError as problem:
            problems.append(str(problem))
        else:
            click.echo(f"{visible(str(loaded.path or 'no configuration file found: the defaults'))}: ok")
    if problems:
        raise UsageError("\n".join(problems))


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
