"""Following names: every end is a verdict with its chain."""

from hypothesis import given, settings
from hypothesis import strategies as st
from servers.zone_values import zone

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop, Origin, Record, Resolution, Verdict, Zone
from dnscertscan.resolve.chase import MAX_NAMES, Answer, Question, Status, chase
from dnscertscan.resolve.zone_index import ZoneIndex

EMPTY = ZoneIndex([])


def run(name: str, index: ZoneIndex, answers: dict[str, Answer] | None = None, **options: object) -> tuple[Resolution, list[str]]:
    """Drive a chase from a table of answers; a name absent from it does not exist. Also returns what was asked."""
    questions = chase(DnsName(name), index, **options)  # type: ignore[arg-type]  # options are the chase's own keywords
    asked: list[str] = []
    try:
        question = next(questions)
        while True:
            assert isinstance(question, Question)
            asked.append(question.name.text)
            question = questions.send((answers or {}).get(question.name.text, Answer(Status.NXDOMAIN)))
    except StopIteration as end:
        return end.value, asked


def hop(name: str, target: str) -> Hop:
    return Hop(DnsName(name), "CNAME", DnsName(target), "resolver 192.0.2.53:53")


def data(*addresses: str, hops: tuple[Hop, ...] = ()) -> Answer:
    return Answer(Status.DATA, hops, addresses)


def test_chain_inside_zones_asks_nobody():
    """A chain across two loaded zones ends at both address families without a question."""
    index = ZoneIndex([zone("a.test", "www CNAME x.b.test."), zone("b.test", "x CNAME y\ny A 192.0.2.1\ny AAAA 2001:DB8::1")])
    resolution, asked = run("www.a.test", index)
    assert resolution == Resolution(
        DnsName("www.a.test"),
        (
            Hop(DnsName("www.a.test"), "CNAME", DnsName("x.b.test"), "zone a.test"),
            Hop(DnsName("x.b.test"), "CNAME", DnsName("y.b.test"), "zone b.test"),
        ),
        Verdict.RESOLVED,
        ("192.0.2.1", "2001:db8::1"),
    )
    assert asked == []


def test_outside_names_are_asked_once_and_their_aliases_are_hops():
    """The resolver's chain is part of ours."""
    index = ZoneIndex([zone("a.test", "www CNAME shop.example.")])
    answers = {"shop.example": data("192.0.2.9", hops=(hop("shop.example", "edge.example"),))}
    resolution, asked = run("www.a.test", index, answers)
    assert resolution.chain_text == "www.a.test -> shop.example -> edge.example"
    assert (resolution.verdict, resolution.addresses, asked) == (Verdict.RESOLVED, ("192.0.2.9",), ["shop.example"])


def test_resolver_chain_back_into_a_zone_uses_the_zone():
    """What is loaded is believed, not the resolver's idea of it."""
    index = ZoneIndex([zone("a.test", "www CNAME shop.example.\nreal A 192.0.2.1")])
    answers = {"shop.example": data("203.0.113.1", hops=(hop("shop.example", "real.a.test"),))}
    resolution, _ = run("www.a.test", index, answers)
    assert resolution.addresses == ("192.0.2.1",)


def test_loops_inside_through_and_across():
    """Loops in zones, in resolvers' answers and through both are told, with the chain that closes."""
    index = ZoneIndex([zone("a.test", "l1 CNAME l2\nl2 CNAME l1\nself CNAME self\nmix CNAME m.example.\nout CNAME o.example.")])
    answers = {
        "m.example": Answer(Status.NO_DATA, (hop("m.example", "mix.a.test"),)),
        "o.example": Answer(Status.NO_DATA, (hop("o.example", "p.example"), hop("p.example", "o.example"))),
    }
    chains = {
        "l1.a.test": "l1.a.test -> l2.a.test -> l1.a.test",
        "self.a.test": "self.a.test -> self.a.test",
        "mix.a.test": "mix.a.test -> m.example -> mix.a.test",
        "out.a.test": "out.a.test -> o.example -> p.example -> o.example",
    }
    for name, chain in chains.items():
        resolution, _ = run(name, index, answers)
        assert (resolution.verdict, resolution.chain_text) == (Verdict.LOOP, chain)


def test_sixteen_aliases_are_followed_and_seventeen_are_not():
    """The limit counts aliases, whoever said them."""
    text = "\n".join(f"c{i} CNAME c{i + 1}" for i in range(17)) + "\nc17 A 192.0.2.1"
    index = ZoneIndex([zone("a.test", text)])
    assert run("c1.a.test", index)[0].verdict is Verdict.RESOLVED
    resolution = run("c0.a.test", index)[0]
    assert (resolution.verdict, len(resolution.hops)) == (Verdict.TOO_LONG, 17)
    outside = tuple(hop(f"e{i}.example", f"e{i + 1}.example") for i in range(17))
    assert run("e0.example", index, {"e0.example": data("192.0.2.1", hops=outside)})[0].verdict is Verdict.TOO_LONG


