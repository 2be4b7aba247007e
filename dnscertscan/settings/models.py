"""Every key of the configuration file, with its default. Unknown keys are errors."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from dnscertscan.errors import UsageError
from dnscertscan.settings.values import (
    DNS_PORT,
    CanaryText,
    HostPort,
    Remaining,
    check_secret_reference,
    parse_nameserver,
    parse_seconds,
    parse_service_port,
)

T = TypeVar("T")
_Text = str | int | float


def _as_value_error(parse: Callable[[_Text], T]) -> Callable[[object], T]:
    """Our parsers raise UsageError; pydantic collects ValueError with the place it happened."""

    def validate(value: object) -> T:
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise ValueError("must be a text or a number")
        try:
            return parse(value)
        except UsageError as problem:
            raise ValueError(str(problem)) from problem

    return validate


def _regular_expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as problem:
        raise ValueError(f"{text!r} is no regular expression: {problem}") from problem
    return text


def _threshold_text(text: _Text) -> str:
    Remaining.parse(text)
    return str(text)


def _secret_text(text: _Text) -> str:
    check_secret_reference(str(text), "the key")
    return str(text)


def _server_text(text: _Text) -> str:
    HostPort.parse(str(text), DNS_PORT)
    return str(text)


def _nameserver_text(text: _Text) -> str:
    parse_nameserver(str(text))
    return str(text)


def _canary_text(text: _Text) -> str:
    CanaryText.parse(str(text))
    return str(text)


def _port_text(text: _Text) -> str:
    service, port = parse_service_port(text if isinstance(text, int) else str(text))
    return str(port) if service == "tls" else f"{service}:{port}"


Seconds = Annotated[float, BeforeValidator(_as_value_error(parse_seconds))]
Threshold = Annotated[str, BeforeValidator(_as_value_error(_threshold_text))]
Pattern = Annotated[str, AfterValidator(_regular_expression)]
SecretReference = Annotated[str, BeforeValidator(_as_value_error(_secret_text))]
Server = Annotated[str, BeforeValidator(_as_value_error(_server_text))]
Nameserver = Annotated[str, BeforeValidator(_as_value_error(_nameserver_text))]
CanaryEntry = Annotated[str, BeforeValidator(_as_value_error(_canary_text))]
ServicePort = Annotated[str, BeforeValidator(_as_value_error(_port_text))]


class Section(BaseModel):
    """Base of all tables: frozen, and no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tsig(Section):
    """A TSIG key (RFC 8945): ``secret`` is a reference to the base64 text, ``env:NAME`` or ``file:PATH``."""

    name: str
    algorithm: str = "hmac-sha256"
    secret: SecretReference


class JsonZones(Section):
    """Zones from a zones JSON file."""

    kind: Literal["json"]
    path: Path
    view: str = ""


class AxfrZones(Section):
    """One zone by AXFR from the first of ``servers`` that gives it."""

    kind: Literal["axfr"]
    zone: str
    servers: tuple[Server, ...] = Field(min_length=1)
    tsig: Tsig | None = None
    connect_timeout: Seconds = 5.0
    transfer_timeout: Seconds = 120.0
    max_mebibytes: int = Field(default=512, ge=1)
    view: str = ""


ZoneEntry = Annotated[JsonZones | AxfrZones, Field(discriminator="kind")]


class Resolve(Section):
    """How names outside the loaded zones are looked up, and what stands for a wildcard."""

    nameservers: tuple[Nameserver, ...] = ()
    in_flight: int = Field(default=50, ge=1, le=1000)
    timeout: Seconds = 3.0
    retries: int = Field(default=2, ge=0, le=10)
    wildcard_names: dict[str, tuple[str, ...]] = {}


class Names(Section):
    """Which names are scanned: ``re.search`` on the full name; an excluded name stays in the coverage file."""

    include: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()


class Scan(Section):
    """Ports, engine and limits. Times in seconds (or ``30s``, ``5m``)."""

    ports: tuple[ServicePort, ...] = Field(default=("443",), min_length=1)
    engine: str = "sslyze"
    concurrency: int = Field(default=100, ge=1, le=10000)
    per_address: int = Field(default=4, ge=1)
    per_network: int = Field(default=64, ge=1)
    rate: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    retry: bool = True
    canaries: tuple[CanaryEntry, ...] = ()
    timeout: Seconds = 10.0
    deadline: Seconds | None = None
    workers: int = Field(default=0, ge=0, le=256)


class ExpiringFor(Section):
    """Another threshold for one zone or for issuers whose name contains a text."""

    zone: str = ""
    issuer: str = ""
    expiring_within: Threshold


class Checks(Section):
    """What counts as a finding."""

    expiring_within: Threshold | None = None
    expiring_for: tuple[ExpiringFor, ...] = ()
    fail_on_unreachable: bool = False


TrustMode = Literal["public", "private", "either"]


class TrustFor(Section):
    """Which anchors one zone (and all below it) is held to."""

    zone: str
    mode: TrustMode


class Trust(Section):
    """Trust anchors. A private bundle alone replaces the public stores; ``system`` adds this machine's store to them."""

    ca_files: tuple[Path, ...] = ()
    system: bool = False
    mode: TrustMode | None = None
    zones: tuple[TrustFor, ...] = ()


class Revocation(Section):
    """What may be fetched over HTTP from where certificates point; nothing by default.

    ``cache`` is a folder; without one it is ``$XDG_CACHE_HOME/dnscertscan``. ``timeout`` is per request, ``budget`` for all.
    """

    crl: bool = False
    fetch_issuers: bool = False
    allow_private: bool = False
    cache: Path | None = None
    timeout: Seconds = 30.0
    max_mebibytes: int = Field(default=64, ge=1, le=1024)
    budget: Seconds = 300.0


class Ct(Section):
    """Certificate Transparency. ``log_list`` is a list of logs of one's own, beside the one kept by ``ct loglist update``.

    ``log_list_signature`` and ``log_list_key`` (PEM; default Google's) say who made it; without a signature it is taken as it is.
    """

    log_list: Path | None = None
    log_list_signature: Path | None = None
    log_list_key: Path | None = None


class Output(Section):
    """Where results go; the format of a file follows its ending."""

    files: tuple[Path, ...] = ()
    format: str = "table"
    coverage: Path | None = None
    fail_on: Literal["error", "warning", "never"] = "error"


class Journal(Section):
    """What a run notes so that it can be continued. Without ``path`` it is below ``$XDG_STATE_HOME/dnscertscan``."""

    path: Path | None = None
    resume: bool = False


class Log(Section):
    """The log on standard error, or in ``file``."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["text", "json"] = "text"
    file: Path | None = None


class Settings(Section):
    """The whole configuration."""

    zones: tuple[ZoneEntry, ...] = ()
    resolve: Resolve = Resolve()
    names: Names = Names()
    scan: Scan = Scan()
    checks: Checks = Checks()
    trust: Trust = Trust()
    revocation: Revocation = Revocation()
    ct: Ct = Ct()
    output: Output = Output()
    journal: Journal = Journal()
    log: Log = Log()
