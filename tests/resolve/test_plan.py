"""From zones to a plan: targets, the rows of what is not scanned, and the counts."""

import asyncio
import re
from collections import Counter

from servers import bind
from servers.dns_process import soa
from servers.zone_values import zone

from dnscertscan.model.endpoints import Endpoint
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Origin, Record, Verdict, Zone
from dnscertscan.model.report import CoverageRow, State
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.mapping import MapSettings, Plan, coverage_row, record_text
from dnscertscan.resolve.plan import make_plan


def plan(*zones: Zone, resolver: Resolver | None = None, **options: object) -> Plan:
    """A plan; look-ups fail at once unless a resolver is given."""
    if resolver is None:
        resolver = Resolver([("127.0.0.1", 1)])
        resolver.stop("no look-ups in this test")
    return asyncio.run(make_plan(zones, resolver, MapSettings(**options)))  # type: ignore[arg-type]  # the settings' own keywords


def found(result: Plan) -> list[tuple[str, str]]:
    return [(target.server_name.text, target.endpoint.address) for target in result.targets]


def rows(result: Plan) -> list[tuple[str, str, str, State, str]]:
    return [(row.record, row.fqdn, row.ip_address, row.state, row.reason) for row in result.unscanned]


def test_the_server_name_is_the_owner_and_every_address_is_a_target():
    """A, AAAA and aliases; the CNAME's own name is asked for, not its target's."""
    result = plan(zone("example.com", "@ A 192.0.2.1\nwww A 192.0.2.2\nwww AAAA 2001:DB8::2\nshop CNAME www\nmx MX 10 www\n"))
    assert found(result) == [
        ("example.com", "192.0.2.1"),
        ("shop.example.com", "192.0.2.2"),
        ("www.example.com", "192.0.2.2"),
        ("shop.example.com", "2001:db8::2"),
        ("www.example.com", "2001:db8::2"),
    ]
    assert (result.unscanned, result.resolutions) == ((), ())
    assert (result.host_records, result.other_records) == ({"example.com": 4}, {"example.com": 1})


def test_record_text_is_the_record_and_where_it_leads():
    """Direct, alias, chain, wildcard, more addresses than are shown, unresolved: one line each."""
    text = "www A 192.0.2.1\none CNAME www\ntwo CNAME one\n* CNAME www\nbad CNAME gone.example.net.\nmany CNAME ring\n"
    result = plan(zone("example.com", text + "".join(f"ring A 192.0.2.{i}\n" for i in range(10, 16))))
    texts = {record_text(provenance) for target in result.targets for provenance in target.provenance}
    assert texts >= {
        "www.example.com. A 192.0.2.1",
        "one.example.com. CNAME www.example.com. -> 192.0.2.1",
        "two.example.com. CNAME one.example.com. -> www.example.com. -> 192.0.2.1",
        "*.example.com. CNAME www.example.com. -> 192.0.2.1",
        "many.example.com. CNAME ring.example.com. -> 192.0.2.10, 192.0.2.11, 192.0.2.12, 192.0.2.13 and 2 more",
    }
    assert [record_text(item) for item in result.resolutions] == ["bad.example.com. CNAME gone.example.net."]


def test_views_are_told_apart_in_the_text_only_when_there_are_several():
    """A zone loaded once has no view label, whatever its source called it: AXFR and export give the same text."""
    once = plan(zone("example.com", "www A 192.0.2.1", view="axfr"))
    assert [record_text(item) for item in once.targets[0].provenance] == ["www.example.com. A 192.0.2.1"]
    outside = zone("example.com", "www A 192.0.2.1\nx A 192.0.2.2", view="out")
    both = plan(outside, zone("example.com", "www A 192.0.2.1", view="in"))
    assert [[record_text(item) for item in target.provenance] for target in both.targets] == [
        ["www.example.com. A 192.0.2.1 [in]", "www.example.com. A 192.0.2.1 [out]"],
        ["x.example.com. A 192.0.2.2 [out]"],
    ]
    assert [(row.record, row.reason) for row in both.unscanned] == [("www.example.com. A 192.0.2.1 [out]", "duplicate")]
    assert both.host_records == {"example.com": 3}


def test_the_same_target_from_several_records_is_scanned_once():
    """All provenances stay with it; every further record has a row that names the first."""
    parent = zone("example.com", "www.sub A 192.0.2.1")
    child = zone("sub.example.com", "www A 192.0.2.1")
    result = plan(child, parent, ports=(("tls", 443), ("tls", 443), ("smtp", 25)))
    assert [target.endpoint for target in result.targets] == [Endpoint("192.0.2.1", 25, "smtp"), Endpoint("192.0.2.1", 443)]
    assert [item.zone.text for item in result.targets[0].provenance] == ["example.com", "sub.example.com"]
    detail = "same target as www.sub.example.com. A 192.0.2.1 (zone example.com)"
    assert [(row.zone, row.port, row.state, row.reason, row.detail) for row in result.unscanned] == [
        ("sub.example.com", port, State.SKIPPED, "duplicate", detail) for port in (25, 443)
    ]
    row = coverage_row(result.targets[1], result.targets[1].provenance[0], State.SCANNED, "ok", "", 0.5)
    assert row == CoverageRow(
        "example.com", "www.sub.example.com. A 192.0.2.1", "www.sub.example.com", "192.0.2.1", 443, State.SCANNED, "ok",
        origin="test record 1", seconds=0.5,
    )  # fmt: skip


