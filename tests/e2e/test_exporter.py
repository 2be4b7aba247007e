"""The exporter before a real fleet and behind a real Prometheus; what fails keeps the last results, and is never silent."""

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from exporter.test_rules import ALERTS, queries
from report.exposed import assert_accepted, exposed, labelled
from servers import exporter, prometheus
from servers.command import closed_port

from dnscertscan.demo.fleet import DemoFleet

PLACE = ("fqdn", "ip_address")


@pytest.fixture(scope="module")
def fleet() -> Iterator[DemoFleet]:
    """One fleet for all tests of this file."""
    with DemoFleet(datetime.now(UTC)) as running:
        yield running


def fleet_args(fleet: DemoFleet, folder: Path) -> list[str]:
    """The options of a scan of the fleet, its zones in a file."""
    (folder / "ca.pem").write_bytes(fleet.ca_pem)
    (folder / "zones.json").write_text(fleet.zones_json())
    server = f"127.0.0.1:{fleet.dns_port}"
    args = ["--from-zones-json", "zones.json", "--port", str(fleet.tls_port), "--nameserver", server]
    return [*args, "--ca-file", "ca.pem", "--timeout", "4", "-q"]


def not_quiet(args: list[str]) -> list[str]:
    return [text for text in args if text != "-q"]


