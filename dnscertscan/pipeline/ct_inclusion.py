"""Asking the logs, after the scan, whether they have what their SCTs promise: each log in its own pace and budget."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from dnscertscan.checks.judge import Judge
from dnscertscan.ct.clients import Limits
from dnscertscan.ct.inclusion import InclusionProver
from dnscertscan.ct.tree_store import TreeStore
from dnscertscan.errors import OutputError
from dnscertscan.model.ct import Inclusion, Log, Sct, SctResult
from dnscertscan.model.observations import Observation
from dnscertscan.pipeline.breath import unhurried
from dnscertscan.pki.merkle import leaf_hash
from dnscertscan.pki.tbs import Entry

MAX_ASKED = 30_000
"""SCTs whose logs are asked in one run; those proven in an earlier run do not count, so that the next one goes on."""


@dataclass(frozen=True, slots=True)
class Logs:
    """What asking each log may cost; ``folder`` keeps tree heads, proofs and evidence from run to run."""

    folder: Path
    limits: Limits


class _Open(NamedTuple):
    """An SCT (as judged) whose log is to be asked; ``leaf`` is the SHA-256 of its certificate."""

    leaf: str
    result: SctResult
    sct: Sct
    log: Log
    entry: Entry


class Proving:
    """One round of questions. ``found`` is good at any time, also when the work is cancelled half-way."""

    def __init__(self, logs: Logs, clock: Callable[[], datetime], told: Callable[[int, int], None]) -> None:
        self.found: dict[str, tuple[tuple[SctResult, Inclusion], ...]] = {}
        self._logs, self._clock, self._told = logs, clock, told
        self._done = self._total = self._left = 0

    async def work(self, judge: Judge, observations: Iterable[Observation]) -> None:
        """Ask about everything that was observed. :class:`OutputError` when nothing can be kept."""
        at = self._clock()
        with TreeStore(self._logs.folder, at) as store:
            async with InclusionProver(store, clock=self._clock, limits=self._logs.limits) as prover:
                by_log = await self._collect(judge, observations, store, prover, at)
                self._total = sum(map(len, by_log.values()))
                self._told(0, self._total)
                async with asyncio.TaskGroup() as group:
                    for questions in by_log.values():
                        group.create_task(self._one_log(questions, prover, at))

    @property
    def asked(self) -> bool:
        """Whether every question was put."""
        return self._done == self._total

    def trouble(self) -> list[str]:
        """What was not asked, and why. A log that was asked and gave no answer has its verdict in :attr:`found`."""
        lines = []
        if self._left:
            lines.append(f"CT logs were asked about {MAX_ASKED} SCTs, not about {self._left} more: the next run goes on")
        if not self.asked:
            lines.append(f"CT logs were not asked about {self._total - self._done} of {self._total} SCTs")
        return lines

    async def _collect(
        self, judge: Judge, observations: Iterable[Observation], store: TreeStore, prover: InclusionProver, at: datetime
    ) -> dict[bytes, list[_Open]]:
        """What is to be asked, by log. What was proven before is settled at once: no log is asked for it."""
        by_log: dict[bytes, list[_Open]] = {}
        seen: set[tuple[bytes, bytes]] = set()
        count = 0
        async for observation in unhurried(observations):
            for leaf, result, entry in judge.ct_questions(observation):
                if not isinstance(result.sct, Sct) or result.log is None:
                    continue
                promised = leaf_hash(result.sct, entry)
                if (result.log.log_id, promised) in seen:
                    continue
                seen.add((result.log.log_id, promised))
                question = _Open(leaf, result, result.sct, result.log, entry)
                if _is_proven(store, result.log, promised):
                    await self._settle(question, prover, at)
                elif count < MAX_ASKED:
                    count += 1
                    by_log.setdefault(result.log.log_id, []).append(question)
                else:
                    self._left += 1
        return by_log

    async def _one_log(self, questions: list[_Open], prover: InclusionProver, at: datetime) -> None:
        for question in questions:
            await self._settle(question, prover, at)
            self._done += 1
            self._told(self._done, self._total)

    async def _settle(self, question: _Open, prover: InclusionProver, at: datetime) -> None:
        inclusion = await prover.prove(question.sct, question.entry, question.log, at)
        self.found[question.leaf] = (*self.found.get(question.leaf, ()), (question.result, inclusion))


def _is_proven(store: TreeStore, log: Log, leaf: bytes) -> bool:
    try:
        return store.included(log.log_id, leaf) is not None
    except OutputError:
        return False  # asking the log will say what is wrong with the store
