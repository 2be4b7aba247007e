"""The composition root: the only place where settings become stages, and where the clock and the environment are read."""

import asyncio
import binascii
import logging
import os
import re
import sys
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from dnscertscan.assembly.anchors import private_stores, public_stores, read_pem_file
from dnscertscan.assembly.ct import Tell, ct_policy, log_list, log_list_folder, state_folder, transparency
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy, ExpiringOverride, Threshold, TrustMode, TrustOverride
from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.rotation import Rotation
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtPolicy
from dnscertscan.outside import Answer, Cache, Fetcher
from dnscertscan.pipeline import Parts
from dnscertscan.pipeline.canaries import Canary
from dnscertscan.pipeline.outside import Outside
from dnscertscan.pipeline.second_look import RetrySettings
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, record_text
from dnscertscan.scan import ENGINES
from dnscertscan.scan.base import ScanEngine, ScanSettings
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.models import AxfrZones, JsonZones, Settings, Tsig
from dnscertscan.settings.values import (
    DNS_PORT,
    CanaryText,
    HostPort,
    Remaining,
    parse_nameserver,
    parse_service_port,
    read_secret,
)
from dnscertscan.zones.axfr import AxfrServer, AxfrSource, TsigKey
from dnscertscan.zones.base import ZoneSource
from dnscertscan.zones.json_file import JsonFileSource

__all__ = [
    "assemble", "ct_policy", "fetch", "judge", "log_list", "log_list_folder", "private_stores", "public_stores", "read_pem_file",
    "sources", "state_folder", "transparency", "utc_now",
]
_logger = logging.getLogger("dnscertscan")


def utc_now() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


def assemble(
    loaded: Loaded, environment: Mapping[str, str] = os.environ, at: datetime | None = None, *, dry: bool = False,
    tell: Tell = _logger.warning,
) -> Parts:
    """The stages of one run as the settings ask for them; a UsageError says what cannot be used.

    ``at`` is when the run began, if that was not now: it is judged at that time. ``dry``: nothing is scanned nor judged; CT is
    asked only where it has a part in what would be scanned. ``tell`` takes warnings, one line each.
    """
    settings = loaded.settings
    began = at or utc_now()
    asks_ct = settings.ct.names or not dry
    asked = transparency(settings, environment, utc_now, lambda: resolver(settings), tell) if asks_ct else None
    ct_rules = None if dry else ct_policy(settings, environment, began, tell)
    judged_by = judge(settings, began, ct_rules)
    return Parts(
        sources=sources(settings, environment),
        resolver=resolver(settings),
        mapping=mapping(settings),
        engine=engine(settings, judged_by),
        again=None if settings.scan.rate else engine(settings, judged_by),  # two engines would be twice the rate
        retry=RetrySettings(timeout=settings.scan.timeout, retry=settings.scan.retry),
        canaries=tuple(canary(text) for text in settings.scan.canaries),
        judge=judged_by,
        clock=utc_now,
        outside=outside(settings, environment),
        ct=asked,
        log_list=ct_rules.log_list if ct_rules else None,
        rotations=rotations(settings),
        config_digest=loaded.digest,
        arguments=tuple(sys.argv[1:]),
    )


def sources(settings: Settings, environment: Mapping[str, str]) -> tuple[ZoneSource, ...]:
    """One source per ``[[zones]]`` entry, in their order."""
    return tuple(_source(entry, environment) for entry in settings.zones)


def _source(entry: JsonZones | AxfrZones, environment: Mapping[str, str]) -> ZoneSource:
    if isinstance(entry, JsonZones):
        return JsonFileSource(entry.path, view=entry.view)
    servers = [HostPort.parse(text, DNS_PORT) for text in entry.servers]
    return AxfrSource(
        entry.zone,
        tuple(AxfrServer(server.host, server.port) for server in servers),
        tsig=_tsig_key(entry.tsig, environment) if entry.tsig else None,
        connect_timeout=entry.connect_timeout,
        transfer_timeout=entry.transfer_timeout,
        max_bytes=entry.max_mebibytes * 1024 * 1024,
        view=entry.view,
    )


def _tsig_key(tsig: Tsig, environment: Mapping[str, str]) -> TsigKey:
    owner = f"TSIG key {visible(tsig.name, 60)!r}"
    try:
        secret = b64decode(read_secret(tsig.secret, owner, environment), validate=True)
    except binascii.Error:
        raise UsageError(f"the secret of {owner} is not base64 text; copy it as the name server's key file has it") from None
    return TsigKey(tsig.name, tsig.algorithm, secret)


def resolver(settings: Settings) -> Resolver:
    """The resolver for names outside the loaded zones."""
    asked = settings.resolve
    return Resolver(
        tuple(parse_nameserver(text) for text in asked.nameservers),
        in_flight=asked.in_flight, timeout=asked.timeout, retries=asked.retries,
    )


