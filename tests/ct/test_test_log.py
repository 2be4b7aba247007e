"""The test log keeps RFC 6962 and static-ct-api, by oracles of its own; every switch does what it says."""

import gzip
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from servers.ct_issue import issue, renew, sct_list, serial_twin
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock, RefusedError
from servers.ct_log_der import der, spki, stripped_tbs
from servers.ct_log_http import closed, cut, drip, first, hang, html, over, too_many

from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Sct, SctVerdict
from dnscertscan.pki import merkle, sct, tiles, tree_heads
from dnscertscan.pki.tbs import precert_entry, tbs_sha256

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROOT = Authority.root("Log Root", now=NOW)
CA = ROOT.intermediate("Log Issuer")


@pytest.fixture
def clock() -> HandClock:
    return HandClock(NOW)


@pytest.fixture(params=[False, True], ids=["rfc6962", "static"])
def log(request: pytest.FixtureRequest, clock: HandClock) -> Iterator[CtLog]:
    with CtLog("alpha", [ROOT.certificate], clock=clock, static_ext=request.param) as served:
        yield served


def get(url: str, seconds: float = 5.0) -> bytes:
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        return bytes(answer.read())


def call(log: CtLog, name: str, **values: object) -> Any:
    return json.loads(get(f"{log.url}ct/v1/{name}?{urllib.parse.urlencode(values)}"))


def refusal(url: str, body: bytes | None = None) -> urllib.error.HTTPError:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5)
    caught.value.close()
    return caught.value


