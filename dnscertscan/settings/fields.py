"""Types of single keys of the configuration: texts that are checked, and brought into one form, when they are read."""

import re
from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator

from dnscertscan.errors import UsageError
from dnscertscan.settings.values import (
    DNS_PORT,
    CanaryText,
    HostPort,
    Remaining,
    check_secret_reference,
    parse_issuer,
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


def _issuer_text(text: _Text) -> str:
    return parse_issuer(str(text))


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
CtIssuer = Annotated[str, BeforeValidator(_as_value_error(_issuer_text))]
