"""The fast engine: the deployments SSLyze finds, the failures our check finds, and nothing lost when a worker dies."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from servers import hostile, nginx
from servers.nginx import Host
from servers.scanning import clock, der, handshake, observe, probe, target
from servers.tls_tools import gnutls_serv, s_server

from dnscertscan.demo.authority import Authority, Credential, pem
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import ClientAuth, Failure, FailureKind, Observation
from dnscertscan.scan import ENGINES, ScanSettings

_Shown = tuple[str, str, ClientAuth, list[tuple[tuple[str, ...], tuple[bytes, ...], bool]]]


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    return ca.leaf("good.test", "*.good.test")


@pytest.fixture(scope="module")
def good(leaf: Credential) -> Iterator[int]:
    """A good server for the whole module."""
    with nginx.serve([Host("good.test", [leaf])]) as port:
        yield port


def _by_target(observations: list[Observation]) -> dict[Target, Observation]:
    found = {observation.target: observation for observation in observations}
    assert len(found) == len(observations)
    return found


def _shown(observation: Observation) -> _Shown:
    result = handshake(observation)
    assert result.engine_failure is None
    lists = [(one.how, tuple(certificate.der for certificate in one.chain), one.sni) for one in result.deployments]
    return result.protocol, result.cipher, result.client_auth, lists


def test_deployments_are_those_of_sslyze(ca: Authority) -> None:
    """Every mix of certificates, protocols and client authentication: the same lists by the same handshakes as SSLyze finds."""
    rsa, ecdsa, other = ca.leaf("pair.test", key="rsa2048"), ca.leaf("pair.test"), ca.leaf("other.test", key="rsa2048")
    ed_key: Any = Ed25519PrivateKey.generate()
    p384, ed = ca.leaf("p.test", key="ec384"), ca.leaf("ed.test", key=ed_key)
    ask = pem([ca.certificate])
    current = [
        Host("default.test", [other]), Host("pair.test", [rsa, ecdsa]), Host("rsa.test", [rsa]), Host("ecdsa.test", [ecdsa]),
        Host("p.test", [p384]), Host("ed.test", [ed]), Host("both384.test", [p384, rsa]),
        Host("m.test", [rsa, ecdsa], mtls=ask), Host("w.test", [ecdsa], mtls=ask, optional=True),
    ]
    alone = [
        Host("t12.test", [rsa, ecdsa], protocols="TLSv1.2"), Host("t13.test", [rsa, ecdsa], protocols="TLSv1.3"),
        Host("t10.test", [rsa], protocols="TLSv1"), Host("t10both.test", [rsa, ecdsa], protocols="TLSv1 TLSv1.1"),
        Host("m12.test", [ecdsa], protocols="TLSv1.2", mtls=ask), Host("old.test", [rsa], protocols="TLSv1.1 TLSv1.2"),
    ]
    with ExitStack() as stack:
        port = stack.enter_context(nginx.serve(current))
        targets = [target(port, host.name) for host in current] + [target(port, "unknown.test")]
        targets += [target(stack.enter_context(nginx.serve([host])), host.name) for host in alone]
        ours, theirs = _by_target(probe(targets)), _by_target(observe(targets))
    assert set(ours) == set(theirs) == set(targets)
    for one in targets:
        if one.server_name.text != "t10both.test":
            assert _shown(ours[one]) == _shown(theirs[one]), one.server_name
        else:  # which of two lists a default client gets goes by the client's order, and that of SSLyze's old OpenSSL is another
            assert [shown[1] for shown in _shown(ours[one])[3]] == [shown[1] for shown in _shown(theirs[one])[3]]
    names = {one.server_name.text: handshake(ours[one]) for one in targets}
    assert len(names["pair.test"].deployments) == 3
    assert {name for name, result in names.items() if result.legacy} == {"old.test"}
    assert names["old.test"].legacy == ("TLS 1.1",)
    assert {names[name].alpn for name in ("pair.test", "t12.test", "t13.test")} == {"http/1.1"}
    assert names["m.test"].client_auth is names["m12.test"].client_auth is ClientAuth.REQUESTED


@pytest.mark.parametrize(("options", "protocol"), [
    ((), "TLS 1.3"), (("-groups", "P-384"), "TLS 1.3"), (("-groups", "P-256"), "TLS 1.3"), (("-groups", "X448"), "TLS 1.3"),
    (("-ciphersuites", "TLS_AES_128_GCM_SHA256"), "TLS 1.3"), (("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), "TLS 1.3"),
    (("-ciphersuites", "TLS_AES_128_CCM_SHA256"), "TLS 1.2"), (("-tls1_3", "-record_padding", "512"), "TLS 1.3"),
    (("-tls1_2", "-cipher", "DHE-RSA-AES256-SHA"), "TLS 1.2"), (("-tls1_2", "-cipher", "AES128-SHA"), "TLS 1.2"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_openssl(ca: Authority, options: tuple[str, ...], protocol: str) -> None:
    """Suites and groups we read ourselves, a retried hello, padding, and what OpenSSL has to read for us."""
    credential = ca.leaf("a.test", key="rsa2048")
    with s_server(*options, credential=credential) as port:
        (observation,) = probe([target(port)])
    result = handshake(observation)
    assert result.protocol == protocol
    assert [deployment.chain[0].der for deployment in result.deployments] == [der(credential)[0]]


@pytest.mark.parametrize("priority", ["NORMAL", "NORMAL:-GROUP-ALL:+GROUP-SECP384R1", "NORMAL:-VERS-ALL:+VERS-TLS1.2"])
def test_gnutls(ca: Authority, priority: str) -> None:
    """A second implementation of TLS is read as well."""
    credential = ca.leaf("a.test", key="rsa2048")
    with gnutls_serv(credential, priority) as port:
        (observation,) = probe([target(port)])
    (deployment,) = handshake(observation).deployments
    assert tuple(one.der for one in deployment.chain) == der(credential)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_long_lists(ca: Authority, version: str) -> None:
    """A list that fills several records is put together again; the staple that comes with it is kept."""
    names = [f"host-{number}.with-a-rather-long-name.example" for number in range(800)]
    credential = ca.leaf("a.test", *names, key="rsa4096")
    with s_server(version, credential=credential, staple=b"\x30\x03\x0a\x01\x06") as port:
        (observation,) = probe([target(port)])
    (deployment,) = handshake(observation).deployments
    assert len(deployment.chain[0].der) > 32_768
    assert [one.der for one in deployment.chain] == [der(credential)[0], *der(credential)]  # so s_server sends it
    assert deployment.staple == b"\x30\x03\x0a\x01\x06"


KINDS = {
    "silent": (hostile.silent, FailureKind.HANDSHAKE_TIMEOUT), "drip": (hostile.drip, FailureKind.HANDSHAKE_TIMEOUT),
    "close-at-once": (hostile.close_at_once, FailureKind.CLOSED), "close": (hostile.close_on_hello, FailureKind.CLOSED),
    "reset": (hostile.reset, FailureKind.RESET), "endless": (hostile.endless, FailureKind.TOO_LARGE),
    "huge": (hostile.huge_certificate, FailureKind.TOO_LARGE), "requests": (hostile.hello_requests, FailureKind.HANDSHAKE_ERROR),
    "empty": (hostile.empty_records, FailureKind.HANDSHAKE_ERROR), "alert40": (hostile.alert(40), FailureKind.ALERT),
    "alert70": (hostile.alert(70), FailureKind.UNSUPPORTED_TLS), "alert112": (hostile.alert(112), FailureKind.UNRECOGNIZED_NAME),
    "http": (hostile.http, FailureKind.NOT_TLS), "ssh": (hostile.ssh, FailureKind.NOT_TLS),
    "smtp": (hostile.smtp_not_utf8, FailureKind.NOT_TLS), "garbage": (hostile.garbage, FailureKind.NOT_TLS),
    "nothing": (hostile.fixed_flight(()), FailureKind.NO_CERTIFICATE),
}


def test_bad_peers_among_good_ones(good: int, leaf: Credential) -> None:
    """Every kind of bad peer ends in its kind and in time; the good ones lose nothing; closed ports and bad names are values."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    with ExitStack() as stack:
        bad = {name: target(stack.enter_context(hostile.serve(behaviour)), name) for name, (behaviour, _) in KINDS.items()}
        odd = {"refused": target(closed, "refused"), "b*d": target(good, "b*d")}
        well = [target(good, f"n{number}.good.test") for number in range(20)]
        found = _by_target(probe([*bad.values(), *odd.values(), *well], timeout=2.0, per_address=50))
    for one in well:
        assert [tuple(item.der for item in deployment.chain) for deployment in handshake(found[one]).deployments] == [der(leaf)]
    kinds = {name: found[one].outcome for name, one in (bad | odd).items()}
    expected = {name: kind for name, (_, kind) in KINDS.items()}
    expected |= {"refused": FailureKind.REFUSED, "b*d": FailureKind.UNSCANNABLE_NAME}
    assert {name: outcome.kind for name, outcome in kinds.items() if isinstance(outcome, Failure)} == expected
    assert all(found[one].seconds < 3.0 for one in bad.values())


