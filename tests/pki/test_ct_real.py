"""The real world: certificates of known sites, tree heads and tiles of running logs, and others' negative cases."""

import gzip
import json
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.x509 import load_der_x509_certificate
from cryptography.x509.ocsp import load_der_ocsp_response
from servers import ct_data

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import BadSct, Logged, LogKind, LogList, Sct, SctVerdict
from dnscertscan.pki import der
from dnscertscan.pki.ct_audit import audit
from dnscertscan.pki.merkle import consistency_problem, hash_leaf, inclusion_problem, root_of
from dnscertscan.pki.parse import parse
from dnscertscan.pki.sct import embedded_sct_list, parse_sct_list, stapled_sct_list, verify
from dnscertscan.pki.tbs import is_precertificate, precert_entry, precert_tbs, tbs_sha256
from dnscertscan.pki.tiles import Tile, inclusion_proof
from dnscertscan.pki.tree_heads import TreeHead, parse_checkpoint, parse_sth, tree_head_problem

SITES = (
    "akamai.com", "amazon.com", "aws.amazon.com", "bing.com", "cloudflare.com", "docs.python.org", "fastly.com", "google.com",
    "s3.amazonaws.com", "storage.googleapis.com",
)
FIXTURES = "certs/appmattus/"


def _corpus() -> list[dict[str, str]]:
    lines = gzip.decompress(ct_data.read("certs/corpus_120_real_certs.jsonl.gz")).splitlines()
    return [json.loads(line) for line in lines]


def _pair(row: dict[str, str]) -> list[Certificate]:
    return [Certificate(b64decode(row["leaf"])), Certificate(b64decode(row["issuer"]))]


def test_every_embedded_sct_verifies() -> None:
    """Each SCT of each certificate, at the log, time and leaf index noted when the data was gathered; TBS as cryptography's."""
    for row in _corpus():
        found = audit(_pair(row), ct_data.union(), ct_data.moment("2026-06-01T00:00:00Z"), public=True)
        assert {result.verdict for result in found.results} == {SctVerdict.VALID}
        seen = [
            {"leaf_index": result.sct.leaf_index, "log": result.log.description, "ts": result.sct.timestamp}
            for result in found.results if isinstance(result.sct, Sct) and result.log
        ]
        assert seen == row["scts"]
        assert precert_tbs(_pair(row)[0]) == load_der_x509_certificate(b64decode(row["leaf"])).tbs_precertificate_bytes
        assert found.logged is Logged.LOGGED


def test_every_certificate_meets_every_policy() -> None:
    """Judged three days after issuance by the list of about that day."""
    lists = ct_data.dated_lists()
    counts: Counter[bool | None] = Counter()
    for row in _corpus():
        when = datetime.fromisoformat(row["not_before"]) + timedelta(days=3)
        nearest = min(lists, key=lambda candidate: abs(candidate.timestamp - when))
        found = audit(_pair(row), nearest, max(when, nearest.timestamp), public=True)
        counts.update(policy.compliant for policy in found.policies)
    assert counts == {True: 3 * len(_corpus())}


@pytest.mark.parametrize("site", SITES)
def test_chains_of_known_sites(site: str) -> None:
    """As served: valid by the list of 2026-01-03. A changed time or signature is refused; without the issuer nothing is known."""
    chain, logs = ct_data.chain(f"certs/{site}.pem"), ct_data.log_list("chrome_v3_2026-01-03.json")
    found = audit(chain, logs, ct_data.moment("2026-04-01T00:00:00Z"), public=True)
    assert {result.verdict for result in found.results} == {SctVerdict.VALID}
    assert audit(chain[:1], logs, logs.timestamp).logged is Logged.UNKNOWN
    entry = precert_entry(chain[0], chain[1])
    for result in found.results:
        sct, log = result.sct, result.log
        assert isinstance(sct, Sct)
        assert log is not None
        assert verify(sct, log, entry) == (SctVerdict.VALID, "")
        for spoilt in (replace(sct, timestamp=sct.timestamp + 1), replace(sct, signature=sct.signature[:-1] + b"\0\0")):
            assert verify(spoilt, log, entry)[0] is SctVerdict.INVALID


def test_tbs_is_that_of_the_fixture() -> None:
    """The precertificate TBS that others made of a real certificate."""
    (leaf,) = ct_data.chain("certs/pyca/cryptography-scts.pem")
    assert precert_tbs(leaf) == ct_data.read("certs/pyca/cryptography-scts-tbs-precert.der")
    (precert,) = ct_data.chain("certs/pyca/cryptography.io.precert.pem")
    assert is_precertificate(precert)
    assert precert_tbs(precert) != parse(precert).signed


def test_scts_in_a_real_ocsp_response() -> None:
    """Four, each of version 1 with a signature."""
    staple = ct_data.read("certs/pyca/ocsp_resp-sct-extension.der")
    serial = _only_serial(staple)
    leaf = _with_serial(ct_data.chain("certs/pyca/badssl-sct.pem")[0], serial)
    scts = parse_sct_list(stapled_sct_list(staple, leaf) or b"")
    assert [type(sct) for sct in scts] == [Sct] * 4


