"""``dnscertscan ct inventory``: which certificates CT has for one's domains that nobody here knows; for people and for Nagios."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnscertscan.cli.plugin import Plugin, refuse_beside
from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from dnscertscan.ct.inventory import Plan
    from dnscertscan.settings.models import Settings

_PATH = click.Path(path_type=Path)
_MAX_DAYS = 400
_ALONE = {
    "paths", "domains", "searches", "pins", "learn", "learn_days", "accept", "interactive", "grace", "budget", "config",
}


class Inventory(Plugin):
    """Speaks as an inventory."""

    service = "CT INVENTORY"
    schema = "dnscertscan/ct-inventory/1"


@click.command("inventory", cls=Inventory, short_help="Which certificates CT has that nobody here knows.")
@click.argument("paths", metavar="PATH...", nargs=-1, type=_PATH)
@click.option("--domain", "domains", metavar="NAME", multiple=True,
              help="Name to look after, with all below it (repeatable; default: the registrable domains of the local names).")
@click.option("--search", "searches", metavar="KIND[:PLACE]", multiple=True,
              help="Where to look (repeatable): crtsh (default), crtsh-sql, sslmate, certspotter:FOLDER (offline).")
@click.option("--issuer", "pins", metavar="PEM|sha256:HEX", multiple=True,
              help="A CA that may issue (repeatable): its certificate, or the SHA-256 of its key. Any other one is critical.")
@click.option("--learn", metavar="FILE", type=_PATH, help="Add what is unknown to FILE, for a person to review.")
@click.option("--learn-days", metavar="N", type=click.IntRange(1, _MAX_DAYS), default=90, show_default=True,
              help="How long what is accepted there is to count, unless that person writes another end.")
@click.option("--accept", metavar="FILE", type=_PATH, help="The reviewed file: what is marked as accepted there counts.")
@click.option("--interactive", is_flag=True, help="Show what needs a person, ask, and remember the answers.")
@click.option("--grace", default="24h", show_default=True, metavar="TIME",
              help="Unknown ones are a warning this long, then critical.")
@click.option("--budget", default="120", show_default=True, metavar="SECONDS", help="Time limit of all searches.")
@click.option("--database", metavar="FILE", type=_PATH,
              help="Where decisions are kept (default: $XDG_STATE_HOME/dnscertscan/ct-inventory.sqlite).")
@click.option("--accept-tbs", metavar="HASH",
              help="Accept one issuance that an earlier run has shown, with --until; asks nobody.")
@click.option("--until", metavar="DATE", help="With --accept-tbs: the last day that it counts.")
@click.option("--reason", metavar="TEXT", default="", help="With --accept-tbs: why.")
@click.option("--forget-tbs", metavar="HASH|all",
              help="No longer take it for known because it was in an earlier run; asks nobody.")
@click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--config", metavar="FILE", type=_PATH, help="Configuration file (TOML).")
def command(  # noqa: PLR0917 - click names them all
    paths: tuple[Path, ...], domains: tuple[str, ...], searches: tuple[str, ...], pins: tuple[str, ...], learn: Path | None,
    learn_days: int, accept: Path | None, interactive: bool, grace: str, budget: str, database: Path | None,
    accept_tbs: str | None, until: str | None, reason: str, forget_tbs: str | None, style: str, config: Path | None,
) -> None:
    """Compare what CT has for your domains with the certificates, keys and CSRs in PATH (files, folders of an ACME client).

    An issuance is known when its certificate, or its key, is or was there. Everything else is listed, one block each, until a
    person accepts it: in the reviewed file (--learn, then --accept), with --interactive, or with --accept-tbs. A certificate of
    a CA that is not among --issuer, and a serial number that a CA has used twice, are always critical; no file and no learning
    accepts them. Of private keys only the public half is used, nothing of them is kept.

    \b
    Exit status, the first line is for Nagios:
    0 OK: all are known or accepted;
    1 WARNING: unknown ones, not older than --grace;
    2 CRITICAL: unknown ones, another CA, a serial number used twice;
    3 UNKNOWN: a source gave no whole answer, a path cannot be read, a wrong call.

    \b
    Examples:
      dnscertscan ct inventory /etc/letsencrypt --issuer isrg-root-x1.pem --issuer isrg-root-x2.pem
      dnscertscan ct inventory /var/lib/dehydrated/certs --search certspotter:/var/lib/certspotter
      dnscertscan ct inventory ~/.acme.sh --learn review.toml --accept review.toml
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
    from dnscertscan.assembly import utc_now
    from dnscertscan.cli.options import load_settings
    from dnscertscan.ct.inventory import Inventory as Run
    from dnscertscan.ct.inventory_report import as_json, as_text

    place, context = database if database is not None else _database(), click.get_current_context()
    if accept_tbs is not None or forget_tbs is not None:
        _check_alone(context, accept_tbs, forget_tbs)
        done = (
            _accept_one(accept_tbs, until, reason, place, utc_now()) if accept_tbs is not None
            else _forget(forget_tbs or "", place, utc_now())
        )
        click.echo(json.dumps({"schema": Inventory.schema, **done}, indent=2) if style == "json" else done["summary"])
        return
    for name in ("until", "reason"):
        refuse_beside(context, {name}, f"--{name} goes with --accept-tbs")
    _check(paths, interactive=interactive, style=style)
    settings = load_settings({"config": config}).settings
    plan = _plan(settings, searches, pins, {
        "paths": paths, "domains": domains, "database": place, "accept": accept, "learn": learn, "learn_days": learn_days,
        "grace": grace, "budget": budget,
    })
    inventory = Run(plan, utc_now, os.environ, _tell)
    person = None
    if interactive:
        from dnscertscan.cli.ct_inventory_asking import Asking

        person = Asking(utc_now).ask
    report = inventory.run(person)
    click.echo(as_json(report) if style == "json" else as_text(report, place), nl=False)
    context.exit(report.status.exit_status)


