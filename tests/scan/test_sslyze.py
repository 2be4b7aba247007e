"""The engine against nginx: every deployment with its handshakes and verdicts, one observation per target."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from servers import hostile, nginx
from servers.nginx import Host
from servers.scanning import check, clock, der, engine, handshake, observe, target
from sslyze.plugins.certificate_info.trust_stores.trust_store_repository import TrustStoresRepository

from dnscertscan.demo.authority import Authority, pem
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Handshake
from dnscertscan.scan import ENGINES, ScanSettings, probe_crew
from dnscertscan.scan.confirm import Confirmer
from dnscertscan.scan.probe import Reading
from dnscertscan.scan.sslyze import bundled_stores

STORES = ["Android", "Apple", "Java", "Mozilla", "Windows"]


def test_rsa_and_ecdsa_pair_by_sni(ca: Authority) -> None:
    """Both certificates of a dual deployment are found, each with the handshakes that show it and SSLyze's word per store."""
    rsa, ecdsa, other = ca.leaf("pair.test", key="rsa2048"), ca.leaf("pair.test"), ca.leaf("other.test")
    with nginx.serve([Host("default.test", [other]), Host("pair.test", [rsa, ecdsa])]) as port:
        (observation,) = observe([target(port, "pair.test")])
    result = handshake(observation)
    assert result.protocol == "TLS 1.3"
    assert result.engine_failure is None
    found = {tuple(one.der for one in deployment.chain): deployment for deployment in result.deployments}
    assert set(found) == {der(rsa), der(ecdsa), der(other)}
    assert found[der(rsa)].how == ("TLS 1.2 RSA",)
    assert found[der(ecdsa)].how == ("TLS 1.2 not RSA", "TLS 1.3")
    assert (found[der(other)].how, found[der(other)].sni) == (("no SNI",), False)
    assert [deployment.sni for deployment in result.deployments] == [True, True, False]
    for deployment in result.deployments:
        assert [verdict.store for verdict in deployment.verdicts] == STORES
        assert not any(verdict.trusted for verdict in deployment.verdicts)
        assert all(verdict.reason for verdict in deployment.verdicts)


def test_one_protocol_only(ca: Authority) -> None:
    """Servers with one TLS version are read by the handshakes that version has, also versions long obsolete."""
    leaf = ca.leaf("a.test", key="rsa2048")
    expected = {
        "TLSv1.3": ("TLS 1.3", {"TLS 1.3", "no SNI"}), "TLSv1.2": ("TLS 1.2", {"default", "TLS 1.2 RSA", "no SNI"}),
        "TLSv1": ("TLS 1.0", {"default", "TLS 1.0 RSA", "no SNI"}),
    }
    with ExitStack() as stack:
        ports = {word: stack.enter_context(nginx.serve([Host("a.test", [leaf], protocols=word)])) for word in expected}
        found = {one.target.endpoint.port: handshake(one) for one in observe([target(port) for port in ports.values()])}
    for word, (protocol, labels) in expected.items():
        result = found[ports[word]]
        assert (result.protocol, result.engine_failure) == (protocol, None)
        (deployment,) = result.deployments
        assert set(deployment.how) == labels
        assert tuple(one.der for one in deployment.chain) == der(leaf)


def test_client_certificate_wanted(ca: Authority) -> None:
    """A certificate is judged although the server wants one of us; nginx lets clients without one finish the handshake."""
    leaf = ca.leaf("m.test")
    with ExitStack() as stack:
        ports = []
        for protocols, optional in product(("TLSv1.2", "TLSv1.3"), (True, False)):
            host = Host("m.test", [leaf], protocols=protocols, mtls=pem([ca.certificate]), optional=optional)
            ports.append(stack.enter_context(nginx.serve([host])))
        observations = observe([target(port, "m.test") for port in ports])
    assert len(observations) == 4
    for observation in observations:
        result = handshake(observation)
        assert (result.client_auth, result.engine_failure) == (ClientAuth.REQUESTED, None)
        assert [tuple(one.der for one in deployment.chain) for deployment in result.deployments] == [der(leaf)]


