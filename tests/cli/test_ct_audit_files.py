"""`dnscertscan ct audit --chain` with hostile and real files, and calls that cannot be right."""

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from servers import ct_data
from servers.ct_auditing import Run, found_in, runner
from servers.ct_issue import Issued, issue
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock

from dnscertscan.ct.audit_issuers import Issuers
from dnscertscan.ct.audit_make import Auditor
from dnscertscan.ct.audit_report import Presented, Status
from dnscertscan.ct.loglist import seed
from dnscertscan.demo.authority import Authority, pem
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.parse import parse

THEN = datetime(2026, 1, 5, 12, tzinfo=UTC)
ROOT = Authority.root("Audit Root", now=THEN)
CA = ROOT.intermediate("Audit Issuer")
SITES = (
    "akamai.com", "amazon.com", "aws.amazon.com", "bing.com", "cloudflare.com", "docs.python.org", "fastly.com", "google.com",
    "s3.amazonaws.com", "storage.googleapis.com",
)


@pytest.fixture(scope="module")
def logs() -> Iterator[tuple[CtLog, CtLog]]:
    clock = HandClock(THEN)
    with (
        CtLog("alpha", [ROOT.certificate], clock=clock) as alpha,
        CtLog("beta", [ROOT.certificate], operator="Operator B", clock=clock) as beta,
    ):
        yield alpha, beta


@pytest.fixture(scope="module")
def good(logs: tuple[CtLog, CtLog]) -> Issued:
    return issue(CA, "www.example.com", logs=logs)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], logs: tuple[CtLog, ...]) -> Run:
    return runner(tmp_path, monkeypatch, capsys, logs, THEN)


def chain_file(*parts: bytes | x509.Certificate) -> Path:
    """A file in the present folder."""
    path = Path("chain.pem")
    path.write_bytes(b"".join(part if isinstance(part, bytes) else pem([part]) for part in parts))
    return path


def test_hostile_text(run: Run, logs: tuple[CtLog, ...]) -> None:
    """Names that a terminal or a monitoring system would act on: escaped in the text, harmless in the JSON."""
    bad = issue(CA, "www.example.com", logs=logs, common_name="a\x1b[31m|\u202e b\x9b")
    path = chain_file(*bad.chain)
    args = ("--chain", path, "--at", "2026-01-06", "--log-list", "logs.json")
    shown = run(*args).out
    assert not {"\x1b", "|", "\u202e", "\x9b"} & set(shown)
    assert run(*args, "--json").out.isascii()


