"""Logs that answer badly, late or never: each costs its own budget at most, and the verdict is unknown, with the reason."""

import asyncio
import gzip
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from servers.ct_log import CtLog
from servers.ct_log_http import (
    Answer,
    Fault,
    Wire,
    changed,
    closed,
    cut,
    drip,
    endless,
    first,
    hang,
    html,
    reply,
    shortened,
    too_many,
)
from servers.ct_proving import QUICK, advance, ask, evidence, new_log, promised, run

from dnscertscan.ct.clients import Unavailable
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.model.ct import InclusionVerdict as Verdict


@pytest.fixture
def rfc() -> Iterator[CtLog]:
    with new_log() as running:
        yield running


@pytest.fixture
def static() -> Iterator[CtLog]:
    with new_log(static_ext=True) as running:
        yield running


def edited(**fields: Any) -> Fault:
    """The answer with some of its JSON fields changed."""
    return changed(lambda body: json.dumps(json.loads(body) | fields).encode())


def longer(body: bytes) -> bytes:
    """A proof with one hash more."""
    fields = json.loads(body)
    return json.dumps(fields | {"audit_path": [*fields["audit_path"], b64encode(bytes(32)).decode()]}).encode()


STH, PROOF, CHECKPOINT, TILE = "ct/v1/get-sth", "ct/v1/get-proof-by-hash", "read/checkpoint", "read/tile/0/"
IMPATIENT = replace(QUICK, timeout=0.3)
# Each is: where, what, which words say so.
RFC6962 = {
    "page": (STH, html(200), "get-sth: tree head is not JSON"),
    "gateway": (STH, html(502), "the server answered 502 Bad Gateway (asked 2 times)"),
    "forbidden": (STH, reply(403), "get-sth: the server answered 403"),
    "teapot": (STH, reply(418), "the server answered 418"),
    "elsewhere": (STH, reply(302, location="http://127.0.0.1:1/"), "the server answered 302"),
    "no content": (STH, reply(204), "the server answered 204"),
    "cut": (STH, cut(20), "the connection failed"),
    "shortened": (STH, shortened(40), "get-sth: tree head is not JSON"),
    "closed": (STH, closed, "the connection failed"),
    "endless": (STH, endless, "the answer is longer than 65536 octets"),
    "packed": (STH, reply(200, b"x", content_encoding="br"), "coded as br"),
    "hang": (STH, hang, "no whole answer from 127.0.0.1:"),
    "drip": (STH, drip(0.1), "within 0.3 s (asked 2 times)"),
    "busy for ever": (STH, too_many(0), "the server answered 429 Too Many Requests (asked 2 times)"),
    "busy for long": (STH, too_many(3600), "to come back in 3600 s is too late"),
    "size as text": (STH, edited(tree_size="3"), "tree head lacks tree_size"),
    "proof page": (PROOF, html(200), "get-proof-by-hash: the answer is not JSON (<html>"),
    "proof 400": (PROOF, reply(400, b"bad hash"), "get-proof-by-hash: the server answered 400 (bad hash)"),
    "proof cut": (PROOF, cut(20), "the connection failed"),
    "proof shortened": (PROOF, shortened(30), "get-proof-by-hash: the answer is not JSON"),
    "deep": (PROOF, reply(200, b"[" * 60_000), "get-proof-by-hash: the answer is not JSON"),
    "list": (PROOF, reply(200, b"[]"), "get-proof-by-hash: the answer is not a JSON object"),
    "no index": (PROOF, edited(leaf_index=True), "get-proof-by-hash: leaf_index is no number"),
    "huge index": (PROOF, edited(leaf_index=1 << 80), "outside the tree of 4 entries"),
    "negative index": (PROOF, edited(leaf_index=-1), "entry -1 is outside the tree"),
    "too long": (PROOF, changed(longer), "inclusion proof of 3 hashes, 2 are due"),
    "too short": (PROOF, edited(audit_path=[]), "inclusion proof of 0 hashes, 2 are due"),
    "null": (PROOF, edited(audit_path=None), "inclusion proof of 0 hashes, 2 are due"),
    "endless list": (PROOF, edited(audit_path=["AA=="] * 5000), "audit_path is no list of hashes"),
    "odd hash": (PROOF, edited(audit_path=["AA==", "AA=="]), "hash of 1 octets where 32 are due"),
    "no hash": (PROOF, edited(audit_path=["AA==", "ä"]), "audit_path is no list of hashes"),
    "text": (PROOF, edited(audit_path="AAAA"), "audit_path is no list of hashes"),
}
STATIC = {
    "page": (CHECKPOINT, html(200), "checkpoint that does not begin with"),
    "missing": (CHECKPOINT, reply(404), "checkpoint: the server answered 404"),
    "shortened": (CHECKPOINT, shortened(40), "checkpoint that does not begin"),
    "not signed": (CHECKPOINT, changed(lambda body: body.partition(b"\n\n")[0] + b"\n\n"), "without a signature line of the log"),
    "drip": (CHECKPOINT, drip(0.1), "no whole answer from 127.0.0.1:"),
    "tile page": (TILE, html(200), "tile/0/000.p/4 has 94 octets, 128 are due"),
    "tile missing": (TILE, reply(404), "tile/0/000.p/4 is missing: the server answered 404"),
    "tile forbidden": (TILE, reply(403), "tile/0/000.p/4 is missing: the server answered 403"),
    "tile shortened": (TILE, shortened(96), "tile/0/000.p/4 has 96 octets"),
    "tile cut": (TILE, cut(96), "the connection failed"),
    "tile longer": (TILE, changed(lambda body: body + bytes(32)), "tile/0/000.p/4 has 160 octets"),
    "bomb": (TILE, changed(lambda _: gzip.compress(bytes(1 << 20))), "octets, 128 are due"),
    "said bomb": (TILE, reply(200, gzip.compress(bytes(1 << 20)), content_encoding="gzip"), "longer than 65536 octets"),
    "half gzip": (TILE, changed(lambda body: gzip.compress(body)[:-9]), "octets, 128 are due"),
    "no gzip": (TILE, changed(lambda _: b"\x1f\x8b" + bytes(30)), "has 32 octets"),
    "tile hang": (TILE, hang, "no whole answer from 127.0.0.1:"),
}


