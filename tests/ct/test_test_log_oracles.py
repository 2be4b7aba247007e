"""Programs that are not ours judge the test log and what it signs: Debian's certspotter, and openssl."""

import re
import subprocess
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from ct.searching import run
from servers.ct_issue import issue, late_scts, serverinfo, staple
from servers.ct_log import CtLog
from servers.ct_log_certspotter import Certspotter
from servers.ct_log_der import der
from servers.nginx import Host, serve
from servers.tls_tools import s_server

from dnscertscan.ct.sources.certspotter import CertSpotter
from dnscertscan.demo.authority import Authority, pem
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import SearchResult, Verdict
from dnscertscan.pki.tbs import tbs_sha256

NOW = datetime.now(UTC)
ROOT = Authority.root("Oracle Root", now=NOW)
CA = ROOT.intermediate("Oracle Issuer")


def earlier() -> datetime:
    """openssl takes an SCT of its own second for one of the future."""
    return NOW - timedelta(hours=1)


@pytest.fixture
def logs() -> Iterator[tuple[CtLog, CtLog]]:
    with (
        CtLog("alpha", [ROOT.certificate], clock=earlier) as alpha,
        CtLog("beta", [ROOT.certificate], clock=earlier, operator="Operator B", static_ext=True) as beta,
    ):
        yield alpha, beta


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that a server without privileges can read."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def s_client(port: int, folder: Path, logs: tuple[CtLog, ...], *options: str) -> dict[str, str]:
    """What openssl says of the SCT of each log; those of other logs have no name."""
    (folder / "root.pem").write_bytes(pem([ROOT.certificate]))
    known = "".join(f"[{log.name}]\ndescription = {log.name}\nkey = {b64encode(log.spki).decode()}\n" for log in logs)
    (folder / "logs").write_text(f"enabled_logs = {','.join(log.name for log in logs)}\n{known}")
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "www.a.test", "-CAfile", f"{folder}/root.pem",
         "-ct", "-ctlogfile", f"{folder}/logs", *options],
        input=b"", capture_output=True, timeout=20, check=False,
    )
    text = done.stdout.decode(errors="replace")
    assert "Verification: OK" in text, text + done.stderr.decode(errors="replace")
    blocks = text.split("SCT validation status: ")[1:]
    names = [re.search(r"^ *Log +: (\w+)", block, re.MULTILINE) for block in blocks]
    return {name[1] if name else "": block.splitlines()[0] for name, block in zip(names, blocks, strict=True)}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_validates_embedded_scts(logs: tuple[CtLog, CtLog], folder: Path, version: str) -> None:
    """From nginx, both kinds of log; of a log it does not know it says just that."""
    issued = issue(CA, "www.a.test", logs=logs)
    with serve([Host("www.a.test", [issued.credential])]) as port:
        assert s_client(port, folder, logs, version) == {"alpha": "valid", "beta": "valid"}
        assert s_client(port, folder, logs[:1], version) == {"alpha": "valid", "": "unknown log"}


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_validates_scts_of_the_tls_extension(logs: tuple[CtLog, CtLog], folder: Path, version: str) -> None:
    """A certificate without SCTs, and a server that sends them."""
    credential = CA.leaf("www.a.test")
    (folder / "info.pem").write_bytes(serverinfo(late_scts(credential, logs)))
    with s_server("-serverinfo", f"{folder}/info.pem", credential=credential) as port:
        assert s_client(port, folder, logs, version) == {"alpha": "valid", "beta": "valid"}


def test_openssl_validates_scts_of_a_staple(logs: tuple[CtLog, CtLog], folder: Path) -> None:
    """They come in an OCSP response alone."""
    credential = CA.leaf("www.a.test")
    response = staple(CA, credential.certificate, late_scts(credential, logs), now=NOW)
    with s_server(credential=credential, staple=response) as port:
        assert s_client(port, folder, logs, "-status") == {"alpha": "valid", "beta": "valid"}


def test_openssl_refuses_a_wrong_signature(logs: tuple[CtLog, CtLog], folder: Path) -> None:
    """One log signs with another key, and then an SCT of another certificate is embedded: only the good ones are valid."""
    logs[0].switches.signer = ec.generate_private_key(ec.SECP256R1())
    spoiled = issue(CA, "www.a.test", logs=logs)
    logs[0].switches.signer = None
    other = issue(CA, "other.a.test", logs=logs)
    borrowed = issue(CA, "www.a.test", logs=logs, spoil=lambda scts: [other.scts[0], scts[1]])
    for issued in (spoiled, borrowed):
        with s_server(credential=issued.credential) as port:
            assert s_client(port, folder, logs) == {"alpha": "invalid", "beta": "valid"}


