"""What a run has seen and found so far. It lies on disk: what a run holds in memory does not grow with what it finds."""

import asyncio
from collections.abc import Collection, Iterable, Sequence

from dnscertscan.checks.judge import Judge, sort_key
from dnscertscan.errors import DnsCertScanError
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Handshake, Observation
from dnscertscan.model.report import CoverageRow, Tally
from dnscertscan.pipeline.breath import breathe, unhurried
from dnscertscan.pipeline.events import FindingsMade, Note, Observer, TargetObserved, TargetSettled
from dnscertscan.pipeline.ledger import row_order
from dnscertscan.store.journal import INTERVAL, Journal
from dnscertscan.store.rows import FindingCodec, pack_row, unpack_row
from dnscertscan.store.shelf import Shelf
from dnscertscan.store.told import Told, Verdicts

UNSETTLED = frozenset({"issuer-not-found", "default-certificate", "ct-not-logged", "ct-unknown"})
"""What is known better later: another server may send the certificate that is missing, a search may find what has no SCTs."""


class Book:
    """Takes down observations, judges them at once, and again when everything is known; tells the observer of both."""

    def __init__(self, journal: Journal, judge: Judge, observer: Observer, *, revocable: bool, provable: bool = False) -> None:
        """What is asked after the scan may still say something: ``revocable``, revocation lists; ``provable``, CT logs."""
        codec = FindingCodec()
        self.findings: Shelf[Finding] = Shelf(codec.pack, codec.unpack, sort_key)
        self.verdicts = Verdicts()
        self.tally = Tally()
        self.observed = journal.observed(())
        self._journal = journal
        self._judge = judge
        self._observer = observer
        self._revocable = revocable
        self._provable = provable
        self._targets: Sequence[Target] = ()
        self._rows: Shelf[CoverageRow] = Shelf(pack_row, unpack_row, row_order)
        self._told = Told()
        self._done = 0
        self._commit: asyncio.TimerHandle | None = None
        self._problem: DnsCertScanError | None = None
        self._lost = ""

    def begin(self, targets: Sequence[Target]) -> None:
        """These are the targets of the run, sorted."""
        self._targets = targets
        self._journal.planned(len(targets))
        self._check_journal()
        self.observed = self._journal.observed(targets)

    def found(self, findings: Collection[Finding]) -> None:
        """Take down findings that belong to no single observation, and tell of them."""
        self._shelve(findings)
        self._observer(FindingsMade(tuple(findings)))

    async def recall(self) -> Sequence[Target]:
        """Tell of what an earlier process has observed; the targets that are left to look at."""
        if not self._journal.resumed:
            return self._targets
        async for observation in unhurried(self.observed):
            self._tell(observation)
        return [target for target in self._targets if target not in self._journal]

    def keep(self, observation: Observation, *, final: bool = True) -> None:
        """Take down one observation and tell what it shows. One that is not ``final`` is made again by a run that goes on."""
        if self._problem:
            raise self._problem
        waits = self._journal.add(observation, final=final)
        self._check_journal()
        if waits and self._commit is None:
            self._commit = asyncio.get_running_loop().call_later(INTERVAL, self._flush)
        self._tell(observation)

    def seal(self) -> None:
        """There will be no more observations."""
        if self._commit:
            self._commit.cancel()
        self._journal.flush()
        self._check_journal()

    async def settle(self) -> None:
        """Judge everything with everything known: an intermediate seen anywhere explains a chain that lacks it.

        A stop does not end it, as what was seen is to be reported; whoever calls can see that there was one.
        """
        async for observation in unhurried(self.observed):
            judged = self._judge.look(observation)
            self._shelve(judged.findings)
            self.verdicts.put(observation, judged.valid)
            if before := self._told.before(observation.target):
                news = [finding for finding in judged.findings if finding.message not in before]
                self._observer(TargetSettled(observation, judged.findings, judged.valid, news))
        self.found(self._judge.fleet(self.observed))
        await breathe()

    def shelve(self, rows: Iterable[CoverageRow]) -> Collection[CoverageRow]:
        """Keep the coverage ledger."""
        self._rows.add(rows)
        return self._rows

    def close(self) -> None:
        """Give back everything but the journal, which is the caller's."""
        if self._commit:
            self._commit.cancel()
        for part in (self.findings, self.verdicts, self._rows, self._told):
            part.close()

    def _tell(self, observation: Observation) -> None:
        judged = self._judge.look(observation)
        settled = not any(finding.rule.slug in UNSETTLED for finding in judged.findings) and not self._is_open(observation)
        if not settled:
            self._told.put(observation.target, (finding.message for finding in judged.findings))
        self._done += 1
        self._observer(
            TargetObserved(observation, judged.findings, judged.valid, settled, self._done, len(self._targets))
        )

    def _check_journal(self) -> None:
        if self._lost != self._journal.lost:
            self._lost = self._journal.lost
            text = f"the journal cannot be written any more ({self._lost}); this run cannot be resumed; the scan goes on"
            self._observer(Note(text))

    def _is_open(self, observation: Observation) -> bool:
        if self._provable and isinstance(observation.outcome, Handshake):
            return True
        return self._revocable and any(True for _ in self._judge.links(observation))

    def _shelve(self, findings: Iterable[Finding]) -> None:
        held = tuple(findings)
        for finding in held:
            self.tally.count(finding)
        if held:
            self.findings.add(held)

    def _flush(self) -> None:
        """The timer of a batch has run out. Its callers must not fail: what goes wrong is raised by the next observation."""
        self._commit = None
        try:
            self._journal.flush()
            self._check_journal()
        except DnsCertScanError as problem:
            self._problem = problem
