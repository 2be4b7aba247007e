"""`dnscertscan ct audit --chain`: every verdict with its status, whatever the order of the file."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from servers.command import Done
from servers.ct_auditing import Run, found_in, runner
from servers.ct_issue import Issued, issue
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock

from dnscertscan.demo.authority import Authority, pem

THEN = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When everything is issued: some days after the list that ships was made, so that it is fresh."""
AT = "2026-01-06"
ROOT = Authority.root("Audit Root", now=THEN)
CA = ROOT.intermediate("Audit Issuer")


@pytest.fixture(scope="module")
def logs() -> Iterator[tuple[CtLog, CtLog, CtLog]]:
    """Two logs of two operators, the second one static, and a stranger that is in no list."""
    clock = HandClock(THEN)
    with (
        CtLog("alpha", [ROOT.certificate], clock=clock) as alpha,
        CtLog("beta", [ROOT.certificate], operator="Operator B", static_ext=True, mmd=60, clock=clock) as beta,
        CtLog("stranger", [ROOT.certificate], operator="Operator C", clock=clock) as stranger,
    ):
        yield alpha, beta, stranger


@pytest.fixture(scope="module")
def good(logs: tuple[CtLog, CtLog, CtLog]) -> Issued:
    return issue(CA, "www.example.com", logs=logs[:2])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: tuple[CtLog, ...]) -> Run:
    return runner(tmp_path, monkeypatch, capsys, logs[:2], THEN)


def chain_file(*parts: bytes | x509.Certificate) -> Path:
    """A file in the present folder."""
    path = Path("chain.pem")
    path.write_bytes(b"".join(part if isinstance(part, bytes) else pem([part]) for part in parts))
    return path


def audit(run: Run, path: Path, *more: object, at: str = AT) -> Done:
    return run("--chain", path, "--at", at, "--log-list", "logs.json", *more)


def audit_json(run: Run, path: Path, *more: object, at: str = AT) -> tuple[int, dict[str, Any]]:
    return found_in(audit(run, path, "-f", "json", *more, at=at))


def verdicts(found: dict[str, Any]) -> list[str]:
    return [sct["verdict"] for sct in found["scts"]]


def test_a_good_chain(run: Run, good: Issued) -> None:
    """Status 0, one line for Nagios, the details below it; everything is in the JSON object."""
    done = audit(run, chain_file(*good.chain))
    first, *rest = done.out.splitlines()
    assert (done.status, done.err) == (0, "")
    assert first.startswith("CT OK - chain.pem: logged, 2 valid SCTs (Operator A, Operator B); Chrome, Apple, Mozilla satisfied")
    assert any(line.strip().startswith("SCT embedded, valid, log alpha, Operator A, 2026-01-05T12:00:00+00:00") for line in rest)
    status, found = audit_json(run, chain_file(*good.chain))
    assert (status, found["status"], found["logged"], found["tbs_sha256"]) == (0, "OK", "logged", good.tbs_sha256)
    assert [(sct["log"], sct["operator"], sct["delivery"], sct["reason"]) for sct in found["scts"]] == [
        ("log alpha", "Operator A", "embedded", ""), ("log beta", "Operator B", "embedded", ""),
    ]
    assert [sct["time"] for sct in found["scts"]] == ["2026-01-05T12:00:00+00:00"] * 2
    assert [(policy["program"], policy["compliant"]) for policy in found["policies"]] == [
        ("chrome", True), ("apple", True), ("mozilla", True),
    ]
    assert found["list"]["age_days"] < 70
    assert json.loads(audit(run, chain_file(*good.chain), "--json").out) == found


