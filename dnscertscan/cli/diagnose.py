"""``dnscertscan diagnose CHAIN.pem``: like ``openssl verify``, but it says why."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dnscertscan.errors import ExitStatus, UsageError
from dnscertscan.model.text import json_without_commands, visible

if TYPE_CHECKING:
    from datetime import datetime

    from dnscertscan.diagnosis import Diagnosis

_FILE = click.Path(path_type=Path)


@click.command("diagnose", short_help="Why a chain in a file is not valid.")
@click.argument("chain", metavar="CHAIN.pem", type=_FILE)
@click.option("--name", default="", metavar="NAME", help="Host name or IP address asked for; without it no name is checked.")
@click.option("--ca-file", "ca_files", metavar="PEM", multiple=True, type=_FILE,
              help="Trust anchors (repeatable); default: the public stores.")
@click.option("--at", metavar="TIME", help="Moment to check for, e.g. 2026-11-21 (default: now).")
@click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(chain: Path, name: str, ca_files: tuple[Path, ...], at: str | None, style: str) -> None:
    """Say everything that is wrong with a certificate chain, and which certificate is at fault.

    CHAIN.pem holds the certificates in the order a server sends them, its own first. Exit status 0: valid; 1: not valid.
    """
    from dnscertscan.assembly import private_stores, public_stores, read_pem_file, utc_now
    from dnscertscan.diagnosis import diagnose_for_stores
    from dnscertscan.pki.bundle import read_chain
    from dnscertscan.settings.values import parse_time

    moment = parse_time(at) if at else utc_now()
    certificates, problems = read_chain(read_pem_file(chain, "chain"))
    for problem in problems:
        click.echo(f"dnscertscan: {chain}: {visible(problem)}", err=True)
    if not certificates:
        raise UsageError(f"{chain}: nothing to diagnose")
    stores = private_stores(ca_files) or public_stores()
    found = diagnose_for_stores(certificates, name, stores, moment, public=not ca_files)
    click.echo(_as_json(found) if style == "json" else _as_text(found, chain, name, moment))
    click.get_current_context().exit(int(ExitStatus.CLEAN if found.valid else ExitStatus.FINDINGS))


def _as_json(found: "Diagnosis") -> str:
    return json_without_commands(json.dumps({"schema": "dnscertscan/diagnosis/1", **asdict(found)}, indent=2))


def _as_text(found: "Diagnosis", chain: Path, name: str, at: "datetime") -> str:
    verdict = "valid" if found.valid else "NOT valid"
    asked = f" for {visible(name, 260)}" if name else " (no name checked)"
    lines = [f"{visible(str(chain), 300)}: {verdict}{asked} at {at.isoformat()}"]
    if len(set(found.valid_for.values())) > 1:
        lines += [f"  {store}: {'valid' if valid else 'NOT valid'}" for store, valid in found.valid_for.items()]
    lines += [f"  {problem.severity:8}{problem.code}  {visible(problem.message)}" for problem in found.problems]
    return "\n".join(lines)