def test_wildcards_are_scanned_with_a_steady_probe_and_the_configured_names():
    """Labels and full names, for a wildcard or a whole zone; names that exist are left to themselves."""
    text = "* A 192.0.2.1\nwww A 192.0.2.2\n*.w CNAME www\n"
    names = {"*.example.com": ("shop", "www", "a.b.example.com", "far.example.org."), "example.com": ("api",)}
    result = plan(zone("example.com", text), wildcard_names=names)
    again = plan(zone("example.com", text), wildcard_names=names)
    assert result == again
    assert sorted(found(result)) == [
        ("a.b.example.com", "192.0.2.1"),
        ("api.example.com", "192.0.2.1"),
        ("api.w.example.com", "192.0.2.2"),
        ("dnscertscan-probe-47287a8f.example.com", "192.0.2.1"),
        ("dnscertscan-probe-d98e2a4b.w.example.com", "192.0.2.2"),
        ("shop.example.com", "192.0.2.1"),
        ("www.example.com", "192.0.2.2"),
    ]
    wildcards = {target.server_name.text: target.provenance[0].wildcard for target in result.targets}
    assert wildcards["api.w.example.com"] == DnsName("*.w.example.com")
    assert wildcards["www.example.com"] is None
    assert [(row.fqdn, row.wildcard, row.state, row.reason) for row in result.unscanned] == [
        ("far.example.org", "*.example.com", State.SKIPPED, "not-covered"),
        ("www.example.com", "*.example.com", State.SKIPPED, "not-covered"),
    ]
    assert plan(zone("example.com", "* A 192.0.2.1"), probe_label="probe").targets[0].server_name == DnsName("probe.example.com")


def test_configured_names_that_meet_no_wildcard_are_not_lost():
    """A mistyped wildcard, or a name outside of every wildcard of its zone, has a row."""
    names = {"*.typo.example.com": ("a",), "example.com": ("b.example.com", "c"), "other.example": ("x",)}
    result = plan(zone("example.com", "*.w A 192.0.2.1"), wildcard_names=names)
    assert [name for name, _ in found(result)] == ["c.w.example.com", "dnscertscan-probe-d98e2a4b.w.example.com"]
    assert [(row.fqdn, row.reason) for row in result.unscanned] == [("a", "not-covered"), ("b.example.com", "not-covered")]


def test_a_wildcard_at_a_long_name_has_a_shorter_probe():
    """The probe fits into 253 octets where anything does."""
    base = ".".join(["x" * 60] * 3 + ["y" * 48, "test"])
    result = plan(Zone(DnsName(base), 1, (Record(DnsName("*." + base), "A", "192.0.2.1", 1, Origin("t")),), "t"))
    assert [target.server_name.problem for target in result.targets] == [None]


def test_filters_apply_to_names_wildcards_and_probes():
    """Exclusion of either name excludes; inclusion of either includes; what is filtered has a row and is not looked up."""
    text = "www A 192.0.2.1\nold.www A 192.0.2.2\nx CNAME gone\n*.w A 192.0.2.3\n"
    data = zone("example.com", text)

    def names(**filters: tuple[str, ...]) -> list[str]:
        patterns = {kind: tuple(map(re.compile, texts)) for kind, texts in filters.items()}
        return [name for name, _ in found(plan(data, **patterns))]

    assert names(include=("^www",)) == ["www.example.com"]
    assert names(exclude=("^x", r"^\*")) == ["www.example.com", "old.www.example.com"]
    assert names(include=(r"^\*\.w\.",)) == ["dnscertscan-probe-d98e2a4b.w.example.com"]
    assert names(include=("probe",), exclude=("-probe-",)) == []
    nothing = plan(data, include=(re.compile("nothing"),))
    assert (nothing.targets, nothing.resolutions) == ((), ())
    assert Counter((row.state, row.reason) for row in nothing.unscanned) == {(State.SKIPPED, "filtered"): 4}
    assert [row.wildcard for row in nothing.unscanned if row.wildcard] == ["*.w.example.com"]


def test_unscannable_names_and_addresses_are_rows():
    """Long labels and names, odd characters, empty labels; addresses no server has. Mapped addresses are the IPv4 ones."""
    origin = Origin("zones.json", 7)
    bad = ["x" * 64, "a b", "a..b", ".".join(["x" * 60] * 5), "\x1b[31m", "y" * 1_000_000]
    records = [Record(DnsName(f"{name}.example.com"), "A", "192.0.2.1", None, origin) for name in bad]
    name = DnsName("n.example.com")
    records += [Record(name, "A", data, None, origin) for data in ("0.0.0.0", "224.0.0.5", "255.255.255.255", "x")]
    records += [Record(name, "AAAA", data, None, origin) for data in ("::", "ff02::1", "::ffff:192.0.2.9")]
    records += [Record(DnsName("a b.example.com"), "CNAME", "n.example.com.", None, origin)]
    result = plan(Zone(DnsName("example.com"), 1, tuple(records), "zones.json"))
    assert found(result) == [("n.example.com", "192.0.2.9")]
    assert Counter((row.state, row.reason) for row in result.unscanned) == {
        (State.FAILED, "unscannable-name"): 7,
        (State.SKIPPED, "unscannable-address"): 6,
    }
    assert {row.origin for row in result.unscanned} == {"zones.json record 7"}
    assert all(len(row.fqdn) < 400 and len(row.record) < 400 and row.detail for row in result.unscanned)
    assert not any("\x1b" in row.fqdn + row.record + row.detail for row in result.unscanned)


