"""`dnscertscan ct audit --chain` with hostile and real files, and calls that cannot be right."""

import gzip
import io
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs7,
    pkcs12,
)
from cryptography.x509 import ocsp
from servers import ct_data
from servers.ct_auditing import Run, found_in, runner
from servers.ct_issue import Issued, issue
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock

from dnscertscan.cli import ct_audit
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
        (("https://www.example.com/",), "is a URL; write the host only: www.example.com"),
        (("--chain", "chain.pem", "--at", "0001-01-01T00:00:00+14:00"), "no time"),
        (("--chain", "chain.pem", "--at", "9999-12-31T23:59:59-14:00"), "no time"),
        (("--chain", "chain.pem", "--at", "9999-12-31T23:59:59.999999"), "no time"),
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


def test_certificates_that_cannot_be_read_are_not_left_out(run: Run, good: Issued, logs: tuple[CtLog, ...]) -> None:
    """A damaged certificate beside good ones may be the one that is served: never OK, and it is said which one it is."""
    damaged = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    cut = pem([good.certificate]).replace(b"-----END CERTIFICATE-----\n", b"")
    args = ("--at", "2026-01-06", "--log-list", "logs.json")
    assert run("--chain", chain_file(*good.chain), *args).status != 3
    for bad in (damaged, b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", cut):
        done = run("--chain", chain_file(*good.chain, bad), *args)
        assert (done.status, done.out.partition(" - ")[0]) == (3, "CT UNKNOWN")
        assert "certificate 3 of 3 in the file cannot be read" in done.out.splitlines()[0]
        points = found_in(run("--chain", chain_file(*good.chain, bad), *args, "--json"))[1]["points"]
        assert [point["status"] for point in points] == ["UNKNOWN"]


def test_more_certificates_than_are_audited(run: Run, logs: tuple[CtLog, ...]) -> None:
    """The first hundred are audited, the file is UNKNOWN for the others; certificates of CAs do not count among them."""
    leaves = [CA.leaf(f"{number}.example.com").certificate for number in range(103)]
    args = ("--at", "2026-01-06", "--log-list", "logs.json", "--json")
    found = found_in(run("--chain", chain_file(*leaves, CA.certificate), *args))[1]
    assert len(found["certificates"]) == 100
    assert [point for point in found["points"] if "3 more certificates were not audited" in point["text"]]
    assert found["points"][0]["status"] == "UNKNOWN"
    authorities = [Authority.root(f"Root {number}", now=THEN).certificate for number in range(110)]
    found = found_in(run("--chain", chain_file(*authorities, *leaves[:2], CA.certificate), *args))[1]
    assert len(found["certificates"]) == 2
    assert "more certificates" not in json.dumps(found["points"])


def test_too_much_on_standard_input(run: Run, good: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is refused, never cut."""
    whole = b"".join(pem([one]) for one in good.chain)
    monkeypatch.setattr(ct_audit, "_MAX_STDIN", len(whole) - 1)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(whole)))
    done = run("--chain", "-")
    assert (done.status, "standard input: larger than" in done.out) == (3, True)


def test_other_kinds_of_files(run: Run, good: Issued) -> None:
    """PKCS #12, PKCS #7, OCSP responses, keys and CSRs: nothing to audit, and what to do; not a report on nothing."""
    key = good.credential.key
    secret = {True: BestAvailableEncryption(b"x"), False: NoEncryption()}
    keys = [
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, secret[hidden]) for hidden in (True, False)
    ]
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, SHA256()).public_bytes(Encoding.DER)
    store = pkcs12.serialize_key_and_certificates(b"x", key, good.certificate, None, NoEncryption())
    bundle = pkcs7.serialize_certificates([good.certificate], Encoding.DER)
    answer = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED).public_bytes(Encoding.DER)
    for octets, words in (
        (store, "PKCS #12 files are not read; write its certificates as PEM"), (bundle, "PKCS #7 files are not read"),
        (answer, "OCSP response files are not read"), (b"\xfe\xed\xfe\xed" + bytes(40), "Java keystore files are not read"),
        *((one, "it is a key or a CSR") for one in (*keys, spki, request)),
    ):
        done = run("--chain", chain_file(octets))
        assert done.status == 3
        assert f"chain.pem: nothing to audit: {words}" in done.out.splitlines()[0]
    Path("chain.p12").write_bytes(b"no such thing")
    assert "PKCS #12 files are not read" in run("--chain", "chain.p12").out
