"""SCTs in a handshake: what was sent is kept, and that nothing was sent is told apart from that nobody asked."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from servers import hostile
from servers.ct_issue import sct_list, serverinfo
from servers.scanning import check, handshake, observe, probe, target
from servers.tls_tools import s_server

from dnscertscan.demo.authority import Authority, Credential
from dnscertscan.scan.merge import Received, deployments
from dnscertscan.scan.probe import Reading

SCTS = (b"\0one", b"\0two")
CHAIN = (b"leaf", b"issuer")


@pytest.fixture(scope="module")
def leaf(ca: Authority) -> Credential:
    """A certificate without SCTs."""
    return ca.leaf("a.test")


@pytest.fixture
def info() -> Iterator[Path]:
    """A file that makes s_server send SCTs; readable without privileges."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name, "info.pem")
        path.write_bytes(serverinfo(SCTS))
        yield path


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_scts_are_kept(leaf: Credential, info: Path, version: str) -> None:
    """By our handshakes alone, and when SSLyze, which does not see them, has had a look, too."""
    with s_server(version, "-serverinfo", str(info), credential=leaf) as port:
        (fast,), (thorough,) = probe([target(port)]), observe([target(port)])
    assert [one.scts for one in handshake(fast).deployments] == [sct_list(SCTS)]
    assert thorough.engine == "sslyze"
    assert [one.scts for one in handshake(thorough).deployments] == [sct_list(SCTS)]


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_that_none_are_sent_is_known(leaf: Credential, version: str) -> None:
    """The handshake asked for SCTs and a staple, and was read to the end of the flight."""
    with s_server(version, credential=leaf) as port:
        (fast,), (thorough,) = probe([target(port)]), observe([target(port)])
    for observation in (fast, thorough):
        assert [(one.scts, one.staple) for one in handshake(observation).deployments] == [(b"", None)]


def test_where_openssl_has_to_take_over_nobody_asks(leaf: Credential) -> None:
    """A group that our own hello does not offer: OpenSSL asks for a staple, and cannot ask for SCTs."""
    with s_server("-tls1_3", "-groups", "P-521", credential=leaf) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading), outcome
    assert (outcome.protocol, outcome.scts) == ("TLS 1.3", None)


def test_what_any_handshake_brought_counts() -> None:
    """SCTs before the knowledge that there are none, and that before not knowing; in any order, for each list by itself."""
    received = [Received(CHAIN, how, scts=scts) for how, scts in (("TLS 1.3", None), ("TLS 1.2 RSA", b""), ("default", b"x"))]
    for some in permutations(received):
        assert [one.scts for one in deployments(some, {})] == [b"x"]
    assert [one.scts for one in deployments(received[:2], {})] == [b""]
    assert [one.scts for one in deployments(received[:1], {})] == [None]
    assert [one.scts for one in deployments([*received, Received((b"leaf",), "default")], {})] == [b"x", None]


def test_a_flight_that_breaks_off_may_have_gone_on() -> None:
    """After the list the server says no more: a staple might have followed, so nothing is known to be missing."""
    hello = hostile.records(hostile.server_hello() + hostile.certificate_list(CHAIN))
    done = hello + hostile.records(hostile.message(14, b""))
    with hostile.serve(hostile.says(hello, first=False)) as short, hostile.serve(hostile.says(done, first=False)) as whole:
        broken, complete = check(target(short), timeout=1.0), check(target(whole), timeout=1.0)
    assert isinstance(broken, Reading), broken
    assert isinstance(complete, Reading), complete
    assert (broken.chain, broken.scts) == (CHAIN, None)
    assert (complete.chain, complete.scts) == (CHAIN, b"")