@pytest.mark.parametrize(("kind", "case"), [*(("rfc6962", case) for case in RFC6962), *(("static-ct", case) for case in STATIC)])
def test_answers_that_are_none(kind: str, case: str, tmp_path: Path) -> None:
    """Unknown, in bounded time, with the reason in words; nothing is held against the log."""
    where, fault, words = (RFC6962 if kind == "rfc6962" else STATIC)[case]
    with new_log(static_ext=kind == "static-ct") as log:
        question = promised(log)
        log.fill(3)
        log.faults[where] = fault
        started = time.monotonic()
        found = ask(tmp_path, question, advance(log), IMPATIENT)
        assert time.monotonic() - started < 6
    assert found.verdict is Verdict.UNKNOWN
    assert words in found.reason
    assert evidence(tmp_path) == []


def test_nobody_there(tmp_path: Path) -> None:
    """A log that is gone."""
    with new_log() as log:
        question = promised(log)
    found = ask(tmp_path, question, advance(log))
    assert found.verdict is Verdict.UNKNOWN
    assert "no connection to 127.0.0.1:" in found.reason


@pytest.mark.parametrize("fault", [too_many(1), too_many("later"), html(503), closed, reply(500)])
def test_once_is_forgiven(rfc: CtLog, tmp_path: Path, fault: Fault) -> None:
    """What passes within the budget costs a moment of patience."""
    question = promised(rfc)
    rfc.faults[PROOF] = first(1, fault)
    assert ask(tmp_path, question, advance(rfc)).verdict is Verdict.INCLUDED
    assert rfc.asked[PROOF] == 2


def test_the_hash_in_the_query(rfc: CtLog, tmp_path: Path) -> None:
    """+ and / and = of base64 arrive as they are."""
    questions = [promised(rfc, f"{number}.example.com") for number in range(12)]
    assert {inclusion.verdict for inclusion in run(tmp_path, questions, advance(rfc))} == {Verdict.INCLUDED}
    sent = {request.value("hash") for request in rfc.requests if request.path == PROOF}
    assert any("+" in value for value in sent)
    assert any("/" in value for value in sent)


def test_partial_tiles_that_are_gone(static: CtLog, tmp_path: Path) -> None:
    """The full tile has them, as soon as there is one."""
    question = promised(static)
    static.fill(299)
    static.switches.partial_tiles = False
    found = ask(tmp_path, question, advance(static))
    assert (found.verdict, found.tree_size) == (Verdict.UNKNOWN, 300)
    assert "tile/0/001.p/44 is missing" in found.reason
    static.freeze()
    static.fill(300)
    found = ask(tmp_path, question, static.clock())
    assert (found.verdict, found.tree_size) == (Verdict.INCLUDED, 300)
    assert static.asked["read/tile/0/001.p/44"] == 2
    assert static.asked["read/tile/0/001"] == 2


@pytest.mark.parametrize("headers", [{}, {"content_encoding": "gzip"}])
def test_compressed_tiles(static: CtLog, tmp_path: Path, headers: dict[str, str]) -> None:
    """Unasked, with or without a word about it."""
    question = promised(static)
    static.fill(3)

    def packed(wire: Wire, answer: Answer) -> None:
        reply(200, gzip.compress(answer.body), **headers)(wire, answer)

    static.faults["read/tile/"] = packed
    assert ask(tmp_path, question, advance(static)).verdict is Verdict.INCLUDED


def test_grease_and_witnesses(static: CtLog, tmp_path: Path) -> None:
    """Lines of others in a checkpoint are nobody's business here."""
    question = promised(static)
    static.switches.grease = static.switches.witness = True
    assert ask(tmp_path, question, advance(static)).verdict is Verdict.INCLUDED


def test_checking_a_log_that_is_gone(rfc: CtLog, tmp_path: Path) -> None:
    """The one method that says so by an exception, each time the same."""
    rfc.faults[STH] = html(502)

    async def work(check: Callable[[InclusionProver], Any]) -> None:
        with TreeStore(tmp_path, rfc.clock()) as store:
            async with InclusionProver(store, clock=rfc.clock, limits=QUICK) as prover:
                for _ in range(2):
                    with pytest.raises(Unavailable, match="502 Bad Gateway"):
                        await check(prover)

    asyncio.run(work(lambda prover: prover.check(rfc.model, rfc.clock())))
    assert rfc.asked[STH] == 2
