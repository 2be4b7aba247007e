"""Small texts people write on a command line or in a configuration, read into values: one parser for each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from ipaddress import ip_address
from pathlib import Path

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible
from dnscertscan.settings.openfile import open_file

DNS_PORT = 53
HTTPS_PORT = 443
MAX_PORT = 65535
SERVICES = ("tls", "smtp", "imap", "pop3", "ftp", "ldap", "postgres", "xmpp", "xmpp-server")
"""What may stand before the port in ``--port``: TLS from the first byte, or the STARTTLS dialogue to hold first."""
STAT_PROTOCOLS = ("influx", "statsd")

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>%|s|m|h|d|w)?")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_KEY_DIGEST = re.compile("[0-9a-f]{64}")
_SECRET_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class HostPort:
    """A server: a host name or an IP literal (without brackets), and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int) -> "HostPort":
        """``192.0.2.1``, ``192.0.2.1:5353``, ``[2001:db8::1]:53``, ``2001:db8::1`` or ``ns.example.com:53``."""
        text = text.strip()
        bracketed = re.fullmatch(r"\[([^\]]+)\](?::(.*))?", text)
        if bracketed:
            host, port = bracketed.group(1), bracketed.group(2)
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
        else:
            host, port = text, None
        if not host or any(char.isspace() or char in "[]@" for char in host):
            raise UsageError(f"{visible(text, 100)!r} names no server; write HOST, HOST:PORT or [IPV6]:PORT")
        return cls(host, default_port if port is None else parse_port(port))

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP literal."""
        try:
            ip_address(self.host)
        except ValueError:
            return False
        return True


def parse_port(text: str | int) -> int:
    """A port number from 1 to 65535."""
    try:
        port = int(str(text))
    except ValueError:
        port = 0
    if not 1 <= port <= MAX_PORT:
        raise UsageError(f"{visible(str(text), 40)!r} is no port; write a number from 1 to {MAX_PORT}")
    return port


def parse_service_port(text: str | int) -> tuple[str, int]:
    """``443`` or ``smtp:25`` as (service, port)."""
    service, separator, port = str(text).rpartition(":")
    if not separator:
        return "tls", parse_port(port)
    if service.lower() not in SERVICES:
        raise UsageError(f"unknown service {visible(service, 40)!r} in {visible(str(text), 60)!r}; known: {', '.join(SERVICES)}")
    return service.lower(), parse_port(port)


def parse_nameserver(text: str) -> tuple[str, int]:
    """``IP[:PORT]`` of a resolver as (address, port); a host name is refused, since it would itself need a resolver."""
    server = HostPort.parse(text, DNS_PORT)
    if not server.is_address:
        raise UsageError(f"nameserver {visible(text, 100)!r} is no IP address; write IP or IP:PORT ([IPV6]:PORT)")
    return server.host, server.port


@dataclass(frozen=True, slots=True)
class CanaryText:
    """A known-good server as written: its name, the address to ask there (empty: the name is looked up), and the port."""

    name: str
    address: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "CanaryText":
        """``NAME[:PORT]``, looked up as other names are, or ``NAME@ADDRESS[:PORT]``; without a port it is 443."""
        name, separator, place = text.strip().partition("@")
        server = HostPort.parse(place if separator else name, HTTPS_PORT)
        if separator and not server.is_address:
            raise UsageError(f"canary {visible(text, 100)!r}: no IP address follows the @; write NAME@IP or NAME@[IPV6]:PORT")
        name = name if separator else server.host
        if not name or any(char.isspace() or char in "[]/*:" for char in name):
            raise UsageError(f"canary {visible(text, 100)!r} names no server; write NAME, NAME:PORT or NAME@IP:PORT")
        return cls(name, str(ip_address(server.host)) if separator else "", server.port)


def parse_seconds(text: str | float) -> float:
    """A duration in seconds: ``10``, ``1.5``, ``90s``, ``15m``, ``2h``, ``1d``."""
    match = _DURATION.fullmatch(str(text).strip())
    if match is None or match["unit"] == "%" or float(match["number"]) <= 0:
        raise UsageError(f"{visible(str(text), 40)!r} is no duration; write seconds, or a number with s, m, h, d or w")
    return float(match["number"]) * _SECONDS[match["unit"] or "s"]


def parse_time(text: str) -> datetime:
    """A moment: ISO 8601, ``2026-11-21``, ``2026-11-21T12:00:00+01:00``; UTC where it has no offset."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment.year == MAXYEAR:  # there is no day after it to reckon with
            raise OverflowError
        return moment
    except (ValueError, OverflowError):  # also one that an offset carries over the ends of the calendar
        raise UsageError(f"{visible(text, 60)!r} is no time; write it as 2026-11-21 or 2026-11-21T12:00:00+00:00") from None


@dataclass(frozen=True, slots=True)
class Remaining:
    """A threshold on what is left of a certificate: days, or percent of its lifetime. Exactly one is set."""

    days: float | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str | float) -> "Remaining":
        """``30`` or ``30d`` (days), ``2w``, ``36h``, or ``25%`` of the lifetime."""
        match = _DURATION.fullmatch(str(text).strip())
        if match is None:
            raise UsageError(f"{visible(str(text), 40)!r} is no threshold; write days (30d) or a share of the lifetime (25%)")
        number, unit = float(match["number"]), match["unit"] or "d"
        if unit == "%":
            if number > 100:
                raise UsageError(f"a threshold of {visible(str(text), 40)} is more than the whole lifetime; write at most 100%")
            return cls(percent=number)
        return cls(days=number * _SECONDS[unit] / _SECONDS["d"])


