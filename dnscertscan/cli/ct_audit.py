"""``dnscertscan ct audit``: what Certificate Transparency says of one host or one file, for people and for Nagios."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dnscertscan.cli.place_options import place_of, place_options
from dnscertscan.cli.plugin import Plugin
from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible

if TYPE_CHECKING:
    from datetime import datetime

    from dnscertscan.cli.ct_audit_online import Online
    from dnscertscan.cli.place import Place
    from dnscertscan.ct.audit_make import Auditor
    from dnscertscan.ct.audit_report import Report
    from dnscertscan.model.ct import LogList
    from dnscertscan.settings.models import Settings

_FILE = click.Path(path_type=Path)
_MAX_STDIN = 64 << 20


@click.command("audit", cls=Plugin, short_help="Audit the certificates of one host or one file.")
@click.argument("host", metavar="[HOST[:PORT]]", required=False)
@click.option("--chain", metavar="FILE", type=_FILE, help="Audit the certificates of a PEM or DER file instead; - is stdin.")
@click.option("--at", metavar="DATE", help="With --chain: judge as of that time, by the logs as they were (default: now).")
@click.option("-f", "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as -f json.")
@place_options
@click.option("--issuer", "pins", metavar="PEM|sha256:HEX", multiple=True,
              help="A CA that may issue (repeatable): a file, or the SHA-256 of its key. Any other one is critical.")
@click.option("--issuer-file", "issuer_files", metavar="PEM", multiple=True, type=_FILE,
              help="Certificates of issuers that are not sent or not in the file (repeatable).")
@click.option("--ca-file", "ca_files", metavar="PEM", multiple=True, type=_FILE, help="Private CAs, which need no SCTs.")
@click.option("--log-list", metavar="FILE", type=_FILE, help="A list of CT logs beside the one in use.")
@click.option("--search", "searches", metavar="KIND[:PLACE]", multiple=True,
              help="Ask a search service, too (repeatable): crtsh, crtsh-sql, sslmate or certspotter:FOLDER.")
@click.option("--inclusion", is_flag=True, help="Ask the logs for proof that they have it.")
@click.option("--timeout", default="50", show_default=True, metavar="SECONDS", help="Time limit of everything.")
@click.option("--config", metavar="FILE", type=_FILE, help="Configuration file (TOML).")
def command(
    *, host: str | None, chain: Path | None, at: str | None, style: str, as_json: bool, starttls: str | None, sni: str,
    addresses: tuple[str, ...], only4: bool, only6: bool, pins: tuple[str, ...], issuer_files: tuple[Path, ...],
    ca_files: tuple[Path, ...], log_list: Path | None, searches: tuple[str, ...], inclusion: bool, timeout: str,
    config: Path | None,
) -> None:
    """Audit the SCTs of the certificates that one host serves, or that are in one file.

    A host is asked at each of its addresses for every certificate it has (RSA and ECDSA), with stapled and TLS SCTs. A file
    is judged offline. The first line is for Nagios.

    \b
    Exit status: 0 OK: logged by at least one valid SCT, and none is invalid;
    1 WARNING: a browser's policy is not met, a log is not in the list, a search service gave no answer;
    2 CRITICAL: not logged, an SCT is invalid, an unexpected CA, found nowhere;
    3 UNKNOWN: no answer of the host, the issuer is missing, nothing could be decided; also a wrong call.

    \b
    Examples:
      dnscertscan ct audit www.example.com
      dnscertscan ct audit mail.example.com:587 --starttls smtp --issuer sha256:...
      dnscertscan ct audit --chain fullchain.pem --at 2026-06-01 -f json
    """  # noqa: D301 - \b is the backspace that tells click to leave the paragraph as it is
    place = _place(host, chain, starttls=starttls, sni=sni, addresses=addresses, only4=only4, only6=only6)
    if place and at is not None:
        raise UsageError("--at goes with --chain: a host shows what it serves now")
    if chain is not None and (searches or inclusion):
        raise UsageError("--chain is judged offline; --search and --inclusion go with HOST")
    from dnscertscan.assembly import utc_now
    from dnscertscan.cli.options import load_settings
    from dnscertscan.ct.audit_output import as_json as json_of
    from dnscertscan.ct.audit_output import as_text
    from dnscertscan.settings.values import parse_seconds, parse_time

    seconds, moment = parse_seconds(timeout), parse_time(at) if at is not None else utc_now()
    settings = _settings(load_settings({"config": config}).settings, log_list, ca_files, pins)
    auditor = _auditor(settings, issuer_files, moment, as_of=at is not None)
    if chain is not None:
        report = _of_file(chain, auditor)
    elif place is not None:
        from dnscertscan.cli.ct_audit_look import audit_host

        report = audit_host(place, auditor, _online(settings, searches, inclusion=inclusion), seconds)
    click.echo(json_of(report) if as_json or style == "json" else as_text(report).rstrip("\n"))
    click.get_current_context().exit(report.status.exit_status)


def _place(host: str | None, chain: Path | None, **how: Any) -> "Place | None":
    if (host is None) is (chain is None):
        raise UsageError("name either HOST[:PORT] or --chain FILE")
    if host is None:
        if any(how.values()):
            raise UsageError("--starttls, --sni, --address, -4 and -6 go with HOST; a file is not asked")
        return None
    return place_of(host, **how)


def _settings(
    settings: "Settings", log_list: Path | None, ca_files: tuple[Path, ...], pins: tuple[str, ...]
) -> "Settings":
    """The configuration with what was said on the command line in its place."""
    ct, trust = settings.ct, settings.trust
    if log_list:
        ct = ct.model_copy(update={"log_list": log_list, "log_list_signature": None, "log_list_key": None})
    if pins:
        ct = ct.model_copy(update={"issuers": pins})
    if ca_files:
        trust = trust.model_copy(update={"ca_files": ca_files})
    return settings.model_copy(update={"ct": ct, "trust": trust})


def _auditor(settings: "Settings", issuer_files: tuple[Path, ...], at: "datetime", *, as_of: bool) -> "Auditor":
    from dnscertscan.assembly import private_stores, public_stores, read_pem_file
    from dnscertscan.ct.audit_issuers import Issuers, read_certificates, read_pins
    from dnscertscan.ct.audit_make import Auditor

    def read(path: Path) -> bytes:
        return read_pem_file(path, "certificate of an issuer")

    pins = read_pins(settings.ct.issuers, read)
    known = [one for path in issuer_files for one in read_certificates(path, read)]
    found = _log_list(settings, at, as_of=as_of)
    stores = public_stores(system=settings.trust.system), private_stores(settings.trust.ca_files)
    issuers = Issuers((*known, *pins.certificates), *stores)
    return Auditor(found, at, issuers, pins, settings.ct.log_private)


def _log_list(settings: "Settings", at: "datetime", *, as_of: bool) -> "LogList":
    """The list in use; with ``as_of`` as it was at ``at``, though its files are of later days."""
    from dnscertscan.assembly import log_list, utc_now
    from dnscertscan.ct.loglist_guards import age_problem

    if not as_of:
        return log_list(settings, os.environ, at, _tell)
    lines: list[str] = []
    now = max(at, utc_now())
    newest = log_list(settings, os.environ, now, lines.append)
    found = newest.as_of(at)
    for line in (*(line for line in lines if line != age_problem(newest, now)), age_problem(found, at)):
        if line:
            _tell(line)
    return found


def _of_file(path: Path, auditor: "Auditor") -> "Report":
    from dnscertscan.assembly import read_pem_file
    from dnscertscan.ct.audit_file import read
    from dnscertscan.ct.audit_report import Point, Presented, Report, Status

    name = visible("standard input" if str(path) == "-" else str(path), 300)
    data = sys.stdin.buffer.read(_MAX_STDIN + 1) if str(path) == "-" else read_pem_file(path, "chain")
    if len(data) > _MAX_STDIN:
        raise UsageError(f"{name}: larger than {_MAX_STDIN} octets; this is no chain")
    found = read(data, path)
    for problem in found.problems:
        _tell(f"{name}: {visible(problem, 500)}")
    if not found.chains:
        raise UsageError(f"{name}: nothing to audit: {visible(found.problems[-1], 500)}")
    points = [Point(Status.UNKNOWN, line) for line in found.undecided]
    if found.moved:
        points.append(Point(Status.OK, "the certificate to audit is not the first one of the file: sorted"))
    audited = auditor.audit_all(map(Presented, found.chains))
    return Report(name, auditor.at, auditor.log_list, audited, tuple(points))


def _online(settings: "Settings", searches: tuple[str, ...], *, inclusion: bool) -> "Online":
    """Who is to be asked on top; :class:`UsageError` for what cannot be asked, before anything else happens."""
    from dnscertscan.assembly import state_folder, utc_now
    from dnscertscan.assembly.ct import services
    from dnscertscan.cli.ct_audit_online import Online, wanted_sources

    asked = settings.ct.model_copy(update={"search": wanted_sources(searches, settings.ct.search)})
    return Online(services(asked, os.environ, utc_now) if searches else None, inclusion, state_folder(os.environ))


def _tell(line: str) -> None:
    click.echo(f"dnscertscan: {line}", err=True)
