"""Inclusion: each way a log can keep, not yet keep, or break the promise of an SCT is a verdict of its own."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from servers.ct_log import CtLog
from servers.ct_log_http import Answer, changed, first
from servers.ct_proving import DAY, START, advance, ask, evidence, new_log, promised, run

from dnscertscan.ct.inclusion_evidence import Kind
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.model.ct import InclusionVerdict as Verdict
from dnscertscan.pki.merkle import inclusion_problem
from dnscertscan.pki.tree_heads import TreeHead, tree_head_problem


@pytest.fixture(params=["rfc6962", "static-ct"])
def log(request: pytest.FixtureRequest) -> Iterator[CtLog]:
    with new_log(static_ext=request.param == "static-ct") as running:
        yield running


@pytest.fixture
def rfc() -> Iterator[CtLog]:
    with new_log() as running:
        yield running


@pytest.fixture
def static() -> Iterator[CtLog]:
    with new_log(static_ext=True) as running:
        yield running


@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 1), (1, 5), (255, 0), (256, 300), (300, 700)])
def test_included(log: CtLog, tmp_path: Path, before: int, after: int) -> None:
    """In trees of many shapes; the verdict names place, size and time, and the next run asks nothing."""
    promised(log, "first.example.com")
    log.fill(before)
    question = promised(log)
    log.fill(after)
    at = advance(log)
    found = ask(tmp_path, question, at)
    assert (found.verdict, found.index, found.tree_size) == (Verdict.INCLUDED, before + 1, before + after + 2), found.reason
    assert (found.tree_head_at, found.cached, found.evidence) == (at, False, "")
    asked = log.asked.total()
    again = ask(tmp_path, question, at + DAY)
    assert (again.verdict, again.index, again.tree_size) == (Verdict.INCLUDED, before + 1, found.tree_size)
    assert (again.tree_head_at, again.cached) == (at, True)
    assert log.asked.total() == asked


def test_pending(log: CtLog, tmp_path: Path) -> None:
    """Within the MMD nothing is wrong; afterwards the entry is there."""
    promised(log, "first.example.com")
    late = timedelta(seconds=log.mmd / 2)
    log.switches.merge_delay = late
    question = promised(log)
    at = advance(log, late / 2)
    found = ask(tmp_path, question, at)
    assert (found.verdict, found.tree_size) == (Verdict.PENDING, 1)
    assert f"the log has {log.mmd} s from 2026-06-01T12:00:00+00:00 on" in found.reason
    assert ask(tmp_path, question, advance(log, late)).verdict is Verdict.INCLUDED


def test_not_included(log: CtLog, tmp_path: Path) -> None:
    """After the MMD, by a tree head of after the MMD: the promise is broken, and the file proves it."""
    promised(log, "first.example.com")
    log.switches.drop = True
    question = promised(log)
    at = advance(log, timedelta(seconds=log.mmd))
    found = ask(tmp_path, question, at)
    assert found.verdict is Verdict.NOT_INCLUDED
    assert found.reason == f"not in the tree of 1 entries that the log signed {log.mmd} s after the SCT; {log.mmd} s are allowed"
    (shown,) = evidence(tmp_path)
    assert shown["kind"] == Kind.NOT_INCLUDED
    assert b64decode(shown["sct"]) == question.sct.raw
    assert len(shown["answers"]) == (0 if log.static_ext else 1)
    assert Path(found.evidence).stat().st_mode & 0o777 == 0o600


def test_not_in_an_empty_tree(rfc: CtLog, tmp_path: Path) -> None:
    """The tree without entries has none."""
    rfc.switches.drop = True
    question = promised(rfc)
    assert ask(tmp_path, question, advance(rfc)).verdict is Verdict.NOT_INCLUDED


def test_a_no_of_a_front_end_that_lags_behind(rfc: CtLog, tmp_path: Path) -> None:
    """It does not have the tree it showed: what it says it does not have proves nothing."""
    promised(rfc, "first.example.com")
    question = promised(rfc)
    rfc.faults["ct/v1/get-proof-by-hash"] = lambda wire, _: wire.send(Answer(404, b"unknown hash", "text/plain"))
    rfc.faults["ct/v1/get-entry-and-proof"] = lambda wire, _: wire.send(Answer(400, b"tree too small", "text/plain"))
    found = ask(tmp_path, question, advance(rfc))
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "get-entry-and-proof: the server answered 400 (tree too small)"


def test_a_log_shows_its_tree_once(rfc: CtLog, tmp_path: Path) -> None:
    """Its last entry, with a proof that holds, before its no counts; then that is known for all other questions."""
    promised(rfc, "first.example.com")
    rfc.switches.drop = True
    questions = [promised(rfc, f"{number}.example.com") for number in range(3)]
    at, place = advance(rfc), "ct/v1/get-entry-and-proof"
    assert {found.verdict for found in run(tmp_path / "one", questions, at)} == {Verdict.NOT_INCLUDED}
    assert rfc.asked[place] == 1
    rfc.faults[place] = changed(lambda body: body.replace(b'"leaf_input": "AAA', b'"leaf_input": "AQA'))
    found = ask(tmp_path / "two", questions[0], at)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "get-entry-and-proof of the last entry: the inclusion proof leads to another root"


def test_a_no_is_asked_for_twice(rfc: CtLog, tmp_path: Path) -> None:
    """One that was a slip is none."""
    question = promised(rfc)
    rfc.faults["ct/v1/get-proof-by-hash"] = first(1, lambda wire, _: wire.send(Answer(404, b"not found", "text/plain")))
    assert ask(tmp_path, question, advance(rfc)).verdict is Verdict.INCLUDED


@pytest.mark.parametrize("body", [b"<html>404 Not Found</html>", b" <!DOCTYPE html>"])
def test_a_no_of_a_web_server(rfc: CtLog, tmp_path: Path, body: bytes) -> None:
    """A page for people is no answer of a log."""
    question = promised(rfc)
    rfc.faults["ct/v1/get-proof-by-hash"] = lambda wire, _: wire.send(Answer(404, body, "text/plain"))
    found = ask(tmp_path, question, advance(rfc))
    assert found.verdict is Verdict.UNKNOWN
    assert "get-proof-by-hash: the server answered 404" in found.reason


def test_a_stale_tree_head(log: CtLog, tmp_path: Path) -> None:
    """A tree head of before the entry was due decides nothing against the log."""
    promised(log, "first.example.com")
    log.freeze()
    question = promised(log)
    found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.tree_head_at) == (Verdict.UNKNOWN, START)
    assert "too old to decide" in found.reason


def test_another_entry_at_the_index(static: CtLog, tmp_path: Path) -> None:
    """The log promised a place and gave it to another entry: two signatures that contradict each other."""
    promised(static, "first.example.com")
    static.switches.drop = True
    question = promised(static)
    static.switches.drop = False
    promised(static, "other.example.com")
    static.fill(3)
    found = ask(tmp_path, question, advance(static))
    assert found.verdict is Verdict.MISBEHAVIOUR
    assert found.reason.startswith("entry 1 of the tree of 5 entries is another one than the SCT promises")
    (shown,) = evidence(tmp_path)
    head = shown["tree_heads"][0]
    proof = [b64decode(node) for node in shown["proof"]]
    root, leaf = b64decode(head["sha256_root_hash"]), b64decode(shown["leaf_in_the_log"])
    assert leaf == static.leaf_hash(1) != found.leaf_hash
    assert inclusion_problem(leaf, shown["leaf_index"], head["tree_size"], proof, root) == ""
    signed = TreeHead(head["tree_size"], root, head["timestamp"], b64decode(head["tree_head_signature"]))
    assert tree_head_problem(signed, question.log) == ""


def test_a_wrong_root(log: CtLog, tmp_path: Path) -> None:
    """The log signed a root to which its own proofs do not lead; asked twice, and again on another day."""
    question = promised(log)
    log.fill(3)
    log.switches.wrong_root = True
    found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.tree_size) == (Verdict.UNKNOWN, 4)
    assert "which may be spoilt on its way" in found.reason
    kept = found.evidence
    found = ask(tmp_path, question, advance(log))
    assert (found.verdict, found.tree_size, found.evidence) == (Verdict.MISBEHAVIOUR, 4, kept)
    (shown,) = evidence(tmp_path)
    assert shown["kind"] == Kind.NOT_PROVEN
    assert len(shown["answers"]) == 2
    assert found.evidence.endswith(".json")


def test_a_proof_that_was_spoilt_on_its_way(static: CtLog, tmp_path: Path) -> None:
    """It is fetched again, and then it holds."""
    question = promised(static)
    static.fill(3)
    static.faults["read/tile/0/"] = first(1, changed(lambda body: body[:32] + bytes(32) + body[64:]))
    assert ask(tmp_path, question, advance(static)).verdict is Verdict.INCLUDED
    assert evidence(tmp_path) == []


def test_tree_heads_of_a_stranger(log: CtLog, tmp_path: Path) -> None:
    """A signature that is not the log's is no statement of the log; the tree head is kept with the problem."""
    question = promised(log)
    log.switches.signer = new_log("other").key
    at = advance(log)
    found = ask(tmp_path, question, at)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason == "tree head: the signature is not by the key of the log over this"
    with TreeStore(tmp_path, at) as store:
        assert store.heads(log.log_id) == ()