def _only_serial(staple: bytes) -> bytes:
    number = load_der_ocsp_response(staple).serial_number
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _with_serial(certificate: Certificate, serial: bytes) -> Certificate:
    """The certificate as an answer is about it: only the serial number counts here, and lengths stay as they are."""
    old = parse(certificate).serial
    place = certificate.der.index(old)
    inner = der.expect(certificate.der, der.whole(certificate.der, der.SEQUENCE, "")[0], len(certificate.der), der.SEQUENCE, "")
    grown = len(serial) - len(old)
    head = certificate.der[: place - 1] + bytes([len(serial)]) + serial + certificate.der[place + len(old) :]
    sizes = [(2, len(certificate.der) - 4 + grown), (inner[0] - 2, inner[1] - inner[0] + grown)]
    for at, size in sizes:
        head = head[:at] + size.to_bytes(2, "big") + head[at + 2 :]
    return Certificate(head)


@pytest.mark.parametrize(
    ("name", "words"),
    [("custom_invalid-sct-version", "unknown SCT version"), ("custom_invalid-sct-length", "SCT list: ")],
)
def test_invalid_lists_of_pyca(name: str, words: str) -> None:
    """An unknown version is told from a broken length."""
    octets = embedded_sct_list(Certificate(ct_data.read(f"certs/pyca/{name}.der")))
    problems = [sct.problem for sct in parse_sct_list(octets or b"") if isinstance(sct, BadSct)]
    assert len(problems) == 1
    assert problems[0].startswith(words)


def _fixture_log() -> LogList:
    pem = ct_data.read(f"{FIXTURES}ct-server-key-public.pem").split(b"-----")[2]
    key = b64decode(pem)
    log_id = sha256(key).digest()
    return LogList("fixture", "", ct_data.moment("2014-01-01T00:00:00Z"), {log_id: ct_data.bare_log(key, log_id)}, "", False)


@pytest.mark.parametrize("name", ["test-embedded-cert", "test-embedded-with-preca-cert"])
def test_others_embedded_fixtures(name: str) -> None:
    """Also where a Precertificate Signing CA was used, the issuer is the one that signed the final certificate."""
    leaf, issuer = ct_data.chain(f"{FIXTURES}{name}.pem")[0], ct_data.chain(f"{FIXTURES}ca-cert.pem")[0]
    signer = ct_data.chain(f"{FIXTURES}ca-pre-cert.pem")[0]
    at = ct_data.moment("2014-02-01T00:00:00Z")
    found = audit([leaf, issuer], _fixture_log(), at)
    assert [(result.verdict, result.reason) for result in found.results] == [(SctVerdict.VALID, "")]
    assert [result.verdict for result in audit([leaf, signer], _fixture_log(), at).results] == [SctVerdict.UNVERIFIABLE]


def test_negative_fixtures() -> None:
    """No SCT; an intermediate that is not there; another's log: each its own reason."""
    at = ct_data.moment("2014-02-01T00:00:00Z")
    bare = audit(ct_data.chain(f"{FIXTURES}no-sct.badssl.com.pem"), ct_data.union(), at, staple=b"", tls_scts=b"", public=True)
    assert (bare.logged, bare.results) == (Logged.NOT_LOGGED, ())
    assert [policy.compliant for policy in bare.policies] == [False] * 3
    lost = audit(ct_data.chain(f"{FIXTURES}test-embedded-with-intermediate-preca-cert.pem"), _fixture_log(), at)
    assert [result.verdict for result in lost.results] == [SctVerdict.UNVERIFIABLE]
    assert "issuer missing" in lost.results[0].reason
    other = audit(ct_data.chain(f"{FIXTURES}test-embedded-cert.pem"), ct_data.union(), at)
    assert [result.verdict for result in other.results] == [SctVerdict.UNKNOWN_LOG]
    old = audit(ct_data.chain(f"{FIXTURES}github-chain.pem"), ct_data.union(), ct_data.moment("2023-01-01T00:00:00Z"))
    assert old.logged is Logged.LOGGED


def _sth(fields: dict[str, object]) -> TreeHead:
    head = parse_sth(json.dumps(fields).encode())
    assert isinstance(head, TreeHead)
    return head


def test_tree_heads_and_a_consistency_proof() -> None:
    """Two heads of a log of 384 million entries, a minute apart, are signed and consistent; turned round they are not."""
    data = json.loads(ct_data.read("sth/argon2027h1_sth_consistency.json"))
    key = b64decode(data["key"])
    log = ct_data.bare_log(key, sha256(key).digest())
    one, two = _sth(data["sth1"]), _sth(data["sth2"])
    assert [tree_head_problem(head, log) for head in (one, two)] == ["", ""]
    assert tree_head_problem(replace(one, size=one.size + 1), log)
    proof = [b64decode(node) for node in data["consistency"]]
    assert consistency_problem(one.size, one.root, two.size, two.root, proof) == ""
    assert consistency_problem(one.size, two.root, two.size, two.root, proof)
    assert consistency_problem(one.size, one.root, two.size, two.root, proof[:-1])
    old = json.loads(ct_data.read("sth/argon2024_sth.json"))
    key = b64decode(old["key"])
    assert tree_head_problem(_sth(old["sth"]), ct_data.bare_log(key, sha256(key).digest())) == ""


