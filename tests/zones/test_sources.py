"""The registry of zone sources, and the sample zones that come with the project."""

import inspect
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.zones import SOURCES
from dnscertscan.zones.axfr import AxfrSource
from dnscertscan.zones.export import zones_json
from dnscertscan.zones.json_file import JsonFileSource

SAMPLES = sorted((Path(__file__).parents[2] / "sample-zones").glob("*.json"))
DOCUMENTATION = [ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
RESERVED = tuple(DnsName(text) for text in ("example.com", "example.net", "example.org", "example"))
"""RFC 2606."""


def test_the_registry_names_every_source() -> None:
    """JSON files and transfers, and a hint for a name that is neither."""
    assert dict(SOURCES) == {"json": JsonFileSource, "axfr": AxfrSource}
    assert all(callable(source.fetch) and "name" in dir(source) for source in SOURCES.values())
    with pytest.raises(UsageError, match="did you mean 'axfr'"):
        SOURCES["axfrr"]


def test_sources_are_free_to_make() -> None:
    """Making a source reads nothing and asks nobody; a fetch takes no argument."""
    assert JsonFileSource(Path("/missing/zones.json")).name == "/missing/zones.json"
    assert AxfrSource("example.com", ()).name == "example.com@"
    assert all(list(inspect.signature(source.fetch).parameters) == ["self"] for source in SOURCES.values())


def test_there_is_a_sample_for_each_story() -> None:
    """The stories the samples tell."""
    assert {path.stem for path in SAMPLES} == {"alias-chain", "dangling", "loop", "mixed-v4-v6", "wildcard"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_load_and_name_nobody_real(path: Path) -> None:
    """Every sample loads without complaint, is written as our export writes, and uses documentation addresses and names only."""
    fetched = JsonFileSource(path).fetch()
    assert fetched.problems == ()
    records = [record for zone in fetched.zones for record in zone.records]
    assert records
    for record in records:
        assert any(record.name.is_within(name) for name in RESERVED)
        if record.type in ("A", "AAAA"):
            assert any(ip_address(record.data) in network for network in DOCUMENTATION)
        if record.type in ("CNAME", "DNAME"):
            assert any(record.target.is_within(name) for name in RESERVED)
    assert zones_json(fetched.zones) == path.read_text()
