"""The bounded check against real and hostile servers: every way to fail has its kind, every list is kept as sent."""

import errno
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers import hostile, tls13_liar
from servers.scanning import check, check_all, der, target

from dnscertscan.demo.authority import Authority
from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan.probe import Reading
from dnscertscan.scan.wire import connect_failure

KINDS = [
    ("silent", hostile.silent, FailureKind.HANDSHAKE_TIMEOUT, "not one octet"),
    ("drip", hostile.drip, FailureKind.HANDSHAKE_TIMEOUT, "octets received"),
    ("close at once", hostile.close_at_once, FailureKind.CLOSED, "closed"),
    ("close on hello", hostile.close_on_hello, FailureKind.CLOSED, "on the ClientHello"),
    ("reset", hostile.reset, FailureKind.RESET, "reset"),
    ("endless", hostile.endless, FailureKind.TOO_LARGE, "octets"),
    ("16 MB certificate", hostile.huge_certificate, FailureKind.TOO_LARGE, "certificate message of 167772"),
    ("HelloRequest flood", hostile.hello_requests, FailureKind.HANDSHAKE_ERROR, "HelloRequest"),
    ("empty records", hostile.empty_records, FailureKind.HANDSHAKE_ERROR, "5000 records"),
    ("alert 42", hostile.alert(42), FailureKind.ALERT, "bad_certificate (42)"),
    ("alert 40", hostile.alert(40), FailureKind.ALERT, "handshake_failure (40)"),
    ("alert 70", hostile.alert(70), FailureKind.UNSUPPORTED_TLS, "protocol_version (70)"),
    ("alert 112", hostile.alert(112), FailureKind.UNRECOGNIZED_NAME, "unrecognized_name (112)"),
    ("alert 112 as a warning, then closed", hostile.alert(112, 1), FailureKind.UNRECOGNIZED_NAME, "warning alert"),
    ("alert of no name", hostile.alert(250), FailureKind.ALERT, "unknown (250)"),
    ("close_notify", hostile.alert(0, level=1), FailureKind.CLOSED, "server closed the connection after 7 octets"),
    ("two HelloRetryRequests", tls13_liar.hello_retries, FailureKind.HANDSHAKE_ERROR, "second HelloRetryRequest"),
    ("HTTP", hostile.http, FailureKind.NOT_TLS, "speaks HTTP: HTTP/1.1 400 Bad Request\\r\\n"),
    ("SSH", hostile.ssh, FailureKind.NOT_TLS, "speaks SSH"),
    ("SMTP", hostile.smtp_banner, FailureKind.NOT_TLS, "speaks SMTP"),
    ("SMTP not UTF-8", hostile.smtp_not_utf8, FailureKind.NOT_TLS, "speaks SMTP: 554 d\\xe9sol\\xe9"),
    ("FTP", hostile.ftp_banner, FailureKind.NOT_TLS, "speaks FTP"),
    ("POP3", hostile.pop3_banner, FailureKind.NOT_TLS, "speaks POP3"),
    ("IMAP", hostile.imap_banner, FailureKind.NOT_TLS, "speaks IMAP"),
    ("MySQL", hostile.mysql, FailureKind.NOT_TLS, "speaks MySQL"),
    ("garbage", hostile.garbage, FailureKind.NOT_TLS, "first octets: \\xc8\\xc9"),
]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[Reading | Failure, float]]:
    """All bad peers at once: what the check made of each, and the seconds it took."""
    with ExitStack() as stack:
        ports = {name: stack.enter_context(hostile.serve(behaviour)) for name, behaviour, _, _ in KINDS}
        return check_all({name: target(port) for name, port in ports.items()}, timeout=1.0)


@pytest.mark.parametrize(("name", "kind", "evidence"), [(name, kind, evidence) for name, _, kind, evidence in KINDS])
def test_every_bad_peer_has_its_kind_and_evidence_in_time(
    outcomes: dict[str, tuple[Reading | Failure, float]], name: str, kind: FailureKind, evidence: str
) -> None:
    """Whatever a peer does instead of a handshake, it ends within the time limit in one kind with evidence on one line."""
    outcome, seconds = outcomes[name]
    assert isinstance(outcome, Failure)
    assert (outcome.kind, evidence in outcome.detail) == (kind, True), outcome
    assert outcome.detail.isprintable()
    assert seconds < 2.0


def test_refused() -> None:
    """A closed port is refused."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert check(target(port)) == Failure(FailureKind.REFUSED, "connection refused")


def test_unreachable() -> None:
    """An address no route leads to is unreachable (a TCP connection to a class E broadcast address fails at once)."""
    outcome = check(target(443, address="255.255.255.255"))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.UNREACHABLE


_EXHAUST = """
import socket
from servers.scanning import check, target
with socket.create_server(("127.0.0.1", 30000), backlog=9) as listener:
    taken = [socket.socket() for _ in range(4)]
    while any(one.connect_ex(("127.0.0.1", 30000)) == 0 for one in taken):
        pass
    print(check(target(30000)))
    [one.close() for one in taken]