def test_peers_that_turn_bad_after_the_first_hello(leaf: Credential) -> None:
    """What they showed counts; silence, floods and resets are told, refusals in TLS are not."""
    secure = hostile.tls(der(leaf), leaf.key_pem)
    later = {
        "silent": hostile.silent, "drip": hostile.drip, "endless": hostile.endless, "alert": hostile.alert(42),
        "reset": hostile.reset, "http": hostile.http,
    }
    with ExitStack() as stack:
        servers = {name: hostile.serve(hostile.first_good(secure, behaviour)) for name, behaviour in later.items()}
        targets = [target(stack.enter_context(server), name) for name, server in servers.items()]
        found = {one.target.server_name.text: one for one in probe(targets, timeout=2.0, per_address=50)}
    for one in found.values():
        assert [tuple(item.der for item in deployment.chain) for deployment in handshake(one).deployments] == [der(leaf)]
        assert one.seconds < 3.0
    unanswered = {name: handshake(one).unanswered for name, one in found.items() if handshake(one).unanswered}
    assert set(unanswered) == {"silent", "drip", "endless", "reset"}
    assert "TLS 1.2 RSA: not done in its time" in unanswered["silent"]
    assert "TLS 1.2 RSA: too many octets received" in unanswered["endless"]
    assert unanswered["reset"] == ("TLS 1.2 RSA: connection reset", "TLS 1.2 not RSA: connection reset")


