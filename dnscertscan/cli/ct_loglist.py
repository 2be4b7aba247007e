"""``dnscertscan ct loglist show|update|verify``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnscertscan.errors import ConfigError, ExitStatus, OutputError, UsageError
from dnscertscan.model.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from dnscertscan.ct.loglist_store import Store
    from dnscertscan.ct.loglist_values import Examined
    from dnscertscan.model.ct import LogList

_FILE = click.Path(path_type=Path)
_STATES = ["pending", "qualified", "usable", "readonly", "retired", "rejected"]
_WEB = ("https://", "http://")


@click.group("loglist", short_help="The list of CT logs.")
def command() -> None:
    """Show, update or verify the list of CT logs that certificates are judged by."""


@command.command("show")
@click.option("-f", "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--list", "path", metavar="PATH", type=_FILE, help="Another list than the one in use.")
@click.option("--at", metavar="DATE", help="The list as it was on that day (default: now).")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only logs in this state (repeatable).")
@click.option("--config", metavar="FILE", type=_FILE, help="Configuration file (TOML).")
def show(style: str, path: Path | None, at: str | None, states: tuple[str, ...], config: Path | None) -> None:
    """Show the list in use: every log with operator, state and interval. json is a list that can be read again."""
    from dataclasses import replace

    from dnscertscan.ct.loglist_formats import write

    moment = _moment(at)
    found = _in_file(path, moment) if path else _in_use(config, moment)
    day = found.as_of(moment)
    listed = {log_id: log for log_id, log in day.logs.items() if log.state_at(moment) is not None}
    wanted = {log_id: log for log_id, log in listed.items() if not states or log.state_at(moment) in states}
    if style == "json":
        about = {"name": found.name, "source": found.source, "signed": found.signed}
        click.echo(write(replace(day, logs=wanted), about), nl=False)
        return
    click.echo(_table(wanted, moment))
    click.echo(f"{_headline(found, moment)}; shown: {len(wanted)} of {len(listed)} logs")


@command.command("update")
@click.option("--from", "origin", metavar="FILE|URL", help="The list (default: Google's, from www.gstatic.com).")
@click.option("--signature", metavar="FILE|URL", help="Its signature (default: beside it, .sig in place of .json).")
@click.option("--key", metavar="PEM", type=_FILE, help="Public key of the signature (default: Google's).")
@click.option("--no-signature", "waived", is_flag=True, help="It is a list of my own; mark it as not signed.")
def update(origin: str | None, signature: str | None, key: Path | None, waived: bool) -> None:
    """Fetch the list of CT logs, check it, and keep it. What is refused never replaces the last good list.

    Exit status 0: the list is in use; 1: refused; 3: it could not be had or not be written.
    """
    from dnscertscan.assembly import utc_now
    from dnscertscan.ct.loglist_guards import Seal
    from dnscertscan.ct.loglist_update import DEFAULT_URL, signature_place, take

    _one_of(signature, key, waived)
    place, at = origin or DEFAULT_URL, utc_now()
    store = _store()
    if store is None:
        raise UsageError("there is no place to keep a list: set HOME or XDG_STATE_HOME")
    beside = "" if waived else signature or signature_place(place)
    raw, octets = _get(place, beside, optional=signature is None)
    done = take(raw, place, Seal(octets, _key(key), waived=waived), at, store, _tell)
    _objections(place, done.examined)
    found = done.examined.log_list
    if found is None or done.path is None:
        last = f"{_headline(done.before, at)}, {visible(done.before.source, 300)}," if done.before else "the list in use"
        _tell(f"{visible(place, 300)}: refused; {last} stays in use")
        click.get_current_context().exit(int(ExitStatus.FINDINGS))
    elif done.before and done.before.timestamp == found.timestamp:
        click.echo(f"{_headline(found, at)}: nothing newer there; kept as {done.path}")
    else:
        click.echo(f"{_headline(found, at)}: in use; kept as {done.path}")


@command.command("verify")
@click.argument("path", metavar="FILE", type=_FILE)
@click.option("--signature", metavar="FILE", type=_FILE, help="Its signature (default: beside it, .sig in place of .json).")
@click.option("--key", metavar="PEM", type=_FILE, help="Public key of the signature (default: Google's).")
@click.option("--no-signature", "waived", is_flag=True, help="It is a list of my own.")
@click.option("--at", metavar="DATE", help="Moment to check for (default: now).")
def verify(path: Path, signature: Path | None, key: Path | None, waived: bool, at: str | None) -> None:
    """Say what is in a list of CT logs, and which guards object. Exit status 0: none; 1: at least one."""
    from dnscertscan.ct.loglist import newest_kept, read_file
    from dnscertscan.ct.loglist_formats import MAX_OCTETS
    from dnscertscan.ct.loglist_guards import Seal, examine
    from dnscertscan.ct.loglist_signature import MAX_SIGNATURE
    from dnscertscan.ct.loglist_update import signature_place

    _one_of(signature, key, waived)
    moment, store = _moment(at), _store()
    raw = read_file(path, MAX_OCTETS, "list of CT logs")
    beside = Path(signature_place(str(path)))
    octets = None
    if not waived and (signature or beside.is_file()):
        octets = read_file(signature or beside, MAX_SIGNATURE, "signature")
    seal = Seal(octets, _key(key), waived=waived)
    examined = examine(raw, str(path), seal, moment)
    if examined.log_list and store:
        kept = newest_kept(store, examined.log_list.name, moment, _tell)
        examined = examine(raw, str(path), seal, moment, kept)
    if examined.log_list:
        click.echo(_contents(examined.log_list, moment))
    for objection in examined.objections:
        click.echo(str(objection))
    click.echo(f"{visible(str(path), 300)}: {'no guard objects' if examined.clean else 'NOT to be used as it is'}")
    click.get_current_context().exit(int(ExitStatus.CLEAN if examined.clean else ExitStatus.FINDINGS))


def _one_of(signature: object, key: object, waived: bool) -> None:
    if waived and (signature or key):
        raise UsageError("--no-signature stands against --signature and --key; leave one of them out")


def _moment(at: str | None) -> "datetime":
    from dnscertscan.assembly import utc_now
    from dnscertscan.settings.values import parse_time

    return parse_time(at) if at else utc_now()


def _store() -> "Store | None":
    from dnscertscan.assembly import log_list_folder
    from dnscertscan.ct.loglist_store import Store

    folder = log_list_folder(os.environ)
    return Store(folder) if folder else None


def _in_use(config: Path | None, at: "datetime") -> "LogList":
    from dnscertscan.assembly import log_list
    from dnscertscan.cli.options import load_settings

    return log_list(load_settings({"config": config}).settings, os.environ, at, _tell)


def _in_file(path: Path, at: "datetime") -> "LogList":
    from dnscertscan.ct.loglist import examine_file
    from dnscertscan.ct.loglist_update import signature_place

    beside = Path(signature_place(str(path)))
    examined = examine_file(path, beside if beside != path and beside.is_file() else None, None, at)
    if examined.log_list is None or examined.refused:
        raise ConfigError(f"{path}: {examined.objections[0]}")
    _objections(str(path), examined)
    return examined.log_list


def _key(path: Path | None) -> bytes | None:
    from dnscertscan.ct.loglist import read_file
    from dnscertscan.ct.loglist_signature import MAX_KEY

    return read_file(path, MAX_KEY, "key") if path else None


def _get(place: str, beside: str, *, optional: bool) -> "tuple[bytes, bytes | None]":
    """List and signature from files or URLs; a signature file nobody named may be missing, and the guards say so."""
    from dnscertscan.assembly import fetch
    from dnscertscan.ct.loglist import read_file
    from dnscertscan.ct.loglist_formats import MAX_OCTETS

    answers = {one.url: one for one in fetch([url for url in (place, beside) if url.startswith(_WEB)], MAX_OCTETS)}
    got: list[bytes | None] = []
    for one, may_miss in ((place, False), (beside, optional)):
        if one in answers:
            answer = answers[one]
            if answer.body is None:
                step = "; name its signature with --signature, or say --no-signature" if may_miss else ""
                words = f"not fetched: {visible(answer.problem, 300)}{step}; the list in use stays"
                raise OutputError(f"{visible(one, 300)}: {words}")
            got.append(answer.body)
        elif not one or (may_miss and not Path(one).is_file()):
            got.append(None)
        else:
            got.append(read_file(Path(one), MAX_OCTETS, "list of CT logs" if one == place else "signature"))
    return got[0] or b"", got[1]


def _tell(line: str) -> None:
    click.echo(f"dnscertscan: {line}", err=True)


def _objections(place: str, examined: "Examined") -> None:
    """What costs the list or a log; `verify` has the notes, too."""
    from dnscertscan.ct.loglist_values import Weight

    for objection in examined.objections:
        if objection.weight is not Weight.NOTE:
            _tell(f"{visible(place, 300)}: {objection}")


def _headline(log_list: "LogList", at: "datetime") -> str:
    age = f"{(at - log_list.timestamp).days} days old" if at >= log_list.timestamp else f"as it was on {at:%Y-%m-%d}"
    if log_list.begins and at < log_list.begins:
        age = f"its history begins on {log_list.begins:%Y-%m-%d}: of {at:%Y-%m-%d} not all logs and states are known"
    seal = "signed" if log_list.signed else "not signed"
    name, version = visible(log_list.name, 60), visible(log_list.version, 60)
    return f"{name} {version} of {log_list.timestamp:%Y-%m-%d} ({age}, {seal})"


def _contents(log_list: "LogList", at: "datetime") -> str:
    from dnscertscan.ct.loglist import states

    operators = {log.operator for log in log_list.logs.values()}
    counted = ", ".join(f"{number} {name}" for name, number in states(log_list, at).items())
    return f"{_headline(log_list, at)}: {len(log_list.logs)} logs of {len(operators)} operators; {counted}"


def _table(logs: dict[bytes, Any], at: "datetime") -> str:
    from tabulate import tabulate

    rows: list[Sequence[str]] = []
    for log in sorted(logs.values(), key=lambda one: (one.operator.lower(), one.description.lower(), one.log_id)):
        state = log.state_at(at)
        since = max((when for _, when in log.states if when <= at), default=None)
        span = "/".join(f"{end:%Y-%m-%d}" for end in log.interval) if log.interval else ""
        rows.append((
            visible(log.operator, 40), visible(log.description, 60), log.kind.value, state.value if state else "",
            f"{since:%Y-%m-%d}" if since else "", span, log.log_id.hex()[:16], visible(log.monitoring_url or log.url, 120) or "-",
        ))
    headers = ["operator", "log", "kind", "state", "since", "notAfter from/before", "id", "URL"]
    return tabulate(rows, headers=headers, disable_numparse=True)
