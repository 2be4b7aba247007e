"""Our answers from zones against those of a BIND that serves the same zones."""

import itertools
import random
from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from servers import bind
from servers.dns_process import soa
from servers.zone_values import zone

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Verdict
from dnscertscan.resolve.chase import chase
from dnscertscan.resolve.zone_index import ZoneIndex

MAIN = """
www A 192.0.2.1
www AAAA 2001:db8::1
shop CNAME www
deep CNAME shop
far CNAME edge.side.test.
gone CNAME nothing.side.test.
nodata CNAME text
text TXT hello
* A 192.0.2.9
a.b.c A 192.0.2.3
*.b.c CNAME www
*.w TXT only-text
*.alias CNAME x.old
x.*.star A 192.0.2.4
old DNAME new.main.test.
old A 192.0.2.5
www.new A 192.0.2.6
*.new AAAA 2001:db8::6
b.new CNAME www.old
cross DNAME side.test.
sub NS ns.sub
ns.sub A 192.0.2.53
under_score A 192.0.2.7
"""
SIDE = """
edge A 192.0.2.21
edge AAAA 2001:db8::21
back CNAME deep.main.test.
*.wild CNAME back
t.wild TXT here
"""
ZONES = {"main.test": MAIN, "side.test": SIDE}
LABELS = ["", "www", "a", "b", "c", "w", "x", "*", "alias", "star"]
LABELS += ["old", "new", "cross", "sub", "wild", "edge", "deep", "text", "t"]
NAMED = [line.split()[0] for line in (MAIN + SIDE).splitlines() if line]


def names() -> list[str]:
    """Some hundreds of names in and around both zones, at depths 1 to 4."""
    prefixes = {*NAMED, *(".".join(filter(None, pair)) for pair in itertools.product(LABELS, LABELS))}
    prefixes |= {f"{label}.{name}" for label in ("q", "a", "www") for name in NAMED}
    return sorted(f"{prefix}.{zone}".lstrip(".") for prefix in prefixes for zone in ZONES)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with bind.serve({name: soa(name) + text for name, text in ZONES.items()}, addresses=("127.0.0.1",)) as number:
        yield number


def bind_says(name: str, port: int, passed: frozenset[str] = frozenset()) -> str:
    """``end addresses``, ``end NXDOMAIN``, ``end no data`` with the last name of the chain; ``delegated``; ``endless``."""
    addresses: set[str] = set()
    end, status, before = name, "", passed
    for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
        query = dns.message.make_query(name, kind)
        reply = dns.query.udp_with_fallback(query, "127.0.0.1", port=port, timeout=5)[0]
        if reply.rcode() in (dns.rcode.YXDOMAIN, dns.rcode.SERVFAIL):
            return "endless"  # a DNAME below itself makes the name longer at every step
        assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
        aliases = {rrset.name: rrset[0].target for rrset in reply.answer if rrset.rdtype == dns.rdatatype.CNAME}
        last = reply.question[0].name
        passed = before | {name}
        while last in aliases:
            last = aliases[last]
            if last.to_text(omit_final_dot=True) in passed:
                return "endless"
            passed |= {last.to_text(omit_final_dot=True)}
        end = last.to_text(omit_final_dot=True)
        addresses.update(item.address for rrset in reply.answer if rrset.rdtype == kind for item in rrset)
        if reply.rcode() == dns.rcode.NXDOMAIN:
            status = "NXDOMAIN"
        elif not any(rrset.rdtype == dns.rdatatype.SOA for rrset in reply.authority) and not addresses:
            return "delegated" if end == name else bind_says(end, port, passed - {end})  # BIND does not go on in another zone
    return f"{end} {' '.join(sorted(addresses)) or status or 'no data'}"


def we_say(name: str, index: ZoneIndex) -> str:
    """The same words from the chase; a question to a resolver is a delegation here."""
    try:
        next(chase(DnsName(name), index))
    except StopIteration as stop:
        end = stop.value
    else:
        return "delegated"
    if end.verdict in (Verdict.LOOP, Verdict.TOO_LONG):
        return "endless"
    assert end.verdict in (Verdict.RESOLVED, Verdict.DANGLING), end
    last = end.hops[-1].target if end.hops else end.name
    return f"{last} {' '.join(end.addresses) or end.reason}"


def random_zone(name: str, dice: random.Random) -> str:
    """Records BIND accepts: one alias per name and nothing beside it, no delegation or DNAME at a wildcard.

    Nothing stands below a delegation: we use such records, BIND refers.
    """
    owners = dice.sample(["a", "b", "c", "*", "*.a", "x.b", "a.b", "*.c", "x.y.c", "b.a", "*.x.b", "d.*"], 7)
    lines = []
    for number, owner in enumerate(owners):
        kinds = ["A", "AAAA", "TXT", "CNAME", "CNAME"]
        kinds += [] if "*" in owner else ["DNAME"] if any(other.endswith(f".{owner}") for other in owners) else ["DNAME", "NS"]
        target = f"{dice.choice(['a', 'q', 'b', 'x.b', 'z.c', 'k.a.b', 'd'])}.{dice.choice([name, 'z0.test', 'z1.test'])}."
        kind = dice.choice(kinds)
        data = {"A": f"192.0.2.{number + 1}", "AAAA": f"2001:db8::{number + 1}", "TXT": "t"}
        lines.append(f"{owner} {kind} {data.get(kind, target)}")
    return "\n".join(lines) + "\n"


def test_random_zones_get_the_answers_bind_gives():
    """Thirty zones of wildcards, cuts, DNAMEs and aliases into each other; what ends in a loop here has no address there."""
    dice = random.Random(4592)
    texts = {name: soa(name) + random_zone(name, dice) for name in (f"z{i}.test" for i in range(30))}
    index = ZoneIndex([zone(name, text) for name, text in texts.items()])
    prefixes = ["a", "b", "q", "x.b", "q.b", "a.b", "y.c", "q.y.c", "q.q.c", "q.a", "b.a", "q.x.b", "k.a.b", "q.*", "d"]
    ours = {f"{prefix}.{name}": we_say(f"{prefix}.{name}", index) for name in texts for prefix in prefixes}
    with bind.serve(texts, addresses=("127.0.0.1",)) as number:
        theirs = {name: bind_says(name, number) for name in ours}
    assert theirs == ours
    assert {"endless", "delegated"} < set(ours.values())


def test_hundreds_of_names_get_the_answer_bind_gives(port):
    """Wildcards, empty non-terminals, DNAME, chains across zones: the same end, addresses or absence for every name."""
    index = ZoneIndex([zone(name, soa(name) + text) for name, text in ZONES.items()])
    asked = [name for name in names() if not name.endswith("ns.sub.main.test")]  # glue: loaded, so used; BIND refers
    assert len(asked) > 700
    expected = {name: bind_says(name, port) for name in asked}
    assert {name: we_say(name, index) for name in asked} == expected
    ends = {answer.split(" ", 1)[-1] for answer in expected.values()}
    assert {"NXDOMAIN", "no data", "delegated"} < ends
    assert we_say("ns.sub.main.test", index) == "ns.sub.main.test 192.0.2.53"
