"""Certificate Transparency as the settings ask for it: what to judge by, and what to ask others."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from dnscertscan.assembly.anchors import read_pem_file
from dnscertscan.ct import loglist
from dnscertscan.ct.audit_issuers import Pins
from dnscertscan.ct.budget import Budget
from dnscertscan.ct.ca_map import ca_domains
from dnscertscan.ct.clients import Limits
from dnscertscan.ct.http import Http
from dnscertscan.ct.known import read_known
from dnscertscan.ct.loglist_guards import age_problem
from dnscertscan.ct.search import Wanted, open_sources
from dnscertscan.ct.search_asking import Means
from dnscertscan.ct.search_values import Source
from dnscertscan.errors import ConfigError, UsageError
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import LogList
from dnscertscan.model.transparency import CtPolicy, Known
from dnscertscan.pipeline.ct_inclusion import Logs
from dnscertscan.pipeline.ct_search import Services
from dnscertscan.pipeline.transparency import Caa, Transparency
from dnscertscan.pki.parse import parse
from dnscertscan.pki.truststore import read_bundle
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.settings.models import Ct, Settings
from dnscertscan.settings.values import read_secret

Tell = Callable[[str], None]
"""Takes a warning: one line, safe to show."""
_logger = logging.getLogger("dnscertscan")
_HOMELESS = "there is no place for it: set HOME or XDG_STATE_HOME"


def ct_policy(settings: Settings, environment: Mapping[str, str], at: datetime, tell: Tell) -> CtPolicy | None:
    """What served certificates and issuances are judged by; None when they are not to be.

    That the list of logs is old is a finding where it leaves a verdict open, and no matter to anybody otherwise.
    """
    asked = settings.ct
    if not asked.audit:
        return None
    pins = read_issuers(asked.issuers)
    told: list[str] = []
    logs = log_list(settings, environment, at, told.append)
    for line in told:
        say = _logger.info if line == age_problem(logs, at) else tell
        say(line)
    return CtPolicy(
        log_list=logs,
        apple=loglist.load_apple(log_list_folder(environment), at, tell),
        issuers=pins.keys, issuer_certificates=pins.certificates,
        ca_domains=ca_domains() if asked.search else {},
        grace=timedelta(seconds=asked.grace), idle=timedelta(seconds=asked.idle),
        accounts=asked.accounts, log_private=asked.log_private,
    )


def transparency(
    settings: Settings, environment: Mapping[str, str], clock: Callable[[], datetime], resolver: Callable[[], Resolver],
    tell: Tell,
) -> Transparency | None:
    """What a run asks others; None when it asks nobody. :class:`UsageError` for what cannot be asked."""
    asked = settings.ct
    if asked.names and not asked.search:
        raise UsageError("names that only CT knows (--ct-names) come from a search service: name one with --ct-search")
    if not (asked.search or asked.inclusion):
        return None
    if not asked.audit:
        raise UsageError("ct.audit is false: nothing is judged by CT; set it true, or leave out the search and --ct-inclusion")
    return Transparency(
        services=services(asked, environment, clock) if asked.search else None,
        logs=_logs(asked, environment) if asked.inclusion else None,
        caa=Caa(resolver(), asked.budget) if asked.search and asked.caa else None,
        names=asked.names,
        known=read_known(asked.known, tell) if asked.known else Known(),
    )


def services(asked: Ct, environment: Mapping[str, str], clock: Callable[[], datetime]) -> Services:
    """The search services; their secrets are read here, once, and everything about them that can be wrong is found here."""
    wanted, secrets = [], {}
    for number, one in enumerate(asked.search):
        token = ""
        if one.token:
            secrets[str(number)] = read_secret(one.token, f"the search source {one.kind}", environment)
            token = f"env:{number}"
        wanted.append(Wanted(one.kind, one.place, token, one.per_minute))
    opened = partial(_open, tuple(wanted), secrets)
    opened(Means(Http(timeout=1.0), Budget(1.0), clock, _ignore))
    return Services(opened, asked.budget, search_cache(asked, environment))


def _open(wanted: Sequence[Wanted], secrets: Mapping[str, str], means: Means) -> Sequence[Source]:
    return open_sources(wanted, means, secrets)


def _ignore(_text: str) -> None:
    """Nobody is asked yet, so that there is nothing to tell."""


def search_cache(asked: Ct, environment: Mapping[str, str]) -> Path | None:
    """The file that keeps the answers of search services; None for a user without a home."""
    home = environment.get("XDG_CACHE_HOME") or (f"{environment['HOME']}/.cache" if environment.get("HOME") else "")
    folder = asked.cache or (Path(home) / "dnscertscan" if home else None)
    return folder / "ct-search.sqlite" if folder else None


def _logs(asked: Ct, environment: Mapping[str, str]) -> Logs:
    folder = state_folder(environment)
    if folder is None:
        raise UsageError(f"--ct-inclusion keeps the tree heads of logs from run to run, but {_HOMELESS}")
    return Logs(folder, replace(Limits(), seconds=asked.log_budget))


def issuer_keys(texts: Sequence[str]) -> frozenset[str]:
    """The SHA-256 digests of the keys of CAs, in hexadecimal; ``texts`` are ``sha256:HEX`` or paths of PEM files."""
    return read_issuers(texts).keys


def read_issuers(texts: Sequence[str]) -> Pins:
    """The CAs that may issue, with the certificates of those that are named by file; :class:`ConfigError` for what is none."""
    keys: set[str] = set()
    certificates: list[Certificate] = []
    for text in texts:
        if text.startswith("sha256:"):
            keys.add(text.removeprefix("sha256:"))
            continue
        found, problems = read_bundle(read_pem_file(Path(text), "issuer"))
        if problems or not found:
            raise ConfigError("\n".join(f"{text}: {problem}" for problem in problems or ("no certificate of a CA in the file",)))
        keys.update(parse(certificate).key.digest.hex() for certificate in found)
        certificates += found
    return Pins(frozenset(keys), tuple(certificates))


def log_list(settings: Settings, environment: Mapping[str, str], at: datetime, tell: Tell) -> LogList:
    """The list of CT logs to judge by at ``at``; ``tell`` takes each warning about it."""
    return loglist.load(settings.ct, log_list_folder(environment), at, tell)


def log_list_folder(environment: Mapping[str, str]) -> Path | None:
    """Where accepted lists of CT logs are kept; None for a user without a home."""
    folder = state_folder(environment)
    return folder / "loglists" if folder else None


def state_folder(environment: Mapping[str, str]) -> Path | None:
    """What is kept from run to run: tree heads of logs, evidence against them, lists of logs."""
    home = environment.get("XDG_STATE_HOME") or (f"{environment['HOME']}/.local/state" if environment.get("HOME") else "")
    return Path(home) / "dnscertscan" if home else None
