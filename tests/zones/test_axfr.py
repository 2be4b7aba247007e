"""Zone transfers from real name servers: BIND, NSD and Knot."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from servers import bind, knot, nsd
from servers.dns_process import Key, free_port, soa

from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Record, ZoneFault
from dnscertscan.zones.axfr import ALGORITHMS, AxfrServer, AxfrSource, TsigKey
from dnscertscan.zones.export import zones_json
from dnscertscan.zones.json_file import JsonFileSource

KEYS = {algorithm: Key(f"key-{algorithm[-3:]}.example", algorithm) for algorithm in ALGORITHMS}
RICH = (
    soa("open.example", serial=4294967295)
    + """www 60 IN A 192.0.2.1
www 60 IN A 192.0.2.10
www 60 IN AAAA 2001:DB8:0:0::1
WWW2 IN CNAME WWW
out IN CNAME host.Example.NET.
apex IN CNAME @
* IN A 192.0.2.9
*.deep IN CNAME www
_443._tcp.www IN TLSA 3 1 1 abababababababababababababababababababababababababababababababab
old IN DNAME new
xn--bcher-kva IN A 192.0.2.11
@ IN MX 10 mail
@ IN TXT "a; b" "quote \\" and \\\\ and \\200"
mail IN A 192.0.2.12
@ IN CAA 0 issue "ca.example"
_sip._tcp IN SRV 0 5 5061 www
odd\\032name IN A 192.0.2.13
do\\.t IN A 192.0.2.14
new IN TYPE65280 \\# 4 0A000001
ptr IN PTR www
"""
)
LONG = soa("long.example") + "".join(f"host-{number} 300 IN A 192.0.2.{number % 256}\n" for number in range(5000))


@dataclass(frozen=True)
class Running:
    """One real server at work."""

    module: ModuleType
    port: int

    def source(self, zone: str, key: TsigKey | None = None, host: str = "127.0.0.1") -> AxfrSource:
        """A source for ``zone`` at this server."""
        return AxfrSource(zone, (AxfrServer(host, self.port),), key, transfer_timeout=20.0)


@pytest.fixture(scope="module", params=[bind, nsd, knot], ids=["bind", "nsd", "knot"])
def server(request: pytest.FixtureRequest) -> Iterator[Running]:
    zones = {"open.example": RICH, "long.example": LONG, "closed.example": soa("closed.example")}
    transfer: dict[str, Key | None] = {"closed.example": None}
    for algorithm, key in KEYS.items():
        zones[f"{algorithm}.example"] = soa(f"{algorithm}.example") + "www IN A 192.0.2.1\n"
        transfer[f"{algorithm}.example"] = key
    with request.param.serve(zones, transfer) as port:
        yield Running(request.param, port)


def tsig(algorithm: str, *, name: str | None = None, secret: bytes | None = None) -> TsigKey:
    key = KEYS[algorithm]
    return TsigKey(name or key.name, algorithm, secret or key.secret)


def content(records: tuple[Record, ...]) -> list[tuple[str, str, str, int | None]]:
    return [(record.name.text, record.type, record.data, record.ttl) for record in records]


def refusal(source: AxfrSource) -> str:
    """The one line of a source that must fail."""
    fetched = source.fetch()
    assert fetched.zones == ()
    (problem,) = fetched.problems
    assert problem.fault is ZoneFault.FAILED
    assert "\n" not in problem.message
    assert source.servers[0].text in problem.message
    assert f"zone {source.zone}" in problem.message
    return problem.message


def test_a_whole_zone_arrives_in_canonical_spelling(server: Running) -> None:
    """Every record of every type, targets absolute, addresses canonical, TTLs and the serial kept."""
    fetched = server.source("Open.Example.").fetch()
    assert fetched.problems == ()
    (zone,) = fetched.zones
    assert (zone.name, zone.serial, zone.source) == (
        DnsName("open.example"),
        4294967295,
        f"dns://127.0.0.1:{server.port}/open.example",
    )
    found = content(zone.records)
    assert ("www.open.example", "AAAA", "2001:db8::1", 60) in found
    assert [data for name, kind, data, _ in found if (name, kind) == ("www.open.example", "A")] == ["192.0.2.1", "192.0.2.10"]
    aliases = {name: data for name, kind, data, _ in found if kind in ("CNAME", "DNAME")}
    assert aliases == {
        "www2.open.example": "www.open.example.",
        "out.open.example": "host.example.net.",
        "apex.open.example": "open.example.",
        "*.deep.open.example": "www.open.example.",
        "old.open.example": "new.open.example.",
    }
    assert ("*.open.example", "A", "192.0.2.9", 300) in found
    assert ("new.open.example", "TYPE65280", "\\# 4 0a000001", 300) in found
    assert ("odd\\032name.open.example", "A", "192.0.2.13", 300) in found
    assert ("open.example", "TXT", '"a; b" "quote \\" and \\\\ and \\200"', 300) in found
    assert len(found) == 23


def test_transfer_export_and_load_give_the_same_records(server: Running, tmp_path: Path) -> None:
    """A scan from the exported file sees exactly what a scan by transfer sees, in the same order."""
    transferred = server.source("open.example").fetch().zones
    path = tmp_path / "zones.json"
    path.write_text(zones_json(transferred))
    loaded = JsonFileSource(path).fetch()
    assert loaded.problems == ()
    assert content(loaded.zones[0].records) == content(transferred[0].records)
    assert (loaded.zones[0].name, loaded.zones[0].serial) == (transferred[0].name, transferred[0].serial)
    assert zones_json(loaded.zones) == path.read_text()


def test_three_servers_give_one_export() -> None:
    """The same zone from BIND, NSD and Knot is exported to the same octets."""
    exports = set()
    for module in (bind, nsd, knot):
        with module.serve({"open.example": RICH}) as port:
            exports.add(zones_json(AxfrSource("open.example", (AxfrServer("127.0.0.1", port),)).fetch().zones))
    assert len(exports) == 1


def test_a_zone_of_many_messages_is_whole(server: Running) -> None:
    """A transfer over several messages keeps every record."""
    (zone,) = server.source("long.example").fetch().zones
    assert sum(record.name.text.startswith("host-") for record in zone.records) == 5000


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tsig(server: Running, algorithm: str) -> None:
    """Each algorithm opens the zone that asks for it; without a key, with a wrong secret or another name it stays closed."""
    zone = f"{algorithm}.example"
    (fetched,) = server.source(zone, tsig(algorithm)).fetch().zones
    assert fetched.serial == 1
    assert "without a TSIG key" in refusal(server.source(zone))
    assert "BADSIG: the secret of TSIG key" in refusal(server.source(zone, tsig(algorithm, secret=b"wrong")))
    unknown = tsig(algorithm, name="other.example")
    assert 'BADKEY: the server does not take TSIG key "other.example"' in refusal(server.source(zone, unknown))


def test_a_signed_transfer_of_many_messages_is_whole() -> None:
    """Signatures that span messages are checked to the end."""
    key = KEYS["hmac-sha512"]
    for module in (bind, nsd, knot):
        with module.serve({"long.example": LONG}, {"long.example": key}) as port:
            source = AxfrSource("long.example", (AxfrServer("::1", port),), tsig("hmac-sha512"))
            assert [len(zone.records) for zone in source.fetch().zones] == [5003]


def test_a_key_of_another_algorithm_is_refused(server: Running) -> None:
    """The right name and secret with another algorithm do not open the zone."""
    other = TsigKey(KEYS["hmac-sha256"].name, "hmac-sha384", KEYS["hmac-sha256"].secret)
    assert f'TSIG key "{other.name}"' in refusal(server.source("hmac-sha256.example", other))


def test_a_closed_zone_names_the_rule_to_change(server: Running) -> None:
    """A zone that nobody may transfer says where that is allowed."""
    assert "allow-transfer" in refusal(server.source("closed.example"))


def test_a_zone_the_server_does_not_have(server: Running) -> None:
    """A missing zone is told apart from an empty one."""
    message = refusal(server.source("missing.example"))
    assert "NOTAUTH: the server does not serve this zone" in message


def test_ipv6_and_host_names(server: Running) -> None:
    """An IPv6 address and a host name work like an IPv4 address."""
    assert [zone.serial for zone in server.source("open.example", host="::1").fetch().zones] == [4294967295]
    (zone,) = server.source("open.example", host="localhost").fetch().zones
    assert zone.source == f"dns://localhost:{server.port}/open.example"


def test_the_next_server_is_asked_when_one_fails(server: Running) -> None:
    """A dead server, one that does not resolve and one that refuses do not hide the zone that the fourth gives."""
    dead = AxfrServer("127.0.0.1", free_port())
    unknown = AxfrServer("name-server.invalid")
    good = AxfrServer("::1", server.port)
    with bind.serve({"open.example": RICH}, {"open.example": None}) as port:
        fetched = AxfrSource("open.example", (dead, unknown, AxfrServer("127.0.0.1", port), good)).fetch()
    assert fetched.problems == ()
    assert [zone.source for zone in fetched.zones] == [f"dns://[::1]:{server.port}/open.example"]


def test_when_all_servers_fail_every_reason_is_in_the_line(server: Running) -> None:
    """One line names each server with its own reason."""
    dead = AxfrServer("127.0.0.1", free_port())
    fetched = AxfrSource("closed.example", (dead, AxfrServer("name-server.invalid"), AxfrServer("::1", server.port))).fetch()
    assert fetched.zones == ()
    (problem,) = fetched.problems
    assert f"{dead.text}: connection refused" in problem.message
    assert "name-server.invalid:53: the host name does not resolve" in problem.message
    assert f"[::1]:{server.port}: " in problem.message
    assert "\n" not in problem.message


@pytest.mark.parametrize("zone", ["", "@", "a..b", "x" * 70, "x." * 200, "a" * 1_000_000, "bad\\999escape", "ü" * 80])
def test_what_is_no_zone_name_is_one_clear_problem(zone: str) -> None:
    """A name that cannot be asked for fails before any server is asked."""
    (problem,) = AxfrSource(zone, (AxfrServer("127.0.0.1", 1),)).fetch().problems
    assert problem.fault is ZoneFault.FAILED
    assert "not a zone name" in problem.message
    assert len(problem.message) < 400


def test_no_server_is_a_problem_too() -> None:
    """A source without servers never looks like an empty zone."""
    fetched = AxfrSource("example.com", ()).fetch()
    assert fetched.zones == ()
    assert "no server is configured" in fetched.problems[0].message


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha224", "gss-tsig", "sha256", ""])
def test_weak_and_unknown_algorithms_are_refused(algorithm: str) -> None:
    """Only SHA-256, SHA-384 and SHA-512 are taken; the line names the key and what is possible."""
    with pytest.raises(
        UsageError, match=r"TSIG key 'xfr': algorithm .* is not supported; use hmac-sha256, hmac-sha384, hmac-sha512"
    ):
        TsigKey("xfr", algorithm, b"secret")


def test_a_key_never_shows_its_secret() -> None:
    """The secret is in no repr; spelling of the algorithm does not matter; a key without secret or name is refused."""
    key = TsigKey("xfr", "HMAC-SHA256.", b"very secret")
    assert key.algorithm == "hmac-sha256"
    assert "very secret" not in repr(key)
    assert "very secret" not in repr(AxfrSource("example.com", (), key))
    with pytest.raises(UsageError, match="the secret is empty"):
        TsigKey("xfr", "hmac-sha256", b"")
    with pytest.raises(UsageError, match="not a key name"):
        TsigKey("a..b", "hmac-sha256", b"secret")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", 53),
        ("192.0.2.1:5353", "192.0.2.1", 5353),
        ("ns.example.com:54", "ns.example.com", 54),
        ("2001:db8::1", "2001:db8::1", 53),
        ("[2001:db8::1]", "2001:db8::1", 53),
        ("[2001:db8::1]:5353", "2001:db8::1", 5353),
    ],
)
def test_server_texts(text: str, host: str, port: int) -> None:
    """Every usual spelling of a server is read, and its text reads back to the same."""
    server = AxfrServer.parse(text)
    assert (server.host, server.port) == (host, port)
    assert AxfrServer.parse(server.text) == server


@pytest.mark.parametrize("text", ["", ":53", "[::1", "[::1]53", "host:", "host:dns", "host:0", "host:70000", "host:٣", "[]:53"])
def test_server_texts_that_are_refused(text: str) -> None:
    """What is no server is a usage error."""
    with pytest.raises(UsageError, match="name server"):
        AxfrServer.parse(text)
