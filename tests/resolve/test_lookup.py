"""Asking real nameservers, and ones that misbehave."""

import asyncio
import time
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rrset
import pytest
from servers import bind, bind_recursor
from servers.dns_process import free_port, soa
from servers.zone_values import silent, udp_server

from dnscertscan.errors import UsageError
from dnscertscan.model.names import DnsName
from dnscertscan.model.records import Hop
from dnscertscan.resolve.chase import Answer, Question, Status
from dnscertscan.resolve.lookup import Resolver, system_nameservers

MANY = "".join(f"many A 192.0.2.{i}\n" for i in range(1, 101))
ZONES = {
    "one.test": soa("one.test") + "www A 192.0.2.1\nwww AAAA 2001:db8::1\nshop CNAME front.two.test.\ntxt TXT hello\n"
    "ghost CNAME gone.two.test.\nempty CNAME text.two.test.\nsub NS ns.sub\nns.sub A 192.0.2.53\n" + MANY
    + "d DNAME " + ".".join(["x" * 60] * 4) + ".\n",
    "two.test": soa("two.test") + "front CNAME edge\nedge A 192.0.2.2\ntext TXT hello\n",
}


@pytest.fixture(scope="module")
def authority() -> Iterator[int]:
    with bind.serve(ZONES) as port:
        yield port


@pytest.fixture(scope="module")
def recursor(authority: int) -> Iterator[int]:
    with bind_recursor.serve("one.test", authority) as port:
        yield port


def ask(resolver: Resolver, *names: str) -> list[Answer]:
    async def all_of() -> list[Answer]:
        return await asyncio.gather(*(resolver.lookup(Question(DnsName(name))) for name in names))

    return asyncio.run(all_of())


def test_nameserver_and_port_are_really_used(authority):
    """Both families come from the server and port named, over IPv4 and IPv6."""
    for address in ("127.0.0.1", "::1"):
        resolver = Resolver([(address, authority)])
        assert ask(resolver, "www.one.test") == [Answer(Status.DATA, (), ("192.0.2.1", "2001:db8::1"))]
        assert (resolver.asked, resolver.answered, resolver.failed) == (2, 2, 0)


def test_answers_of_a_real_resolver(recursor):
    """Aliases across zones are hops; missing names, missing data and SERVFAIL are told apart."""
    where = f"resolver 127.0.0.1:{recursor}"
    shop, ghost, empty, txt, nothing, unknown = ask(
        Resolver([("127.0.0.1", recursor)]),
        *("shop.one.test", "ghost.one.test", "empty.one.test", "txt.one.test", "nothing.one.test", "www.unknown.test"),
    )
    front, edge = DnsName("front.two.test"), DnsName("edge.two.test")
    assert shop.hops == (Hop(DnsName("shop.one.test"), "CNAME", front, where), Hop(front, "CNAME", edge, where))
    assert (shop.status, shop.addresses) == (Status.DATA, ("192.0.2.2",))
    assert (ghost.status, [hop.target.text for hop in ghost.hops]) == (Status.NXDOMAIN, ["gone.two.test"])
    assert (empty.status, [hop.target.text for hop in empty.hops]) == (Status.NO_DATA, ["text.two.test"])
    assert (txt, nothing) == (Answer(Status.NO_DATA), Answer(Status.NXDOMAIN))
    assert unknown == Answer(Status.FAILED, reason=f"SERVFAIL (from 127.0.0.1:{recursor})")


def test_an_answer_that_does_not_fit_comes_over_tcp(authority):
    """A hundred addresses are more than a datagram holds; all of them arrive."""
    (answer,) = ask(Resolver([("127.0.0.1", authority)]), "many.one.test")
    assert len(answer.addresses) == 100


def test_refusals_and_referrals_are_failures_not_missing_data(authority):
    """A server that does not resolve says nothing about the name; a name that a DNAME makes too long is YXDOMAIN."""
    refused, referred, too_long = ask(
        Resolver([("127.0.0.1", authority)]), "www.other.example", "www.sub.one.test", "y" * 30 + ".d.one.test"
    )
    assert refused == Answer(Status.FAILED, reason=f"REFUSED (from 127.0.0.1:{authority})")
    assert referred.status is Status.FAILED
    assert referred.reason.startswith("a referral instead of an answer")
    assert too_long == Answer(Status.FAILED, reason=f"YXDOMAIN (from 127.0.0.1:{authority})")