def test_unresolved_aliases_are_failed_rows_and_provenances():
    """The verdict word is the reason, the chain the detail; underscore owners without data are no fault."""
    chain = "".join(f"c{i} CNAME c{i + 1}\n" for i in range(20))
    text = "l CNAME m\nm CNAME l\ngone CNAME nothing\next CNAME www.example.net.\n_acme CNAME txt\n_x CNAME nothing\ntxt TXT a\n"
    result = plan(zone("example.com", chain + text))
    reasons = {row.fqdn.partition(".")[0]: (row.state, row.reason) for row in result.unscanned if not row.fqdn.startswith("c")}
    assert reasons == {
        "l": (State.FAILED, "loop"),
        "m": (State.FAILED, "loop"),
        "gone": (State.FAILED, "dangling"),
        "ext": (State.FAILED, "lookup-failed"),
        "_acme": (State.SKIPPED, "no-address"),
        "_x": (State.FAILED, "dangling"),
    }
    details = {row.fqdn: row.detail for row in result.unscanned}
    assert details["l.example.com"] == "l.example.com -> m.example.com -> l.example.com (alias loop)"
    assert details["gone.example.com"] == "gone.example.com -> nothing.example.com (NXDOMAIN)"
    verdicts = Counter(item.resolution.verdict for item in result.resolutions if item.resolution)
    assert (verdicts[Verdict.LOOP], verdicts[Verdict.FAILED], verdicts[Verdict.TOO_LONG]) == (2, 1, 4)
    assert not any(item.record.name.text.startswith("_acme") for item in result.resolutions)


def test_an_underscore_owner_with_addresses_is_scanned():
    """Underscores are no obstacle to TLS."""
    assert found(plan(zone("example.com", "_x CNAME www\nwww A 192.0.2.1\na_b A 192.0.2.2"))) == [
        ("_x.example.com", "192.0.2.1"),
        ("www.example.com", "192.0.2.1"),
        ("a_b.example.com", "192.0.2.2"),
    ]


def test_a_dname_leads_on_but_is_no_target():
    """Its row says so; aliases to names below it are followed through it."""
    result = plan(zone("example.com", "old DNAME new\nwww.new A 192.0.2.1\nshop CNAME www.old\n"))
    assert ("shop.example.com", "192.0.2.1") in found(result)
    assert [(row.record, row.state, row.reason) for row in result.unscanned] == [
        ("old.example.com. DNAME new.example.com.", State.SKIPPED, "dname")
    ]
    assert "names below it" in result.unscanned[0].detail


def test_a_wildcard_alias_that_dangles_is_one_finding_for_the_record():
    """However many names are scanned under it."""
    result = plan(zone("example.com", "* CNAME nothing.w\nx.w A 192.0.2.1"), wildcard_names={"example.com": ("a", "b")})
    assert [row.reason for row in result.unscanned] == ["dangling"] * 3
    assert len(result.resolutions) == 1


def test_external_targets_through_a_real_server():
    """Aliases out of the loaded zones are asked of the nameserver named, and progress is told."""
    seen: list[tuple[int, int]] = []
    with bind.serve({"cdn.test": soa("cdn.test") + "edge CNAME e1\ne1 A 192.0.2.30\ne1 AAAA 2001:db8::30\n"}) as port:
        resolver = Resolver([("127.0.0.1", port)])
        text = "shop CNAME edge.cdn.test.\nlost CNAME lost.cdn.test.\nout CNAME www.unknown.test.\n"
        result = asyncio.run(make_plan([zone("example.com", text)], resolver, MapSettings(), lambda *step: seen.append(step)))
    assert found(result) == [("shop.example.com", "192.0.2.30"), ("shop.example.com", "2001:db8::30")]
    provenance = result.targets[0].provenance[0]
    assert record_text(provenance) == "shop.example.com. CNAME edge.cdn.test. -> e1.cdn.test. -> 192.0.2.30, 2001:db8::30"
    ends = [(row.fqdn, row.reason) for row in result.unscanned]
    assert ends == [("lost.example.com", "dangling"), ("out.example.com", "lookup-failed")]
    assert seen[-1] == (3, 3)


def test_empty_input_is_an_empty_plan():
    """No zones, or zones of nothing."""
    assert plan() == Plan((), (), (), {}, {})
    assert plan(Zone(DnsName("example.com"), 1, (), "t")).host_records == {"example.com": 0}