def mapping(settings: Settings) -> MapSettings:
    """Which names and ports become targets."""
    return MapSettings(
        ports=tuple(dict.fromkeys(parse_service_port(text) for text in settings.scan.ports)),
        include=tuple(re.compile(pattern) for pattern in settings.names.include),
        exclude=tuple(re.compile(pattern) for pattern in settings.names.exclude),
        wildcard_names=settings.resolve.wildcard_names,
    )


def engine(settings: Settings, judged_by: Judge) -> ScanEngine:
    """The scan engine by name. What ``judged_by`` has findings for is doubtful to engines that look closer at some targets."""
    scan = settings.scan
    limits = ScanSettings(
        timeout=scan.timeout, connect_timeout=min(scan.timeout, 5.0), concurrency=scan.concurrency,
        per_address=scan.per_address, per_network=scan.per_network, rate=scan.rate, workers=scan.workers,
    )
    return ENGINES[scan.engine](limits, utc_now, lambda observation: bool(judged_by.endpoint(observation)))


def canary(text: str) -> Canary:
    """A known-good server from its text in the configuration."""
    read = CanaryText.parse(text)
    return Canary(DnsName.parse(read.name), read.port, read.address)


def judge(settings: Settings, at: datetime, ct: CtPolicy | None = None) -> Judge:
    """The rules with the operator's policy and the trust anchors in force; without ``ct`` nothing is judged by CT."""
    checks, trust = settings.checks, settings.trust
    private = private_stores(trust.ca_files)
    mode = TrustMode(trust.mode) if trust.mode else TrustMode.PRIVATE if private else TrustMode.PUBLIC
    modes = {mode, *(TrustMode(item.mode) for item in trust.zones)}
    if not private and modes != {TrustMode.PUBLIC}:
        raise UsageError("a trust mode other than public needs trust anchors: set ca_files in [trust], or --ca-file")
    policy = CheckPolicy(
        expiring=_threshold(checks.expiring_within) if checks.expiring_within else None,
        expiring_overrides=tuple(
            ExpiringOverride(_threshold(item.expiring_within), zone=item.zone, issuer=item.issuer) for item in checks.expiring_for
        ),
        trust=mode,
        trust_overrides=tuple(TrustOverride(item.zone, TrustMode(item.mode)) for item in trust.zones),
        fail_on_unreachable=checks.fail_on_unreachable,
        rotations=rotations(settings),
    )
    public = public_stores(system=trust.system) if modes != {TrustMode.PRIVATE} else ()
    return Judge(policy, public, private, at, record_text=record_text, ct=ct)


def rotations(settings: Settings) -> tuple[Rotation, ...]:
    """How certificates are rotated here, as far as that was told."""
    return tuple(item.expected() for item in settings.checks.rotation)


def outside(settings: Settings, environment: Mapping[str, str]) -> Outside | None:
    """What may be fetched over HTTP; None when nothing is to be."""
    asked = settings.revocation
    if not (asked.crl or asked.fetch_issuers):
        return None
    fetcher = Fetcher(
        timeout=asked.timeout, max_bytes=asked.max_mebibytes * 1024 * 1024, budget=asked.budget,
        cache=_cache(asked.cache, environment), clock=utc_now, allow_private=asked.allow_private,
    )
    return Outside(fetcher, crl=asked.crl, fetch_issuers=asked.fetch_issuers)


def _cache(folder: Path | None, environment: Mapping[str, str]) -> Cache | None:
    """The cache; one that was not asked for by name is done without where it cannot be."""
    home = environment.get("XDG_CACHE_HOME") or (f"{environment['HOME']}/.cache" if environment.get("HOME") else "")
    place = folder or (Path(home) / "dnscertscan" if home else None)
    try:
        return Cache(place, utc_now()) if place else None
    except OSError as problem:
        if folder is None:
            return None
        raise UsageError(f"{folder}: cannot be used as the cache of [revocation]: {problem.strerror}") from problem


def fetch(urls: Sequence[str], max_bytes: int, timeout: float = 30.0) -> list[Answer]:
    """What each of some URLs gives that the operator himself named, or this program: any address, twice ``timeout`` for all."""
    fetcher = Fetcher(
        timeout=timeout, max_bytes=max_bytes, budget=2 * timeout, cache=None, clock=utc_now, allow_private=True, section="",
    )

    async def work() -> list[Answer]:
        return list(await asyncio.gather(*map(fetcher.get, urls)))

    return asyncio.run(work())


def _threshold(text: str) -> Threshold:
    remaining = Remaining.parse(text)
    return Threshold(days=remaining.days, percent=remaining.percent)