def test_wildcard_underscore_and_ip6(ca: Authority) -> None:
    """Names SSLyze cannot judge keep their certificates and say why there is no verdict; IPv6 works like IPv4."""
    wild = ca.leaf("*.w.test")
    with nginx.serve([Host("*.w.test", [wild])], addresses=("127.0.0.1", "::1")) as port:
        targets = [target(port, "_dmarc.w.test"), target(port, "x.w.test", address="::1")]
        found = {observation.target.server_name.text: handshake(observation) for observation in observe(targets)}
    (odd,), (plain,) = (found[name].deployments for name in ("_dmarc.w.test", "x.w.test"))
    assert tuple(one.der for one in odd.chain) == der(wild)
    assert (odd.verdicts, "SSLyze cannot judge it" in odd.unjudged) == ((), True)
    assert ([verdict.store for verdict in plain.verdicts], plain.unjudged) == (STORES, "")


def test_unscannable_names_are_a_value() -> None:
    """Names no server can be asked for never reach a socket."""
    names = ["*.w.test", "a..b", "x" * 64 + ".test", ".".join(["abcdefgh"] * 30), "sp ace.test"]
    with hostile.watched(hostile.silent) as server:
        observations = observe([target(server.port, name) for name in names])
    assert [one.outcome.kind for one in observations if isinstance(one.outcome, Failure)] == [FailureKind.UNSCANNABLE_NAME] * 5
    assert server.visits == 0


def test_lists_that_differ_after_the_leaf_are_two_deployments(ca: Authority) -> None:
    """A server that sends the intermediate on some connections only shows two deployments, in every run."""
    leaf = ca.leaf("a.test", key="rsa2048")
    complete, bare = der(leaf), der(leaf)[:1]

    both = [hostile.tls(chain, leaf.key_pem) for chain in (complete, bare)]

    def behave(visit: hostile.Visit) -> None:
        both[visit.number % 2](visit)

    for _ in range(2):
        with hostile.serve(behave) as port:
            (observation,) = observe([target(port)])
        chains = {tuple(one.der for one in deployment.chain) for deployment in handshake(observation).deployments}
        assert chains == {complete, bare}


def test_octets_no_library_can_parse_are_kept() -> None:
    """What OpenSSL, SSLyze and cryptography all refuse still reaches the observation, without a verdict and with a reason."""
    broken = (b"\x30\x03\x02\x01\x05",)
    with hostile.serve(hostile.fixed_flight(broken)) as port:
        (observation,) = observe([target(port)])
    (deployment,) = handshake(observation).deployments
    assert tuple(one.der for one in deployment.chain) == broken
    assert (deployment.verdicts, "cannot judge" in deployment.unjudged) == ((), True)


def _renewed(count: int) -> tuple[bytes, ...]:
    """A leaf, then its private root renewed with the same name and key, as a careless chain file has it."""
    root = Authority.root("Renewed Root", now=clock())
    key, name = root.credential.key, root.certificate.subject
    again = []
    for days in range(count):
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(clock() - timedelta(days=9 + days)).not_valid_after(clock() + timedelta(days=900))
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        again.append(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))
    return (root.leaf("a.test").certificate.public_bytes(Encoding.DER), *again)


_MANY = tuple(b"\x30\x03\x02\x01" + bytes([number]) for number in range(20))


def test_chains_that_take_sslyze_minutes_are_not_judged() -> None:
    """Five copies of one root take cryptography minutes of CPU: no verdict, the reason, and the list kept, at once."""
    with hostile.serve(hostile.fixed_flight(_renewed(5))) as renewed, hostile.serve(hostile.fixed_flight(_MANY)) as many:
        observations = observe([target(renewed), target(many)])
    assert len(observations) == 2
    for observation in observations:
        result = handshake(observation)
        (deployment,) = result.deployments
        assert len(deployment.chain) in (6, 20)
        assert (deployment.verdicts, result.engine_failure) == ((), None)
        assert deployment.unjudged
        assert observation.seconds < 5.0


@pytest.mark.filterwarnings("ignore:Parsed a serial number:Warning")
def test_bundled_stores_are_those_of_sslyze() -> None:
    """Our list of SSLyze's stores is SSLyze's list, and each holds roots."""
    theirs = {store.name: Path(store.path).read_bytes() for store in TrustStoresRepository.get_default().get_all_stores()}
    assert dict(bundled_stores()) == theirs
    assert [name for name, _ in bundled_stores()] == STORES
    assert all(content.count(b"BEGIN CERTIFICATE") > 50 for content in theirs.values())


def test_registry_makes_the_engine() -> None:
    """The engine is made by its name."""
    made = ENGINES["sslyze"](ScanSettings(), clock)
    assert made.name == "sslyze"