def parse_axfr(text: str) -> tuple[str, HostPort]:
    """``ZONE@SERVER[:PORT]``."""
    zone, separator, server = text.partition("@")
    if not separator or not zone.strip() or not server.strip():
        raise UsageError(f"{visible(text, 100)!r} names no transfer; write ZONE@SERVER or ZONE@SERVER:PORT")
    return zone.strip(), HostPort.parse(server, DNS_PORT)


def parse_issuer(text: str) -> str:
    """``sha256:HEX``, the SHA-256 of a CA's key, in lower case without colons; anything else is the path of a PEM file."""
    scheme, separator, digits = text.strip().partition(":")
    if not separator or scheme.lower() != "sha256":
        return text
    plain = digits.replace(":", "").lower()
    if not _KEY_DIGEST.fullmatch(plain):
        raise UsageError(f"{visible(text, 100)!r} is no digest of a key; write sha256: and 64 hex digits, or a PEM file")
    return f"sha256:{plain}"


def parse_search(text: str) -> tuple[str, str]:
    """``KIND`` or ``KIND:PLACE`` of a search service as its two parts."""
    kind, _, place = text.strip().partition(":")
    if not kind:
        raise UsageError(f"{visible(text, 100)!r} names no search service; write KIND or KIND:PLACE")
    return kind.lower(), place.strip()


def parse_tsig(text: str) -> tuple[str, str, str]:
    """``NAME:ALGORITHM:REF`` as its three parts; REF is ``env:NAME`` or ``file:PATH``, never the secret itself."""
    parts = text.split(":", 2)
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise UsageError("a TSIG key is written NAME:ALGORITHM:REF, REF being env:VARIABLE or file:PATH")
    check_secret_reference(parts[2], f"TSIG key {visible(parts[0], 60)!r}")
    return parts[0], parts[1].lower(), parts[2]


def check_secret_reference(reference: str, owner: str) -> None:
    """Refuse anything but ``env:NAME`` and ``file:PATH``; the message never repeats the value, it may be the secret."""
    scheme, _, rest = reference.partition(":")
    if scheme not in ("env", "file") or not rest:
        raise UsageError(f"the secret of {owner} must be a reference: env:VARIABLE or file:PATH, never the value itself")


def read_secret(reference: str, owner: str, environment: Mapping[str, str]) -> str:
    """The text behind ``env:NAME`` or ``file:PATH``, without surrounding white space."""
    check_secret_reference(reference, owner)
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        value = environment.get(rest, "")
        if not value.strip():
            raise UsageError(f"environment variable {visible(rest, 100)} (secret of {owner}) is not set or empty")
        return value.strip()
    try:
        with open_file(Path(rest).expanduser()) as handle:
            value = handle.read(_SECRET_LIMIT + 1).decode("ascii")
    except (OSError, UnicodeDecodeError) as problem:
        cause = problem.strerror if isinstance(problem, OSError) else "not ASCII text"
        raise UsageError(f"cannot read {visible(rest, 200)} (secret of {owner}): {cause}") from problem
    if not value.strip() or len(value) > _SECRET_LIMIT:
        raise UsageError(f"{visible(rest, 200)} (secret of {owner}) is empty or longer than {_SECRET_LIMIT} characters")
    return value.strip()


@dataclass(frozen=True, slots=True)
class StatEndpoint:
    """Where measurements go by UDP, and how they are written: ``influx`` or ``statsd``."""

    protocol: str
    server: HostPort

    @classmethod
    def parse(cls, text: str) -> "StatEndpoint":
        """``HOST:PORT`` (influx line protocol), ``statsd://HOST:PORT``, ``statsd:HOST:PORT``, and the same with ``influx``.

        ``statsd:8125`` is a host of that name. The port is never left out.
        """
        text = text.strip()
        found = re.fullmatch(r"(?:([A-Za-z][\w+.-]*)(?:://|:(?=.*[^:]:)))?(.+)", text)
        protocol, place = (found.group(1) or "influx", found.group(2)) if found else ("influx", text)
        if protocol.lower() not in STAT_PROTOCOLS:
            known = ", ".join(f"{one}://" for one in STAT_PROTOCOLS)
            raise UsageError(f"{visible(text, 100)!r}: unknown protocol {visible(protocol, 40)!r}; known: {known}")
        server = HostPort.parse(place, 0)
        if not server.port:
            raise UsageError(f"{visible(text, 100)!r} has no port; write HOST:PORT, [IPV6]:PORT or statsd://HOST:PORT")
        return cls(protocol.lower(), server)


def parse_listen(text: str) -> HostPort:
    """``HOST:PORT`` or ``[IPV6]:PORT`` to be asked at; port 0 is any that is free. Neither is ever left out."""
    found = re.fullmatch(r"(\[[^\]]+\]|[^:\[\]]+):(\d{1,5})", text.strip())
    if found is None and re.fullmatch(r":\d{1,5}", port := text.strip()):
        every = f"write 0.0.0.0{port} for every IPv4 address of this machine, [::]{port} for every IPv6 address"
        raise UsageError(f"{port!r} names no address to listen on; {every}, 127.0.0.1{port} for this machine alone")
    if found is None:
        raise UsageError(f"{visible(text, 100)!r} is no place to listen; write HOST:PORT or [IPV6]:PORT, as 127.0.0.1:9793")
    host = HostPort.parse(found.group(1), 0).host
    return HostPort(host, parse_port(found.group(2)) if int(found.group(2)) else 0)