def _check_alone(context: click.Context, accept_tbs: str | None, forget_tbs: str | None) -> None:
    """Nothing but what is done alone."""
    if accept_tbs is not None and forget_tbs is not None:
        raise UsageError("--accept-tbs and --forget-tbs do not go together")
    if accept_tbs is not None:
        goes = "--accept-tbs goes with --until, --reason and --database only: it keeps a decision, and asks nobody"
        refuse_beside(context, _ALONE, goes)
    else:
        refuse_beside(context, {*_ALONE, "until", "reason"}, "--forget-tbs goes with --database only: it asks nobody")


def _check(paths: tuple[Path, ...], *, interactive: bool, style: str) -> None:
    if not paths:
        raise UsageError("name at least one PATH: a file or folder with your certificates, keys or CSRs")
    if interactive and style == "json":
        raise UsageError("--interactive asks on the terminal, so it does not go with -f json")
    if interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("--interactive needs a terminal; without one use --learn and --accept")


def _plan(settings: "Settings", searches: tuple[str, ...], pins: tuple[str, ...], given: dict[str, Any]) -> "Plan":
    from dnscertscan.assembly import read_pem_file
    from dnscertscan.assembly.ct import search_cache
    from dnscertscan.cli.ct_audit_online import wanted_sources
    from dnscertscan.ct.audit_issuers import read_pins
    from dnscertscan.ct.inventory import Plan
    from dnscertscan.ct.search import Wanted
    from dnscertscan.settings.values import parse_seconds

    configured = settings.ct.search
    chosen = wanted_sources(searches, configured) if searches or not configured else configured
    wanted = [Wanted(one.kind, one.place, one.token or "", one.per_minute) for one in chosen] or [Wanted("crtsh")]
    allowed = read_pins(pins or settings.ct.issuers, lambda path: read_pem_file(path, "certificate of a CA"))
    grace = parse_seconds(given["grace"])
    if grace > _MAX_DAYS * 86400:
        raise UsageError(f"--grace {visible(given['grace'], 40)} is more than {_MAX_DAYS} days")
    times = {"grace": timedelta(seconds=grace), "budget": parse_seconds(given["budget"])}
    return Plan(wanted=wanted, pins=allowed, cache=search_cache(settings.ct, os.environ), **(given | times))


def _accept_one(tbs: str, until: str | None, reason: str, place: Path, at: "datetime") -> dict[str, Any]:
    """Keep one decision; it counts from the next run on."""
    from dnscertscan.ct.inventory_judge import moment
    from dnscertscan.ct.inventory_store import InventoryStore
    from dnscertscan.ct.inventory_values import FAULTS, Decision, Kind, State, end_of

    identity = tbs.strip().lower()
    if until is None:
        raise UsageError("--accept-tbs needs an end: --until 2027-01-31")
    try:
        end = end_of(until)
    except ValueError:
        raise UsageError(f"--until {visible(until, 60)!r} is no date; write it as 2027-01-31") from None
    if not at < end < at + timedelta(days=_MAX_DAYS):
        raise UsageError(f"--until {visible(until, 60)} is not within the next {_MAX_DAYS} days")
    _check_there(place)
    with InventoryStore(place, at) as store:
        met = store.met(identity)
        if met is None:
            raise UsageError(f"no run has shown an issuance {visible(identity, 70)!r}; copy the TBS hash from its report")
        if met.state in FAULTS:
            raise UsageError(f"{identity} is {met.state}: that is never accepted; acknowledge it with --interactive")
        if met.state is State.ISSUER_UNDECIDED:
            step = "run again with the certificate of its CA in one of the paths, or with --issuer"
            raise UsageError(f"{identity} is of a CA that cannot be told, so it is not accepted: {step}")
        store.decide(Decision(identity, Kind.ACCEPT, end, visible(reason, 1000)), at)
    names = visible(", ".join(met.names[:10]), 500)
    return {
        "status": "OK", "exit_status": 0,
        "summary": f"accepted until {moment(end)}: {names} (TBS {identity}); kept in {visible(str(place), 300)}",
        "accepted": {"tbs_sha256": identity, "names": met.names, "until": end.isoformat(), "reason": visible(reason, 1000)},
    }


def _forget(tbs: str, place: Path, at: "datetime") -> dict[str, Any]:
    """What earlier runs knew of it is known no more."""
    from dnscertscan.ct.inventory_store import InventoryStore

    identity = tbs.strip().lower()
    _check_there(place)
    with InventoryStore(place, at) as store:
        number = store.forget(None if identity == "all" else identity)
    if not number and identity != "all":
        raise UsageError(f"no earlier run has known {visible(identity, 70)!r}; copy the TBS hash from its report")
    said = f"forgotten: {number} known from earlier runs; what is not in the local files any more is unknown from now on"
    return {"status": "OK", "exit_status": 0, "summary": f"{said} ({visible(str(place), 300)})", "forgotten": number}


def _check_there(place: Path) -> None:
    if not place.exists():
        said = "no run of the inventory has kept anything there; name its file with --database"
        raise UsageError(f"{visible(str(place), 300)}: {said}")


def _database() -> Path:
    from dnscertscan.assembly import log_list_folder
    from dnscertscan.ct.inventory_store import FILE

    folder = log_list_folder(os.environ)
    if folder is None:
        raise UsageError("there is no place to keep decisions: name one with --database, or set HOME or XDG_STATE_HOME")
    return folder.parent / FILE


def _tell(line: str) -> None:
    click.echo(f"dnscertscan: {line}", err=True)
