"""Options that several commands share, and how they become settings: each option is one dotted key of the configuration."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from dnscertscan.errors import UsageError
from dnscertscan.settings.load import Loaded, load
from dnscertscan.settings.values import parse_axfr, parse_search, parse_tsig

Command = Callable[..., Any]
_FILE = click.Path(path_type=Path)

_SOURCES = [
    click.option("--from-zones-json", "json_files", metavar="FILE", multiple=True, type=_FILE,
                 help="Zones JSON to read (repeatable)."),
    click.option("--axfr", "axfr", metavar="ZONE@SERVER[:PORT]", multiple=True,
                 help="Zone to transfer (repeatable; the same zone again names a further server to try)."),
    click.option("--tsig", metavar="NAME:ALGORITHM:REF", help="TSIG key for the transfers; REF is env:VARIABLE or file:PATH."),
    click.option("--config", "config", metavar="FILE", type=_FILE, help="Configuration file (TOML)."),
]
_NAMES = [
    click.option("--port", "ports", metavar="[SERVICE:]N", multiple=True,
                 help="Port to scan (repeatable; default 443), e.g. smtp:25."),
    click.option("--nameserver", "nameservers", metavar="IP[:PORT]", multiple=True,
                 help="Resolver for names outside the zones (repeatable; default: the system's)."),
    click.option("--name-filter", "include", metavar="REGEX", multiple=True, help="Scan only names that match (repeatable)."),
    click.option("--name-exclude", "exclude", metavar="REGEX", multiple=True, help="Do not scan names that match (repeatable)."),
]
_SEARCH = [
    click.option("--ct-search", "ct_search", metavar="KIND[:PLACE]", multiple=True,
                 help="Ask a search service what CT has (repeatable): crtsh, crtsh-sql, sslmate, certspotter:FOLDER."),
    click.option("--ct-names", is_flag=True, help="Scan names, too, that only CT knows under a wildcard of a zone."),
]
_LOGGING = [
    click.option("-v", "--verbose", count=True, help="Log more: -v each target, -vv everything."),
    click.option("-q", "--quiet", is_flag=True, help="Log only errors, no progress."),
    click.option("--log-file", metavar="PATH", type=_FILE, help="Write the log to a file instead of standard error."),
    click.option("--log-format", type=click.Choice(["text", "json"]), help="How log lines are written."),
]

_KEYS = {
    "ports": "scan.ports", "nameservers": "resolve.nameservers", "include": "names.include", "exclude": "names.exclude",
    "ca_files": "trust.ca_files", "expiring_within": "checks.expiring_within", "engine": "scan.engine",
    "concurrency": "scan.concurrency", "per_address": "scan.per_address", "per_network": "scan.per_network", "rate": "scan.rate",
    "timeout": "scan.timeout", "deadline": "scan.deadline",
    "ct_inclusion": "ct.inclusion", "ct_names": "ct.names", "ct_known": "ct.known", "ct_log_list": "ct.log_list",
    "crl": "revocation.crl", "fetch_issuers": "revocation.fetch_issuers",
    "outputs": "output.files", "format": "output.format", "coverage": "output.coverage", "fail_on": "output.fail_on",
    "fail_on_unreachable": "checks.fail_on_unreachable", "journal": "journal.path", "resume": "journal.resume",
    "log_file": "log.file", "log_format": "log.format",
    "stat_endpoints": "output.stat_endpoints", "listen": "exporter.listen", "interval": "exporter.interval",
}
"""Option -> dotted key. An option that was not given leaves the configuration's value alone."""


def _apply(options: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    return functools.reduce(lambda decorated, option: option(decorated), reversed(options), command)


def source_options(command: Command) -> Command:
    """--from-zones-json, --axfr, --tsig, --config."""
    return _apply(_SOURCES, command)


def name_options(command: Command) -> Command:
    """--port, --nameserver, --name-filter, --name-exclude."""
    return _apply(_NAMES, command)


def search_options(command: Command) -> Command:
    """--ct-search, --ct-names."""
    return _apply(_SEARCH, command)


def log_options(command: Command) -> Command:
    """-v, -q, --log-file, --log-format."""
    return _apply(_LOGGING, command)


def load_settings(given: dict[str, Any]) -> Loaded:
    """The configuration with the command line's options laid over it."""
    absent = (None, (), False)
    values: dict[str, Any] = {
        _KEYS[name]: value for name, value in given.items() if name in _KEYS and not any(value is nothing for nothing in absent)
    }
    level = _level(int(given.get("verbose") or 0), quiet=bool(given.get("quiet")))
    if level:
        values["log.level"] = level
    if given.get("ct_log_list"):
        values |= {"ct.log_list_signature": None, "ct.log_list_key": None}  # those of the configuration are for another list
    if searches := given.get("ct_search"):
        values["ct.search"] = [dict(zip(("kind", "place"), parse_search(text), strict=True)) for text in searches]
    zones = _zones(given)
    if zones:
        values["zones"] = zones
    return load(given.get("config"), values, os.environ, _home())


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None  # a user without an entry and without HOME, as containers have them


def require_zones(loaded: Loaded) -> None:
    """A run without any zone is a mistake in the call, not a clean result."""
    if not loaded.settings.zones:
        raise UsageError(
            "no zones to work on: name --from-zones-json FILE or --axfr ZONE@SERVER, or [[zones]] in a configuration "
            "(`dnscertscan demo` shows a scan without any)"
        )


def _level(verbose: int, *, quiet: bool) -> str | None:
    if quiet:
        return "error"
    return {0: None, 1: "info"}.get(verbose, "debug")


def _zones(given: dict[str, Any]) -> list[dict[str, Any]]:
    zones: list[dict[str, Any]] = [{"kind": "json", "path": str(path)} for path in given.get("json_files") or ()]
    tsig = given.get("tsig")
    key = dict(zip(("name", "algorithm", "secret"), parse_tsig(tsig), strict=True)) if tsig else None
    transfers: dict[str, dict[str, Any]] = {}
    for text in given.get("axfr") or ():
        zone, _ = parse_axfr(text)
        entry = transfers.setdefault(zone.rstrip(".").lower(), {"kind": "axfr", "zone": zone, "servers": []})
        entry["servers"].append(text.partition("@")[2])
        if key:
            entry["tsig"] = key
    if tsig and not transfers:
        raise UsageError("--tsig is given without --axfr; name the zone to transfer, or set the key in the configuration")
    return [*zones, *transfers.values()]
