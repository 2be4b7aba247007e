"""Second looks and canaries, with real servers: our own doing is asked again, a dead network is no outage of the world."""

import asyncio
import functools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers import hostile
from servers.scanning import clock, engine, target
from servers.twice import kinds, look

from dnscertscan.demo.authority import Authority
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation
from dnscertscan.pipeline.second_look import RetrySettings, RunVerdict, look_twice


@pytest.fixture(scope="module")
def good() -> hostile.Behaviour:
    """A server that does as it should."""
    leaf = Authority.root("Second Look Test", now=clock()).leaf("a.test")
    return hostile.tls([one.public_bytes(Encoding.DER) for one in leaf.chain], leaf.key_pem)


@functools.cache
def connections(bad: hostile.Behaviour) -> int:
    """How often a server that breaks off is connected to in one look at one target: several hellos are tried."""
    with hostile.watched(bad) as server:
        look([target(server.port, "r.test")], RetrySettings(timeout=5.0, retry=False))
    return server.visits


@pytest.mark.parametrize("overlapped", [True, False])
@pytest.mark.parametrize("bad", [hostile.reset, hostile.close_on_hello], ids=["reset", "closed"])
def test_a_rate_limiter_is_asked_again(good: hostile.Behaviour, bad: hostile.Behaviour, overlapped: bool) -> None:
    """A server that breaks off the first connections and answers later ends as scanned, without any mark."""
    with hostile.serve(hostile.first_good(bad, good, 3 * connections(bad))) as port:
        found, verdict, notes, _ = look(
            [target(port, f"n{n}.test") for n in range(3)], RetrySettings(timeout=5.0), overlapped=overlapped
        )
    assert kinds(found) == {"handshake"}
    assert (verdict.inconclusive, notes) == ("", [])


def test_a_second_failure_keeps_the_first_kind() -> None:
    """Reset twice is reset; the detail says that it was tried twice. What is no doing of ours is asked once."""
    with hostile.watched(hostile.reset) as resetting, hostile.watched(hostile.says(b"220 mail\r\n")) as mail:
        found, _, _, _ = look([target(resetting.port, "r.test"), target(mail.port, "m.test")], RetrySettings(timeout=5.0))
        visits = resetting.visits, mail.visits
    assert found["r.test"].outcome == Failure(FailureKind.RESET, "TLS handshake: Connection reset by peer (tried twice)")
    assert isinstance(found["m.test"].outcome, Failure)
    assert found["m.test"].outcome.kind is FailureKind.NOT_TLS
    assert visits == (2 * connections(hostile.reset), 1)


def test_no_second_look_when_switched_off() -> None:
    """With `retry = false` every target is looked at once."""
    with hostile.serve(hostile.reset) as port:
        found, _, _, _ = look([target(port, "r.test")], RetrySettings(timeout=5.0, retry=False))
    assert found["r.test"].outcome == Failure(FailureKind.RESET, "TLS handshake: Connection reset by peer")


def test_second_looks_cost_no_time_beside_silent_ones(good: hostile.Behaviour) -> None:
    """Resetting servers are looked at again while silent ones are waited for: all ends within about one limit of time."""
    with hostile.serve(good) as well, hostile.serve(hostile.reset) as reset, hostile.serve(hostile.silent) as silent:
        targets = [target(well, f"w{n}.test") for n in range(20)]
        targets += [target(reset, f"r{n}.test") for n in range(5)] + [target(silent, f"s{n}.test") for n in range(4)]
        found, verdict, _, seconds = look(targets, RetrySettings(timeout=4.0))
    assert kinds(found) == {"handshake", "reset", "handshake-timeout"}
    assert all("(tried twice)" in str(seen.outcome) for name, seen in found.items() if name.startswith("r"))
    assert verdict.inconclusive == ""
    assert seconds < 10.0


def test_time_outs_are_asked_again_where_others_were_answered(good: hostile.Behaviour) -> None:
    """A name that runs out of time on a port that answers others is looked at again; on a port that never answers it is not."""
    with hostile.serve(good) as well, hostile.watched(hostile.silent) as silent:
        flaky = _silent_once(good, "late.test")
        with hostile.serve(flaky) as port:
            targets = [target(well, "w.test"), *(target(port, f"{name}.test") for name in ("a", "b", "late")),
                       target(silent.port, "s.test")]
            found, _, _, _ = look(targets, RetrySettings(timeout=3.0))
        visits = silent.visits
    assert isinstance(found["late.test"].outcome, Handshake)
    assert visits == 1
    assert found["s.test"].outcome == Failure(FailureKind.HANDSHAKE_TIMEOUT, "TLS handshake: not one octet in 3 s")


def _silent_once(well: hostile.Behaviour, name: str) -> hostile.Behaviour:
    """Says nothing to the first client that asks for ``name``."""
    asked: list[bool] = []

    def behave(visit: hostile.Visit) -> None:
        peeked = visit.conn.recv(4096, hostile.socket.MSG_PEEK)
        if name.encode() in peeked and not asked:
            asked.append(True)
            visit.wait()
        else:
            well(visit)

    return behave


