"""`dnscertscan check` on machines with other networks: without IPv6, with routes that lead nowhere, with resolvers that fail."""

from pathlib import Path

import pytest
from servers.alone import alone

_CHECK = """
import sys
from dnscertscan.cli import main

def check(*args):
    sys.argv = ["dnscertscan", "check", *map(str, args)]
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        print("status", ended.code or 0)
"""
_SERVED = _CHECK + """
from datetime import UTC, datetime
from pathlib import Path
from servers import hostile
from servers.scanning import der
from dnscertscan.demo.authority import Authority, pem

root = Authority.root("Lonely Root", now=datetime.now(UTC))
leaf = root.intermediate("Lonely CA").leaf("www.watched.test")
Path("ca.pem").write_bytes(pem([root.certificate]))
with hostile.serve(hostile.tls(der(leaf), leaf.key_pem)) as port:
    addresses = [part for one in ("127.0.0.1", "2001:db8::1", "2001:db8::2") for part in ("--address", one)]
    check(f"www.watched.test:{port}", *addresses, "--ca-file", "ca.pem")
"""
_NAMED = _CHECK + """
import socket
import threading

def answer(sock):
    # Every question gets the response code that is its name's first label; "empty" is a name without addresses.
    while True:
        query, client = sock.recvfrom(4096)
        label = query[13:13 + query[12]].decode()
        code = {"formerr": 1, "servfail": 2, "nxdomain": 3, "notimp": 4, "refused": 5, "empty": 0}[label]
        question = query[12:query.index(0, 12) + 5]
        sock.sendto(query[:2] + bytes([0x81, 0x80 | code]) + bytes([0, 1, 0, 0, 0, 0, 0, 0]) + question, client)

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind(("127.0.0.77", 53))
    threading.Thread(target=answer, args=(sock,), daemon=True).start()
    for label in ("nxdomain", "empty", "formerr", "servfail", "notimp", "refused"):
        check(f"{label}.watched.test", "--timeout", 10)
    sock.close()
"""


@pytest.mark.parametrize(
    ("routes", "status"),
    [
        ("", 0), ("ip -6 route add unreachable 2001:db8::/32", 1),
        ("ip -6 address add 2001:db8:1::1/128 dev lo; ip -6 route add 2001:db8::2/128 dev lo", 1),
    ],
    ids=["no IPv6", "a route that says unreachable", "a way to one of them"],
)
def test_dead_ipv6_addresses(tmp_path: Path, routes: str, status: int) -> None:
    """No news of the host where this machine has no IPv6; else some addresses cannot be connected to, which is a warning."""
    lines = alone(tmp_path, _SERVED, routes=routes)
    assert lines[-1] == f"status {status}"
    assert "unreachable=2;" in lines[0]
    if status:
        assert lines[0].startswith("CERT WARNING - www.watched.test:")
        assert "[2001:db8::" in lines[0]
    else:
        assert "certificate on 1 of 3 addresses ends at" in lines[0]


def test_names_that_are_not_found(tmp_path: Path) -> None:
    """A name without address is as bad as a dead host; that the resolver fails, whichever way, says nothing about the name."""
    lines = alone(tmp_path, _NAMED, nameserver="127.0.0.77")
    first = [line for line in lines if line.startswith("CERT ")]
    assert [line.removeprefix("status ") for line in lines if line.startswith("status ")] == ["2", "2", "3", "3", "3", "3"]
    assert first[0].startswith("CERT CRITICAL - nxdomain.watched.test:443: host nxdomain.watched.test has no address (")
    assert "FORMERR (from 127.0.0.77:53); this machine's resolver gave no answer" in first[2]
    assert all("addresses=0;" in line for line in first)
