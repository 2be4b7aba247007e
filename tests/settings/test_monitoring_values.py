"""Where measurements go, and where the exporter listens: every usual spelling, and one clear line for the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.errors import ConfigError, UsageError
from dnscertscan.settings.load import load
from dnscertscan.settings.values import HostPort, StatEndpoint, parse_listen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stats.example.com:8089", ("influx", "stats.example.com", 8089)),
        ("influx://192.0.2.1:8089", ("influx", "192.0.2.1", 8089)),
        ("influx:192.0.2.1:8089", ("influx", "192.0.2.1", 8089)),
        ("statsd://192.0.2.1:8125", ("statsd", "192.0.2.1", 8125)),
        ("STATSD:stats:8125", ("statsd", "stats", 8125)),
        ("statsd:[2001:db8::1]:8125", ("statsd", "2001:db8::1", 8125)),
        ("[2001:db8::1]:8125", ("influx", "2001:db8::1", 8125)),
        ("statsd:8125", ("influx", "statsd", 8125)),  # a host of that name, as containers are called
        ("statsd://statsd:8125", ("statsd", "statsd", 8125)),
    ],
)
def test_stat_endpoints(text: str, expected: tuple[str, str, int]) -> None:
    """The scheme, or a prefix before HOST:PORT, chooses the protocol; without one it is influx."""
    made = StatEndpoint.parse(text)
    assert (made.protocol, made.server.host, made.server.port) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stats.example.com", "has no port"), ("2001:db8::1", "HOST:PORT"), ("udp://x:1", "unknown protocol 'udp'"),
        ("graphite:x:1", "unknown protocol"), ("statsd://", "is no port"), ("statsd://x:0", "is no port"),
        ("statsd://x", "has no port"), ("", "names no server"), (":8125", "names no server"), ("x:99999", "is no port"),
    ],
)
def test_stat_endpoints_that_are_none(text: str, words: str) -> None:
    """Each says what is wrong with it."""
    with pytest.raises(UsageError, match=words):
        StatEndpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:9793", HostPort("127.0.0.1", 9793)), ("[::]:9793", HostPort("::", 9793)),
        ("localhost:0", HostPort("localhost", 0)), ("0.0.0.0:80", HostPort("0.0.0.0", 80)),
    ],
)
def test_listen(text: str, expected: HostPort) -> None:
    """Host and port, always both; port 0 is any."""
    assert parse_listen(text) == expected


@pytest.mark.parametrize("text", ["", "9793", ":9793", "127.0.0.1", "::1", "::1:9793", "x:65536", "x:-1", "a b:1", "http://x:1"])
def test_listen_refuses(text: str) -> None:
    """What leaves a part out is refused: a guess would serve to the wrong network."""
    with pytest.raises(UsageError):
        parse_listen(text)


def test_a_port_alone_is_no_place_to_listen() -> None:
    """As Prometheus takes it: the line says what to write for all addresses of each kind, and for none but this machine."""
    with pytest.raises(UsageError, match=r"^':9793' names no address .* 0\.0\.0\.0:9793 .* \[::\]:9793 .* 127\.0\.0\.1:9793 "):
        parse_listen(" :9793")


@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_usage_error(text: str) -> None:
    """Nothing else comes out, whatever is written."""
    for parse in (StatEndpoint.parse, parse_listen):
        try:
            parse(text)
        except UsageError as problem:
            assert "\n" not in str(problem)


def test_they_stand_in_the_configuration(tmp_path) -> None:
    """A key for each; a bad value names file and line."""
    config = tmp_path / "c.toml"
    config.write_text('[output]\nstat_endpoints = ["statsd://x:1", "y:2"]\n[exporter]\nlisten = "[::1]:1"\ninterval = "2h"\n')
    settings = load(config, {}, {}, None).settings
    assert settings.output.stat_endpoints == ("statsd://x:1", "y:2")
    assert (settings.exporter.listen, settings.exporter.interval) == ("[::1]:1", 7200)
    config.write_text('[exporter]\nlisten = "here"\n')
    with pytest.raises(ConfigError, match=r"c\.toml:2: exporter\.listen: .*no place to listen"):
        load(config, {}, {}, None)