def test_dangling_says_whether_the_name_or_the_data_is_missing():
    """NXDOMAIN and no data are different facts, in zones and outside."""
    index = ZoneIndex([zone("a.test", "x CNAME gone\ny CNAME txt\ntxt TXT hello\nz CNAME n.example.\nw CNAME t.example.")])
    answers = {"t.example": Answer(Status.NO_DATA)}
    ends = {name: run(f"{name}.a.test", index, answers)[0] for name in "xyzw"}
    assert {name: (end.verdict, end.reason) for name, end in ends.items()} == {
        "x": (Verdict.DANGLING, "NXDOMAIN"),
        "y": (Verdict.DANGLING, "no data"),
        "z": (Verdict.DANGLING, "NXDOMAIN"),
        "w": (Verdict.DANGLING, "no data"),
    }


def test_an_export_of_hosts_alone_is_no_proof_of_absence():
    """Without SOA and NS a zone does not say what it delegates: resolvers are asked, and believed when they answer."""
    index = ZoneIndex([zone("a.test", "x CNAME host.child\ny CNAME gone\nz CNAME unsure")])
    answers = {
        "host.child.a.test": data("192.0.2.1"),
        "gone.a.test": Answer(Status.NXDOMAIN),
        "unsure.a.test": Answer(Status.FAILED, reason="timeout"),
    }
    ends = {name: run(f"{name}.a.test", index, answers)[0] for name in "xyz"}
    assert {name: (end.verdict, end.reason, end.addresses) for name, end in ends.items()} == {
        "x": (Verdict.RESOLVED, "", ("192.0.2.1",)),
        "y": (Verdict.DANGLING, "NXDOMAIN", ()),
        "z": (Verdict.DANGLING, "NXDOMAIN", ()),
    }


def test_a_whole_zone_is_proof_of_absence():
    """With its SOA or NS the zone itself says that a name does not exist; nobody is asked."""
    index = ZoneIndex([zone("a.test", "@ NS ns.a.test.\nx CNAME gone")])
    resolution, asked = run("x.a.test", index)
    assert (resolution.verdict, asked) == (Verdict.DANGLING, [])


def test_failure_of_resolvers_is_a_verdict():
    """The reason and the way there are kept."""
    index = ZoneIndex([zone("a.test", "x CNAME s.example.")])
    resolution, _ = run("x.a.test", index, {"s.example": Answer(Status.FAILED, reason="SERVFAIL")})
    assert (resolution.verdict, resolution.reason, resolution.chain_text) == (Verdict.FAILED, "SERVFAIL", "x.a.test -> s.example")


def test_half_a_chain_is_asked_on():
    """A server that knows only the first alias is asked for the rest."""
    answers = {"a.example": Answer(Status.NO_DATA, (hop("a.example", "b.example"),)), "b.example": data("192.0.2.1")}
    resolution, asked = run("a.example", EMPTY, answers)
    assert (resolution.addresses, asked) == (("192.0.2.1",), ["a.example", "b.example"])


def test_one_family_that_failed_is_told_beside_the_addresses():
    """Nothing is lost when A answers and AAAA does not."""
    resolution, _ = run("a.example", EMPTY, {"a.example": Answer(Status.DATA, (), ("192.0.2.1",), "AAAA: timeout")})
    assert (resolution.verdict, resolution.reason) == (Verdict.RESOLVED, "AAAA: timeout")


def test_impossible_targets():
    """A target no DNS message can carry dangles; a DNAME that makes a name too long is YXDOMAIN (RFC 6672 2.2)."""
    long_name = ".".join(["x" * 60] * 4)
    records = (
        Record(DnsName("bad.a.test"), "CNAME", "x" * 64 + ".example.", None, Origin("t")),
        Record(DnsName("d.a.test"), "DNAME", long_name + ".", None, Origin("t")),
        Record(DnsName("far.a.test"), "CNAME", "y" * 20 + ".d.a.test.", None, Origin("t")),
    )
    index = ZoneIndex([Zone(DnsName("a.test"), None, records, "t")])
    bad = run("bad.a.test", index)[0]
    assert (bad.verdict, bad.reason) == (Verdict.DANGLING, "impossible name (label longer than 63 octets)")
    far = run("far.a.test", index)[0]
    assert (far.verdict, far.reason) == (Verdict.FAILED, "YXDOMAIN (name longer than 255 octets)")
    assert [step.type for step in far.hops] == ["CNAME", "DNAME"]


