"""Hostile servers among good ones: nothing lost, nothing late, nobody innocent blamed, nothing left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import frozen_curve, hostile, nginx
from servers.nginx import Host
from servers.scanning import der, engine, handshake, observe, target

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Failure, FailureKind, Handshake, Observation

BAD = {
    "silent": (hostile.silent, FailureKind.HANDSHAKE_TIMEOUT),
    "drip": (hostile.drip, FailureKind.HANDSHAKE_TIMEOUT),
    "endless": (hostile.endless, FailureKind.TOO_LARGE),
    "huge": (hostile.huge_certificate, FailureKind.TOO_LARGE),
    "requests": (hostile.hello_requests, FailureKind.HANDSHAKE_ERROR),
    "empty": (hostile.empty_records, FailureKind.HANDSHAKE_ERROR),
    "alert42": (hostile.alert(42), FailureKind.ALERT),
    "alert112": (hostile.alert(112), FailureKind.UNRECOGNIZED_NAME),
    "closed": (hostile.close_at_once, FailureKind.CLOSED),
    "reset": (hostile.reset, FailureKind.RESET),
    "http": (hostile.http, FailureKind.NOT_TLS),
    "ssh": (hostile.ssh, FailureKind.NOT_TLS),
    "smtp": (hostile.smtp_not_utf8, FailureKind.NOT_TLS),
    "garbage": (hostile.garbage, FailureKind.NOT_TLS),
}


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    """One certificate for the good server and for the peers that begin well."""
    return ca.leaf("good.test")


@pytest.fixture(scope="module")
def good(leaf: Credential) -> Iterator[int]:
    """A good server for the whole module."""
    with nginx.serve([Host("good.test", [leaf])]) as port:
        yield port


def _good_ones(port: int, count: int = 20) -> list[Target]:
    return [target(port, f"n{number}.good.test") for number in range(count)]


def _by_name(observations: list[Observation]) -> dict[str, Observation]:
    found = {observation.target.server_name.text: observation for observation in observations}
    assert len(found) == len(observations)
    return found


def _assert_unharmed(found: dict[str, Observation], leaf: Credential, count: int = 20) -> None:
    for number in range(count):
        result = handshake(found[f"n{number}.good.test"])
        assert result.engine_failure is None
        assert [tuple(one.der for one in deployment.chain) for deployment in result.deployments] == [der(leaf)]
        assert len(result.deployments[0].verdicts) == 5


def test_all_bad_peers_among_good_ones(good: int, leaf: Credential) -> None:
    """Every kind of bad peer at once: each ends in its kind, the good ones lose nothing and do not wait for them."""
    with ExitStack() as stack:
        bad = [target(stack.enter_context(hostile.serve(behaviour)), name) for name, (behaviour, _) in BAD.items()]
        observations = observe([*bad, *_good_ones(good)], timeout=2.0, workers=2)
    found = _by_name(observations)
    _assert_unharmed(found, leaf)
    for name, (_, kind) in BAD.items():
        outcome = found[name].outcome
        assert isinstance(outcome, Failure), name
        assert outcome.kind is kind, (name, outcome)
        assert found[name].seconds < 4.0
    late = [observation.target.server_name.text for observation in observations[-2:]]
    assert sorted(late) == ["drip", "silent"]


LATER = {
    "drip": hostile.drip, "silent": hostile.silent, "endless": hostile.endless, "huge": hostile.huge_certificate,
    "requests": hostile.hello_requests, "alert": hostile.alert(42), "not UTF-8": hostile.smtp_not_utf8, "reset": hostile.reset,
}
LATER_SMTP = {"endless greeting": hostile.smtp_endless, "slow greeting": hostile.slow_greeting}


def test_peers_that_turn_bad_when_sslyze_comes(good: int, leaf: Credential) -> None:
    """Peers that deceive our check and then hold, flood or confuse SSLyze keep their list and harm nobody.

    Its SMTP dialogue reads replies without a limit: endless and dripping greetings are ended, with memory bounded.
    """
    secure = hostile.tls(der(leaf), leaf.key_pem)
    smtp = hostile.smtp_dialogue(b"220 mail\r\n", b"250-mail\r\n250 STARTTLS\r\n", b"220 go\r\n", then=secure)
    with ExitStack() as stack:
        bad = []
        for well, service, later in ((secure, "tls", LATER), (smtp, "smtp", LATER_SMTP)):
            for name, behaviour in later.items():
                port = stack.enter_context(hostile.serve(hostile.first_good(well, behaviour)))
                bad.append(target(port, name.replace(" ", "-").lower(), service=service))
        found = _by_name(observe([*bad, *_good_ones(good)], timeout=2.5, worker_memory=300 << 20))
    _assert_unharmed(found, leaf)
    for one in bad:
        result = handshake(found[one.server_name.text])
        assert [tuple(one.der for one in deployment.chain) for deployment in result.deployments] == [der(leaf)]
        assert found[one.server_name.text].seconds < 5.0
    results = {one.server_name.text: handshake(found[one.server_name.text]) for one in bad}
    assert {name for name, result in results.items() if result.engine_failure} == set()  # a peer's doing, not the scanner's
    incomplete = {name for name, result in results.items() if result.unanswered}
    assert incomplete >= {"drip", "silent", "endless-greeting", "slow-greeting", "reset"}
    assert not incomplete & {"alert", "not-utf-8"}
    assert "TLS 1.2 RSA: connection reset" in results["reset"].unanswered


def test_a_frozen_process_is_found_out(good: int, leaf: Credential) -> None:
    """A certificate that freezes SSLyze's old OpenSSL with the interpreter lock held: only that target is given up."""
    frozen = frozen_curve.certificate()
    with hostile.serve(hostile.fixed_flight([frozen], hostile.TLS10)) as port:
        start = time.monotonic()
        found = _by_name(observe([target(port, "frozen.test"), *_good_ones(good)], timeout=2.0))
        took = time.monotonic() - start
    _assert_unharmed(found, leaf)
    result = handshake(found["frozen.test"])
    assert [tuple(one.der for one in deployment.chain) for deployment in result.deployments] == [(frozen,)]
    assert result.engine_failure is not None
    assert result.engine_failure.kind is FailureKind.ENGINE
    assert "two worker processes" in result.engine_failure.detail
    assert took < 8.0


