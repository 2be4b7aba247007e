"""What the loaded zones answer: wildcards, cuts, DNAME, views."""

import pytest
from servers.zone_values import zone

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Zone
from dnscertscan.resolve.zone_index import Held, ZoneIndex

# RFC 4592 section 2.2.1, the zone of the example; the types that are no host records are kept, they make names exist.
RFC_4592 = """
@ 3600 SOA ns.example.com. admin.example.com. 1 2 3 4 5
@ NS ns.example.com.
@ NS ns.example.net.
* TXT "this is a wildcard"
* MX 10 host1.example.
sub.* TXT "this is not a wildcard"
host1 A 192.0.2.1
_ssh._tcp.host1 SRV 0 0 22 host1
_ssh._tcp.host2 SRV 0 0 22 host1
subdel NS ns.example.com.
subdel NS ns.example.net.
"""
WITH_ADDRESS = RFC_4592 + "* A 192.0.2.99\n"  # a host record at the wildcard, so that synthesis can be seen here


def ask(index: ZoneIndex, name: str) -> str:
    """One word for an answer: addresses, ``-> target``, ``NODATA``, ``NXDOMAIN`` or ``ask``."""
    held = index.lookup(DnsName.parse(name))
    if held is None:
        return "ask"
    words = [record.data for record in held.addresses] + [f"-> {alias.target}" for alias in held.aliases]
    return " ".join(words) if words else "NODATA" if held.exists else "NXDOMAIN"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("host3.example", "192.0.2.99"),  # "will be synthesized": host3.example MX, A
        ("foo.bar.example", "192.0.2.99"),  # "because bar.example does not exist"
        ("host1.example", "192.0.2.1"),  # "because host1.example exists"
        ("sub.*.example", "NODATA"),  # "because sub.*.example exists"
        ("_telnet._tcp.host1.example", "NXDOMAIN"),  # "because _tcp.host1.example exists (without data)"
        ("host.subdel.example", "ask"),  # "because subdel.example exists and is a zone cut"
        ("subdel.example", "ask"),
        ("ghost.*.example", "NXDOMAIN"),  # "because *.example exists"
        ("_tcp.host2.example", "NODATA"),  # empty non-terminals exist
        ("host2.example", "NODATA"),
        ("*.example", "192.0.2.99"),  # asked literally, a name like others
        ("example", "NODATA"),
    ],
)
def test_rfc_4592_example(name, expected):
    """Every response that RFC 4592 section 2.2.1 lists, seen through an A record at the wildcard."""
    assert ask(ZoneIndex([zone("example", WITH_ADDRESS)]), name) == expected


def test_wildcard_without_addresses_is_no_data():
    """RFC 4592 2.2.1: a type the wildcard does not have is "no error, no data"."""
    assert ask(ZoneIndex([zone("example", RFC_4592)]), "host3.example") == "NODATA"


def test_cname_wildcard_is_followed():
    """A CNAME at the wildcard renames every name it covers."""
    index = ZoneIndex([zone("example.com", "* CNAME front\nfront A 192.0.2.7\n*.deep A 192.0.2.8")])
    assert ask(index, "any.example.com") == "-> front.example.com"
    assert ask(index, "a.b.example.com") == "-> front.example.com"
    assert ask(index, "x.deep.example.com") == "192.0.2.8"
    assert ask(index, "deep.example.com") == "NODATA"


def test_delegated_names_are_asked_unless_loaded():
    """Names at and below a zone cut are not denied; glue that is loaded answers; nothing below is synthesised."""
    text = "@ NS ns\nns A 192.0.2.53\nsub NS ns.sub\nns.sub A 192.0.2.1\n*.sub A 192.0.2.2\n* A 192.0.2.3\nd.sub DNAME x.example."
    index = ZoneIndex([zone("example.com", text)])
    assert ask(index, "sub.example.com") == "ask"
    assert ask(index, "www.sub.example.com") == "ask"
    assert ask(index, "a.d.sub.example.com") == "ask"
    assert ask(index, "ns.sub.example.com") == "192.0.2.1"
    assert ask(index, "ns.example.com") == "192.0.2.53"


