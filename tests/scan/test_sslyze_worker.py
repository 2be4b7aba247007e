"""What SSLyze is spared because the scanner has seen it already, and why that loses nothing."""

import threading

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from servers import hostile
from servers.scanning import check, clock, der, handshake, observe, target

from dnscertscan.demo.authority import Authority
from dnscertscan.scan import sslyze_worker
from dnscertscan.scan.frames import Message, pack
from dnscertscan.scan.sslyze_worker import SslyzeLook

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number:Warning")
SIGNATURES, SUPPORTED_VERSIONS, NAME = 13, 43, 0


def _request(port: int, chain: tuple[bytes, ...] = (), **changes: object) -> Message:
    return {
        "address": "127.0.0.1", "port": port, "service": "tls", "name": "a.test", "protocol": "TLS 1.3", "client_auth": False,
        "chains": [[pack(one) for one in chain]] if chain else [], "first_look": bool(chain), "no_sni": False,
        "at": clock().isoformat(), "max_bytes": 1 << 20, "seconds": 5.0, **changes,
    }


class _Hellos:
    """A server that keeps the first octets of every connection, and closes it."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.lock = threading.Lock()

    def __call__(self, visit: hostile.Visit) -> None:
        hello = visit.hello()
        with self.lock:
            self.seen.append(hello)


def _parse(record: bytes) -> tuple[bytes, dict[int, bytes]]:
    """Cipher suites and extensions of a ClientHello that is one record (RFC 8446 4.1.2)."""
    at = 5 + 4 + 2 + 32
    at += 1 + record[at]
    size = int.from_bytes(record[at : at + 2])
    suites, at = record[at + 2 : at + 2 + size], at + 2 + size
    at += 1 + record[at] + 2
    extensions = {}
    while at < len(record):
        size = int.from_bytes(record[at + 2 : at + 4])
        extensions[int.from_bytes(record[at : at + 2])] = record[at + 4 : at + 4 + size]
        at += 4 + size
    return suites, extensions


def _pairs(vector: bytes) -> list[bytes]:
    return [vector[at : at + 2] for at in range(0, len(vector), 2)]


def test_the_first_hello_offers_what_sslyze_offers_in_the_same_order() -> None:
    """A server that chooses its certificate by what is offered chooses alike for the first look and for SSLyze's first job."""
    ours, theirs = _Hellos(), _Hellos()
    with hostile.serve(ours) as port:
        check(target(port))
    with hostile.serve(theirs) as port:
        list(SslyzeLook.of(_request(port)).run())
    (our_suites, our_extensions), (their_suites, their_extensions) = _parse(ours.seen[0]), _parse(theirs.seen[0])
    assert our_extensions[NAME] == their_extensions[NAME]
    assert their_extensions[SUPPORTED_VERSIONS] == b"\x02\x03\x04"
    assert our_extensions[SUPPORTED_VERSIONS][1:3] == b"\x03\x04"
    modern = [suite for suite in _pairs(our_suites) if suite[0] == 0x13]
    assert sorted(modern) == sorted(suite for suite in _pairs(their_suites) if suite[0] == 0x13)
    schemes = _pairs(their_extensions[SIGNATURES][2:])
    assert len(schemes) > 10
    assert [scheme for scheme in _pairs(our_extensions[SIGNATURES][2:]) if scheme in schemes] == schemes


def _labels(port: int, chain: tuple[bytes, ...], **changes: object) -> list[str]:
    return [label for _, label in SslyzeLook.of(_request(port, chain, **changes))._wanted(chain)]


def test_the_job_that_the_first_look_stands_for_is_left_out(ca: Authority) -> None:
    """For keys that SSLyze's own hello would have been shown, too; for others, older protocols and unread lists it is done."""
    for key in ("rsa2048", "ec"):
        chain = der(ca.leaf("a.test", key=key))
        assert _labels(1, chain) == ["TLS 1.2 RSA", "TLS 1.2 not RSA"]
        assert _labels(1, chain, no_sni=True) == ["TLS 1.2 RSA", "TLS 1.2 not RSA", "no SNI"]
        assert _labels(1, chain, first_look=False) == ["TLS 1.3", "TLS 1.2 RSA", "TLS 1.2 not RSA"]
        assert _labels(1, chain, protocol="TLS 1.2") == ["default", "TLS 1.2 RSA", "TLS 1.2 not RSA"]
    for strange in ((), (b"no certificate",)):
        assert _labels(1, strange) == ["TLS 1.3", "TLS 1.2 RSA", "TLS 1.2 not RSA"]


def test_lists_without_sni_are_asked_for_once_an_endpoint(ca: Authority) -> None:
    """Ten names at one endpoint: the list without SNI is read once, and all ten have it, with verdicts of their own."""
    leaf = ca.leaf("*.a.test")
    with hostile.watched(hostile.tls(der(leaf), leaf.key_pem)) as server:
        first = observe([target(server.port, "n0.a.test")])
        alone = server.visits
        observations = [*first, *observe([target(server.port, f"n{number}.a.test") for number in range(10)])]
    assert alone == 4  # our look, RSA, not RSA, no SNI
    assert server.visits == alone + 10 * 3 + 1
    for observation in observations:
        (deployment,) = handshake(observation).deployments
        assert deployment.how == ("TLS 1.2 not RSA", "TLS 1.3", "no SNI")
        assert len(deployment.verdicts) == 5


def test_a_list_goes_out_before_the_next_handshake(ca: Authority) -> None:
    """New lists are messages of their own, known ones are numbers in the last message."""
    leaf = ca.leaf("a.test", key="rsa2048")
    with hostile.serve(hostile.tls(der(leaf), leaf.key_pem)) as port:
        new = SslyzeLook.of(_request(port)).run()
        message = next(new)
        known = SslyzeLook.of(_request(port, der(leaf))).run()
        with pytest.raises(StopIteration) as end:
            next(known)
        list(new)
    assert (message["list"], message["chain"], message["how"]) == (0, [pack(one) for one in der(leaf)], "TLS 1.3")
    assert end.value.value["shown"] == [(0, "TLS 1.2 RSA", None)]
    assert [number for number, *_ in end.value.value["judged"]] == [0]


def test_verdicts_before_a_crash_count(ca: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that fails on the second list does not take the verdicts on the first along."""
    leaf = ca.leaf("a.test", key="rsa2048")
    chains = [der(leaf), (leaf.certificate.public_bytes(Encoding.DER),)]
    original = sslyze_worker.judge

    def judge(chain: tuple[bytes, ...], *rest: object) -> object:
        if len(chain) == 1:
            raise RuntimeError("a bug in a library")
        return original(chain, *rest)

    monkeypatch.setattr(sslyze_worker, "judge", judge)
    with hostile.serve(hostile.tls(der(leaf), leaf.key_pem)) as port:
        request = _request(port, chains=[[pack(one) for one in chain] for chain in chains], first_look=True)
        look = SslyzeLook.of(request).run()
        message = next(look)
        with pytest.raises(RuntimeError, match="a bug in a library"):
            next(look)
    assert [(number, len(verdicts)) for number, verdicts, _ in message["judged"]] == [(0, 5)]