def test_via_follows_one_record_only():
    """The chase of one record takes its own first step, not that of the other view's record."""
    views = [zone("a.test", "www CNAME in\nin A 10.0.0.1", view="in"), zone("a.test", "www CNAME gone", view="out")]
    index = ZoneIndex(views)
    name = DnsName("www.a.test")
    first = run(name.text, index, via=Hop(name, "CNAME", DnsName("gone.a.test"), "zone a.test"))[0]
    assert (first.verdict, first.chain_text) == (Verdict.DANGLING, "www.a.test -> gone.a.test")
    assert run(name.text, index)[0].addresses == ("10.0.0.1",)
    itself = run(name.text, index, via=Hop(name, "CNAME", name, "zone a.test"))[0]
    assert itself.verdict is Verdict.LOOP


def test_views_that_disagree_without_end_are_bounded():
    """Two aliases at each of many names: at most MAX_NAMES are looked at."""
    apex = Record(DnsName("a.test"), "NS", "ns.a.test.", None, Origin("t"))
    views = [
        Zone(DnsName("a.test"), None, (apex, *(_alias(i, i * 2 + step) for i in range(2000))), "t", str(step)) for step in (1, 2)
    ]
    resolution, asked = run("n0.a.test", ZoneIndex(views))
    assert resolution.verdict in (Verdict.TOO_LONG, Verdict.DANGLING)
    assert asked == []


def _alias(owner: int, target: int) -> Record:
    return Record(DnsName(f"n{owner}.a.test"), "CNAME", f"n{target}.a.test.", None, Origin("t"))


LABELS = st.sampled_from(["a", "b", "c", "*", "d", "a.b", "*.c", "b.*", "@"])
ZONES = ["x.test", "a.x.test", "y.test"]
NAMES = st.builds(lambda label, place: DnsName.parse(label, DnsName(place)), LABELS, st.sampled_from([*ZONES, "out.example"]))


@st.composite
def records_of(draw: st.DrawFn, place: str) -> Zone:
    """A zone of any graph of aliases, addresses, cuts and other records."""
    records = []
    for number in range(1, 1 + draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["A", "AAAA", "CNAME", "CNAME", "DNAME", "NS", "TXT"]))
        value = {"A": f"192.0.2.{number}", "AAAA": f"2001:db8::{number}"}.get(kind) or draw(NAMES).text + "."
        records.append(Record(DnsName.parse(draw(LABELS), DnsName(place)), kind, value, None, Origin("h", number)))
    return Zone(DnsName(place), None, tuple(records), "h", draw(st.sampled_from(["", "v"])))


@st.composite
def answer_to(draw: st.DrawFn, question: Question) -> Answer:
    """What a resolver may say: a chain that starts at the question, any status, with or without addresses."""
    hops: tuple[Hop, ...] = ()
    name = question.name
    for target in draw(st.lists(NAMES, max_size=5)):
        hops += (Hop(name, "CNAME", target, "resolver"),)
        name = target
    addresses = draw(st.sampled_from([(), ("192.0.2.200",), ("192.0.2.201", "2001:db8::201")]))
    return Answer(draw(st.sampled_from(list(Status))), hops, addresses, draw(st.sampled_from(["", "SERVFAIL"])))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*ZONES, "x.test"]).flatmap(records_of), max_size=5), NAMES, st.integers(1, 16), st.data())
def test_any_graph_ends_in_a_verdict(zones, name, max_hops, draws):
    """Whatever zones and resolvers say: it ends, within bounds, with a verdict whose chain hangs together."""
    questions = chase(name, ZoneIndex(zones), max_hops)
    asked: list[DnsName] = []
    sent: set[str] = set()
    try:
        question = next(questions)
        while True:
            asked.append(question.name)
            answer = draws.draw(answer_to(question))
            sent.update(answer.addresses)
            question = questions.send(answer)
    except StopIteration as end:
        resolution: Resolution = end.value
    assert len(asked) == len(set(asked)) <= MAX_NAMES
    assert resolution.name == name
    path = [name, *(step.target for step in resolution.hops)]
    assert [step.name for step in resolution.hops] == path[:-1]
    assert len(resolution.hops) <= max_hops + 1
    assert (resolution.verdict is Verdict.RESOLVED) == bool(resolution.addresses)
    assert (len(set(path)) < len(path)) == (resolution.verdict is Verdict.LOOP)
    if resolution.verdict is Verdict.TOO_LONG:
        assert len(resolution.hops) == max_hops + 1
    held = {record.data for item in zones for record in item.records}
    assert set(resolution.addresses) <= held | sent
    assert resolution.reason or resolution.verdict in (Verdict.RESOLVED, Verdict.FAILED)
