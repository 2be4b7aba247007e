"""`--stat-endpoint` with a receiver on a real UDP socket."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from report.test_datagrams import DNS_CERT_CHECKER, gauges, points

from dnscertscan.demo.fleet import DemoFleet


class Receiver:
    """Keeps what arrives on a port of its own."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])

    def received(self) -> list[bytes]:
        """All that has arrived."""
        self.socket.settimeout(0.5)
        found = []
        try:
            while True:
                found.append(self.socket.recv(65536))
        except TimeoutError:
            return found


@pytest.fixture
def receive() -> Iterator[Callable[[], Receiver]]:
    made: list[Receiver] = []

    def make() -> Receiver:
        made.append(Receiver())
        return made[-1]

    yield make
    for one in made:
        one.socket.close()


def test_influx_and_statsd_in_one_run(cli, quick: list[str], receive) -> None:
    """A bare HOST:PORT gets what dns-cert-checker sends; statsd:// gets gauges; both at the end of the run."""
    influx, statsd, short = receive(), receive(), receive()
    ends = [f"127.0.0.1:{influx.port}", f"statsd://127.0.0.1:{statsd.port}", f"statsd:127.0.0.1:{short.port}"]
    done = cli(*quick, *(text for end in ends for text in ("--stat-endpoint", end)))
    assert done.status == 0, done.err
    found = points(influx.received())
    assert set(found) == {("dns", "a.example")}
    fields = found["dns", "a.example"]
    assert set(fields) >= DNS_CERT_CHECKER
    assert (fields["a_records_total"], fields["failed_targets_total"], fields["scan_complete"]) == (3, 3, 1)
    held = gauges(statsd.received())
    assert (held["dnscertscan.zone.a_example.targets.failed"], held["dnscertscan.scan.complete"]) == (3, 1)
    assert set(gauges(short.received())) == set(held)


def test_days_left_of_a_fleet(cli, receive, tmp_path: Path) -> None:
    """Real certificates: an expired one has days left below zero."""
    made = receive()
    with DemoFleet(datetime.now(UTC)) as fleet:
        (tmp_path / "z.json").write_text(fleet.zones_json())
        (tmp_path / "ca.pem").write_bytes(fleet.ca_pem)
        server = f"127.0.0.1:{fleet.dns_port}"
        args = ["--from-zones-json", "z.json", "--port", fleet.tls_port, "--nameserver", server, "--ca-file", "ca.pem"]
        cli(*args, "--name-filter", "^(expired|good-rsa)\\.", "--stat-endpoint", f"statsd://127.0.0.1:{made.port}")
    held = gauges(made.received())
    assert held[f"dnscertscan.days_left.expired_demo_test.{fleet.tls_port}"] < 0
    assert held[f"dnscertscan.days_left.good-rsa_demo_test.{fleet.tls_port}"] > 0


def test_nobody_listens_for_one_datagram(cli, quick: list[str], tmp_path: Path) -> None:
    """A closed port of this machine answers: one line and status 3, also where all figures fit into one datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        port = gone.getsockname()[1]
    done = cli(*quick, "--stat-endpoint", f"127.0.0.1:{port}", "-o", "r.csv")
    assert done.status == 3
    assert f"cannot send to 127.0.0.1:{port} by UDP: Connection refused" in done.err
    assert (tmp_path / "r.csv").exists()


def test_a_receiver_that_cannot_be_reached(cli, quick: list[str], tmp_path: Path) -> None:
    """One line and status 3; the other outputs are written, and the run is not held up."""
    began = time.monotonic()
    done = cli(*quick, "--stat-endpoint", "no.such.host.invalid:8125", "-o", "r.csv")
    assert time.monotonic() - began < 30
    assert done.status == 3
    assert "cannot send to no.such.host.invalid:8125 by UDP" in done.err
    assert (tmp_path / "r.csv").exists()
