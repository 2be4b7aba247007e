"""Types of single keys of the configuration: texts that are checked, and brought into one form, when they are read."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible
from dnscertscan.settings.values import (
    DNS_PORT,
    CanaryText,
    HostPort,
    Remaining,
    StatEndpoint,
    check_secret_reference,
    parse_issuer,
    parse_listen,
    parse_nameserver,
    parse_seconds,
    parse_service_port,
)

T = TypeVar("T")
_Text = str | int | float
_MOST_DAYS = 36500


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


def _days(text: _Text) -> float:
    days = Remaining.parse(text).days
    if days is None or days > _MOST_DAYS:
        raise UsageError(f"{visible(str(text), 40)!r} is no number of days; write 30, 30d, 36h or 2w")
    return days


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


def _issuer_text(text: _Text) -> str:
    return parse_issuer(str(text))


def _port_text(text: _Text) -> str:
    service, port = parse_service_port(text if isinstance(text, int) else str(text))
    return str(port) if service == "tls" else f"{service}:{port}"


def _listen_text(text: _Text) -> str:
    parse_listen(str(text))
    return str(text)


def _stat_endpoint_text(text: _Text) -> str:
    StatEndpoint.parse(str(text))
    return str(text)


Seconds = Annotated[float, BeforeValidator(_as_value_error(parse_seconds))]
Days = Annotated[float, BeforeValidator(_as_value_error(_days))]
Threshold = Annotated[str, BeforeValidator(_as_value_error(_threshold_text))]
Pattern = Annotated[str, AfterValidator(_regular_expression)]
SecretReference = Annotated[str, BeforeValidator(_as_value_error(_secret_text))]
Server = Annotated[str, BeforeValidator(_as_value_error(_server_text))]
Nameserver = Annotated[str, BeforeValidator(_as_value_error(_nameserver_text))]
CanaryEntry = Annotated[str, BeforeValidator(_as_value_error(_canary_text))]
ServicePort = Annotated[str, BeforeValidator(_as_value_error(_port_text))]
CtIssuer = Annotated[str, BeforeValidator(_as_value_error(_issuer_text))]
Listen = Annotated[str, BeforeValidator(_as_value_error(_listen_text))]
StatEndpointText = Annotated[str, BeforeValidator(_as_value_error(_stat_endpoint_text))]