def test_the_issuer_is_missing(run: Run, good: Issued) -> None:
    """A lone leaf is undecided, and told which issuer to add; with it the same leaf is fine, as DER, too."""
    status, found = audit_json(run, chain_file(good.certificate))
    assert (status, found["logged"], verdicts(found)) == (3, "unknown", ["unverifiable"] * 2)
    assert "issuer missing" in found["scts"][0]["reason"]
    assert "CN=Audit Issuer" in found["summary"]
    assert "--issuer-file" in found["summary"]
    assert audit(run, chain_file(good.certificate)).out.startswith("CT UNKNOWN - ")
    Path("issuer.pem").write_bytes(pem([CA.certificate]))
    assert audit(run, chain_file(good.certificate), "--issuer-file", "issuer.pem").status == 0
    alone = chain_file(good.certificate.public_bytes(Encoding.DER))
    assert audit(run, alone).status == 3
    assert audit(run, alone, "--issuer-file", "issuer.pem").status == 0


def test_a_namesake_is_no_issuer(run: Run, good: Issued) -> None:
    """A CA certificate of the same name with another key proves nothing."""
    namesake = Authority.root("Other", now=THEN).intermediate("Audit Issuer")
    assert audit(run, chain_file(good.certificate, namesake.certificate)).status == 3


def test_any_order_and_a_private_key(run: Run, good: Issued) -> None:
    """Root first, the leaf last, its private key between them: sorted; nothing is said of the key, and it is not shown."""
    key = good.credential.key_pem
    done = audit(run, chain_file(ROOT.certificate, CA.certificate, key, good.certificate))
    assert (done.status, done.err) == (0, "")
    assert "sorted" in done.out
    assert "PRIVATE" not in done.out
    assert key.splitlines()[1].decode() not in done.out
    assert "sorted" not in audit(run, chain_file(*good.chain)).out