def test_second_looks_have_their_time() -> None:
    """When the time of second looks is over, who was not asked again keeps the first outcome, and a note says so."""
    once = hostile.first_good(hostile.reset, hostile.silent, 24 * connections(hostile.reset))
    with hostile.serve(once) as port:
        found, _, notes, seconds = look([target(port, f"n{n}.test") for n in range(24)], RetrySettings(timeout=2.0))
    assert kinds(found) == {"reset"}
    assert any("(tried twice)" not in str(seen.outcome) for seen in found.values())
    assert len(notes) == 1
    assert "no time was left" in notes[0]
    assert seconds < 10.0


@contextmanager
def _world(behaviour: hostile.Behaviour, hosts: int) -> Iterator[tuple[ExitStack, list[tuple[str, int]]]]:
    """Servers on addresses of their own; closing the stack stops them all."""
    with ExitStack() as servers:
        places = [f"127.0.{number}.1" for number in range(1, hosts + 1)]
        yield servers, [(place, servers.enter_context(hostile.serve(behaviour, place))) for place in places]


def test_network_that_goes_away_is_no_outage_of_the_world(good: hostile.Behaviour) -> None:
    """All servers vanish in the middle of the run: inconclusive, and the line says how many no longer answer."""
    with _world(good, 6) as (servers, places):
        targets = [target(port, f"n{n}-{address}.test", address=address) for n in range(9) for address, port in places]
        closing = threading.Thread(target=servers.close)
        found, verdict, _, _ = look(
            targets, RetrySettings(timeout=4.0), rate=60.0, on_seen=lambda count: closing.start() if count == 12 else None
        )
        closing.join()
    assert kinds(found) >= {"handshake", "refused"}
    assert verdict.inconclusive.startswith("5 of 5 targets that are known to work gave no answer (")
    assert verdict.inconclusive.endswith("the fault is probably on our side: check the network of this machine and scan again")


def test_dead_hosts_are_just_dead(good: hostile.Behaviour) -> None:
    """Half of the hosts are closed or silent, but those that had answered still do: nothing is inconclusive."""
    with _world(good, 5) as (_, places), hostile.serve(hostile.silent) as silent:
        targets = [target(port, f"n{n}.test", address=address) for n in range(4) for address, port in places]
        targets += [target(1, f"closed{n}.test", address=f"127.0.9.{n}") for n in range(1, 25)]
        targets += [target(silent, f"s{n}.test") for n in range(5)]
        found, verdict, notes, _ = look(targets, RetrySettings(timeout=2.0))
    assert kinds(found) == {"handshake", "refused", "handshake-timeout"}
    assert (verdict.inconclusive, notes) == ("", [])


@pytest.fixture
def deaf() -> Iterator[list[Target]]:
    """Five addresses that accept and never say a word."""
    with _world(hostile.silent, 5) as (_, places):
        yield [target(port, f"s{n}.test", address=address) for n, (address, port) in enumerate(places)]


def test_nobody_answers_at_all(deaf: list[Target], good: hostile.Behaviour) -> None:
    """Five silent addresses and not one word are inconclusive; four are too few to tell."""
    found, verdict, _, _ = look(deaf, RetrySettings(timeout=1.5))
    assert kinds(found) == {"handshake-timeout"}
    assert verdict.inconclusive.startswith("not one of 5 addresses gave any answer; ")
    assert look(deaf[:4], RetrySettings(timeout=1.5))[1].inconclusive == ""


def test_a_living_canary_settles_it(deaf: list[Target], good: hostile.Behaviour) -> None:
    """The same five addresses while a configured canary answers: they are silent, and the run is conclusive."""
    with hostile.serve(good) as port:
        canary = (target(port, "canary.test"),)
        _, verdict, notes, _ = look(deaf, RetrySettings(timeout=1.5, canaries=canary))
    assert (verdict.inconclusive, notes) == ("", [])


def test_a_canary_that_is_dead_from_the_start(good: hostile.Behaviour) -> None:
    """It is named at once; as long as the targets answer it makes nothing inconclusive."""
    canary = (target(1, "canary.test", address="127.0.8.1"),)
    with hostile.serve(good) as port:
        _, verdict, notes, _ = look([target(port, f"n{n}.test") for n in range(3)], RetrySettings(timeout=3.0, canaries=canary))
    assert verdict.inconclusive == ""
    assert notes == ["1 of 1 canaries gave no answer at the start (canary.test at 127.0.8.1:1: connection refused)"]


def test_ending_early_loses_nothing() -> None:
    """Closed in the middle, what waits for its second look is handed over, and the engine leaves no process behind."""
    async def run(targets: list[Target]) -> tuple[RunVerdict, list[Observation]]:
        verdict, seen = RunVerdict(), list[Observation]()
        scanner = engine(timeout=5.0)
        async with aclosing(look_twice(scanner, targets, RetrySettings(timeout=5.0), lambda line: None, verdict)) as stream:
            async def read() -> None:
                async for one in stream:
                    seen.append(one)
            reading = asyncio.create_task(read())
            await asyncio.sleep(1.0)  # the reset has been seen, and its second look waits for the silent one
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        assert scanner.worker_pids == ()
        return verdict, seen

    with hostile.serve(hostile.reset) as reset, hostile.serve(hostile.silent) as silent:
        verdict, seen = asyncio.run(run([target(reset, "r.test"), target(silent, "s.test")]))
    assert [one.server_name.text for one in verdict.pending] == ["r.test"]
    assert seen == []


def test_nothing_to_look_at() -> None:
    """No target is no observation and no suspicion."""
    assert look([], RetrySettings())[1].inconclusive == ""
