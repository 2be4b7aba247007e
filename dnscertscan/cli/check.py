"""``dnscertscan check``: one host as a plug-in for Nagios, Icinga and their kind."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from dnscertscan.cli.place_options import place_of, place_options
from dnscertscan.cli.plugin import Plugin
from dnscertscan.errors import UsageError

if TYPE_CHECKING:
    from datetime import datetime

    from dnscertscan.cli.check_seen import Rules
    from dnscertscan.cli.place import Place
    from dnscertscan.pipeline import Stop
    from dnscertscan.settings.models import Settings

_FILE = click.Path(path_type=Path)
_STATES = ["ok", "warning", "critical", "unknown"]
_UNKNOWN = 3
_MOST_SECONDS = 3600.0
_RESERVE = 0.1
"""The share of the time limit that is kept back for judging and telling."""


class Cert(Plugin):
    """Speaks of certificates."""

    service = "CERT"


@click.command("check", cls=Cert, short_help="Check one host: a plug-in for Nagios and Icinga.")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("-w", "--warning", metavar="RANGE", help="Warn when the days left are out of this range: 30: is fewer than 30.")
@click.option("-c", "--critical", metavar="RANGE", help="The same, critical; 10%: is less than a tenth of the lifetime.")
@place_options
@click.option("--ca-file", "ca_files", metavar="PEM", multiple=True, type=_FILE,
              help="Trust anchors instead of the public stores (repeatable).")
@click.option("--issuer", "pins", metavar="PEM|sha256:HEX", multiple=True,
              help="A CA that may issue (repeatable): a file, or the SHA-256 of its key. Any other one is critical.")
@click.option("--unreachable", metavar="STATE", type=click.Choice(_STATES), default="critical", show_default=True,
              help=f"State when nobody can connect: {', '.join(_STATES)}.")
@click.option("-t", "--timeout", default="30", show_default=True, metavar="SECONDS", help="Hard time limit of everything.")
@click.option("--config", metavar="FILE", type=_FILE, help="Configuration file (TOML).")
def command(
    *, host: str, warning: str | None, critical: str | None, starttls: str | None, sni: str, addresses: tuple[str, ...],
    only4: bool, only6: bool, ca_files: tuple[Path, ...], pins: tuple[str, ...], unreachable: str, timeout: str,
    config: Path | None,
) -> None:
    """Look at every address of HOST, judge every certificate by the rules of a scan, and say it as a plug-in does.

    Errors are CRITICAL, warnings WARNING; `dnscertscan rules` lists them. The first line ends with performance data; all
    problems and all certificates follow it. Without --warning a certificate that ends soon is a WARNING by the threshold in
    force (a quarter of the lifetime, at most 30 days), and an expired one is always CRITICAL.

    An IPv6 address with a port needs brackets, [2001:db8::1]:443; without them all of it is the address.

    \b
    RANGE is [@][START:][END], in days left or per cent of the lifetime; what lies outside (with @: inside) is an alarm:
      30:      fewer than 30 days left
      25%:     less than a quarter of the lifetime left
      5:40     fewer than 5 or more than 40 days left

    \b
    Exit status: 0 OK; 1 WARNING: a warning, or only some of the addresses can be connected to;
    2 CRITICAL: an error, no TLS where something listens, or nobody can connect (but see --unreachable);
    3 UNKNOWN: nothing could be decided (the resolver gives no answer, time is up); also a wrong call.

    \b
    Examples:
      dnscertscan check www.example.com --warning 25%: --critical 7:
      dnscertscan check mail.example.com:25 --starttls smtp
      dnscertscan check 192.0.2.10:8443 --sni intranet.example.com --ca-file internal-root.pem
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
    from dnscertscan.settings.values import parse_seconds

    seconds = parse_seconds(timeout)
    if seconds > _MOST_SECONDS:
        raise UsageError(f"--timeout of {seconds:g} s: {_MOST_SECONDS:g} s is the most")
    with _hard_limit(seconds):
        place = place_of(host, starttls=starttls, sni=sni, addresses=addresses, only4=only4, only6=only6)
        settings = _settings(config, ca_files, pins)
        text, status = _check(place, settings, warning, critical, unreachable, seconds)
    click.echo(text)
    click.get_current_context().exit(status)


def _settings(config: Path | None, ca_files: tuple[Path, ...], pins: tuple[str, ...]) -> "Settings":
    """The configuration with what was said on the command line in its place."""
    from dnscertscan.cli.options import load_settings

    settings = load_settings({"config": config, "ca_files": ca_files}).settings
    return settings.model_copy(update={"ct": settings.ct.model_copy(update={"issuers": pins})}) if pins else settings


def _check(
    place: "Place", settings: "Settings", warning: str | None, critical: str | None, unreachable: str, seconds: float
) -> tuple[str, int]:
    """What to print, and the exit status."""
    from time import monotonic

    from dnscertscan.assembly import utc_now
    from dnscertscan.cli.check_limits import Limit, refuse_crossed
    from dnscertscan.cli.check_plugin import Asked, render
    from dnscertscan.cli.check_seen import judge_look
    from dnscertscan.cli.look import Look
    from dnscertscan.cli.session import drive

    begun, at = monotonic(), utc_now()
    warn = Limit.parse(warning, "--warning") if warning is not None else None
    crit = Limit.parse(critical, "--critical") if critical is not None else None
    refuse_crossed(warn, crit)
    rules = _rules(settings, unreachable, at, own_range=warn is not None)
    look = Look(place, max(seconds * (1 - _RESERVE) - (monotonic() - begun), seconds / 2))

    async def work(stop: "Stop") -> str | None:
        await stop.unless(look.go())
        return stop.reason

    seen = judge_look(look, rules, drive(work, look.seconds))
    return render(Asked(place.text, at, warn, crit, monotonic() - begun, seconds), seen)


def _rules(settings: "Settings", unreachable: str, at: "datetime", *, own_range: bool) -> "Rules":
    from dnscertscan.assembly import ct_policy, judge, private_stores, public_stores, read_pem_file
    from dnscertscan.cli.check_seen import Rules
    from dnscertscan.ct.audit_issuers import Issuers, read_pins
    from dnscertscan.ct.audit_report import Status

    judged_by = judge(settings, at, ct_policy(settings, os.environ, at, _tell))
    pins = read_pins(settings.ct.issuers, lambda path: read_pem_file(path, "certificate of an issuer"))
    issuers = None
    if pins.keys:
        stores = public_stores(system=settings.trust.system), private_stores(settings.trust.ca_files)
        issuers = Issuers(pins.certificates, *stores)
    return Rules(judged_by, at, Status(unreachable.upper()), pins, issuers, own_range)


@contextmanager
def _hard_limit(seconds: float) -> Iterator[None]:
    """Whatever hangs inside, in ``seconds`` there are a line and a status; worker processes end when this one is gone."""
    why = f"not done within {seconds:g} s (--timeout): this machine is too busy, or it is a bug"
    line = f"{Cert.service} UNKNOWN - {why}\n".encode()

    def over(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the arguments the interpreter gives
        os.write(1, line)
        os._exit(_UNKNOWN)

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _tell(line: str) -> None:
    click.echo(f"dnscertscan: {line}", err=True)