def test_from_standard_input(run: Run, good: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `openssl s_client -showcerts` writes them, with text around them."""
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": BytesIO(b"CONNECTED(3)\n" + pem(good.chain) + b"DONE\n")}))
    done = audit(run, Path("-"))
    assert (done.status, done.out.split(":")[0]) == (0, "CT OK - standard input")


def test_two_certificates_in_one_file(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """RSA and ECDSA side by side: both are audited, and the worse one decides."""
    other = issue(CA, "www.example.com", logs=logs[:2], key="rsa2048")
    status, found = audit_json(run, chain_file(good.certificate, other.certificate, CA.certificate))
    assert (status, [one["logged"] for one in found["certificates"]]) == (0, ["logged"] * 2)
    spoilt = issue(CA, "www.example.com", logs=logs[:2], spoil=lambda scts: [sct[:-2] + b"\0\0" for sct in scts])
    status, found = audit_json(run, chain_file(good.certificate, spoilt.certificate, CA.certificate))
    assert (status, [one["status"] for one in found["certificates"]]) == (2, ["OK", "CRITICAL"])
    assert (found["logged"], found["tbs_sha256"]) == ("not-logged", spoilt.tbs_sha256)


def test_an_invalid_sct(run: Run, logs: tuple[CtLog, ...]) -> None:
    """Critical although the other one is valid; the one that is not is named."""
    half = issue(CA, "www.example.com", logs=logs[:2], spoil=lambda scts: [scts[0], scts[1][:-2] + b"\0\0"])
    status, found = audit_json(run, chain_file(*half.chain))
    assert (status, found["status"], found["logged"], verdicts(found)) == (2, "CRITICAL", "logged", ["valid", "invalid"])
    assert "log beta" in found["summary"]


def test_a_log_that_the_list_does_not_have(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """A warning by a fresh list; by an old one nothing is known, and an unlisted log beside enough good ones is a remark."""
    lone = chain_file(*issue(CA, "www.example.com", logs=logs[2:]).chain)
    status, found = audit_json(run, lone)
    assert (status, found["logged"], verdicts(found)) == (1, "unknown", ["unknown-log"])
    status, found = audit_json(run, lone, at="2029-06-01")
    assert (status, found["logged"]) == (3, "unknown")
    assert "loglist update" in found["summary"]
    three = chain_file(*issue(CA, "www.example.com", logs=logs).chain)
    assert audit(run, three).status == 1
    assert audit(run, three, at="2029-06-01").status == 0
    assert audit(run, chain_file(*good.chain), at="2029-06-01").status == 0


def test_a_policy_that_is_not_met(run: Run, logs: tuple[CtLog, ...]) -> None:
    """One SCT where two are needed: logged, and a warning that names the programs."""
    status, found = audit_json(run, chain_file(*issue(CA, "www.example.com", logs=logs[:1]).chain))
    assert (status, found["logged"]) == (1, "logged")
    assert [policy["compliant"] for policy in found["policies"]] == [False] * 3
    assert "policy of Chrome is not met" in found["summary"]


def test_a_policy_ends_with_the_certificate(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """Of an expired certificate it is a remark: no browser takes it, and logs are closed when their time is over."""
    lone = issue(CA, "www.example.com", logs=logs[:1])
    path = chain_file(*lone.chain)
    end = lone.certificate.not_valid_after_utc
    assert audit(run, path, at=(end - timedelta(hours=1)).isoformat()).status == 1
    done = audit(run, path, at=(end + timedelta(hours=1)).isoformat())
    assert (done.status, f"expired on {end.isoformat()}" in done.out) == (0, True)
    assert "expired" not in audit(run, chain_file(*good.chain)).out


def test_no_sct_in_a_file(run: Run) -> None:
    """Whether the server sends some nobody knows: undecided, never "not logged"."""
    plain = CA.leaf("www.example.com")
    done = audit(run, chain_file(*plain.chain))
    assert done.status == 3
    assert "not logged" not in done.out
    assert "handshake" in done.out.splitlines()[0]


def test_before_the_sct(run: Run, good: Issued) -> None:
    """Judged for a time before it was made: not of that time, which is put down to the clock and to --at."""
    status, found = audit_json(run, chain_file(*good.chain), at="2026-01-04")
    assert (status, verdicts(found)) == (3, ["unverifiable"] * 2)
    assert "--at" in found["summary"]


def test_expected_issuers(run: Run, good: Issued) -> None:
    """The issuer by key or file, or a CA above it: fine. Another: critical, with the key that was found. No issuer: unknown."""
    path, other = chain_file(*good.chain), Authority.root("Other", now=THEN)
    Path("ca.pem").write_bytes(pem([CA.certificate]))
    Path("root.pem").write_bytes(pem([ROOT.certificate]))
    Path("other.pem").write_bytes(pem([other.certificate]))
    key = json.loads(audit(run, path, "--issuer", "other.pem", "--json").out)["summary"].partition("sha256:")[2][:64]
    for pin in ("ca.pem", "root.pem", f"sha256:{key}", f"SHA256:{key.upper()}"):
        assert audit(run, path, "--issuer", pin).status == 0
    for pin in ("other.pem", f"sha256:{'0' * 64}"):
        status, found = audit_json(run, path, "--issuer", pin)
        assert (status, found["logged"]) == (2, "logged")
        assert "unexpected CA" in found["summary"]
        assert "CN=Audit Issuer" in found["summary"]
    assert audit(run, path, "--issuer", "other.pem", "--issuer", "ca.pem").status == 0
    assert audit(run, chain_file(good.certificate), "--issuer", "other.pem").status == 3


def test_a_private_ca(run: Run, good: Issued) -> None:
    """It needs no SCTs; what has some is judged, and no browser's policy is applied."""
    Path("root.pem").write_bytes(pem([ROOT.certificate]))
    plain = CA.leaf("www.example.com")
    assert audit(run, chain_file(*plain.chain), "--ca-file", "root.pem").status == 3
    status, found = audit_json(run, chain_file(*good.chain), "--ca-file", "root.pem")
    assert (status, found["logged"], found["policies"]) == (0, "logged", [])
    Path("c.toml").write_text("[ct]\nlog_private = true\n")
    status, found = audit_json(run, chain_file(*good.chain), "--ca-file", "root.pem", "--config", "c.toml")
    assert (status, [policy["compliant"] for policy in found["policies"]]) == (0, [True] * 3)