def test_endpoints_are_asked_once_without_a_name(leaf: Credential) -> None:
    """However many names an endpoint has, it sees one hello without a name and one of an obsolete client."""
    secure = hostile.tls(der(leaf), leaf.key_pem)
    seen: Counter[str] = Counter()

    def behave(visit: hostile.Visit) -> None:
        hello = visit.conn.recv(4096, socket.MSG_PEEK)
        seen["nameless" if b"good.test" not in hello else "obsolete" if hello[9:11] == b"\x03\x02" else "plain"] += 1
        secure(visit)

    with hostile.serve(behave) as port:
        observations = probe([target(port, f"n{number}.good.test") for number in range(30)])
    assert {"no SNI" in deployment.how for one in observations for deployment in handshake(one).deployments} == {True}
    assert seen == {"nameless": 1, "obsolete": 1, "plain": 90}


def test_first_hello_only(good: int) -> None:
    """On request one connection a target is all."""
    with hostile.watched(hostile.fixed_flight((b"\x30\x03\x02\x01\x05",))) as server:
        observations = probe([target(server.port, f"n{number}.test") for number in range(10)], first_only=True)
    assert [handshake(one).deployments[0].how for one in observations] == [("default",)] * 10
    assert server.visits == 10


def test_registry_makes_the_engine() -> None:
    """The engine is made by its name."""
    assert ENGINES["probe"](ScanSettings(), clock).name == "probe"
