"""`dnscertscan ct audit HOST` against real servers: all deliveries, all certificates, all addresses, the CA that may issue."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import nginx
from servers.ct_audited import CA, NAME, NOW, two_logs
from servers.ct_auditing import Run, at_loopback, found_in, runner
from servers.ct_issue import Issued, issue, late_scts, serverinfo, staple
from servers.ct_log import CtLog
from servers.nginx import Host
from servers.tls_tools import s_server

from dnscertscan.demo.authority import Authority, Credential, pem

LIST = ("--log-list", "logs.json")


@pytest.fixture(scope="module")
def logs() -> Iterator[tuple[CtLog, CtLog]]:
    with two_logs() as both:
        yield both


@pytest.fixture(scope="module")
def good(logs: tuple[CtLog, CtLog]) -> Issued:
    return issue(CA, NAME, logs=logs)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: tuple[CtLog, ...]) -> Run:
    return runner(tmp_path, monkeypatch, capsys, logs, NOW)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that a server without privileges can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def audit(run: Run, port: int, *more: object) -> tuple[int, dict[str, Any]]:
    return found_in(run(*at_loopback(NAME, port, *more)))


def deliveries(found: dict[str, Any]) -> list[str]:
    return [f"{sct['delivery']} {sct['verdict']}" for sct in found["scts"]]


def test_every_certificate_of_a_host(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """RSA and ECDSA: both are audited, and one without SCTs makes it critical though the other is fine."""
    rsa = issue(CA, NAME, logs=logs, key="rsa2048")
    bare = CA.leaf(NAME, key="rsa2048")
    with nginx.serve([Host(NAME, [good.credential, rsa.credential])]) as port:
        status, found = audit(run, port)
        text = run(f"{NAME}:{port}", *LIST, "--address", "127.0.0.1")
    assert (status, len(found["certificates"]), deliveries(found)) == (0, 2, ["embedded valid"] * 2)
    assert text.out.startswith(f"CT OK - {NAME}:{port}: 2 certificates, all logged, 4 valid SCTs (")
    assert f"served by 127.0.0.1:{port} (" in text.out
    with nginx.serve([Host(NAME, [good.credential, bare])]) as port:
        status, found = audit(run, port)
    assert (status, found["logged"], found["scts"]) == (2, "not-logged", [])
    assert sorted(one["logged"] for one in found["certificates"]) == ["logged", "not-logged"]
    assert "no SCT" in found["summary"]


@pytest.mark.parametrize("protocol", ["-tls1_2", "-tls1_3"])
def test_by_tls_extension_and_by_ocsp(run: Run, logs: tuple[CtLog, ...], folder: Path, protocol: str) -> None:
    """SCTs that only come in the handshake count; where neither comes the certificate is not logged."""
    plain = CA.leaf(NAME)
    scts = late_scts(plain, logs)
    (folder / "info.pem").write_bytes(serverinfo(scts))
    with s_server(protocol, credential=plain) as port:
        status, found = audit(run, port)
    assert (status, found["logged"], found["scts"]) == (2, "not-logged", [])
    with s_server(protocol, "-serverinfo", f"{folder}/info.pem", credential=plain) as port:
        status, found = audit(run, port)
    assert (status, found["logged"], deliveries(found)) == (0, "logged", ["tls valid"] * 2)
    with s_server(protocol, credential=plain, staple=staple(CA, plain.certificate, scts, now=NOW)) as port:
        status, found = audit(run, port)
    assert (found["logged"], deliveries(found)) == ("logged", ["ocsp valid"] * 2)
    assert status == 1  # Chrome does not count them any more
    assert "policy of Chrome is not met" in found["summary"]


def test_the_issuer_that_is_not_sent(run: Run, good: Issued) -> None:
    """Unknown, with what to do; an expected CA is then not known, either. With its certificate all is decided."""
    lone = Credential(good.certificate, good.credential.key)
    Path("issuer.pem").write_bytes(pem([CA.certificate]))
    with nginx.serve([Host(NAME, [lone])]) as port:
        status, found = audit(run, port)
        assert (status, found["logged"]) == (3, "unknown")
        assert "--issuer-file" in found["summary"]
        assert audit(run, port, "--issuer-file", "issuer.pem")[0] == 0
        assert audit(run, port, "--issuer", "issuer.pem")[0] == 0


def test_an_unexpected_ca(run: Run, good: Issued) -> None:
    """Logged and all, but not by the CA that may issue."""
    Path("other.pem").write_bytes(pem([Authority.root("Other", now=NOW).certificate]))
    with nginx.serve([Host(NAME, [good.credential])]) as port:
        status, found = audit(run, port, "--issuer", "other.pem")
    assert (status, found["status"], found["logged"]) == (2, "CRITICAL", "logged")
    assert found["summary"].startswith("unexpected CA: ")


def test_every_address(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """Each address is looked at; one that is closed is told, and does not hide what the others serve; -4 leaves IPv6 out."""
    with nginx.serve([Host(NAME, [good.credential])], ("127.0.0.1", "127.0.0.2")) as port:
        both = [f"{NAME}:{port}", *LIST, "--json", "--address", "127.0.0.1", "--address", "127.0.0.2"]
        found = json.loads(run(*both).out)
        assert (found["status"], len(found["certificates"]), len(found["certificates"][0]["places"])) == ("OK", 1, 2)
        done = run(*both, "--address", "127.0.0.3")
        found = json.loads(done.out)
        assert (done.status, found["logged"]) == (1, "logged")
        assert [(one["address"], one["reason"]) for one in found["unanswered"]] == [(f"127.0.0.3:{port}", "refused")]
        assert run(*both, "--address", "::1", "-4").status == 0
        assert run(*both, "--address", "::1", "-6").status == 3


def test_the_name_that_is_asked_for(run: Run, good: Issued) -> None:
    """By SNI: HOST, or --sni; an address alone asks for no name."""
    other = CA.leaf("default.test")
    with nginx.serve([Host("default.test", [other]), Host(NAME, [good.credential])], ("127.0.0.1", "::1")) as port:
        assert audit(run, port)[0] == 0
        assert run(f"[::1]:{port}", *LIST, "--sni", NAME).status == 0
        assert run(f"[::1]:{port}", *LIST).status == 2
        assert run(f"127.0.0.1:{port}", *LIST, "--sni", NAME).status == 0
        assert run(f"127.0.0.1:{port}", *LIST).status == 2
        assert run(*at_loopback("elsewhere.test", port)).status == 2
        assert run(f"localhost:{port}", *LIST, "-4", "--sni", NAME).status == 0  # by the hosts file, as other programs see it


