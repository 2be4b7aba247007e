"""What the zones say, which domains are searched for, and which names CT adds."""

import asyncio
from datetime import UTC, datetime, timedelta

from servers.zone_values import zone

from dnscertscan.model.ct import Issuance
from dnscertscan.model.names import DnsName
from dnscertscan.model.report import State
from dnscertscan.model.sightings import Sighting, Sightings
from dnscertscan.pipeline import published as module
from dnscertscan.pipeline.published import domains_of, names_under_wildcards, published
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan, coverage_row
from dnscertscan.resolve.plan import make_plan

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ZONE = (
    "@ SOA ns hostmaster 1 1 1 1 1\nwww A 192.0.2.1\nmx MX 10 www\n*.apps A 192.0.2.2\nreal.apps A 192.0.2.3\n"
    "sub NS ns.sub\ngone CNAME nowhere\nloaded NS ns.loaded\n*.sub A 192.0.2.9\n"
)


def names(*texts: str) -> tuple[DnsName, ...]:
    return tuple(map(DnsName, texts))


def issuance(*texts: str, days: int = 30, number: int = 1) -> Issuance:
    """One that ends in ``days``."""
    start = NOW - timedelta(days=30)
    tbs = f"{number:064x}"
    end = NOW + timedelta(days=days)
    return Issuance(tbs, None, None, "CN=X", "", "01", texts, start, end, None, "s", start, None, precert=True)


def seen(*found: Issuance, bare: tuple[Issuance, ...] = ()) -> Sightings:
    return Sightings({one.tbs_sha256: Sighting(one, ("s",)) for one in found}, bare)


def plan(*zones: object, **options: object) -> Plan:
    resolver = Resolver([("127.0.0.1", 1)])
    resolver.stop("no look-ups in this test")
    return asyncio.run(make_plan(zones, resolver, MapSettings(**options)))  # type: ignore[arg-type]  # the settings' own keywords


def test_what_zones_say() -> None:
    """Owner names with wildcards, delegations that are not loaded, aliases that lead nowhere."""
    zones = [zone("example.com", ZONE), zone("loaded.example.com", "@ A 192.0.2.5\n")]
    says = published(zones, plan(*zones))
    assert says.zones == set(names("example.com", "loaded.example.com"))
    assert {DnsName("*.apps.example.com"), DnsName("mx.example.com"), DnsName("gone.example.com")} <= says.names
    assert says.cuts == set(names("sub.example.com"))
    assert says.dangling == set(names("gone.example.com"))
    assert published(zones, None).dangling == frozenset()


def test_what_part_of_a_zone_says() -> None:
    """An export of hosts alone, in one view even, does not say what else there is; names with a DNAME are told."""
    whole, ns = zone("example.com", ZONE + "moved DNAME example.net.\n"), zone("ns.test", "@ NS ns.example.net.\n")
    hosts = zone("hosts.test", "www A 192.0.2.1\nchild NS ns.child\n")
    says = published([whole, ns, hosts], None)
    assert says.partial == set(names("hosts.test"))
    assert says.renamed == set(names("moved.example.com"))
    views = [zone("example.com", ZONE, view="in"), zone("example.com", "www A 192.0.2.1\n", view="out")]
    assert published(views, None).partial == set(names("example.com"))


def test_domains_are_registrable_ones() -> None:
    """A zone below a domain is searched for with it; of a zone that is a public suffix its hosts' domains are."""
    texts = {"sub.example.com": "www A 192.0.2.1\n", "corp.internal": "@ A 192.0.2.1\n", "2.0.192.in-addr.arpa": "1 PTR x.\n"}
    zones = [zone(name, text) for name, text in texts.items()]
    found = domains_of(zones)
    assert (found.public, found.internal) == (names("example.com"), names("corp.internal"))
    assert [name.text for name, _ in found.left_out] == ["2.0.192.in-addr.arpa"]
    suffix = zone("co.uk", "shop A 192.0.2.1\n*.bank A 192.0.2.2\nx.txt TXT no\n")
    assert domains_of([suffix]).public == names("bank.co.uk", "shop.co.uk")


def test_names_that_only_ct_knows() -> None:
    """Only names that the wildcard answers for, that are valid still and no wildcards; what the zone has or delegates is left."""
    found = seen(
        issuance("shop.apps.example.com", "a.b.apps.example.com", "*.apps.example.com"),
        issuance("real.apps.example.com", "x.real.apps.example.com", number=4),
        issuance("old.apps.example.com", days=-1, number=2),
        issuance("x.sub.example.com", "other.example.net", "bad name.apps.example.com", number=3),
        bare=(issuance("SHOP.apps.example.com", "bare.apps.example.com"),),
    )
    wanted = {"*.apps.example.com": names("a.b.apps.example.com", "bare.apps.example.com", "shop.apps.example.com")}
    assert names_under_wildcards([zone("example.com", ZONE)], found, NOW) == (wanted, 0)
    assert names_under_wildcards([zone("example.com", "www A 192.0.2.1\n")], found, NOW) == ({}, 0)


def test_too_many_names_are_counted(monkeypatch) -> None:
    """The first of them are scanned, the others counted."""
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    found = seen(issuance(*(f"n{number}.apps.example.com" for number in range(5))))
    wanted, left = names_under_wildcards([zone("example.com", ZONE)], found, NOW)
    assert (wanted, left) == ({"*.apps.example.com": names("n0.apps.example.com", "n1.apps.example.com")}, 3)


def test_the_plan_shows_where_a_name_is_from() -> None:
    """A target of its own whose row says CT; a name that the configuration has is the configuration's, filters hold."""
    made = plan(
        zone("example.com", ZONE), wildcard_names={"*.apps.example.com": ("mine",)},
        seen_names={"*.apps.example.com": names("mine.apps.example.com", "shop.apps.example.com", "real.apps.example.com")},
    )
    origins = {
        target.server_name.text: coverage_row(target, target.provenance[0], State.SCANNED, "ok").origin for target in made.targets
    }
    assert origins["shop.apps.example.com"].endswith(" (the name was seen in CT)")
    assert "CT" not in origins["mine.apps.example.com"] + origins["real.apps.example.com"]
    assert [(row.fqdn, row.reason) for row in made.unscanned if "apps" in row.fqdn] == []
