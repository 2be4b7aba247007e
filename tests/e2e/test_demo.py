"""The demonstration finds exactly what its fleet hides, on every path a user may take."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dnscertscan.demo.fleet import DemoFleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[DemoFleet]:
    """One fleet for all tests of this file."""
    with DemoFleet(datetime.now(UTC)) as running:
        yield running


def scan_args(fleet: DemoFleet, folder: Path) -> list[str]:
    """The options of a scan of the fleet."""
    (folder / "ca.pem").write_bytes(fleet.ca_pem)
    server = f"127.0.0.1:{fleet.dns_port}"
    return ["--port", str(fleet.tls_port), "--nameserver", server, "--ca-file", "ca.pem", "--timeout", "4"]


def axfr_args(fleet: DemoFleet) -> list[str]:
    """Both zones by transfer."""
    return [text for zone in fleet.zone_texts for text in ("--axfr", f"{zone}@127.0.0.1:{fleet.dns_port}")]


def test_every_fault_is_found_and_nothing_else(cli, rows_of, fleet: DemoFleet, tmp_path: Path) -> None:
    """Per name, the findings (warnings and errors) and the coverage state are exactly those the fleet was built for."""
    done = cli(*axfr_args(fleet), *scan_args(fleet, tmp_path), "-o", "r.json", "--coverage", "c.csv")
    assert done.status == 1, done.err
    found: dict[str, set[str]] = defaultdict(set)
    for finding in json.loads((tmp_path / "r.json").read_text())["findings"]:
        if finding["severity"] != "info":
            found[finding["wildcard"] or finding["fqdn"]].add(finding["slug"])
    states: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows_of("c.csv"):
        states[row["wildcard"] or row["fqdn"]].add((row["state"], row["reason"]))
    expected = {told.fqdn: set(told.slugs) for told in fleet.expectations}
    assert {name: found.get(name, set()) for name in expected} == expected
    assert set(found) <= set(expected)
    for told in fleet.expectations:
        assert (told.state, told.reason) in states[told.fqdn], told.fqdn


def test_json_and_axfr_give_the_same_findings(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """Exported, then scanned from the file: byte for byte the same rows."""
    common = scan_args(fleet, tmp_path)
    cli(*axfr_args(fleet), *common, "-o", "axfr.csv")
    exported = cli("zones", "export", *axfr_args(fleet), "-o", "zones.json")
    assert exported.status == 0, exported.err
    cli("--from-zones-json", "zones.json", *common, "-o", "json.csv")
    rows = [sorted((tmp_path / name).read_bytes().splitlines()) for name in ("axfr.csv", "json.csv")]
    assert len(rows[0]) > 20
    assert rows[0] == rows[1]


def test_every_problem_is_logged_once(cli, rows_of, fleet: DemoFleet, tmp_path: Path) -> None:
    """The log has the CSV's rows, one line each, in the order IP:PORT - FQDN - MESSAGE."""
    done = cli(*axfr_args(fleet), *scan_args(fleet, tmp_path), "-o", "r.csv")
    rows = rows_of("r.csv")
    for row in rows:
        place = f"{row['ip_address']}:{row['port']}" if ":" not in row["ip_address"] else f"[{row['ip_address']}]:{row['port']}"
        if row["ip_address"]:
            needle = f"{place} - {row['fqdn']} - {row['message']}"
            assert sum(needle in line for line in done.complaints) == 1, needle


def test_targets_shows_the_map_without_connecting(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """The dry run lists what the scan would look at."""
    server = f"127.0.0.1:{fleet.dns_port}"
    args = ["--port", str(fleet.tls_port), "--nameserver", server, "-f", "csv"]
    done = cli("targets", *axfr_args(fleet), *args)
    assert done.status == 0, done.err
    verdicts = {(row["fqdn"], row["verdict"]) for row in csv.DictReader(done.out.splitlines())}
    for told in fleet.expectations:
        if told.state == "scanned" and "*" not in told.fqdn:
            assert (told.fqdn, "scan") in verdicts


def test_demo_command(cli, tmp_path: Path) -> None:
    """`dnscertscan demo` needs nothing, ends with status 0, writes its files and says what to do next."""
    done = cli("demo")
    assert done.status == 0, done.err
    assert "certificate has expired" in done.out
    assert "dnscertscan --axfr" in done.out
    assert {path.name for path in (tmp_path / "demo-output").iterdir()} == {
        "coverage.csv", "demo-ca.pem", "report.csv", "report.html", "report.json"
    }


def test_jsonl_on_standard_output_streams(cli, rows_of, fleet: DemoFleet, tmp_path: Path) -> None:
    """One object for each target that was looked at, and for each finding that belongs to none; nothing else."""
    done = cli(*axfr_args(fleet), *scan_args(fleet, tmp_path), "-f", "jsonl", "--coverage", "c.csv")
    lines = [json.loads(line) for line in done.out.splitlines()]
    scanned = [row for row in rows_of("c.csv") if row["seconds"]]
    assert sum(line["engine"] is not None for line in lines) == len(scanned) > 20
    assert {finding["slug"] for line in lines if line["engine"] is None for finding in line["findings"]} > {"dangling-target"}


def test_fail_on(cli, fleet: DemoFleet, tmp_path: Path) -> None:
    """A filter leaves only the expiring certificate: a warning, which counts when it is asked to."""
    args = [*axfr_args(fleet), *scan_args(fleet, tmp_path), "--name-filter", "^expiring"]
    assert cli(*args).status == 0
    assert cli(*args, "--fail-on", "warning").status == 1
    assert cli(*args, "--fail-on", "never").status == 0
    assert cli(*args, "--fail-on", "warning", "--expiring-within", "1d").status == 0
