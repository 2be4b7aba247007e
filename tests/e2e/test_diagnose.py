"""`dnscertscan diagnose`: a chain in a file, told like a served one."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnscertscan.demo.authority import Authority, pem

NOW = datetime.now(UTC)
ROOT = Authority.root("House Root", now=NOW)
ISSUER = ROOT.intermediate("House Issuer")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The root, a good chain, an expired one, and one whose first block is damaged."""
    good = ISSUER.leaf("www.a.example")
    old = ISSUER.leaf("www.a.example", not_before=NOW - timedelta(days=90), not_after=NOW - timedelta(days=1))
    (tmp_path / "root.pem").write_bytes(pem([ROOT.certificate]))
    (tmp_path / "good.pem").write_bytes(good.chain_pem + good.key_pem)
    (tmp_path / "old.pem").write_bytes(old.chain_pem)
    (tmp_path / "damaged.pem").write_bytes(good.chain_pem.replace(b"MI", b"*!", 1))
    return tmp_path


def test_valid(cli, files: Path) -> None:
    """Status 0; a private key beside the chain is named on standard error and harms nothing."""
    done = cli("diagnose", "good.pem", "--name", "www.a.example", "--ca-file", "root.pem")
    assert (done.status, len(done.out.splitlines())) == (0, 1)
    assert ": valid for www.a.example at " in done.out
    assert "private key" in done.err


def test_every_problem_and_the_certificate(cli, files: Path) -> None:
    """Status 1; the JSON has each problem with code, severity and the certificate at fault."""
    done = cli("diagnose", "old.pem", "--name", "www.b.example", "--ca-file", "root.pem", "-f", "json")
    assert done.status == 1
    found = json.loads(done.out)
    assert found["valid"] is False
    assert {(problem["slug"], problem["severity"], problem["certificate"]["position"]) for problem in found["problems"]} == {
        ("cert-expired", "error", 0), ("hostname-mismatch", "error", 0),
    }


def test_another_moment(cli, files: Path) -> None:
    """`--at` moves the clock: the expired chain was valid once."""
    at = (NOW - timedelta(days=30)).date().isoformat()
    args = ["diagnose", "old.pem", "--name", "www.a.example", "--ca-file", "root.pem"]
    assert cli(*args, "--at", at).status == 0
    assert cli(*args).status == 1
    assert cli(*args, "--at", "yesterday").status == 2


def test_public_stores_by_default(cli, files: Path) -> None:
    """Without a CA file the public stores are asked; a house root is in none of them."""
    done = cli("diagnose", "good.pem", "--name", "www.a.example")
    assert done.status == 1
    assert "unable to get local issuer certificate" in done.out


def test_a_damaged_block_is_the_one_at_fault(cli, files: Path) -> None:
    """The damaged server certificate is certificate 0; its issuer is not taken for it."""
    done = cli("diagnose", "damaged.pem", "--name", "www.a.example", "--ca-file", "root.pem", "-f", "json")
    problems = json.loads(done.out)["problems"]
    assert done.status == 1
    assert [(problem["slug"], problem["certificate"]["position"]) for problem in problems if problem["severity"] == "error"] == [
        ("cert-unparseable", 0)
    ]


@pytest.mark.parametrize("name", ["missing.pem", ".", "empty.pem"])
def test_unusable_files(cli, files: Path, name: str) -> None:
    """One line, status 2."""
    (files / "empty.pem").write_bytes(b"")
    done = cli("diagnose", name)
    assert (done.status, done.out) == (2, "")
    assert name in done.err