def test_silence_is_bounded_and_counted():
    """Retries are as many as asked for, the time is bounded, and the pipeline can see that nobody answered."""
    with udp_server(silent) as (server, queries):
        resolver = Resolver([server], timeout=0.1, retries=2)
        before = time.monotonic()
        (answer,) = ask(resolver, "www.one.test")
        assert 0.25 < time.monotonic() - before < 1.0
    assert answer == Answer(Status.FAILED, reason=f"A: timeout (no answer from 127.0.0.1:{server[1]})")
    assert (len(queries), resolver.asked, resolver.answered, resolver.failed) == (3, 1, 0, 1)


def test_a_dead_first_nameserver_costs_one_timeout_only(authority):
    """The next one is asked, and asked first from then on."""
    with udp_server(silent) as (server, queries):
        resolver = Resolver([server, ("127.0.0.1", authority)], timeout=0.2)
        assert ask(resolver, "www.one.test")[0].status is Status.DATA
        assert ask(resolver, "txt.one.test")[0].status is Status.NO_DATA
    assert len(queries) == 1


def test_a_refusing_nameserver_does_not_hide_a_good_one(authority):
    """REFUSED of the first leads to the second."""
    with bind.serve({"else.test": soa("else.test")}, addresses=("127.0.0.1",)) as other:
        resolver = Resolver([("127.0.0.1", other), ("127.0.0.1", authority)])
        assert ask(resolver, "www.one.test")[0].addresses == ("192.0.2.1", "2001:db8::1")


def reply_to(wire: bytes, *records: str) -> dns.message.Message:
    reply = dns.message.make_response(dns.message.from_wire(wire))
    reply.flags |= dns.flags.RA
    for record in records:
        reply.answer.append(dns.rrset.from_text(*record.split()))
    return reply


def test_each_question_is_asked_once_also_when_asked_at_the_same_time():
    """Twenty at once and one later make two queries: A and AAAA."""
    with udp_server(lambda wire, _: reply_to(wire).to_wire()) as (server, queries):
        resolver = Resolver([server])
        assert ask(resolver, *["x.example"] * 20) == [Answer(Status.NO_DATA)] * 20
        ask(resolver, "x.example")
    assert len(queries) == 2


def test_no_more_queries_than_allowed_are_in_flight():
    """With five allowed, ten silent look-ups are two waves."""
    with udp_server(silent) as (server, queries):
        resolver = Resolver([server], in_flight=5, timeout=0.3, retries=0)

        async def watch() -> int:
            work = [asyncio.create_task(resolver.lookup(Question(DnsName(f"n{i}.example")))) for i in range(10)]
            await asyncio.sleep(0.2)
            seen = len(queries)
            await asyncio.gather(*work)
            return seen

        assert asyncio.run(watch()) == 5
    assert len(queries) == 10


def test_answers_that_are_none_are_passed_over():
    """Garbage, another id, another question: the right answer behind them counts."""

    def behave(wire: bytes, number: int) -> bytes:
        good = reply_to(wire, "x.example. 300 IN A 192.0.2.7").to_wire() if number % 4 == 3 else b""
        other = dns.message.make_response(dns.message.make_query("other.example", "A", id=int.from_bytes(wire[:2], "big")))
        return [b"", wire[:2] + b"\x80\0" + b"\xff" * 40, other.to_wire(), good][number % 4]

    with udp_server(behave) as (server, _):
        (answer,) = ask(Resolver([server], timeout=0.2, retries=3), "x.example")
    assert answer == Answer(Status.DATA, (), ("192.0.2.7",))


