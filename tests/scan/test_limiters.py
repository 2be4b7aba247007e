"""Servers behind a connection limiter: every list is found, or what has not been answered is told; never a clean silence."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest
from servers import hostile, limiter, nginx
from servers.nginx import Host
from servers.scanning import clock, der, handshake, observe, probe, target

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.report.describe import terminal_state

Scan = Callable[..., list[Observation]]
BOTH = pytest.mark.parametrize("scan", [probe, observe], ids=["probe", "sslyze"])
WORDS = {"close": "connection closed", "reset": "connection reset", "refuse": "connection refused"}


@pytest.fixture(scope="module")
def pair(ca: Authority) -> tuple[Credential, Credential]:
    """An expired RSA certificate and a good one of another kind."""
    expired = ca.leaf("pair.test", key="rsa2048", not_after=clock() - timedelta(days=2))
    return expired, ca.leaf("pair.test")


@pytest.fixture(scope="module")
def behind(pair: tuple[Credential, Credential]) -> Iterator[int]:
    """The server with both."""
    with nginx.serve([Host("pair.test", list(pair))]) as port:
        yield port


def _lists(result: Handshake) -> set[tuple[bytes, ...]]:
    return {tuple(one.der for one in deployment.chain) for deployment in result.deployments}


@BOTH
def test_never_a_clean_silence(scan: Scan, behind: int, pair: tuple[Credential, Credential]) -> None:
    """However many connections a limiter lets through and whatever it does then: a list is found, or it is said what is open."""
    expired, good = map(der, pair)
    with ExitStack() as stack:
        cases: dict[Target, tuple[str, int]] = {}
        for count in range(1, 6):
            for way in ("close", "reset"):
                server = stack.enter_context(limiter.limited(behind, limiter.after(count), way))
                cases[target(server.port, "pair.test")] = way, count
            cases[target(stack.enter_context(limiter.refusing(behind, count)), "pair.test")] = "refuse", count
        observations = scan(list(cases))
    assert len(observations) == len(cases)
    for one in observations:
        result, (way, count) = handshake(one), cases[one.target]
        assert result.engine_failure is None
        lists = [good, expired] if count > 1 else [good]
        assert _lists(result) == set(lists), (way, count)
        asked = ["TLS 1.2 RSA", "TLS 1.2 not RSA"]
        assert result.unanswered == tuple(f"{label}: {WORDS[way]}" for label in asked[count - 1 :]), (way, count)
        if count == 1:
            assert f"further handshakes got no answer: TLS 1.2 RSA: {WORDS[way]}; " in terminal_state(result)[2]


@BOTH
@pytest.mark.parametrize("way", ["close", "reset", "drop"])
def test_one_lost_connection_costs_nothing(
    scan: Scan, way: str, behind: int, pair: tuple[Credential, Credential]
) -> None:
    """A hello that got no answer is put once more: everything is found, nothing is left to tell."""
    with ExitStack() as stack:
        servers = [stack.enter_context(limiter.limited(behind, limiter.only(lost), way)) for lost in (1, 2, 3)]
        observations = scan([target(server.port, "pair.test") for server in servers])
    for one in observations:
        result = handshake(one)
        assert (_lists(result), result.unanswered) == (set(map(der, pair)), ())
        assert {how for deployment in result.deployments for how in deployment.how} == {
            "TLS 1.3", "TLS 1.2 RSA", "TLS 1.2 not RSA", "no SNI",
        }


@BOTH
def test_a_server_that_closes_instead_of_an_alert(scan: Scan, ca: Authority) -> None:
    """It is asked once more for each name, no oftener, and the answer is that there was none."""
    leaf = ca.leaf("*.a.test")
    secure, names = hostile.tls(der(leaf), leaf.key_pem), 12

    def behave(visit: hostile.Visit) -> None:
        hello = visit.conn.recv(4096, socket.MSG_PEEK)
        tls12 = hello[9:11] == b"\x03\x03" and b"\x00\x2b\x00" not in hello
        if tls12 and b"\x00\x9c" in hello[44:200]:  # TLS_RSA_WITH_AES_128_GCM_SHA256: the hello for RSA keys
            visit.hello()
        else:
            secure(visit)

    with hostile.watched(behave) as server:
        observations = scan([target(server.port, f"n{number}.a.test") for number in range(names)], per_address=4)
    for one in observations:
        result = handshake(one)
        assert _lists(result) == {der(leaf)}
        assert result.unanswered == ("TLS 1.2 RSA: connection closed",)
    assert names * 4 < server.visits <= names * 4 + 4  # those at work together may all ask for the list without SNI


def test_shared_hellos_are_put_again_for_the_next_name(behind: int) -> None:
    """A lost answer to the hello without a name is not taken for the endpoint's answer: the next target asks again."""
    with limiter.limited(behind, limiter.only(3, 4), "reset") as server:
        observations = probe([target(server.port, f"n{number}.test") for number in range(3)], per_address=1, workers=1)
    hows = [{how for deployment in handshake(one).deployments for how in deployment.how} for one in observations]
    assert sum("no SNI" in how for how in hows) == 2
    with limiter.limited(behind, limiter.only(3, 4), "reset") as server:
        observations = observe([target(server.port, f"n{number}.test") for number in range(3)], per_address=1)
    hows = [{how for deployment in handshake(one).deployments for how in deployment.how} for one in observations]
    assert sum("no SNI" in how for how in hows) == 2
