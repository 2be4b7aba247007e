"""The observer of a run on the command line: findings to the log as they are made, progress to a terminal."""

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from dnscertscan.cli.progress import Progress
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.observations import Observation
from dnscertscan.model.text import visible
from dnscertscan.pipeline.events import (
    Asking,
    Event,
    FindingsMade,
    Finished,
    Note,
    Planned,
    Resolving,
    Revocation,
    Stopped,
    TargetObserved,
    TargetSettled,
    ZoneFetched,
    ZoneTrouble,
)
from dnscertscan.report.describe import terminal_state
from dnscertscan.report.log import finding_extra, finding_line
from dnscertscan.settings.models import Log
from dnscertscan.zones.base import Fetched

logger = logging.getLogger("dnscertscan")
Sink = Callable[[Observation | None, Sequence[Finding], Mapping[str, bool]], None]
"""Gets each observation with all its findings and verdicts, and None with the findings that belong to no observation."""
_LEVELS = {Severity.ERROR: logging.ERROR, Severity.WARNING: logging.WARNING, Severity.INFO: logging.INFO}


class Watcher:
    """Writes what happens to the log and, on a terminal, to a progress bar; ``sink`` is for results that are streamed.

    ``zones_only``: there is no judge, so that trouble with zones is logged here.
    """

    def __init__(self, log: Log, sink: Sink | None = None, *, zones_only: bool = False) -> None:
        self._sink = sink
        self._zones_only = zones_only
        quiet = log.level == "error"
        self._progress = Progress(enabled=sys.stderr.isatty() and not quiet, owns_stderr=log.file is None)

    def __enter__(self) -> Self:
        self._progress.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.__exit__(kind, problem, trace)

    def __call__(self, event: Event) -> None:
        """Take note of one event of the pipeline."""
        match event:
            case ZoneFetched(zone):
                logger.info("zone %s: %d records from %s", zone.name.display, len(zone.records), visible(zone.source, 300))
            case ZoneTrouble(problem):
                # A run makes a finding of it, which is logged like all the others; to say it twice would be once too often.
                logger.log(logging.ERROR if self._zones_only else logging.INFO, "%s", visible(problem.message))
            case Resolving(done, total) | Revocation(done, total):
                self._progress.show("resolving" if isinstance(event, Resolving) else "revocation", done, total)
            case Asking(what, done, total):
                self._progress.show(what, done, total)
            case Planned(targets, unscanned):
                logger.info("%d targets to scan, %d not to be scanned", targets, unscanned)
                self._progress.show("scanning", 0, targets)
            case TargetObserved(observation, findings, valid, settled, done, total):
                self._observed(observation, findings)
                self._stream(observation if settled else None, findings if settled else (), valid)
                self._progress.show("scanning", done, total)
            case TargetSettled(observation, findings, valid, news):
                self._log(news)
                self._stream(observation, findings, valid)
            case FindingsMade(findings):
                self._stream(None, findings, {})
                self._log(findings)
            case Stopped(text) | Note(text):
                frame = "the run was cut short: %s; what was seen so far is reported" if isinstance(event, Stopped) else "%s"
                logger.warning(frame, visible(text))
            case Finished():
                self._progress.finish()

    def fetched(self, fetched: Fetched) -> None:
        """Take note of one source's zones and problems."""
        for zone in fetched.zones:
            self(ZoneFetched(zone))
        for problem in fetched.problems:
            self(ZoneTrouble(problem))

    def _observed(self, observation: Observation, findings: Sequence[Finding]) -> None:
        if logger.isEnabledFor(logging.INFO):
            state, reason, detail = terminal_state(observation.outcome)
            target = observation.target
            logger.info(
                "%s - %s - %s: %s %s (%.2f s)", target.endpoint.text, target.server_name.display, state, reason,
                visible(detail, 300), observation.seconds,
            )
        self._log(findings)

    def _stream(self, observation: Observation | None, findings: Sequence[Finding], valid: Mapping[str, bool]) -> None:
        if self._sink is not None and (observation is not None or findings):
            self._sink(observation, findings, valid)

    def _log(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            logger.log(_LEVELS[finding.severity], "%s", finding_line(finding), extra=finding_extra(finding))
