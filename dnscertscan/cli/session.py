"""One run from the command line: the event loop, signals, the log, the progress, the outputs and the exit status."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from types import FrameType
from typing import TypeVar

from dnscertscan.assembly import assemble, sources, utc_now
from dnscertscan.cli.logs import log_to
from dnscertscan.cli.outputs import Outputs
from dnscertscan.cli.overwriting import refuse_overwriting
from dnscertscan.cli.resume import Keeper
from dnscertscan.cli.watch import Watcher
from dnscertscan.errors import ExitStatus, worst
from dnscertscan.model.findings import Severity
from dnscertscan.model.records import ZoneFault, ZoneProblem
from dnscertscan.model.report import Report
from dnscertscan.pipeline import Observer, Parts, Stop, run, survey
from dnscertscan.pipeline.fetch import AllZones, fetch_all
from dnscertscan.pipeline.ledger import make_coverage
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.models import JsonZones

T = TypeVar("T")
logger = logging.getLogger("dnscertscan")
_FAIL_ON = {"error": Severity.ERROR, "warning": Severity.WARNING}


def scan_and_report(loaded: Loaded, *, resumable: bool = True) -> ExitStatus:
    """Scan, write every output, and say with which status to end. A run that is not ``resumable`` leaves no journal."""
    settings = loaded.settings
    refuse_overwriting(loaded)
    with log_to(settings.log) as log, Keeper(loaded, os.environ, utc_now()) as keeper:
        parts = assemble(loaded, at=keeper.started)
        outputs = Outputs(settings.output)
        if resumable:
            parts = replace(parts, journal=keeper.begin())

        async def whole(stop: Stop) -> tuple[Report, bool]:
            report = await run(parts, watcher, stop)
            return report, stop.reason is None

        with Watcher(settings.log, outputs.sink) as watcher:
            report, to_the_end = drive(whole, settings.scan.deadline)
        keeper.make_room()
        with report:
            written = outputs.write(report)
            written += [log.status, keeper.status]
            status = worst(status_of(report, settings.output.fail_on), _usage(loaded, report), *written)
        keeper.end(complete=to_the_end and not outputs.lost)
        return status


def status_of(report: Report, fail_on: str) -> ExitStatus:
    """The exit status a report asks for."""
    statuses = [ExitStatus.CLEAN]
    if fail_on != "never" and any(severity >= _FAIL_ON[fail_on] for severity in +report.severities()):
        statuses.append(ExitStatus.FINDINGS)
    if not report.complete:
        statuses.append(ExitStatus.INCOMPLETE)
    return worst(*statuses)


def _usage(loaded: Loaded, report: Report) -> ExitStatus:
    """No zone at all, and only files named here to blame: the call itself was wrong, nothing was scanned."""
    return ExitStatus.USAGE if no_usable_file(loaded, report.coverage.problems) and _empty(report) else ExitStatus.CLEAN


def no_usable_file(loaded: Loaded, problems: Sequence[ZoneProblem]) -> bool:
    """Whether zones come from files only and at least one of them could not be used at all."""
    only_files = all(isinstance(entry, JsonZones) for entry in loaded.settings.zones)
    return only_files and any(problem.fault is ZoneFault.FAILED for problem in problems)


def _empty(report: Report) -> bool:
    return len(report.coverage.rows) == len(report.coverage.problems)


def drive(work: Callable[[Stop], Coroutine[object, object, T]], deadline: float | None = None) -> T:
    """Run ``work`` in an event loop; SIGINT, SIGTERM and the deadline end it early but in order. A second SIGINT kills.

    The handlers are the interpreter's and not the loop's: those would have to wait for work that holds up the loop.
    """
    async def body() -> T:
        stop = Stop()
        loop = asyncio.get_running_loop()

        def interrupted(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the arguments the interpreter gives
            _let_go()
            stop.now(f"interrupted ({signal.Signals(number).name})")
            loop.call_soon_threadsafe(lambda: None)  # wakes a loop that waits

        for handled in (signal.SIGINT, signal.SIGTERM):
            signal.signal(handled, interrupted)
        if deadline is not None:
            loop.call_later(deadline, stop.now, f"deadline of {deadline:g} s reached")
        return await work(stop)

    try:
        return asyncio.run(body())
    finally:
        _let_go()


def _let_go() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def fetch_zones(loaded: Loaded) -> AllZones:
    """All zones of the settings; problems are logged, one line each."""
    settings = loaded.settings
    with log_to(settings.log):
        everything = sources(settings, os.environ)
        with Watcher(settings.log, zones_only=True) as watcher:
            return drive(lambda stop: fetch_all(everything, watcher.fetched, stop))


def show_targets(loaded: Loaded, style: str) -> ExitStatus:
    """Print the map of what would be scanned; the status says whether everything could be read and resolved."""
    from dnscertscan.report.targets import render_targets

    settings = loaded.settings
    with log_to(settings.log):
        parts: Parts = assemble(loaded, dry=True)

        async def look(observer: Observer, stop: Stop) -> tuple[bytes, ExitStatus]:
            everything, plan = await survey(parts, observer, stop)
            coverage = make_coverage(everything.zones, everything.problems, plan, (), stop.reason or "would be scanned")
            planned = {(t.endpoint.address, t.endpoint.port, t.server_name.text) for t in plan.targets} if plan else set()
            return render_targets(coverage, planned, style), zones_status(loaded, everything, stopped=bool(stop.reason))

        with Watcher(settings.log, zones_only=True) as watcher:
            text, status = drive(lambda stop: look(watcher, stop))
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
    return status


def zones_status(loaded: Loaded, everything: AllZones, *, stopped: bool = False) -> ExitStatus:
    """The status of a command that only reads zones."""
    if not everything.zones and no_usable_file(loaded, everything.problems):
        return ExitStatus.USAGE
    return ExitStatus.INCOMPLETE if everything.problems or stopped else ExitStatus.CLEAN