print(check(target(443, address="::1")))
"""


def test_ports_of_our_own_that_are_used_up() -> None:
    """No free port here is the scanner's failure and says what to do; no IPv6 here makes the target unreachable as before."""
    prepare = (
        "ip link set lo up; echo 20000 20002 > /proc/sys/net/ipv4/ip_local_port_range;"
        'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; exec "$@"'
    )
    command = ["unshare", "--user", "--map-root-user", "--net", "sh", "-ec", prepare, "sh", sys.executable, "-c", _EXHAUST]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    ours, theirs = run.stdout.splitlines()
    assert "ENGINE" in ours
    assert "no port of our own is free" in ours
    assert "UNREACHABLE" in theirs
    assert "assign requested address" in theirs


def test_errors_of_this_host_are_not_blamed_on_the_target() -> None:
    """Each kind of shortage is the scanner's failure with a next step; what the network says stays the target's."""
    full = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.EADDRINUSE, errno.EADDRNOTAVAIL)
    for number in (*full, errno.EPERM):
        failure = connect_failure(OSError(number, os.strerror(number)), "127.0.0.1")
        assert failure.kind is FailureKind.ENGINE
        assert ";" in failure.detail
    for number in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
        assert connect_failure(OSError(number, os.strerror(number)), "127.0.0.1").kind is FailureKind.UNREACHABLE


def test_connect_timeout_on_full_backlog() -> None:
    """A connection request that is never answered ends by the connect timeout, not by the target's deadline."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        start = time.monotonic()
        outcome = check(target(port), timeout=5.0, connect_timeout=0.5)
        took = time.monotonic() - start
        for filler in fillers:
            filler.close()
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TIMEOUT
    assert took < 2.0


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303])
def test_list_in_clear_is_kept_octet_by_octet(version: int) -> None:
    """Certificates that no library can parse are read from the wire as they are, in every version up to TLS 1.2."""
    chain = (b"\x30\x03\x02\x01\x05", b"not even DER", b"\x30\x80\x00\x00")
    with hostile.serve(hostile.fixed_flight(chain, version)) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading)
    assert outcome.chain == chain
    assert outcome.protocol == {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}[version]


def test_anonymous_suite_is_no_certificate() -> None:
    """A server that picks an anonymous suite and shows nothing is told from one that fails."""
    def behave(visit: hostile.Visit) -> None:
        visit.hello()
        visit.send(hostile.records(hostile.server_hello(cipher=0xC019) + hostile.message(14, b"")))
        visit.hello()

    with hostile.serve(behave) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.NO_CERTIFICATE
    assert "AECDH-AES256-SHA" in outcome.detail


def test_empty_list_is_no_certificate() -> None:
    """A certificate message with an empty list is no certificate either."""
    with hostile.serve(hostile.fixed_flight(())) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.NO_CERTIFICATE


def test_alert_after_the_list_does_not_lose_it(ca: Authority) -> None:
    """A fatal alert after the certificate was shown is the server's affair; the list counts."""
    chain = der(ca.leaf("a.test"))
    with hostile.serve(hostile.fixed_flight(chain, then=hostile.record(21, b"\x02\x50"))) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Reading)
    assert outcome.chain == chain


def test_too_many_certificates() -> None:
    """A list of thousands of tiny certificates is refused before it becomes thousands of values."""
    with hostile.serve(hostile.fixed_flight((b"\x30\x00",) * 5000)) as port:
        outcome = check(target(port))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TOO_LARGE


def test_ipv6(ca: Authority) -> None:
    """IPv6 literals are connected to."""
    chain = der(ca.leaf("a.test"))
    with hostile.serve(hostile.fixed_flight(chain), address="::1") as port:
        outcome = check(target(port, address="::1"))
    assert isinstance(outcome, Reading)
    assert outcome.chain == chain


def test_name_goes_out_as_it_is(ca: Authority) -> None:
    """SNI carries the A-label without final dot; underscores are sent as they are."""
    seen: list[bytes] = []

    def behave(visit: hostile.Visit) -> None:
        seen.append(visit.hello())
        visit.send(hostile.flight(der(ca.leaf("a.test"))))
        visit.hello()

    with hostile.serve(behave) as port:
        check(target(port, "_srv.xn--fa-hia.test"))
    name = b"_srv.xn--fa-hia.test"
    assert b"\0\0" + (len(name) + 5).to_bytes(2) + (len(name) + 3).to_bytes(2) + b"\0" + len(name).to_bytes(2) + name in seen[0]


def test_memory_of_the_check_is_bounded() -> None:
    """An endless peer is left after the octet limit, not after all it would send."""
    with hostile.watched(hostile.endless) as server:
        outcome = check(target(server.port))
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TOO_LARGE
    assert "more than 1048576 octets received" in outcome.detail
    assert server.visits == 1