def test_an_engine_scans_again(ca: Authority) -> None:
    """One engine serves one scan after another, as a daemon needs it."""
    async def run(port: int) -> list[str]:
        scanner = engine()
        names = []
        for number in range(2):
            async for observation in scanner.scan([target(port, f"n{number}.test")]):
                handshake(observation)
                names.append(observation.target.server_name.text)
        return names

    with nginx.serve([Host("a.test", [ca.leaf("a.test")])]) as port:
        assert asyncio.run(run(port)) == ["n0.test", "n1.test"]


def test_probe_and_engine_agree(ca: Authority) -> None:
    """Our own check and SSLyze read the same list."""
    leaf = ca.leaf("a.test")
    with nginx.serve([Host("a.test", [leaf])]) as port:
        reading = check(target(port))
        (observation,) = observe([target(port)])
    assert isinstance(reading, Reading)
    (deployment,) = handshake(observation).deployments
    assert tuple(one.der for one in deployment.chain) == reading.chain == der(leaf)
    assert (reading.protocol, reading.cipher) == ("TLS 1.3", "TLS_AES_256_GCM_SHA384")


def test_closing_early_leaves_no_process(ca: Authority) -> None:
    """Whoever stops reading ends every worker process at once."""
    async def run(port: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        scanner = engine(workers=2)
        observations = scanner.scan(target(port, f"n{number}.test") for number in range(10_000))
        await anext(observations)
        pids, others = scanner.worker_pids, scanner.probe_pids
        await observations.aclose()
        return pids, others

    with nginx.serve([Host("a.test", [ca.leaf("a.test")])]) as port:
        pids, others = asyncio.run(run(port))
    assert len(pids) == 2
    assert len(others) >= 1
    for pid in (*pids, *others):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_targets_are_pulled_as_there_is_room(ca: Authority) -> None:
    """A million targets are not asked for before they are needed."""
    pulled = 0

    def many(port: int) -> Iterator[Target]:
        nonlocal pulled
        for number in range(1_000_000):
            pulled += 1
            yield target(port, f"n{number}.test", address=f"127.0.0.{number % 200 + 1}")

    async def run(port: int) -> None:
        observations = engine(concurrency=10).scan(many(port))
        for _ in range(5):
            await anext(observations)
        await observations.aclose()

    with hostile.serve(hostile.close_at_once, address="127.0.0.1") as port:
        asyncio.run(run(port))
    assert pulled < 200


def test_a_killed_scanner_leaves_no_worker(tmp_path: Path) -> None:
    """Workers end by themselves when the scanner is gone without a word."""
    with hostile.serve(hostile.silent) as port:
        script = f"import asyncio, servers.scanning as s; s.observe([s.target({port})])"
        environment = {"PYTHONPATH": str(Path(__file__).parents[1])}
        scanner = subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=tmp_path)
        children = Path(f"/proc/{scanner.pid}/task/{scanner.pid}/children")
        end = time.monotonic() + 10
        while not (workers := [int(pid) for pid in children.read_text().split()]) and time.monotonic() < end:
            time.sleep(0.02)
        scanner.kill()
        scanner.wait()
    assert workers
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
        assert time.monotonic() < end, "a worker outlived its scanner"
        time.sleep(0.02)


@pytest.mark.parametrize("when", ["at our look", "at SSLyze's"])
def test_a_bug_of_ours_is_one_targets_outcome(ca: Authority, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    """An exception nobody foresaw costs the target that brought it out, not the run; a list that was read is kept."""
    leaf = ca.leaf("a.test")
    original = Confirmer.look

    async def look(self: Confirmer, one: Target, *rest: object) -> Handshake:
        if one.server_name.text == "bug.a.test":
            raise ZeroDivisionError("unforeseen")
        return await original(self, one, *rest)

    if when == "at our look":
        monkeypatch.setattr(probe_crew, "_MODULE", "servers.buggy_probe")
    else:
        monkeypatch.setattr(Confirmer, "look", look)
    with nginx.serve([Host("a.test", [leaf])]) as port:
        found = {one.target.server_name.text: one.outcome for one in observe([target(port), target(port, "bug.a.test")])}
    bug, outcome = Failure(FailureKind.ENGINE, "bug in the scanner: ZeroDivisionError: unforeseen"), found["bug.a.test"]
    if when == "at our look":
        assert outcome == bug
    else:
        assert isinstance(outcome, Handshake)
        assert outcome.engine_failure == bug
        assert [tuple(one.der for one in deployment.chain) for deployment in outcome.deployments] == [der(leaf)]
    assert isinstance(found["a.test"], Handshake)
    assert found["a.test"].engine_failure is None
