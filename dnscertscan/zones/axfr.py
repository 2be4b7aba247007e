"""Zones by zone transfer (AXFR), optionally signed with TSIG, from the first of several servers that gives the zone."""

import logging
from dataclasses import dataclass, field

import dns.exception
import dns.name
import dns.tsig

from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, ZoneFault, ZoneProblem
from dnscertscan.model.text import visible
from dnscertscan.zones.base import Fetched
from dnscertscan.zones.canonical import BadRecordError, RecordBuilder, build_zone, zone_name
from dnscertscan.zones.connect import Address, StreamClosedError, StreamTooLongError, addresses
from dnscertscan.zones.transfer import Limits, NotATransferError, Progress, Sink, TooManyRecordsError, transfer
from dnscertscan.zones.transfer_failure import explain

ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
MAX_COMPLAINTS = 1000
"""Records that cannot be used are named up to this many a transfer, then counted: a hostile server sends millions."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TsigKey:
    """A transfer key. ``secret`` is the key itself (not base64). Raises UsageError for a key that cannot be used."""

    name: str
    algorithm: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        shown = visible(self.name, 80)
        algorithm = self.algorithm.strip().rstrip(".").lower()
        if algorithm not in ALGORITHMS:
            raise UsageError(
                f"TSIG key {shown!r}: algorithm {visible(self.algorithm, 40)!r} is not supported; use {', '.join(ALGORITHMS)}"
            )
        if not self.secret:
            raise UsageError(f"TSIG key {shown!r}: the secret is empty; check the place it is read from")
        object.__setattr__(self, "algorithm", algorithm)
        self.wire_key()

    def wire_key(self) -> dns.tsig.Key:
        """The key as dnspython takes it."""
        try:
            return dns.tsig.Key(dns.name.from_text(self.name), self.secret, self.algorithm)
        except (dns.exception.DNSException, UnicodeError) as error:
            raise UsageError(f"TSIG key {visible(self.name, 80)!r}: not a key name: {error}") from None


@dataclass(frozen=True, slots=True)
class AxfrServer:
    """A name server: IP address or host name, and port. Raises UsageError for what can be neither."""

    host: str
    port: int = 53

    def __post_init__(self) -> None:
        if not self.host.strip() or "\0" in self.host:
            raise UsageError("a name server without host; write ADDRESS or ADDRESS:PORT")
        if not 0 < self.port < 65536:
            raise UsageError(f"name server {visible(self.host, 80)}: port {self.port} is outside 1..65535")

    @property
    def text(self) -> str:
        """``192.0.2.1:53``, ``[2001:db8::1]:53`` or ``ns.example.com:53``, safe to print."""
        host = visible(self.host, 260)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "AxfrServer":
        """Read ``HOST``, ``HOST:PORT``, ``[IPV6]``, ``[IPV6]:PORT`` or a bare IPv6 address; raises UsageError."""
        if text.startswith("["):
            host, bracket, rest = text[1:].partition("]")
            usable = bool(bracket) and (not rest or rest.startswith(":"))
            port = rest[1:] if rest else "53"
        else:
            host, colon, port = text.partition(":")
            usable = True
            if not colon or ":" in port:
                host, port = text, "53"
        if not usable or not (port.isascii() and port.isdecimal() and len(port) <= 5):
            raise UsageError(f"name server {visible(text, 80)!r}: write HOST, HOST:PORT or [IPV6]:PORT")
        return cls(host, int(port))


@dataclass(frozen=True, slots=True)
class AxfrSource:
    """One zone by transfer. Servers (and every address of each) are tried in order until one gives the whole zone.

    Per address: ``connect_timeout`` seconds to connect, ``transfer_timeout`` seconds for everything together, at most
    ``max_bytes`` octets and ``max_records`` records. ``view`` marks the zone when another source has the same one.
    """

    zone: str
    servers: tuple[AxfrServer, ...]
    tsig: TsigKey | None = None
    connect_timeout: float = 5.0
    transfer_timeout: float = 120.0
    max_bytes: int = 512 * 1024 * 1024
    max_records: int = 5_000_000
    view: str = ""

    @property
    def name(self) -> str:
        """``example.com@192.0.2.1:53`` with all servers."""
        return f"{self.zone}@{','.join(server.text for server in self.servers)}"

    def fetch(self) -> Fetched:
        """The zone from the first server that gives it whole; when none does, one problem with every server's reason."""
        try:
            zone = zone_name(self.zone)
            origin = dns.name.from_text(zone.text + ".")
        except (BadRecordError, dns.exception.DNSException, UnicodeError) as error:
            return self._failed(f"zone {visible(self.zone, 80)!r} cannot be transferred: not a zone name: {error}")
        failures: list[str] = []
        for server in self.servers:
            try:
                found = addresses(server.host, server.port, self.connect_timeout)
            except OSError as error:
                failures.append(f"{server.text}: the host name does not resolve ({error}); check the name or give an address")
                continue
            for address in found:
                fetched = self._transfer(zone, origin, server, address, failures)
                if fetched is not None:
                    for failure in failures:
                        _LOG.warning("zone %s: transferred from %s after a failure: %s", zone.display, server.text, failure)
                    return fetched
        if not failures:
            failures.append("no server is configured for it; name at least one")
        return self._failed(f"zone {zone.display}: transfer failed: " + "; then ".join(failures))

    def _transfer(
        self, zone: DnsName, origin: dns.name.Name, server: AxfrServer, address: Address, failures: list[str]
    ) -> Fetched | None:
        source = f"dns://{server.text}/{zone.display}"
        collector = _Collector(zone, Origin(source, None, self.view))
        limits = Limits(self.connect_timeout, self.transfer_timeout, self.max_bytes, self.max_records)
        progress = Progress()
        key = self.tsig.wire_key() if self.tsig else None
        try:
            transfer(origin, address, server.port, key, limits, Sink(collector.record, collector.complain), progress)
        except (
            OSError,
            dns.exception.DNSException,
            NotImplementedError,
            NotATransferError,
            StreamClosedError,
            StreamTooLongError,
            TooManyRecordsError,
        ) as error:
            shown = server.text if address[1] == server.host else f"{server.text} ({address[1]})"
            failures.append(f"{shown}: {explain(error, progress, limits, self.tsig.name if self.tsig else None)}")
            return None
        return collector.finish(self.view)

    def _failed(self, message: str) -> Fetched:
        return Fetched((), (ZoneProblem(ZoneFault.FAILED, DnsName.parse(self.zone).text, self.name, message),))