@pytest.fixture
def spotter(logs: tuple[CtLog, CtLog]) -> Iterator[Certspotter]:
    watching = Certspotter(*logs, watch=(".watched.com",), healthcheck="2s")
    yield watching
    watching.close()


def caught_up(spotter: Certspotter, logs: tuple[CtLog, ...], events: int) -> None:
    with spotter:
        spotter.wait(lambda: all(spotter.position(log) == log.size for log in logs) and len(spotter.events()) >= events)


def test_certspotter_follows_both_logs(logs: tuple[CtLog, CtLog], spotter: Certspotter) -> None:
    """It accepts the tree heads, downloads in pieces, matches the roots and calls its hook with the TBS hash we compute."""
    logs[0].switches.max_entries = 40
    issued = issue(CA, "www.watched.com", logs=logs, submit_final=True)
    issue(CA, "www.unwatched.com", logs=logs)
    logs[0].fill(150)
    caught_up(spotter, logs, 2)
    heads = [spotter.log_state(log)["verified_sth"]["sha256_root_hash"] for log in logs]
    assert heads == [b64encode(log.root(log.size)).decode() for log in logs]
    assert [spotter.unverified(log) for log in logs] == [[], []]
    events = spotter.events()
    assert {event["TBS_SHA256"] for event in events} == {issued.tbs_sha256}
    assert issued.tbs_sha256 == tbs_sha256(Certificate(der(issued.certificate)))
    prints = {sha256(der(one)).hexdigest() for one in (issued.precert, issued.certificate)}
    assert {event["CERT_SHA256"] for event in events} == prints
    assert {event["LOG_URI"] for event in events} <= {log.url for log in logs}
    for found in prints:
        assert {path.suffix for path in (spotter.state / "certs" / found[:2]).glob(f"{found}*")} == {".pem", ".json", ".txt"}


def test_certspotter_goes_on_and_its_folder_is_a_source(logs: tuple[CtLog, CtLog], spotter: Certspotter) -> None:
    """A second run finds what came later; our own reader of its state finds the same issuances by the same hashes."""
    issued = [issue(CA, "www.watched.com", logs=logs)]
    caught_up(spotter, logs, 1)
    issued.append(issue(CA, "mail.watched.com", logs=logs[:1]))
    caught_up(spotter, logs, 2)
    result: SearchResult = run(
        lambda means: CertSpotter(means, str(spotter.state)).search(DnsName("watched.com")), clock=lambda: datetime.now(UTC)
    )[0]
    assert result.verdict is Verdict.FOUND
    assert {found.tbs_sha256 for found in result.issuances} == {one.tbs_sha256 for one in issued}


def test_certspotter_does_not_take_a_fork(logs: tuple[CtLog, CtLog], spotter: Certspotter) -> None:
    """A history that is not the one it has seen: the position stays, the tree head is kept, and it complains."""
    issue(CA, "www.watched.com", logs=logs)
    logs[0].fill(9)
    caught_up(spotter, logs, 1)
    seen = spotter.position(logs[0])
    logs[0].fill(3)
    twin = logs[0].fork(keep=5)
    logs[0].show(twin)
    with spotter:
        spotter.wait(lambda: any(f"Backlog of size 3 from {logs[0].url}" in one["SUMMARY"] for one in spotter.events("error")))
    assert spotter.position(logs[0]) == seen
    (kept,) = spotter.unverified(logs[0])
    assert kept.startswith(f"{logs[0].size}-")
    assert "does not match the entries returned by the log" in spotter.output


def test_certspotter_does_not_take_a_wrong_signature(logs: tuple[CtLog, CtLog], spotter: Certspotter) -> None:
    """A tree head that the log's key has not signed is no tree head; the other log is followed all the same."""
    issue(CA, "www.watched.com", logs=logs)
    logs[0].switches.signer = ec.generate_private_key(ec.SECP256R1())
    with spotter:
        spotter.wait(lambda: "signature" in spotter.output and spotter.position(logs[1]) == 1)
    assert spotter.position(logs[0]) == 0
