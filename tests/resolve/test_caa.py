"""Who may issue for a name: from the loaded zones where they have the say, else from a nameserver, climbing."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from servers import bind, bind_recursor
from servers.dns_process import soa
from servers.zone_values import silent, udp_server, zone

from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Zone
from dnscertscan.model.transparency import CaaAnswer, CaaRecord
from dnscertscan.resolve import caa
from dnscertscan.resolve.caa import CaaFinder, read_caa
from dnscertscan.resolve.lookup import Resolver
from dnscertscan.resolve.zone_index import ZoneIndex

APEX = "@ SOA ns hostmaster 1 1 1 1 1\n@ NS ns.example.net.\n"
ONE = CaaRecord(critical=False, tag="issue", value="one.test")
TWO = CaaRecord(critical=False, tag="issue", value="two.test")
OUTSIDE = {
    "com": soa("com") + 'plain CAA 0 issue "two.test"\nwww.plain A 192.0.2.1\nalias CNAME www.plain\nodd CAA 128 tbs "x"\n'
    'odd CAA 0 ISSUEWILD ";"\nchild.example CAA 0 issue "two.test"\n',
}


@pytest.fixture(scope="module")
def nameserver() -> Iterator[tuple[str, int]]:
    with bind.serve(OUTSIDE) as authority, bind_recursor.serve("com", authority) as port:
        yield "127.0.0.1", port


def find(zones: list[Zone], *names: str, server: tuple[str, int] | None = None) -> list[CaaAnswer]:
    """The answers; without a server every look-up fails at once."""

    async def work() -> list[CaaAnswer]:
        resolver = Resolver([server or ("127.0.0.1", 1)], timeout=1.0, retries=0)
        if server is None:
            resolver.stop("nobody is asked in this test")
        finder = CaaFinder(zones, resolver)
        return [await finder.find(DnsName(name)) for name in names]

    return asyncio.run(work())


def test_the_zone_has_the_say() -> None:
    """The nearest RRset on the way up counts; a name without one of its own takes that of the zone. Nobody is asked."""
    text = '@ CAA 0 issue "one.test"\nshop CAA 0 issue "two.test"\nwww A 192.0.2.1\na.shop A 192.0.2.1\n'
    own = zone("example.com", APEX + text)
    www, shop, below, gone = find([own], "www.example.com", "shop.example.com", "a.shop.example.com", "gone.example.com")
    assert www == gone == CaaAnswer(DnsName("example.com"), (ONE,))
    assert shop == below == CaaAnswer(DnsName("shop.example.com"), (TWO,))


def test_aliases_are_followed_and_climbing_goes_on_from_the_name() -> None:
    """A CNAME leads to the RRset of its target; one that leads to none changes nothing (RFC 8659 3)."""
    own = zone("example.com", APEX + '@ CAA 0 issue "one.test"\ncdn CAA 0 issue "two.test"\nwww CNAME cdn\nold CNAME bare.cdn\n'
               "bare.cdn A 192.0.2.1\nr1 CNAME r2\nr2 CNAME r1\n")
    www, old, loop = find([own], "www.example.com", "old.example.com", "r1.example.com")
    assert www == CaaAnswer(DnsName("www.example.com"), (TWO,))
    assert old == CaaAnswer(DnsName("example.com"), (ONE,))
    assert "aliases" in loop.problem
    assert loop.records == ()


def test_a_wildcard_record_answers_for_names_that_are_not_there() -> None:
    """RFC 4592: for them alone."""
    own = zone("example.com", APEX + '@ CAA 0 issue "one.test"\n*.apps CAA 0 issue "two.test"\nreal.apps A 192.0.2.1\n')
    covered, real = find([own], "x.apps.example.com", "real.apps.example.com")
    assert covered == CaaAnswer(DnsName("x.apps.example.com"), (TWO,))
    assert real == CaaAnswer(DnsName("example.com"), (ONE,))


def test_what_the_zone_does_not_decide_is_asked(nameserver: tuple[str, int]) -> None:
    """Delegated names, an export of hosts alone, and names of other zones; the tags of real records are read."""
    own = zone("example.com", APEX + '@ CAA 0 issue "one.test"\nchild NS ns.child\n')
    hosts = zone("plain.com", "www A 192.0.2.1\n")
    child, plain, alias, odd, nothing = find(
        [own, hosts], "child.example.com", "www.plain.com", "alias.com", "x.odd.com", "none.com", server=nameserver
    )
    assert child == CaaAnswer(DnsName("child.example.com"), (TWO,))
    assert plain == CaaAnswer(DnsName("plain.com"), (TWO,))
    assert alias == CaaAnswer()  # where it leads has none itself, and nothing is above alias.com
    wild = CaaRecord(critical=False, tag="issuewild", value=";")
    assert set(odd.records) == {CaaRecord(critical=True, tag="tbs", value="x"), wild}
    assert nothing == CaaAnswer()


def test_views_that_differ_decide_nothing() -> None:
    """Which of them CAs see nobody here knows; where they agree, all is well."""
    one = zone("example.com", APEX + '@ CAA 0 issue "one.test"\nwww A 192.0.2.1\nx CAA 0 issue "two.test"\n', view="in")
    other = zone("example.com", APEX + '@ CAA 0 issue "two.test"\nwww A 192.0.2.1\nx CAA 0 issue "two.test"\n', view="out")
    differ, same = find([one, other], "www.example.com", "x.example.com")
    assert (differ.records, "views" in differ.problem) == ((), True)
    assert same == CaaAnswer(DnsName("x.example.com"), (TWO,))


def test_no_answer_is_not_no_record(nameserver: tuple[str, int]) -> None:
    """SERVFAIL and silence are problems, never an empty RRset; a record that cannot be read is one, too."""
    (failed,) = find([], "www.other.test", server=nameserver)
    assert failed.problem == f"CAA of www.other.test: SERVFAIL (from 127.0.0.1:{nameserver[1]})"
    with udp_server(silent) as (server, _):
        (quiet,) = find([], "www.example.com", server=server)
    assert "timeout" in quiet.problem
    broken = zone("example.com", APEX + "www A 192.0.2.1\n")
    record = broken.records[0]
    bad = type(record)(DnsName("example.com"), "CAA", "zero issue\x1b", 1, record.origin)
    (unread,) = find([Zone(broken.name, 1, (*broken.records, bad), "test")], "www.example.com")
    assert unread.problem == r"CAA of example.com: the record 'zero issue\\x1b' cannot be read"


def test_an_rrset_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of names it is in charge of; the same record twice is one, also under a wildcard."""
    read: list[str] = []
    monkeypatch.setattr(caa, "read_caa", lambda text: read.append(text) or read_caa(text))
    records = "".join(f'@ CAA 0 issue "ca{number}.test"\n' for number in range(50))
    own = zone("example.com", APEX + records + '*.w CAA 0 issue "one.test"\n' * 3)
    answers = find([own], *(f"n{number}.example.com" for number in range(30)), "a.w.example.com", "b.w.example.com")
    assert {answer.at for answer in answers[:30]} == {DnsName("example.com")}
    assert all(answer.records is answers[0].records for answer in answers[:30])
    assert len(read) == 52
    assert answers[30].records == answers[31].records == (ONE,)
    tree = ZoneIndex([own]).trees[0]
    assert len(caa._View(own, tree)._wildcards) == 1


def test_too_many_records_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer over DNS has as many; the number is told."""
    monkeypatch.setattr(caa, "MAX_RECORDS", 3)
    for count, problem in ((3, ""), (4, "CAA of example.com: 4 records, more than 3 are not read")):
        records = "".join(f'@ CAA 0 issue "ca{number}.test"\n' for number in range(count))
        (answer,) = find([zone("example.com", APEX + records)], "www.example.com")
        assert (answer.problem, len(answer.records)) == (problem, 0 if problem else 3)


def test_read() -> None:
    """Presentation forms, and the generic one of RFC 3597."""
    value = "ca.test; validationmethods=dns-01"
    assert read_caa(f'0 issue "{value}"') == CaaRecord(critical=False, tag="issue", value=value)
    assert read_caa("128 Issue ca.test") == CaaRecord(critical=True, tag="issue", value="ca.test")
    assert read_caa(r"\# 8 00056973737565 3b") == CaaRecord(critical=False, tag="issue", value=";")
    assert read_caa("256 issue x") is read_caa("") is read_caa("0") is None


@given(st.text(max_size=60))
def test_any_text_is_a_record_or_none(text: str) -> None:
    """Zones are written by others."""
    found = read_caa(text)
    assert found is None or found.tag == found.tag.lower()