class _Collector:
    """Takes the records of one transfer; each RR once, with its smallest TTL (RFC 2181 section 5)."""

    def __init__(self, zone: DnsName, origin: Origin) -> None:
        self._zone = zone
        self._origin = origin
        self._builder = RecordBuilder(zone)
        self._records: list[Record] = []
        self._complaints: list[str] = []
        self._more = 0

    def record(self, name: str, kind: str, data: str, ttl: int) -> None:
        try:
            self._records.append(self._builder.build(name, kind, data, ttl, self._origin))
        except BadRecordError as error:
            self.complain(f"record {visible(name, 260)} {kind}: {error}")

    def complain(self, line: str) -> None:
        if len(self._complaints) < MAX_COMPLAINTS:
            self._complaints.append(line)
        else:
            self._more += 1

    def finish(self, view: str) -> Fetched:
        source = self._origin.source
        zone = build_zone(self._zone, self._records, source, view, once=True)
        if self._more:
            self._complaints.append(f"{self._more} more records that cannot be used (the first {MAX_COMPLAINTS} are named)")
        problems = (
            ZoneProblem(ZoneFault.BAD_RECORD, self._zone.text, source, f"zone {self._zone.display} from {source}: {line}", line)
            for line in self._complaints
        )
        return Fetched((zone,), tuple(problems))
