"""The prover over a run: what is asked once, what never, and what a run does when its store fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers.ct_log import CtLog
from servers.ct_proving import QUICK, START, advance, ask, evidence, new_log, promised, run

from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.errors import OutputError
from dnscertscan.model.ct import InclusionVerdict as Verdict


@pytest.fixture
def rfc() -> Iterator[CtLog]:
    with new_log() as running:
        yield running


@pytest.fixture
def static() -> Iterator[CtLog]:
    with new_log(static_ext=True) as running:
        yield running


def test_each_entry_is_asked_for_once(rfc: CtLog, tmp_path: Path) -> None:
    """However often and however many at a time it is in question; the tree head is fetched once."""
    one, two = promised(rfc), promised(rfc, "two.example.com")
    at = advance(rfc)

    async def work() -> None:
        with TreeStore(tmp_path, at) as store:
            async with InclusionProver(store, clock=lambda: at, limits=QUICK) as prover:
                found = await asyncio.gather(*(prover.prove(*question, at) for question in (one, two) * 20))
        assert {(inclusion.verdict, inclusion.cached) for inclusion in found} == {(Verdict.INCLUDED, False)}
        assert [inclusion.index for inclusion in found] == [0, 1] * 20

    asyncio.run(work())
    assert rfc.asked == {"ct/v1/get-sth": 1, "ct/v1/get-proof-by-hash": 2}


def test_the_order_of_the_questions(tmp_path: Path) -> None:
    """Answers of several logs come back where they belong."""
    with new_log() as one, new_log("two", static_ext=True) as two:
        questions = [promised(log, f"{number}.example.com") for number in range(5) for log in (one, two)]
        found = run(tmp_path, questions, max(advance(one), advance(two)))
    assert [inclusion.index for inclusion in found] == [number // 2 for number in range(10)]
    assert [inclusion.log_id for inclusion in found] == [question.log.log_id for question in questions]


def test_a_tile_is_fetched_once(static: CtLog, tmp_path: Path) -> None:
    """However many entries lie in it."""
    questions = [promised(static, f"{number}.example.com") for number in range(6)]
    found = run(tmp_path, questions, advance(static))
    assert [inclusion.index for inclusion in found] == list(range(6))
    assert static.asked == {"read/checkpoint": 1, "read/tile/0/000.p/6": 1}


def test_only_so_many_files(static: CtLog, tmp_path: Path) -> None:
    """A log that breaks every promise does not fill the disk."""
    questions = [promised(static, f"{number}.example.com") for number in range(23)]
    static.switches.wrong_root = True
    found = run(tmp_path, questions, advance(static))
    assert {inclusion.verdict for inclusion in found} == {Verdict.UNKNOWN}
    assert [bool(inclusion.evidence) for inclusion in found] == [True] * 20 + [False] * 3
    found = run(tmp_path, questions, advance(static))
    assert [inclusion.verdict for inclusion in found] == [Verdict.MISBEHAVIOUR] * 20 + [Verdict.UNKNOWN] * 3
    assert [bool(inclusion.evidence) for inclusion in found] == [True] * 20 + [False] * 3
    assert len(evidence(tmp_path)) == 20


def test_what_is_never_asked(rfc: CtLog, static: CtLog, tmp_path: Path) -> None:
    """Invalid SCTs, logs without an address or at a placeholder, static logs whose SCT names no index."""
    question = promised(rfc)
    sct = replace(question.sct, timestamp=question.sct.timestamp + 1)
    found = ask(tmp_path, question._replace(sct=sct), START)
    assert (found.verdict, found.reason[:35]) == (Verdict.UNKNOWN, "an invalid SCT promises nothing: th")
    for url in ("", "https://ct.example.com/bogus/", "ftp://log.test/"):
        found = ask(tmp_path, question._replace(log=replace(question.log, url=url)), START)
        assert found.verdict is Verdict.UNKNOWN
        assert found.reason.startswith("the log cannot be asked")
    assert rfc.asked.total() == 0
    nowhere = replace(question.log, kind=static.model.kind, monitoring_url=rfc.monitoring_url)
    rfc.static_ext = True
    found = ask(tmp_path, question._replace(log=nowhere), advance(rfc))
    assert "has no leaf_index" in found.reason


def test_a_store_that_cannot_be_written(rfc: CtLog, tmp_path: Path) -> None:
    """No exception, no guess."""
    question = promised(rfc)
    at = advance(rfc)

    async def work() -> None:
        store = TreeStore(tmp_path, at)
        store.close()
        async with InclusionProver(store, clock=lambda: at, limits=QUICK) as prover:
            found = await prover.prove(*question, at)
        assert found.verdict is Verdict.UNKNOWN
        assert "cannot be used to keep tree heads" in found.reason

    asyncio.run(work())


class FullDisk(TreeStore):
    """Nothing can be written any more; ``spared`` methods still can."""

    spared = ""

    def add(self, *arguments: Any) -> None:
        if self.spared != "add":
            raise OutputError("no space left")
        super().add(*arguments)

    def include(self, *_: Any) -> None:
        raise OutputError("no space left")


@pytest.mark.parametrize(
    ("spared", "verdict", "reason"),
    [("", Verdict.UNKNOWN, "no space left"), ("add", Verdict.INCLUDED, "entry 1 of the tree of 2 entries (no space left)")],
)
def test_a_full_disk(rfc: CtLog, tmp_path: Path, spared: str, verdict: Verdict, reason: str) -> None:
    """Without the tree head on record nothing is judged, and the log is not asked over and over; a proof in hand is not lost."""
    one, two = promised(rfc), promised(rfc, "two.example.com")
    at = advance(rfc)

    async def work() -> None:
        with FullDisk(tmp_path, at) as store:
            store.spared = spared
            async with InclusionProver(store, clock=lambda: at, limits=QUICK) as prover:
                found = await prover.prove_all([one, two], at)
        assert [inclusion.verdict for inclusion in found] == [verdict] * 2
        assert found[1].reason == reason

    asyncio.run(work())
    assert rfc.asked["ct/v1/get-sth"] == 1


def test_a_tree_head_for_ten_minutes(rfc: CtLog, tmp_path: Path) -> None:
    """A run that takes long fetches a newer one."""
    one = promised(rfc)

    async def work() -> None:
        with TreeStore(tmp_path, START) as store:
            async with InclusionProver(store, clock=rfc.clock, limits=QUICK) as prover:
                assert (await prover.prove(*one, START)).tree_size == 1
                advance(rfc, timedelta(minutes=9))
                two = promised(rfc, "two.example.com")
                assert (await prover.prove(*two, rfc.clock())).verdict is Verdict.PENDING
                advance(rfc, timedelta(minutes=2))
                three = promised(rfc, "three.example.com")
                assert (await prover.prove(*three, rfc.clock())).tree_size == 3

    asyncio.run(work())
    assert rfc.asked["ct/v1/get-sth"] == 2