def test_most_specific_zone_wins():
    """A loaded child zone answers for its names, also against the parent's records."""
    parent = zone("example.com", "sub NS ns.sub\nns.sub A 192.0.2.1\n* A 192.0.2.3")
    index = ZoneIndex([parent, zone("sub.example.com", "@ A 192.0.2.5\nwww A 192.0.2.6")])
    assert ask(index, "sub.example.com") == "192.0.2.5"
    assert ask(index, "www.sub.example.com") == "192.0.2.6"
    assert ask(index, "ns.sub.example.com") == "NXDOMAIN"
    assert ask(index, "x.example.com") == "192.0.2.3"
    assert ask(index, "www.example.org") == "ask"
    assert index.zone_of(DnsName("a.b.sub.example.com")) == DnsName("sub.example.com")


def test_dname_renames_names_below_it_only():
    """RFC 6672 2.3: the owner keeps its own records, everything below is renamed, what stands below is hidden."""
    text = "old DNAME new.example.net.\nold A 192.0.2.1\nhidden.old A 192.0.2.2\n"
    index = ZoneIndex([zone("example.com", text + "@ DNAME apex.example.net.")])
    assert ask(index, "old.example.com") == "-> old.apex.example.net"  # the DNAME at the apex is met first
    index = ZoneIndex([zone("example.com", text)])
    assert ask(index, "old.example.com") == "192.0.2.1"
    assert ask(index, "a.b.old.example.com") == "-> a.b.new.example.net"
    assert ask(index, "hidden.old.example.com") == "-> hidden.new.example.net"


def test_views_are_united_never_overwritten():
    """Answers of two views stand together, each with its own record; data in one view wins over silence in the other."""
    inside = zone("example.com", "www A 10.0.0.1\nintra A 10.0.0.2", view="inside")
    outside = zone("example.com", "www A 192.0.2.1\nshop CNAME shops.example.net.", view="outside")
    index = ZoneIndex([inside, outside])
    held = index.lookup(DnsName("www.example.com"))
    assert held is not None
    assert {(record.data, record.origin.view) for record in held.addresses} == {("10.0.0.1", "inside"), ("192.0.2.1", "outside")}
    assert ask(index, "intra.example.com") == "10.0.0.2"
    assert ask(index, "shop.example.com") == "-> shops.example.net"
    assert ask(index, "gone.example.com") == "NXDOMAIN"


def test_wildcard_of_one_view_stands_beside_the_name_of_another():
    """Each view answers as if alone: a name of the outside does not hide the wildcard of the inside."""
    index = ZoneIndex([zone("example.com", "* A 10.0.0.9", view="in"), zone("example.com", "www A 192.0.2.1", view="out")])
    assert ask(index, "www.example.com") == "10.0.0.9 192.0.2.1"
    assert ask(index, "other.example.com") == "10.0.0.9"
    tree = index.trees[0]
    assert tree.covers(DnsName("*.example.com"), DnsName("www.example.com"))


def test_covers_follows_the_closest_encloser():
    """A wildcard covers deep names, but none at or below a name that exists."""
    tree = ZoneIndex([zone("example.com", "* A 192.0.2.1\nwww A 192.0.2.2\na.ent A 192.0.2.3")]).trees[0]
    wildcard = DnsName("*.example.com")
    names = ("x", "x.y", "www", "x.www", "ent", "b.ent", "*")
    assert [name for name in names if tree.covers(wildcard, DnsName(f"{name}.example.com"))] == ["x", "x.y"]
    assert not tree.covers(wildcard, DnsName("example.org"))


def test_records_that_cannot_be_served_answer_nothing():
    """Owners outside the zone or impossible as names are passed over, whatever their length, without cost."""
    origin = Origin("hostile")
    names = ["www.example.org", "x" * 64 + ".example.com", "a..b.example.com", "a." * 300_000 + "example.com"]
    records = tuple(Record(DnsName(name), "A", "192.0.2.1", None, origin) for name in names)
    index = ZoneIndex([Zone(DnsName("example.com"), None, records, "hostile")])
    assert index.lookup(DnsName("www.example.org")) is None
    assert index.lookup(DnsName("b.example.com")) == Held(exists=False, whole=False)


def test_root_zone_is_a_zone():
    """A loaded root zone answers for everything that is not delegated."""
    cut = Record(DnsName("com"), "NS", "a.gtld.", 1, Origin("t"))
    wildcard = Record(DnsName("*"), "A", "192.0.2.1", 1, Origin("t"))
    index = ZoneIndex([Zone(DnsName(""), 1, (cut, wildcard), "t")])
    assert (ask(index, "example.com."), ask(index, "local.")) == ("ask", "192.0.2.1")
