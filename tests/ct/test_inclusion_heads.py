"""Tree heads over time: all that a log ever signed must be heads of one growing tree, and what shows otherwise is kept."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.ct_log import CtLog
from servers.ct_log_core import milliseconds
from servers.ct_log_http import changed, html
from servers.ct_proving import DAY, QUICK, START, advance, ask, evidence, new_log, promised

from dnscertscan.ct.clients import Limits
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.inclusion_evidence import Kind
from dnscertscan.ct.inclusion_heads import Standing
from dnscertscan.ct.tree_store import EVIDENCE, TreeStore
from dnscertscan.model.ct import InclusionVerdict as Verdict
from dnscertscan.pki.merkle import NOT_GROWN, consistency_problem
from dnscertscan.pki.tree_heads import TreeHead, tree_head_problem


@pytest.fixture(params=["rfc6962", "static-ct"])
def log(request: pytest.FixtureRequest) -> Iterator[CtLog]:
    with new_log(static_ext=request.param == "static-ct") as running:
        yield running


def visit(folder: Path, log: CtLog, limits: Limits = QUICK) -> Standing:
    """Only the tree head is looked at, in a run of its own."""
    at = log.clock()

    async def work() -> Standing:
        with TreeStore(folder, at) as store:
            async with InclusionProver(store, clock=lambda: at, limits=limits) as prover:
                return await prover.check(log.model, at)

    return asyncio.run(work())


def signed_heads(shown: dict[str, object], log: CtLog) -> list[TreeHead]:
    """The tree heads in a file of evidence; their signatures are good."""
    listed = shown["tree_heads"]
    assert isinstance(listed, list)
    heads = [
        TreeHead(
            head["tree_size"], b64decode(head["sha256_root_hash"]), head["timestamp"], b64decode(head["tree_head_signature"])
        ) for head in listed
    ]
    assert [tree_head_problem(head, log.model) for head in heads] == [""] * len(heads)
    return heads


def test_a_growing_log(log: CtLog, tmp_path: Path) -> None:
    """Week after week the new tree head is proven to continue the one before, with one proof each."""
    promised(log)
    for week in range(5):
        log.fill(100 * week)
        advance(log, 7 * DAY)
        standing = visit(tmp_path, log)
        assert (standing.fault, standing.open) == (None, "")
    with TreeStore(tmp_path, START) as store:
        assert [head.size for head in store.heads(log.log_id)] == [1, 101, 301, 601, 1001]
        assert store.unproved(log.log_id) == ()
    if not log.static_ext:
        assert log.asked["ct/v1/get-sth-consistency"] == 4


def test_two_roots_for_one_size(log: CtLog, tmp_path: Path) -> None:
    """A fork: nothing that the log says is believed any more, also in later runs, and it is not even asked."""
    promised(log, "first.example.com")
    question = promised(log)
    log.fill(8)
    visit(tmp_path, log)
    log.show(log.fork(keep=4))
    advance(log)
    found = ask(tmp_path, question, log.clock())
    assert found.verdict is Verdict.MISBEHAVIOUR
    assert found.reason == "it signed two trees of 10 entries with different roots"
    (path,) = (tmp_path / EVIDENCE).iterdir()
    assert found.evidence == str(path)
    kept, asked = path.read_bytes(), log.asked.total()
    again = ask(tmp_path, question, advance(log))
    assert (again.verdict, again.evidence) == (Verdict.MISBEHAVIOUR, str(path))
    assert log.asked.total() == asked
    assert [path.read_bytes() for path in (tmp_path / EVIDENCE).iterdir()] == [kept]
    (shown,) = evidence(tmp_path)
    one, two = signed_heads(shown, log)
    assert shown["kind"] == Kind.FORK
    assert one.size == two.size == 10
    assert one.root != two.root


def test_a_fork_that_goes_on(log: CtLog, tmp_path: Path) -> None:
    """Another history under a larger tree head: the proof of consistency cannot hold, and is kept."""
    question = promised(log)
    log.fill(300)
    visit(tmp_path, log)
    twin = log.fork(keep=4)
    twin.fill(20)
    log.show(twin)
    found = ask(tmp_path, question, advance(log))
    assert found.verdict is Verdict.MISBEHAVIOUR
    assert "does not begin with the one of 301 at" in found.reason
    assert "spoilt" not in found.reason
    (shown,) = evidence(tmp_path)
    assert shown["kind"] == Kind.INCONSISTENT
    one, two = signed_heads(shown, log)
    proof = [b64decode(node) for node in shown["proof"]]
    assert consistency_problem(one.size, one.root, two.size, two.root, proof).startswith(NOT_GROWN)
    assert all(answer["url"].startswith(log.url) for answer in shown["answers"])
    log.show(log)
    assert ask(tmp_path, question, advance(log)).verdict is Verdict.MISBEHAVIOUR


def test_a_tree_head_that_goes_back(log: CtLog, tmp_path: Path) -> None:
    """Later, but smaller: entries were taken out."""
    question = promised(log)
    log.fill(9)
    visit(tmp_path, log)
    advance(log)
    log.switches.frozen = log._head(4, milliseconds(log.clock()))
    found = ask(tmp_path, question, log.clock())
    assert found.verdict is Verdict.MISBEHAVIOUR
    assert found.reason == (
        "it signed a tree of 10 entries at 2026-06-01T12:00:00+00:00, and later (2026-06-03T12:00:00+00:00) one of 4"
    )
    (shown,) = evidence(tmp_path)
    assert [head.size for head in signed_heads(shown, log)] == [10, 4]


def test_an_old_tree_head_is_no_fault(log: CtLog, tmp_path: Path) -> None:
    """A front end that lags behind shows an earlier head; it is proven to fit in with the newer one."""
    question = promised(log)
    log.fill(3)
    early = log.head()
    log.fill(6)
    advance(log)
    visit(tmp_path, log)
    log.switches.frozen = early
    found = ask(tmp_path, question, log.clock())
    assert (found.verdict, found.tree_size) == (Verdict.INCLUDED, 4)
    with TreeStore(tmp_path, START) as store:
        assert [head.size for head in store.heads(log.log_id)] == [4, 10]
        assert store.unproved(log.log_id) == ()


def test_one_tree_signed_again_and_again(log: CtLog, tmp_path: Path) -> None:
    """A log without new entries has new tree heads all the same; no proof is due."""
    promised(log)
    for _ in range(3):
        advance(log)
        assert visit(tmp_path, log).fault is None
    with TreeStore(tmp_path, START) as store:
        assert len(store.heads(log.log_id)) == 3
    assert log.asked.total() == 3


def test_proofs_are_left_to_later_runs(log: CtLog, tmp_path: Path) -> None:
    """Only so many are asked for at a time, the newest first; an entry is proven all the same, and the verdict says so."""
    question = promised(log)
    log.faults["ct/v1/get-sth-consistency"] = log.faults["read/tile/"] = html(200)
    for _ in range(4):
        log.fill(2)
        advance(log)
        visit(tmp_path, log)
    log.faults.clear()
    few = Limits(timeout=1, seconds=8, per_minute=60_000, burst=100, proofs=2)
    found = ask(tmp_path, question, log.clock(), few)
    assert found.verdict is Verdict.INCLUDED
    assert found.reason == "entry 0 of the tree of 9 entries (tree heads whose consistency is left to later runs: 1)"
    with TreeStore(tmp_path, START) as store:
        assert [(one.size, two.size) for one, two in store.unproved(log.log_id)] == [(3, 5)]
    assert visit(tmp_path, log, few).open == ""


def test_a_consistency_proof_of_a_wrong_form(tmp_path: Path) -> None:
    """Of another length, or no proof: nothing follows from it but that consistency is open."""
    with new_log() as log:
        promised(log)
        log.fill(4)
        visit(tmp_path, log)
        log.fill(4)
        advance(log)
        for edit, words in (
            (lambda body: body.replace(b'["', b'["' + b"A" * 43 + b'=", "'), "fewer are due"),
            (lambda _: b'{"consistency": []}', "more are due"),
            (lambda _: b'{"consistency": null}', "more are due"),
            (lambda _: b'{"consistency": ["AAAA"]}', "hash of 3 octets"),
            (lambda _: b'{"consistency": 7}', "no list of hashes"),
            (lambda _: b"{}", "no list of hashes"),
            (lambda _: b"[1]", "not a JSON object"),
        ):
            log.faults["ct/v1/get-sth-consistency"] = changed(edit)
            standing = visit(tmp_path, log)
            assert standing.fault is None
            assert words in standing.open
    assert evidence(tmp_path) == []


def test_a_log_without_entries(log: CtLog, tmp_path: Path) -> None:
    """Every tree continues the empty one."""
    visit(tmp_path, log)
    promised(log)
    advance(log, timedelta(hours=1))
    standing = visit(tmp_path, log)
    assert (standing.fault, standing.open, standing.head and standing.head.size) == (None, "", 1)


def test_evidence_that_cannot_be_written(tmp_path: Path) -> None:
    """The verdict is there all the same, and says so."""
    with new_log() as log:
        question = promised(log)
        log.switches.wrong_root = True
        (tmp_path / EVIDENCE).write_text("in the way")
        found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.evidence) == (Verdict.UNKNOWN, "")
    assert "(the evidence could not be written: File exists)" in found.reason


def test_evidence_of_what_is_signed_that_cannot_be_written(log: CtLog, tmp_path: Path) -> None:
    """Two tree heads need no file to contradict each other."""
    question = promised(log)
    log.fill(8)
    visit(tmp_path, log)
    log.show(log.fork(keep=4))
    (tmp_path / EVIDENCE).write_text("in the way")
    found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.evidence) == (Verdict.MISBEHAVIOUR, "")
    assert "(the evidence could not be written: File exists)" in found.reason


def test_a_mirror_that_spoils_answers(log: CtLog, tmp_path: Path) -> None:
    """A tile or proof that is wrong for a day is charged to nobody, and what was proven before stays proven."""
    before = promised(log)
    log.fill(4)
    assert ask(tmp_path, before, advance(log)).verdict is Verdict.INCLUDED
    log.freeze()
    question = promised(log, "later.example.com")
    log.switches.frozen = None
    log.fill(3)
    log.faults["read/tile/"] = changed(lambda body: bytes(octet ^ 1 for octet in body))
    log.faults["ct/v1/get-sth-consistency"] = log.faults["ct/v1/get-proof-by-hash"] = changed(_spoilt)
    at = advance(log)
    assert ask(tmp_path, before, at).verdict is Verdict.INCLUDED
    found = ask(tmp_path, question, at)
    assert (found.verdict, bool(found.evidence)) == (Verdict.UNKNOWN, True)
    assert evidence(tmp_path)
    log.faults.clear()
    assert ask(tmp_path, question, advance(log)).verdict is Verdict.INCLUDED


def _spoilt(body: bytes) -> bytes:
    """A proof of the same form with other hashes."""
    fields = json.loads(body)
    lists = {name: [b64encode(bytes(32)).decode()] * len(found) for name, found in fields.items() if isinstance(found, list)}
    return json.dumps(fields | lists).encode()


def test_what_lies_in_the_store_is_not_trusted(log: CtLog, tmp_path: Path) -> None:
    """A tree head that somebody put there without the log's signature accuses nobody."""
    question = promised(log)
    visit(tmp_path, log)
    with TreeStore(tmp_path, START) as store:
        (good,) = store.heads(log.log_id)
        store.add(log.log_id, TreeHead(1, b"x" * 32, good.timestamp, good.signature), "", START)
        assert store.conflict(log.log_id) is not None
    assert ask(tmp_path, question, advance(log)).verdict is Verdict.INCLUDED
    assert evidence(tmp_path) == []


def test_a_time_beyond_all_calendars(tmp_path: Path) -> None:
    """A checkpoint has room for more than a database."""
    with new_log(static_ext=True) as log:
        question = promised(log)
        log.switches.frozen = log._head(1, 1 << 63)
        found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.reason) == (Verdict.UNKNOWN, "the tree head has a time beyond all calendars")
