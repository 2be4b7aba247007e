"""Every key of the configuration file, with its default. Unknown keys are errors."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dnscertscan.model.rotation import Rotation
from dnscertscan.settings.fields import (
    CanaryEntry,
    CtIssuer,
    Days,
    Listen,
    Nameserver,
    Pattern,
    Seconds,
    SecretReference,
    Server,
    ServicePort,
    StatEndpointText,
    Threshold,
)


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


class RotationFor(Section):
    """How certificates of one zone, or of issuers whose name contains a text, are renewed; in days, or `36h`, `2w`.

    They are valid for ``validity`` and replaced every ``rotation``, at most ``slack`` late; ``closed`` is the longest time in
    which nobody may be there to act.
    """

    zone: str = ""
    issuer: str = ""
    validity: Days
    rotation: Days
    slack: Days = 1.0
    closed: Days = 0.0

    @model_validator(mode="after")
    def _possible(self) -> Self:
        self.expected()
        return self

    def expected(self) -> Rotation:
        """The same as a value; :class:`ValueError` for times that leave nothing to expect."""
        times = (timedelta(days=number) for number in (self.validity, self.rotation, self.slack, self.closed))
        return Rotation(*times, zone=self.zone, issuer=self.issuer)


class Checks(Section):
    """What counts as a finding."""

    expiring_within: Threshold | None = None
    expiring_for: tuple[ExpiringFor, ...] = ()
    fail_on_unreachable: bool = False
    rotation: tuple[RotationFor, ...] = ()


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


PLACES_ON_DISK = frozenset({"certspotter"})
"""Search services whose place is a folder here."""


class CtSearch(Section):
    """A search service: ``place`` is its URL, connection string or folder, ``token`` a reference like that of a TSIG key."""

    kind: str
    place: str = ""
    token: SecretReference | None = None
    per_minute: float | None = Field(default=None, gt=0, le=6000, allow_inf_nan=False)


class Ct(Section):
    """Certificate Transparency. ``audit`` judges all SCTs that are served, offline; without it there is nothing of all this.

    ``log_list`` is a list of logs of one's own, beside the one kept by ``ct loglist update``; ``log_list_signature`` and
    ``log_list_key`` (PEM; default Google's) say who made it; without a signature it is taken as it is. ``log_private``: private
    CAs have to log, too.

    ``search`` are services to ask for what CT has of the zones, ``budget`` the time for all of them, ``cache`` the folder their
    answers are kept in; with ``names`` the scan waits for them, and looks at names that CT knows under wildcards, too.
    ``inclusion`` asks the logs for proof, each for ``log_budget`` at most. ``caa`` looks up who may issue for what was found.

    ``issuers`` are the CAs that may issue: PEM files, or ``sha256:HEX`` of a CA's key. ``known`` are certificates, keys, CSRs
    and folders of them. An issuance younger than ``grace`` is not expected to be served yet; one that was not seen served is
    told after ``idle``. ``accounts`` are ACME accounts (RFC 8657).
    """

    audit: bool = True
    log_list: Path | None = None
    log_list_signature: Path | None = None
    log_list_key: Path | None = None
    log_private: bool = False
    search: tuple[CtSearch, ...] = ()
    budget: Seconds = 120.0
    cache: Path | None = None
    names: bool = False
    inclusion: bool = False
    log_budget: Seconds = 60.0
    caa: bool = True
    issuers: tuple[CtIssuer, ...] = ()
    known: tuple[Path, ...] = ()
    grace: Seconds = 86400.0
    idle: Seconds = 604800.0
    accounts: tuple[str, ...] = ()


class Output(Section):
    """Where results go; the format of a file follows its ending; ``stat_endpoints`` get figures by UDP."""

    files: tuple[Path, ...] = ()
    format: str = "table"
    coverage: Path | None = None
    fail_on: Literal["error", "warning", "never"] = "error"
    stat_endpoints: tuple[StatEndpointText, ...] = ()


class Journal(Section):
    """What a run notes so that it can be continued. Without ``path`` it is below ``$XDG_STATE_HOME/dnscertscan``."""

    path: Path | None = None
    resume: bool = False


class Log(Section):
    """The log on standard error, or in ``file``."""

    level: Literal["debug", "info", "warning", "error"] = "warning"
    format: Literal["text", "json"] = "text"
    file: Path | None = None


class Exporter(Section):
    """How `dnscertscan exporter` is asked, and how often it scans; from start to start."""

    listen: Listen = "127.0.0.1:9793"
    interval: Seconds = 21600.0


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
    exporter: Exporter = Exporter()
