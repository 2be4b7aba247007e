"""The engine that chooses, and the caps that hold over both of its halves."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from servers import hostile, nginx
from servers.nginx import Host
from servers.scanning import clock, der, handshake, target

from dnscertscan.demo.authority import Authority
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.scan import ENGINES, ScanSettings
from dnscertscan.scan.base import ScanEngine


def _scan(engine: ScanEngine, names: list[str], port: int, *, gentle: bool = False) -> list[Observation]:
    async def run() -> list[Observation]:
        async with asyncio.timeout(30):
            return [one async for one in engine.scan([target(port, name) for name in names], gentle=gentle)]

    return asyncio.run(run())


def test_sslyze_looks_at_what_is_doubtful_and_once_at_the_rest(ca: Authority) -> None:
    """Of equal names one is confirmed; another list, and every doubtful name, are confirmed, too. Each scan begins anew."""
    leaf, other = ca.leaf("*.a.test", key="rsa2048"), ca.leaf("b.test")
    engine = ENGINES["auto"](
        ScanSettings(workers=1, concurrency=1), clock, lambda one: one.target.server_name.text in ("n5.a.test", "n7.a.test")
    )
    names = [*(f"n{number}.a.test" for number in range(9)), "b.test"]
    with nginx.serve([Host("*.a.test", [leaf]), Host("b.test", [other])]) as port:
        for _ in range(2):
            found = {one.target.server_name.text: one for one in _scan(engine, names, port)}
            assert Counter(one.engine for one in found.values()) == {"probe": 6, "probe+sslyze": 4}
            assert {found[name].engine for name in ("n5.a.test", "n7.a.test", "b.test")} == {"probe+sslyze"}
            for name, one in found.items():
                served = handshake(one).deployments
                lists = {tuple(each.der for each in deployment.chain) for deployment in served if deployment.sni}
                assert lists == {der(other if name == "b.test" else leaf)}
                assert {bool(deployment.verdicts) for deployment in served} == {one.engine == "probe+sslyze"}


def test_failures_are_the_probes_own(ca: Authority) -> None:
    """There is nothing to confirm where there is no certificate."""
    with hostile.serve(hostile.reset) as port:
        (observation,) = _scan(ENGINES["auto"](ScanSettings(workers=1), clock, lambda _: True), ["a.test"], port)
    assert isinstance(observation.outcome, Failure)
    assert (observation.engine, observation.outcome.kind) == ("probe", FailureKind.RESET)


def _crowded(well: hostile.Behaviour) -> tuple[hostile.Behaviour, Callable[[], int]]:
    """A server that counts how many come at once. They count until they get their answer, so that none overlap by chance."""
    lock, now, most = threading.Lock(), 0, 0

    def behave(visit: hostile.Visit) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        well(visit)

    return behave, lambda: most


@pytest.mark.parametrize("name", ["sslyze", "auto"])
@pytest.mark.parametrize(("cap", "gentle"), [(1, False), (2, False), (4, True)])
def test_both_halves_are_one_visitor(ca: Authority, name: str, cap: int, gentle: bool) -> None:
    """No more targets of an address than allowed are asked at a time, our handshakes and SSLyze's taken together."""
    leaf = ca.leaf("*.a.test")
    behave, most = _crowded(hostile.tls(der(leaf), leaf.key_pem))
    engine = ENGINES[name](ScanSettings(workers=2, per_address=cap), clock, lambda _: True)
    with hostile.serve(behave) as port:
        found = _scan(engine, [f"n{number}.a.test" for number in range(8)], port, gentle=gentle)
        at_once = most()
        if gentle:  # and the next scan is an ordinary one again
            _scan(engine, [f"n{number}.a.test" for number in range(8)], port)
            assert most() > 1
    assert len(found) == 8
    assert all(handshake(one).engine_failure is None for one in found)
    assert at_once == (1 if gentle else cap)