@pytest.mark.parametrize("octets", [b"0\x82\x01\x00junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_damaged_certificates(run: Run, octets: bytes) -> None:
    """What cannot be read is unknown, and said to be; a good CA beside it is not audited in its place."""
    for more in ((), (CA.certificate,)):
        if octets[:1] == b"0" and more:
            continue
        status, found = found_in(run("--chain", chain_file(octets, *more), "--json"))
        assert (status, found["logged"], found["scts"], found["tbs_sha256"]) == (3, "unknown", [], "")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((), "either HOST[:PORT] or --chain FILE"),
        (("www.example.com", "--chain", "chain.pem"), "either HOST[:PORT] or --chain FILE"),
        (("www.example.com", "--at", "2026-01-01"), "--at goes with --chain"),
        (("--chain", "chain.pem", "--search", "crtsh"), "offline"),
        (("--chain", "chain.pem", "--inclusion"), "offline"),
        (("--chain", "chain.pem", "--starttls", "smtp"), "go with HOST"),
        (("--chain", "chain.pem", "-4"), "go with HOST"),
        (("--chain", "none.pem"), "cannot read the chain"),
        (("--chain", "empty.pem"), "nothing to audit"),
        (("--chain", "key.pem"), "nothing to audit"),
        (("--chain", "chain.pem", "--at", "yesterday"), "no time"),
        (("--chain", "chain.pem", "--issuer", "sha256:12"), "no digest"),
        (("--chain", "chain.pem", "--issuer", "none.pem"), "cannot read the certificate of an issuer"),
        (("--chain", "chain.pem", "--issuer-file", "key.pem"), "no certificate in it"),
        (("--chain", "chain.pem", "--log-list", "none.json"), "none.json"),
        (("www.example.com", "--search", "nosuch"), "nosuch"),
        (("www.example.com", "--search", "certspotter"), "needs a place"),
        (("www.example.com:99999",), "no port"),
        (("www.exa mple.com",), "names no server"),
        (("https://www.example.com/",), "no port"),
        (("www..example.com",), "cannot be asked"),
        (("224.0.0.1",), "multicast"),
        (("smtp:mail.example.com", "--starttls", "imap"), "leave one of them out"),
        (("www.example.com", "--sni", "a..b"), "--sni"),
        (("www.example.com", "--address", "localhost"), "--address"),
        (("www.example.com", "--timeout", "soon"), "no duration"),
    ],
)
def test_wrong_calls(run: Run, good: Issued, args: tuple[str, ...], words: str) -> None:
    """UNKNOWN as monitoring plugins say it: status 3, the first line says what is wrong, and nobody is asked."""
    chain_file(*good.chain)
    Path("empty.pem").write_bytes(b"")
    Path("key.pem").write_bytes(good.credential.key_pem)
    done = run(*args)
    assert done.status == 3
    assert done.out.startswith("CT UNKNOWN - ")
    assert done.out.count("\n") == 1
    assert words in done.out


@pytest.mark.parametrize("site", SITES)
def test_chains_of_known_sites(run: Run, site: str) -> None:
    """Real chains three days after they were issued, by the list that ships as it was that day: all good."""
    path = ct_data.path(f"certs/{site}.pem")
    issued = parse(ct_data.chain(f"certs/{site}.pem")[0]).not_before
    assert issued
    day = (issued + timedelta(days=3)).isoformat()
    status, found = found_in(run("--chain", path, "--at", day, "--json"))
    assert (status, found["logged"], {sct["verdict"] for sct in found["scts"]}) == (0, "logged", {"valid"}), found["summary"]
    assert [policy["compliant"] for policy in found["policies"]] == [True] * 3


@pytest.mark.parametrize(
    ("name", "at", "status", "words"),
    [
        ("appmattus/no-sct.badssl.com.pem", "2018-01-01", 3, "no SCT is in the certificate"),
        ("appmattus/test-embedded-cert.pem", "2026-01-06", 1, "does not have"),
        ("pyca/custom_invalid-sct-length.der", "2026-01-06", 2, "SCT list: "),
        ("pyca/custom_invalid-sct-version.der", "2026-01-06", 3, "unknown SCT version"),
        ("pyca/cryptography.io.precert.pem", "2026-01-06", 3, "precertificate"),
    ],
)
def test_negative_fixtures(run: Run, name: str, at: str, status: int, words: str) -> None:
    """Others' negative cases: never status 0, each with its own reason."""
    done = run("--chain", ct_data.path(f"certs/{name}"), "--at", at)
    assert done.status == status, done.out
    assert words in done.out


def test_every_real_certificate_is_good() -> None:
    """Certificates of many sites with their issuers, three days after issuance, by the list that ships: all OK."""
    rows = [json.loads(line) for line in gzip.decompress(ct_data.read("certs/corpus_120_real_certs.jsonl.gz")).splitlines()]
    issuers = Issuers(())
    for row in rows:
        chain = tuple(Certificate(b64decode(row[part])) for part in ("leaf", "issuer"))
        when = datetime.fromisoformat(row["not_before"]) + timedelta(days=3)
        found = Auditor(seed().as_of(when), when, issuers).audit(Presented(chain))
        assert (found.status, found.audit.logged) == (Status.OK, "logged"), found.points
    assert len(rows) == 120
