"""Trust anchors: private bundles replace, zones have modes, the system's store is one more."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from servers import nginx

from dnscertscan.demo.authority import Authority, pem

NOW = datetime.now(UTC)
ROOT = Authority.root("House Root", now=NOW)
LEAF = ROOT.intermediate("House Issuer").leaf("www.a.example", "www.b.example")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """One server with a certificate of a private CA for names of two zones."""
    with nginx.serve([nginx.Host("www.a.example", (LEAF,))]) as port:
        yield port


@pytest.fixture
def args(zones_file, tmp_path: Path, port: int) -> list[str]:
    """Both zones, one server."""
    zones_file({zone: [("A", "www", "127.0.0.1")] for zone in ("a.example", "b.example")}, "z.json")
    (tmp_path / "house.pem").write_bytes(pem([ROOT.certificate]))
    return ["--from-zones-json", "z.json", "--port", str(port), "-o", "r.json"]


def report(folder: Path) -> dict:
    """The JSON report."""
    return json.loads((folder / "r.json").read_text())


def test_private_bundle_replaces_the_public_stores(cli, args: list[str], tmp_path: Path) -> None:
    """Without the bundle the root is unknown to every public store, said once; with it there is nothing to say."""
    assert cli(*args).status == 1
    found = report(tmp_path)
    assert [finding["slug"] for finding in found["findings"]] == ["issuer-not-found"] * 2
    assert {finding["store"] for finding in found["findings"]} == {None}
    assert set(found["targets"][0]["valid"]) == {"Android", "Apple", "Java", "Mozilla", "Windows"}
    assert cli(*args, "--ca-file", "house.pem").status == 0
    assert report(tmp_path)["findings"] == []
    assert report(tmp_path)["targets"][0]["valid"] == {"private bundle": True}


def test_modes_per_zone(cli, args: list[str], tmp_path: Path) -> None:
    """One zone is held to the private bundle, the other to the public stores."""
    config = '[trust]\nca_files = ["house.pem"]\nmode = "public"\n[[trust.zones]]\nzone = "b.example"\nmode = "private"\n'
    (tmp_path / "c.toml").write_text(config)
    assert cli("--config", "c.toml", *args).status == 1
    assert {finding["fqdn"] for finding in report(tmp_path)["findings"]} == {"www.a.example"}


def test_system_store_is_one_more(cli, args: list[str], tmp_path: Path) -> None:
    """This machine's own store is judged beside the bundled ones."""
    (tmp_path / "c.toml").write_text("[trust]\nsystem = true\n")
    assert cli("--config", "c.toml", *args).status == 1
    assert "System" in report(tmp_path)["targets"][0]["valid"]