def test_a_worker_killed_from_outside_costs_nothing(good: int, leaf: Credential) -> None:
    """SIGKILL to a worker in the middle of a scan: its targets are tried again, no observation tells of it."""
    async def run() -> list[Observation]:
        scanner, found = engine(workers=2), []
        async for observation in scanner.scan(_good_ones(good, 100)):
            found.append(observation)
            if len(found) in (10, 30):
                os.kill(scanner.worker_pids[0], signal.SIGKILL)
        return found

    _assert_unharmed(_by_name(asyncio.run(run())), leaf, 100)


def test_silent_ones_do_not_hold_the_others_up(good: int, leaf: Credential) -> None:
    """300 targets of which 20 accept and stay silent, all on one address: all observed in less than twice the deadline."""
    async def run(silent_port: int) -> tuple[list[Observation], float, float]:
        targets = _good_ones(good, 280)
        for number in range(20):
            targets.insert(number * 14, target(silent_port, f"s{number}.test"))
        start, first, found = time.monotonic(), 0.0, []
        async for observation in engine(timeout=4.0, workers=2).scan(targets):
            if not first and isinstance(observation.outcome, Handshake):
                first = time.monotonic() - start
            found.append(observation)
        return found, first, time.monotonic() - start

    with hostile.serve(hostile.silent) as silent_port:
        observations, first, total = asyncio.run(run(silent_port))
    found = _by_name(observations)
    _assert_unharmed(found, leaf, 280)
    assert len(found) == 300
    assert first < 3.0
    assert total < 8.0


def test_sslyze_still_opens_its_connections_where_we_meter_them() -> None:
    """The function our metered sockets stand in for exists in the installed SSLyze, with the arguments we take."""
    code = "import inspect, sslyze.connection_helpers.tls_connection as t; print(inspect.signature(t._open_socket))"
    signature = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert signature.startswith("(server_location: ")
    assert "network_timeout: int" in signature


def test_memory_of_the_scanner_stays_small(tmp_path: Path) -> None:
    """Two dozen peers that would each send 256 MB or a certificate of 16 MB leave the scanner's process under 200 MB."""
    with hostile.serve(hostile.endless) as endless, hostile.serve(hostile.huge_certificate) as huge:
        script = (
            "import pathlib, servers.scanning as s\n"
            f"ports = [{endless}, {huge}] * 12\n"
            "found = s.observe([s.target(port, f'n{n}.test') for n, port in enumerate(ports)], per_address=24)\n"
            # Not ru_maxrss: that of a new process begins with what its parent, here all the tests so far, had at the fork.
            "lines = pathlib.Path('/proc/self/status').read_text().splitlines()\n"
            "peak = next(line.split()[1] for line in lines if line.startswith('VmHWM'))\n"
            "print({one.outcome.kind.value for one in found}, peak)"
        )
        environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", script]
        run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    kinds, kibibytes = run.stdout.rsplit(maxsplit=1)
    assert kinds == "{'too-large'}"
    assert int(kibibytes) < 200 << 10