def checked_head(log: CtLog) -> tree_heads.TreeHead:
    """The tree head both interfaces give, which must be one and be signed."""
    sth = tree_heads.parse_sth(get(f"{log.url}ct/v1/get-sth"))
    point = tree_heads.parse_checkpoint(get(f"{log.monitoring_url}checkpoint"), log.model)
    assert isinstance(sth, tree_heads.TreeHead), sth
    assert isinstance(point, tree_heads.TreeHead), point
    assert (sth.size, sth.root) == (point.size, point.root)
    assert [tree_heads.tree_head_problem(head, log.model) for head in (sth, point)] == ["", ""]
    return sth


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 300])
def test_one_tree_behind_both_interfaces(log: CtLog, size: int) -> None:
    """At any size: heads agree and verify, each entry is proven by get-proof-by-hash and lies in its tile."""
    issue(CA, "www.example.com", logs=[log])
    log.fill(size - 1)
    head = checked_head(log)
    assert (head.size, head.root) == (size, merkle.root_of([log.leaf_hash(at) for at in range(size)]))
    for at in {0, 1, size // 2, size - 1} & set(range(size)):
        proof = call(log, "get-proof-by-hash", hash=b64encode(log.leaf_hash(at)).decode(), tree_size=size)
        path = [b64decode(node) for node in proof["audit_path"]]
        assert proof["leaf_index"] == at
        assert merkle.inclusion_problem(log.leaf_hash(at), at, size, path, head.root) == ""
        needed = tiles.inclusion_tiles(at, size)
        read = {tile: get(log.monitoring_url + tile.path) for tile in needed}
        assert all(len(octets) == 32 * tile.width for tile, octets in read.items())
        assert read[next(tile for tile in needed if tile.level == 0)][at % 256 * 32 :][:32] == log.leaf_hash(at)
        both = call(log, "get-entry-and-proof", leaf_index=at, tree_size=size)
        assert merkle.hash_leaf(b64decode(both["leaf_input"])) == log.leaf_hash(at)
        assert both["audit_path"] == proof["audit_path"]
    for earlier in {1, 2, size - 1, size} & set(range(1, size + 1)):
        nodes = [b64decode(node) for node in call(log, "get-sth-consistency", first=earlier, second=size)["consistency"]]
        assert merkle.consistency_problem(earlier, log.root(earlier), size, head.root, nodes) == ""


def test_entries_of_both_interfaces(log: CtLog) -> None:
    """get-entries and data tile hold the same leaf, precertificate and issuers; issuers are found by digest."""
    issued = issue(CA, "www.example.com", logs=[log], submit_final=True)
    entries = call(log, "get-entries", start=0, end=9)["entries"]
    assert [merkle.hash_leaf(b64decode(one["leaf_input"])) for one in entries] == [log.leaf_hash(0), log.leaf_hash(1)]
    tile = get(f"{log.monitoring_url}tile/data/000.p/2")
    pos = 0
    for entry, submitted in zip(entries, (issued.precert, None), strict=True):
        leaf, extra = b64decode(entry["leaf_input"]), b64decode(entry["extra_data"])
        assert tile[pos : pos + len(leaf) - 2] == leaf[2:]
        pos += len(leaf) - 2
        if submitted is not None:
            octets = len(der(submitted)).to_bytes(3, "big") + der(submitted)
            assert tile[pos:].startswith(octets)
            assert extra.startswith(octets)
            pos += len(octets)
        prints = [sha256(der(one)).digest() for one in (CA.certificate, ROOT.certificate)]
        assert tile[pos:].startswith(b"\0\x40" + b"".join(prints))
        assert extra.endswith(der(ROOT.certificate))
        pos += 66
        assert get(f"{log.monitoring_url}issuer/{prints[0].hex()}") == der(CA.certificate)
    assert pos == len(tile)


def test_submission(log: CtLog) -> None:
    """Over HTTP as CAs do it; the same chain gets the same SCT; what is no good chain is refused with 400."""
    issued = issue(CA, "www.example.com", logs=[])
    body = json.dumps({"chain": [b64encode(der(one)).decode() for one in issued.chain]}).encode()
    answers = [json.loads(urllib.request.urlopen(f"{log.url}ct/v1/add-chain", body).read()) for _ in range(2)]
    assert answers[0] == answers[1]
    assert log.size == 1
    assert b64decode(answers[0]["id"]) == log.log_id
    stranger = Authority.root("Stranger", now=NOW).leaf("www.example.com")
    with pytest.raises(RefusedError, match="accepted root"):
        log.add_chain(stranger.chain)
    with pytest.raises(RefusedError, match="poison"):
        log.add_pre_chain(issued.chain)
    assert refusal(f"{log.url}ct/v1/add-pre-chain", body).code == 400
    assert refusal(f"{log.url}ct/v1/add-chain", b"<html>").code == 400
    assert refusal(f"{log.url}ct/v1/get-sth-consistency?first=0&second=1").code == 400
    log.interval = (NOW - timedelta(days=400), NOW)
    with pytest.raises(RefusedError, match="interval"):
        log.add_chain(CA.leaf("late.example.com").chain)


def test_issuance(log: CtLog) -> None:
    """Certificate and precertificate have one TBS; renewal, rogue and twin differ where they must; SCTs are last and verify."""
    issued = issue(CA, "www.example.com", logs=[log])
    assert isinstance(list(issued.certificate.extensions)[-1].value, x509.PrecertificateSignedCertificateTimestamps)
    stripped = {stripped_tbs(der(issued.precert)), stripped_tbs(der(issued.certificate))}
    assert stripped == {issued.certificate.tbs_precertificate_bytes}
    assert tbs_sha256(Certificate(der(issued.precert))) == issued.tbs_sha256
    entry = precert_entry(Certificate(der(issued.certificate)), Certificate(der(CA.certificate)))
    (found,) = sct.parse_sct_list(sct_list(issued.scts))
    assert isinstance(found, Sct)
    assert sct.verify(found, log.model, entry) == (SctVerdict.VALID, "")
    assert found.leaf_index == (0 if log.static_ext else None)
    assert merkle.leaf_hash(found, entry) == log.leaf_hash(0)
    renewed, twin = renew(issued, logs=[log]), serial_twin(issued, logs=[log])
    rogue = issue(Authority.root("Other", now=NOW), "www.example.com", logs=[])
    assert renewed.certificate.serial_number != issued.certificate.serial_number == twin.certificate.serial_number
    assert len({one.tbs_sha256 for one in (issued, renewed, twin, rogue)}) == 4
    assert spki(rogue.chain[0]) != spki(issued.chain[0])


def test_time(log: CtLog, clock: HandClock) -> None:
    """Entries are merged when their delay is over; a dropped one never; a frozen head stays; a wrong root is signed."""
    log.switches.merge_delay = timedelta(hours=20)
    issue(CA, "www.example.com", logs=[log])
    assert checked_head(log).size == 0
    clock.now += timedelta(hours=20)
    assert checked_head(log).size == 1
    log.switches.merge_delay, log.switches.drop = timedelta(), True
    assert issue(CA, "dropped.example.com", logs=[log]).scts
    log.switches.drop = False
    assert checked_head(log).size == 1
    log.freeze()
    issue(CA, "later.example.com", logs=[log])
    assert checked_head(log).size == 1
    log.switches.frozen = None
    assert checked_head(log).size == 2
    log.switches.wrong_root = True
    assert checked_head(log).root != log.root(2)
    log.switches.signer = ec.generate_private_key(ec.SECP256R1())
    head = tree_heads.parse_sth(get(f"{log.url}ct/v1/get-sth"))
    assert isinstance(head, tree_heads.TreeHead)
    assert "signature" in tree_heads.tree_head_problem(head, log.model)


def test_fork(log: CtLog) -> None:
    """A fork signs with the same key; its history is the same up to where it was told, and no consistency proof joins them."""
    issue(CA, "www.example.com", logs=[log])
    log.fill(9)
    twin = log.fork(keep=4)
    assert [twin.root(size) == log.root(size) for size in (1, 4, 5, 10)] == [True, True, False, False]
    proof = twin.consistency(5, 10)
    assert merkle.consistency_problem(5, log.root(5), 10, twin.root(10), proof)
    log.show(twin)
    assert checked_head(log).root == twin.root(10)
    log.show(log)
    assert checked_head(log).root == log.root(10)


def test_odd_answers(log: CtLog) -> None:
    """Clipped entries, partial tiles that are gone, gzip that nobody asked for, strange lines on checkpoints."""
    issue(CA, "www.example.com", logs=[log])
    log.fill(299)
    log.switches.max_entries = 7
    assert len(call(log, "get-entries", start=10, end=99)["entries"]) == 7
    plain = get(f"{log.monitoring_url}tile/data/000")
    log.switches.gzip_tiles = True
    assert gzip.decompress(get(f"{log.monitoring_url}tile/data/000")) == plain
    log.switches.partial_tiles = False
    assert refusal(f"{log.monitoring_url}tile/0/000.p/100").code == 404
    assert len(get(f"{log.monitoring_url}tile/0/000")) == 256 * 32
    log.switches.grease = log.switches.witness = True
    assert get(f"{log.monitoring_url}checkpoint").decode().count("\n— ") == 3
    assert checked_head(log).size == 300


def test_faults(log: CtLog) -> None:
    """By the longest prefix: a page with 200, 429 with Retry-After and then an answer, a body cut short, silence, a drip."""
    log.faults["ct/v1/"] = html(200)
    log.faults["ct/v1/get-sth"] = first(1, too_many(7))
    assert refusal(f"{log.url}ct/v1/get-sth").headers["Retry-After"] == "7"
    assert json.loads(get(f"{log.url}ct/v1/get-sth"))["tree_size"] == 0
    assert get(f"{log.url}ct/v1/get-roots").startswith(b"<html>")
    for fault in (cut(20), closed):
        log.faults["read/checkpoint"] = fault
        with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected)):
            get(f"{log.monitoring_url}checkpoint")
    for fault in (hang, drip(0.2)):
        log.faults["read/checkpoint"] = fault
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            _whole(f"{log.monitoring_url}checkpoint", 0.5)
        assert time.monotonic() - start < 3
    log.faults["read/checkpoint"] = over(2, 60, html(404))
    assert [_status(f"{log.monitoring_url}checkpoint") for _ in range(3)] == [200, 200, 404]
    assert log.asked["read/checkpoint"] == 7


def _whole(url: str, seconds: float) -> None:
    """Read for at most so long altogether."""
    end = time.monotonic() + seconds
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        while answer.read(1):
            if time.monotonic() > end:
                raise TimeoutError


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
