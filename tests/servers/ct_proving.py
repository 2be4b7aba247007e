"""Questions to the test log: issued certificates whose inclusion is to be proven, and a run of the prover over them."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from servers.ct_issue import issue
from servers.ct_log import CtLog
from servers.ct_log_core import HandClock
from servers.ct_log_der import der

from dnscertscan.ct.clients import Limits
from dnscertscan.ct.inclusion import InclusionProver, Question
from dnscertscan.ct.tree_store import EVIDENCE, TreeStore
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Inclusion, Sct
from dnscertscan.pki.sct import parse_sct
from dnscertscan.pki.tbs import precert_entry

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROOT = Authority.root("Proving Root", now=START)
CA = ROOT.intermediate("Proving Issuer")
QUICK = Limits(timeout=1.0, seconds=8.0, per_minute=60_000, burst=100, attempts=2, pause=0.1)


def new_log(name: str = "one", **options: Any) -> CtLog:
    """A log whose clock stands at START; static ones have an MMD of a minute."""
    options.setdefault("mmd", 60 if options.get("static_ext") else 86400)
    return CtLog(name, [ROOT.certificate], clock=HandClock(START), **options)


def promised(log: CtLog, name: str = "www.example.com") -> Question:
    """A certificate is issued now, and the log promises to take it."""
    issued = issue(CA, name, logs=[log])
    sct = parse_sct(issued.scts[0])
    assert isinstance(sct, Sct)
    return Question(sct, precert_entry(Certificate(der(issued.certificate)), Certificate(der(CA.certificate))), log.model)


def advance(log: CtLog, by: timedelta = 2 * DAY) -> datetime:
    """The log's clock goes on; the new time."""
    log.clock.now += by
    return log.clock.now


def run(folder: Path, questions: Sequence[Question], at: datetime, limits: Limits = QUICK) -> tuple[Inclusion, ...]:
    """One run of the prover."""

    async def work() -> tuple[Inclusion, ...]:
        with TreeStore(folder, at) as store:
            async with InclusionProver(store, clock=lambda: at, limits=limits) as prover:
                return await prover.prove_all(questions, at)

    return asyncio.run(work())


def ask(folder: Path, question: Question, at: datetime, limits: Limits = QUICK) -> Inclusion:
    """One question in a run of its own."""
    return run(folder, [question], at, limits)[0]


def evidence(folder: Path) -> list[dict[str, Any]]:
    """The files of evidence, in the order of their names."""
    return [json.loads(path.read_text()) for path in sorted((folder / EVIDENCE).glob("*"))]
