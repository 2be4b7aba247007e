"""Zones from real name servers: BIND with TSIG, and what only one approved host may transfer, exported for the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers import bind, knot
from servers.spreadsheet import converted, sheet_rows

from dnscertscan.demo.fleet import DemoFleet
from dnscertscan.report.csv_rows import COLUMNS


@dataclass(frozen=True)
class Lab:
    """The demonstration fleet's zones behind a BIND that asks for a key."""

    fleet: DemoFleet
    key: bind.Key
    port: int

    @property
    def axfr(self) -> list[str]:
        """Options that transfer both zones."""
        zones = [text for zone in self.fleet.zone_texts for text in ("--axfr", f"{zone}@127.0.0.1:{self.port}")]
        return [*zones, "--tsig", f"{self.key.name}:{self.key.algorithm}:env:XFR_KEY"]

    def scan(self, folder: Path) -> list[str]:
        """Options of a scan of the fleet."""
        (folder / "ca.pem").write_bytes(self.fleet.ca_pem)
        server = f"127.0.0.1:{self.fleet.dns_port}"
        return ["--port", str(self.fleet.tls_port), "--nameserver", server, "--ca-file", "ca.pem", "--timeout", "4"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """BIND and the fleet."""
    key = bind.Key("transfer-key")
    with DemoFleet(datetime.now(UTC)) as fleet:
        zones = fleet.zone_texts
        with bind.serve(zones, transfer=dict.fromkeys(zones, key)) as port:
            yield Lab(fleet, key, port)


def test_transfer_export_and_scan_agree_byte_for_byte(cli, lab: Lab, tmp_path: Path) -> None:
    """AXFR from BIND with TSIG, then the exported file: the same CSV rows; a spreadsheet opens them with the right columns."""
    secret = {"XFR_KEY": lab.key.base64}
    assert cli(*lab.axfr, *lab.scan(tmp_path), "-o", "axfr.csv", env=secret).status == 1
    exported = cli("zones", "export", *lab.axfr, "-o", "zones.json", env=secret)
    assert (exported.status, exported.err) == (0, "")
    assert cli("--from-zones-json", "zones.json", *lab.scan(tmp_path), "-o", "json.csv").status == 1
    transferred, loaded = (sorted((tmp_path / name).read_bytes().splitlines()) for name in ("axfr.csv", "json.csv"))
    assert len(transferred) > 20
    assert transferred == loaded
    header, *rows = sheet_rows(converted(tmp_path / "axfr.csv", tmp_path / "profile"))
    assert list(header.values()) == list(COLUMNS)
    assert len(rows) == len(transferred) - 1


def test_wrong_secret_is_one_clear_line(cli, lab: Lab, tmp_path: Path) -> None:
    """A zone that fails is named with server and cause; status 3; it never becomes an empty zone."""
    other = bind.Key(lab.key.name)
    done = cli(*lab.axfr, *lab.scan(tmp_path), "-o", "r.csv", env={"XFR_KEY": other.base64})
    assert done.status == 3
    for zone in lab.fleet.zone_texts:
        lines = [line for line in done.complaints if zone in line]
        assert len(lines) == 1
        assert f"127.0.0.1:{lab.port}" in lines[0]
        assert "secret" in lines[0]
    assert (tmp_path / "r.csv").read_text().count("DCS507") == 2


def test_second_server_is_tried(cli, lab: Lab, zones_file, tmp_path: Path) -> None:
    """The same zone named twice is one zone with two servers; a zone nobody gives does not stop the other."""
    records = "".join(f"{bind.soa('second.test')}www 60 IN A 127.0.0.1\n")
    with knot.serve({"second.test": records}) as port:
        done = cli(
            "zones", "list", "--axfr", f"second.test@127.0.0.1:{lab.port}", "--axfr", f"second.test@[::1]:{port}",
            "--axfr", f"missing.test@127.0.0.1:{port}",
        )
    assert done.status == 3
    assert [line.split()[0] for line in done.out.splitlines()[2:]] == ["second.test"]
    assert "missing.test" in done.err


def test_two_sources_are_two_views(cli, lab: Lab, zones_file, rows_of, tmp_path: Path) -> None:
    """The same zone from a transfer and from a file: both are scanned, neither overwrites the other, and rows say which."""
    zone = lab.fleet.zone_name
    address = lab.fleet.addresses[f"expired.{zone}"][0]
    zones_file({zone: [("A", "only-in-json", address), ("A", "expired", address)]}, "z.json")
    filters = ["--name-filter", "^(only-in-json|expired)[.]"]
    done = cli(
        *lab.axfr, "--from-zones-json", "z.json", *lab.scan(tmp_path), *filters, "-o", "r.csv", "--coverage", "c.csv",
        env={"XFR_KEY": lab.key.base64},
    )
    assert done.status == 1
    rows = [row for row in rows_of("c.csv") if row["reason"] != "filtered"]
    assert sorted((row["fqdn"], row["state"], row["reason"]) for row in rows) == [
        (f"expired.{zone}", "scanned", "ok"),
        (f"expired.{zone}", "skipped", "duplicate"),
        (f"only-in-json.{zone}", "scanned", "ok"),
    ]
    expired = {row["fqdn"] for row in rows_of("r.csv") if row["code"] == "DCS101"}
    assert expired == {f"expired.{zone}", f"only-in-json.{zone}"}