ROME = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEAXM8Ld9qn64g1zVFDh5FtgxS3zj5sqQDwYMs3wrBV3MCBiFhK/iRLxdKF4YsAcJaEglMlu4Lewvzxs0xO2uwEw=="
)


@pytest.mark.parametrize(("name", "size"), [("rome2024h1", 115474666), ("parcelyard2026h2", 1587930800), ("skylight_test", 300)])
def test_checkpoints(name: str, size: int) -> None:
    """Signed by the log among witnesses and other keys; one octet later they are not."""
    body = ct_data.read(f"sth/{name}.checkpoint")
    key = _checkpoint_key(name)
    log = ct_data.bare_log(key, sha256(key).digest(), kind=LogKind.STATIC, url="https://" + body.split(b"\n")[0].decode() + "/")
    head = parse_checkpoint(body, log)
    assert isinstance(head, TreeHead)
    assert (head.size, tree_head_problem(head, log)) == (size, "")
    spoilt = parse_checkpoint(body.replace(str(size).encode(), str(size + 1).encode()), log)
    assert isinstance(spoilt, TreeHead)
    assert tree_head_problem(spoilt, log)


def _checkpoint_key(name: str) -> bytes:
    if name == "rome2024h1":
        return b64decode(ROME)
    if name == "skylight_test":
        return b64decode(json.loads(ct_data.read("sth/skylight_test.log.v3.json"))["key"])
    entries = _entries(json.loads(ct_data.read("loglists/google_operator_2026-10_subset.json")))
    return b64decode(next(entry["key"] for entry in entries if name in json.dumps(entry).lower()))


def _entries(value: object) -> list[dict[str, str]]:
    """Every object with a key, at any depth."""
    if isinstance(value, dict):
        return [value] if "key" in value else [entry for inner in value.values() for entry in _entries(inner)]
    return [entry for inner in value for entry in _entries(inner)] if isinstance(value, list) else []


def test_entries_of_a_running_static_log() -> None:
    """Each of the 266 entries at hand: leaf hash as in the tile, TBS as that of its precertificate, index as its place."""
    tiles, count = "tiles/navigli2025h2/tile/", 0
    folder = ct_data.path("tiles/navigli2025h2/issuer")
    issuers = {sha256(found).digest(): found for found in map(Path.read_bytes, folder.iterdir())}
    for data, hashes, first in (("000", "000", 0), ("003.p/10", "003.p/10", 768)):
        octets, level = ct_data.read(f"{tiles}data/{data}"), ct_data.read(f"{tiles}0/{hashes}")
        pos = number = 0
        while pos < len(octets):
            pos = _check_entry(octets, pos, level[number * 32 : number * 32 + 32], first + number, issuers)
            number += 1
        assert number * 32 == len(level)
        count += number
    assert count == 266


def test_tiles_of_a_running_static_log() -> None:
    """The partial tile is the beginning of the full one, and every entry of 1024 has its proof from tiles."""
    tiles = {Tile(0, number, 256): ct_data.read(f"tiles/navigli2025h2/tile/0/00{number}") for number in range(4)}
    assert tiles[Tile(0, 3, 256)].startswith(ct_data.read("tiles/navigli2025h2/tile/0/003.p/10"))
    hashes = [octets[at : at + 32] for octets in tiles.values() for at in range(0, len(octets), 32)]
    above = {Tile(1, 0, 4): b"".join(root_of(hashes[at : at + 256]) for at in range(0, 1024, 256))}
    for index in range(0, 1024, 31):
        proof = inclusion_proof(index, 1024, tiles | above)
        assert inclusion_problem(hashes[index], index, 1024, proof, root_of(hashes)) == ""


def _check_entry(octets: bytes, pos: int, expected: bytes, index: int, issuers: dict[bytes, bytes]) -> int:
    """One TileLeaf (static-ct-api); the offset behind it."""

    def take(width: int) -> bytes:
        nonlocal pos
        size = int.from_bytes(octets[pos : pos + width], "big")
        pos += width + size
        return octets[pos - size : pos]

    start, pos = pos, pos + 10
    precert = octets[pos - 1] == 1
    key_hash = octets[pos : pos + 32]
    pos += 32 if precert else 0
    signed = take(3)
    extensions = take(2)
    leaf = octets[start:pos]
    pre = take(3) if precert else b""
    chain = take(2)
    assert hash_leaf(b"\0\0" + leaf) == expected
    assert extensions == b"\0\0\5" + index.to_bytes(5, "big")
    if precert:
        certificate, issuer = Certificate(pre), Certificate(issuers[chain[:32]])
        assert is_precertificate(certificate)
        assert precert_tbs(certificate) == signed
        assert tbs_sha256(certificate) == sha256(signed).hexdigest()
        assert parse(issuer).key.digest == key_hash
    return pos