def test_a_truncated_answer_without_tcp_is_a_named_failure():
    """A server that truncates and has no TCP: the refusal is told, not an empty answer."""

    def behave(wire: bytes, _number: int) -> bytes:
        reply = reply_to(wire)
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    with udp_server(behave) as (server, _):
        (answer,) = ask(Resolver([server], timeout=0.5), "x.example")
    assert answer == Answer(Status.FAILED, reason=f"A: truncated, and over TCP: Connection refused (from 127.0.0.1:{server[1]})")


def test_an_alias_loop_inside_one_answer_ends():
    """The hop that closes the loop is the last one read."""
    records = ("x.example. 300 IN CNAME y.example.", "y.example. 300 IN CNAME x.example.")
    with udp_server(lambda wire, _: reply_to(wire, *records).to_wire()) as (server, _):
        (answer,) = ask(Resolver([server]), "x.example")
    assert [hop.target.text for hop in answer.hops] == ["y.example", "x.example"]


def test_cancelling_the_first_asker_does_not_harm_the_second():
    """The second takes over the question."""

    def behave(wire: bytes, number: int) -> bytes | None:
        return reply_to(wire).to_wire() if number else None

    async def both(resolver: Resolver) -> Answer:
        first = asyncio.create_task(resolver.lookup(Question(DnsName("x.example"))))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(resolver.lookup(Question(DnsName("x.example"))))
        await asyncio.sleep(0.05)
        first.cancel()
        return await second

    with udp_server(behave) as (server, _):
        assert asyncio.run(both(Resolver([server]))) == Answer(Status.NO_DATA)


def test_closed_port_is_told_at_once():
    """Nobody listens: the reason says so, and no timeout is waited for."""
    port = free_port(("127.0.0.1",))
    before = time.monotonic()
    (answer,) = ask(Resolver([("127.0.0.1", port)]), "x.example")
    assert answer == Answer(Status.FAILED, reason=f"A: Connection refused (from 127.0.0.1:{port})")
    assert time.monotonic() - before < 1.0


def test_nameservers_that_never_answer_are_given_up():
    """After a hundred silent look-ups the others fail at once, so that a dead resolver does not cost hours."""
    with udp_server(silent) as (server, queries):
        resolver = Resolver([server], timeout=0.1, retries=0)
        ask(resolver, *(f"n{i}.example" for i in range(1000)))
    assert 100 <= len(queries) <= 150
    assert (resolver.asked, resolver.answered, resolver.failed) == (1000, 0, 1000)


def test_stop_ends_what_was_not_asked():
    """The run is over: the answer says why, and nothing is sent."""
    with udp_server(silent) as (server, queries):
        resolver = Resolver([server])
        resolver.stop("the run's deadline passed")
        assert ask(resolver, "x.example") == [Answer(Status.FAILED, reason="A: the run's deadline passed")]
    assert queries == []


def test_a_machine_without_resolv_conf_gets_an_answer_not_a_crash(tmp_path):
    """Missing, empty and nonsensical files make every look-up a failure with advice; a good one is read."""
    for text in (None, "", "nameserver\n", "\xff\xfe"):
        path = tmp_path / f"resolv-{text!r}"
        if text is not None:
            path.write_text(text, "latin-1")
        (answer,) = ask(Resolver(resolv_conf=str(path)), "x.example")
        assert answer.status is Status.FAILED
        assert "--nameserver" in answer.reason
    path.write_text("nameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    assert system_nameservers(str(path)) == ((("192.0.2.53", 53), ("2001:db8::53", 53)), "")


def test_system_nameservers_are_asked_when_none_is_named(tmp_path):
    """Those of resolv.conf; here one on loopback where nobody listens on port 53 of that address."""
    path = tmp_path / "resolv.conf"
    path.write_text("nameserver 127.53.53.53\n")
    (answer,) = ask(Resolver(resolv_conf=str(path), timeout=0.2, retries=0), "x.example")
    assert answer.status is Status.FAILED
    assert "127.53.53.53:53" in answer.reason


@pytest.mark.parametrize(("address", "port"), [("ns.example", 53), ("", 53), ("192.0.2.1", 0), ("192.0.2.1", 70000)])
def test_impossible_nameservers_are_usage_errors(address, port):
    """One line that says what to write."""
    with pytest.raises(UsageError, match="nameserver"):
        Resolver([(address, port)])
