"""Every engine leads to the same findings, word for word: over the demonstration fleet, and over a mixed fleet of nginx."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from servers import nginx
from servers.nginx import Host
from servers.scanning import clock, target

from dnscertscan import assembly
from dnscertscan.checks.judge import Judge
from dnscertscan.demo.authority import Authority, Credential, pem
from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.scan import ENGINES, ScanSettings
from dnscertscan.settings.models import Scan, Settings, Trust

LIMITS = ScanSettings(timeout=3.0, workers=1)
Words = Counter[tuple[str, str, str]]


@dataclass(frozen=True)
class Fleet:
    """Targets that answer, the anchors to judge them by, and at least how many findings they must lead to."""

    targets: Sequence[Target]
    anchors: Path
    least: int


@pytest.fixture(scope="module", params=["demo", "nginx"])
def fleet(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Both fleets, one after the other."""
    anchors = tmp_path_factory.mktemp("anchors") / "ca.pem"
    with ExitStack() as stack:
        if request.param == "demo":
            demo = stack.enter_context(DemoFleet(clock()))
            anchors.write_bytes(demo.ca_pem)
            places = [(name, address) for name, addresses in demo.addresses.items() for address in addresses]
            targets = [Target(Endpoint(place, demo.tls_port), DnsName(name.replace("*", "green"))) for name, place in places]
            yield Fleet(targets, anchors, 30)
        else:
            root = Authority.root("Mixed Root", now=clock(), key="rsa2048")
            anchors.write_bytes(pem([root.certificate]))
            yield Fleet(list(_mixed(stack, root)), anchors, 40)


def _mixed(stack: ExitStack, root: Authority) -> Iterator[Target]:
    """Kinds of keys times kinds of faults times versions of TLS."""
    issuing = {kind: root.intermediate(f"Mixed {kind}", key=kind) for kind in ("rsa2048", "ec")}
    keys = {"rsa": ["rsa2048"], "ec": ["ec"], "both": ["rsa2048", "ec"]}
    for protocols in ("TLSv1.2 TLSv1.3", "TLSv1.2", "TLSv1.3"):
        hosts = []
        for kind, wanted in keys.items():
            for fault in ("good", "expired", "name", "bare", "soon", "half"):
                name = f"{fault}.{kind}.test"
                leaves = [_leaf(issuing[key], key, name, fault, first=at == 0) for at, key in enumerate(wanted)]
                hosts.append(Host(name, leaves, protocols=protocols))
        port = stack.enter_context(nginx.serve([hosts[1], hosts[0], *hosts[2:]]))
        yield from (target(port, host.name) for host in hosts)
        yield target(port, "unknown.test")


def _leaf(issuer: Authority, key: str, name: str, fault: str, *, first: bool) -> Credential:
    now = clock()
    expired = fault == "expired" or (fault == "half" and first)
    end = now + timedelta(days=-2 if expired else 3 if fault == "soon" else 80)
    leaf = issuer.leaf("other.test" if fault == "name" else name, key=key, not_after=end)
    return replace(leaf, intermediates=()) if fault == "bare" else leaf


def _judge(fleet: Fleet) -> Judge:
    return assembly.judge(Settings(zones=(), trust=Trust(ca_files=(fleet.anchors,)), scan=Scan()), clock())


def _scan(name: str, fleet: Fleet) -> list[Observation]:
    judge = _judge(fleet)

    async def run() -> list[Observation]:
        engine = ENGINES[name](LIMITS, clock, lambda observation: bool(judge.endpoint(observation)))
        async with asyncio.timeout(60):
            return [observation async for observation in engine.scan(fleet.targets)]

    return asyncio.run(run())


def _words(fleet: Fleet, observations: list[Observation]) -> Words:
    judge = _judge(fleet)
    ordered = sorted(observations, key=lambda one: one.target)
    judge.learn(ordered)
    findings = [finding for observation in ordered for finding in judge.endpoint(observation)]
    return Counter((one.fingerprint, one.rule.code, one.message) for one in (*findings, *judge.fleet(ordered)))


def test_engines_lead_to_the_same_findings(fleet: Fleet) -> None:
    """Fingerprint, code and message of every finding are equal; what SSLyze was asked to confirm has its verdicts."""
    observed = {name: _scan(name, fleet) for name in ("sslyze", "probe", "auto")}
    words = {name: _words(fleet, observations) for name, observations in observed.items()}
    for name, observations in observed.items():
        assert sorted(one.target for one in observations) == sorted(fleet.targets), name
    for name in ("probe", "auto"):
        assert words[name] - words["sslyze"] == words["sslyze"] - words[name] == Counter(), name
    assert words["sslyze"].total() >= fleet.least
    print(f"{len(fleet.targets)} targets, {words['sslyze'].total()} findings compared between three engines")
    judge = _judge(fleet)
    for observation in observed["auto"]:
        if isinstance(observation.outcome, Handshake) and judge.endpoint(observation):
            assert observation.engine == "probe+sslyze"
            assert all(one.verdicts or one.unjudged for one in observation.outcome.deployments)