def test_the_file_and_the_report_say_the_same(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """`-o r.prom` beside JSON and CSV in one run: the same findings, the same verdicts, the same times."""
    cli(*fleet_args(fleet, tmp_path), "-o", "r.prom", "-o", "r.json")
    document = (tmp_path / "r.prom").read_bytes()
    assert_accepted(document)
    found = exposed(document)
    report = json.loads((tmp_path / "r.json").read_text())
    assert sum(found["dnscertscan_findings"].values()) == len(report["findings"]) > 20
    valid = labelled(found["dnscertscan_endpoint_valid"], *PLACE, "store")
    told = {(one["fqdn"], one["ip_address"], store): good for one in report["targets"] for store, good in one["valid"].items()}
    assert valid == told
    errors = Counter((one["fqdn"], one["ip_address"]) for one in report["findings"] if one["severity"] == "error")
    counted = labelled(found["dnscertscan_endpoint_errors"], *PLACE)
    assert {place: count for place, count in counted.items() if count} == {at: n for at, n in errors.items() if at in counted}
    assert sum(counted.values()) > 10
    ended = {one["fqdn"]: one["certificate"]["position"] for one in report["findings"] if one["slug"] == "cert-expired"}
    now = datetime.fromisoformat(report["run"]["started"]).timestamp()
    leaves = labelled(found["dnscertscan_endpoint_not_after_timestamp_seconds"], *PLACE)
    chains = labelled(found["dnscertscan_endpoint_chain_not_after_timestamp_seconds"], *PLACE)
    assert {name for (name, _), end in leaves.items() if end < now} == {name for name, position in ended.items() if not position}
    assert {name for (name, _), end in chains.items() if end < now} == set(ended)


def test_a_private_ca_where_either_kind_will_do(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """Public stores do not have the CA, and nothing is wrong: no error counts against what is healthy."""
    (tmp_path / "either.toml").write_text('[trust]\nmode = "either"\nca_files = ["ca.pem"]\n')
    cli(*fleet_args(fleet, tmp_path), "--config", "either.toml", "--name-filter", "^good-rsa", "-o", "r.prom", "-o", "r.json")
    found = exposed((tmp_path / "r.prom").read_bytes())
    assert set(found["dnscertscan_endpoint_errors"].values()) == {0}
    assert set(found["dnscertscan_endpoint_valid"].values()) == {0, 1}


def test_a_real_prometheus_scrapes_it(fleet: DemoFleet, tmp_path: Path) -> None:
    """Every series arrives, the alert rules are in force and fire, and every query of the dashboard has an answer."""
    args = [*not_quiet(fleet_args(fleet, tmp_path)), "--interval", "1h"]
    with exporter.running(tmp_path, *args) as made, prometheus.scraping(made.place, [ALERTS]) as server:
        assert made.get("/health")[0] == 503
        made.wait(200)
        served = exposed(made.get("/metrics")[1])
        server.wait("dnscertscan_scan_complete == 1")
        for name, samples in served.items():
            assert server.value(f"count({name})") == len(samples), name
        assert server.value("up") == 1
        assert server.value("dnscertscan_exporter_healthy") == 1
        assert server.value("scrape_samples_scraped") == sum(map(len, served.values()))
        rules = [rule for group in server.get("rules")["groups"] for rule in group["rules"]]
        assert {rule["health"] for rule in rules} <= {"ok", "unknown"}
        expired = server.wait('ALERTS{alertname="CertificateExpired", alertstate="firing"}')
        names = {item["metric"]["fqdn"] for item in expired}
        assert "expired.demo.test" in names
        assert "good-rsa.demo.test" not in names
        empty = [query for query in queries() if not server.query(query)]
        # An increase needs two samples; nobody asked about CT, or said what rotation is healthy.
        assert {query for query in empty if "increase(" not in query} == {
            query for query in queries() if "_ct_logged" in query or "_rotation_due_" in query
        }
        assert made.end() == 0


def test_a_scan_that_fails_keeps_the_results(fleet: DemoFleet, tmp_path: Path) -> None:
    """The zones file goes: the last results stay, health and metrics say so; it comes back: all is well again."""
    args = [*not_quiet(fleet_args(fleet, tmp_path)), "--name-filter", "^good", "--interval", "3", "-o", "r.csv", "--timeout", "2"]
    with exporter.running(tmp_path, *args) as made:
        made.wait(200)
        before = exposed(made.get("/metrics")[1])
        zones = tmp_path / "zones.json"
        zones.rename(tmp_path / "away.json")
        assert b"zones.json" in made.wait(503, b"the last scan failed")
        failed = exposed(made.get("/metrics")[1])
        assert failed["dnscertscan_endpoint_not_after_timestamp_seconds"] == (
            before["dnscertscan_endpoint_not_after_timestamp_seconds"]
        )
        assert failed["dnscertscan_exporter_last_scan_success"] == {(): 0}
        assert failed["dnscertscan_exporter_healthy"] == {(): 0}
        assert failed["dnscertscan_exporter_results_timestamp_seconds"][()] < (
            failed["dnscertscan_exporter_last_scan_timestamp_seconds"][()]
        )
        (tmp_path / "away.json").rename(zones)
        made.wait(200)
        assert (tmp_path / "r.csv").exists()
        assert made.end(signal.SIGINT) == 0
        assert "the scan failed: " in made.log
        assert "Traceback" not in made.log


def test_sigterm_in_the_middle_of_a_scan(tmp_path: Path) -> None:
    """A scan that would take long is left at once, nothing half done is served, and the end is in order."""
    records = [{"type": "A", "name": f"n{number}", "ttl": 300, "target": f"127.9.9.{number}"} for number in range(1, 40)]
    (tmp_path / "zones.json").write_text(json.dumps({"a.test": records}))
    args = ("--from-zones-json", "zones.json", "--port", str(closed_port()), "--rate", "0.5", "--interval", "60")
    with exporter.running(tmp_path, *args) as made:
        prometheus.until(
            lambda: exposed(made.get("/metrics")[1])["dnscertscan_exporter_scan_running"] == {(): 1}, "a scan is running"
        )
        assert made.get("/health") == (503, b"unhealthy: the first scan has not ended yet\n")
        assert made.get("/livez")[0] == made.get("/-/healthy")[0] == 200
        assert made.end() == 0
        assert "Traceback" not in made.log


def test_sigterm_with_open_connections_says_nothing(quick: list[str], tmp_path: Path) -> None:
    """Clients that ask nothing are left, and standard error has the line of the start alone."""
    with exporter.running(tmp_path, *quick, "--interval", "1h") as made:
        made.wait(200)
        host, _, port = made.place.rpartition(":")
        idle = [socket.create_connection((host, int(port)), timeout=10) for _ in range(5)]
        made.get("/health")
        assert made.end() == 0
        for client in idle:
            client.close()
        assert made.log == f"dnscertscan exporter: http://{made.place}/metrics\n"


def test_a_scan_that_lacks_something_is_served_and_not_healthy(quick: list[str], tmp_path: Path) -> None:
    """One of two zone files cannot be read: the results are new, health says what is missing; it comes back: all is well."""
    with exporter.running(tmp_path, *quick, "--from-zones-json", "more.json", "--interval", "1") as made:
        assert b"more.json" in made.wait(503, b"is not complete")
        found = exposed(made.get("/metrics")[1])
        assert (found["dnscertscan_exporter_healthy"], found["dnscertscan_scan_complete"]) == ({(): 0}, {(): 0})
        assert len(found["dnscertscan_endpoint_scanned"]) == 3
        assert made.get("/livez")[0] == 200
        (tmp_path / "more.json").write_text('{"b.test": []}')
        made.wait(200)
        assert made.end() == 0


def test_outputs_that_fail_are_told(quick: list[str], tmp_path: Path) -> None:
    """An unknown host and a folder that is none: the results are served, health and metrics say what was not written."""
    ends = ["--stat-endpoint", "no.such.host.invalid:8125", "-o", "none/r.csv", "-o", "r.json"]
    with exporter.running(tmp_path, *quick, *ends, "--interval", "1h") as made:
        line = made.wait(503, b"an output could not be written")
        assert b"cannot send to no.such.host.invalid:8125 by UDP" in line
        assert b"(and 1 more)" in line
        found = exposed(made.get("/metrics")[1])
        assert found["dnscertscan_exporter_outputs_failed"] == {(): 2}
        assert (found["dnscertscan_exporter_healthy"], found["dnscertscan_scan_complete"]) == ({(): 0}, {(): 1})
        assert (tmp_path / "r.json").exists()
        assert "cannot write none/r.csv" in made.log
        assert made.end() == 0


def test_an_output_that_hangs_holds_up_nobody(quick: list[str], tmp_path: Path) -> None:
    """A pipe that nobody reads: the results are served meanwhile, and SIGTERM ends the exporter in order."""
    os.mkfifo(tmp_path / "pipe.csv")
    with exporter.running(tmp_path, *quick, "-o", "pipe.csv", "--interval", "1h") as made:
        made.wait(200)
        assert exposed(made.get("/metrics")[1])["dnscertscan_scan_complete"] == {(): 1}
        began = time.monotonic()
        assert made.end() == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in made.log


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--listen", "127.0.0.1"), "no place to listen"),
        (("--listen", "127.0.0.1:99999"), "is no port"),
        (("--listen", ":9793"), "0.0.0.0:9793"),
        (("--listen", "192.0.2.77:9793"), "cannot listen on 192.0.2.77:9793"),
        (("--interval", "often"), "is no duration"),
        (("--ca-file", "none.pem"), "none.pem"),
        (("--stat-endpoint", "udp://x:1"), "unknown protocol"),
        (("--stat-endpoint", "x"), "has no port"),
        (("--format", "json"), "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_calls(cli, zones_file, args: tuple[str, ...], words: str) -> None:
    """Status 2 and one line before anything listens."""
    zones_file({"a.test": [("A", "www", "127.0.0.1")]}, "z.json")
    done = cli("exporter", "--from-zones-json", "z.json", *args, timeout=30)
    assert (done.status, done.out) == (2, "")
    assert words in done.err
    assert "Traceback" not in done.err


def test_what_becomes_of_a_port_in_use(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """Two exporters cannot share a port: the second says so."""
    (tmp_path / "z.json").write_text('{"a.test": []}')
    done = cli("exporter", "--from-zones-json", "z.json", "--listen", f"127.0.0.1:{fleet.dns_port}", timeout=30)
    assert (done.status, "Address already in use" in done.err) == (2, True)
