"""Texts from the command line become values, or one clear line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.errors import UsageError
from dnscertscan.settings.values import (
    CanaryText,
    HostPort,
    Remaining,
    parse_axfr,
    parse_issuer,
    parse_nameserver,
    parse_search,
    parse_seconds,
    parse_service_port,
    parse_tsig,
    read_secret,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", HostPort("192.0.2.1", 53)),
        ("192.0.2.1:5353", HostPort("192.0.2.1", 5353)),
        ("2001:db8::1", HostPort("2001:db8::1", 53)),
        ("[2001:db8::1]", HostPort("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", HostPort("2001:db8::1", 5353)),
        ("ns.example.com:54", HostPort("ns.example.com", 54)),
    ],
)
def test_host_port_spellings(text: str, expected: HostPort) -> None:
    """Every usual spelling of a server is understood."""
    assert expected == HostPort.parse(text, 53)


@pytest.mark.parametrize("text", ["", ":53", "[::1", "a b", "host:0", "host:70000", "host:x", "[::1]:99999"])
def test_host_port_refuses(text: str) -> None:
    """What is no server is refused with a usage error."""
    with pytest.raises(UsageError):
        HostPort.parse(text, 53)


@pytest.mark.parametrize("text", ["0", "70000", "-1", "abc", "", "tls:", "gopher:70", "443.0"])
def test_bad_ports(text: str) -> None:
    """Ports outside 1..65535 and unknown services are refused."""
    with pytest.raises(UsageError):
        parse_service_port(text)


def test_service_port() -> None:
    """A bare number is TLS; a service may stand before it."""
    assert parse_service_port("443") == ("tls", 443)
    assert parse_service_port("SMTP:25") == ("smtp", 25)


def test_nameserver_must_be_an_address() -> None:
    """A resolver given by name could not be found without a resolver."""
    with pytest.raises(UsageError, match="no IP address"):
        parse_nameserver("dns.example.com")
    assert parse_nameserver("[::1]:5353") == ("::1", 5353)


@pytest.mark.parametrize(("text", "seconds"), [("10", 10), (1.5, 1.5), ("90s", 90), ("15m", 900), ("2h", 7200), ("1d", 86400)])
def test_durations(text: str | float, seconds: float) -> None:
    """Seconds by default, units where given."""
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10%", "soon", "1e3", "nan", "inf"])
def test_bad_durations(text: str) -> None:
    """A duration is a positive number with a known unit."""
    with pytest.raises(UsageError):
        parse_seconds(text)


def test_thresholds() -> None:
    """Days, or percent of the lifetime."""
    assert Remaining.parse("30") == Remaining(days=30)
    assert Remaining.parse("36h") == Remaining(days=1.5)
    assert Remaining.parse("25%") == Remaining(percent=25)
    with pytest.raises(UsageError, match="whole lifetime"):
        Remaining.parse("101%")


def test_axfr_and_tsig() -> None:
    """ZONE@SERVER[:PORT] and NAME:ALGORITHM:REF."""
    assert parse_axfr("example.com@[::1]:5353") == ("example.com", HostPort("::1", 5353))
    assert parse_tsig("key:HMAC-SHA256:env:SECRET") == ("key", "hmac-sha256", "env:SECRET")
    for text in ("example.com", "@192.0.2.1", "example.com@"):
        with pytest.raises(UsageError):
            parse_axfr(text)


@pytest.mark.parametrize(("text", "read"), [
    ("www.example.com", CanaryText("www.example.com", "", 443)),
    ("www.example.com:8443", CanaryText("www.example.com", "", 8443)),
    ("www.example.com@192.0.2.1", CanaryText("www.example.com", "192.0.2.1", 443)),
    ("www.example.com@[2001:DB8::1]:8443", CanaryText("www.example.com", "2001:db8::1", 8443)),
    ("www.example.com@2001:db8::1", CanaryText("www.example.com", "2001:db8::1", 443)),
])
def test_canaries(text: str, read: CanaryText) -> None:
    """A name that is looked up, or a name and the address to ask; the port is 443 unless named."""
    assert CanaryText.parse(text) == read


@pytest.mark.parametrize(
    "text", ["", "@192.0.2.1", "www@host.example", "www:0", "www:99999", "a b", "https://www/", "www@[192.0.2.1"]
)
def test_what_is_no_canary(text: str) -> None:
    """Neither a URL, nor a host name after the @, nor an impossible port."""
    with pytest.raises(UsageError):
        CanaryText.parse(text)


def test_secret_on_the_command_line_is_refused_and_not_repeated() -> None:
    """A secret typed in place of a reference must not end up in a log through our own message."""
    with pytest.raises(UsageError) as caught:
        parse_tsig("key:hmac-sha256:c2VjcmV0c2VjcmV0")
    assert "c2VjcmV0" not in str(caught.value)


def test_read_secret(tmp_path) -> None:
    """From the environment or a file; missing, empty and unreadable ones are named."""
    file = tmp_path / "secret"
    file.write_text("c2VjcmV0\n")
    assert read_secret("env:S", "key", {"S": " c2VjcmV0 "}) == "c2VjcmV0"
    assert read_secret(f"file:{file}", "key", {}) == "c2VjcmV0"
    for reference in ("env:UNSET", f"file:{tmp_path}/none", f"file:{tmp_path}"):
        with pytest.raises(UsageError, match="secret of key"):
            read_secret(reference, "key", {})


def test_issuers_and_searches() -> None:
    """A digest in any usual spelling; a path stays as it is; a URL keeps its colons."""
    assert parse_issuer("sha256:" + "AB:" * 31 + "AB") == parse_issuer("SHA256:" + "ab" * 32) == "sha256:" + "ab" * 32
    assert parse_issuer("ca/root.pem") == "ca/root.pem"
    assert parse_search("crtsh") == ("crtsh", "")
    assert parse_search("SSLMate:https://a.example:8443/x") == ("sslmate", "https://a.example:8443/x")
    for text in ("", ":folder"):
        with pytest.raises(UsageError, match="names no search service"):
            parse_search(text)


@given(st.text(max_size=60))
def test_parsers_never_crash(text: str) -> None:
    """Any text is a value or a usage error."""
    for parse in (
        parse_axfr, parse_tsig, parse_issuer, parse_search, parse_seconds, Remaining.parse, parse_service_port, parse_nameserver,
        CanaryText.parse,
    ):
        try:
            parse(text)
        except UsageError as problem:
            assert str(problem).isprintable()
