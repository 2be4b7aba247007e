"""The exporter put together: the ordinary scan, its outputs, the schedule, the server, signals and the log."""

import asyncio
import sys
import time
from contextlib import ExitStack, suppress
from functools import partial

from dnscertscan import __version__
from dnscertscan.assembly import assemble, utc_now
from dnscertscan.cli.delivery import Delivery, each_output
from dnscertscan.cli.logs import log_to
from dnscertscan.cli.overwriting import refuse_overwriting
from dnscertscan.cli.session import drive
from dnscertscan.cli.watch import Watcher
from dnscertscan.errors import ExitStatus
from dnscertscan.exporter import Deliver, Moment, NoResultsError, Results, Server, State, answer, keep_scanning, read_request
from dnscertscan.model.report import Report
from dnscertscan.pipeline import Stop, run
from dnscertscan.report.prometheus import render_prometheus
from dnscertscan.report.summary import incomplete_reasons
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.values import parse_listen

_TOLD = 3
"""Reasons why a scan is not complete that go into one line."""


def moment() -> Moment:
    """The two clocks."""
    return Moment(utc_now().timestamp(), time.monotonic())


def export(loaded: Loaded) -> ExitStatus:
    """Serve and scan until a signal ends it. What cannot be used in the settings is said before anything listens."""
    settings = loaded.settings
    place = parse_listen(settings.exporter.listen)
    refuse_overwriting(loaded)
    with log_to(settings.log) as log:
        assemble(loaded)
        each_output(settings.output)
        state = State(__version__, settings.exporter.interval, moment())
        with Server(place.host, place.port, lambda head: answer(read_request(head), state, moment)) as server:
            if settings.log.level != "error":
                for address, port in server.places:
                    shown = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
                    print(f"dnscertscan exporter: http://{shown}/metrics", file=sys.stderr, flush=True)  # noqa: T201 - the command's own words

            async def whole(stop: Stop) -> None:
                await keep_scanning(partial(_scan, loaded, stop, Delivery(stop)), state, partial(_pause, stop), moment)

            drive(whole)
        return log.status


async def _pause(stop: Stop, seconds: float) -> bool:
    return await stop.unless(asyncio.sleep(seconds, "slept")) is None


async def _scan(loaded: Loaded, stop: Stop, delivery: Delivery) -> Results | None:
    """One run with everything read anew but the configuration itself: zones, trust anchors, the list of CT logs."""
    settings = loaded.settings
    own = Stop()
    follower = asyncio.ensure_future(_follow(stop, own))
    deadline = settings.scan.deadline
    limit = deadline and asyncio.get_running_loop().call_later(deadline, own.now, f"deadline of {deadline:g} s reached")
    try:
        outputs = each_output(settings.output)
        with Watcher(settings.log) as watcher:
            report = await run(assemble(loaded), watcher, own)
    finally:
        if limit:
            limit.cancel()
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower
    with ExitStack() as kept:
        kept.callback(report.close)
        if stop.reason:
            return None
        results = _results(report, partial(delivery.write, report, outputs))
        kept.pop_all()  # whoever delivers the results closes the report
        return results


async def _follow(stop: Stop, own: Stop) -> None:
    """End the run when the exporter is to end."""
    await stop.unless(asyncio.get_running_loop().create_future())
    own.now(stop.reason or "ended")


def _results(report: Report, deliver: Deliver) -> Results:
    """The metrics, and the way to the outputs of this scan. What says nothing about the targets replaces nothing."""
    missing = "; ".join(incomplete_reasons(report)[:_TOLD])
    if report.inconclusive or (missing and not len(report.observations)):
        raise NoResultsError(missing)
    return Results(b"".join(render_prometheus(report)), missing, deliver)
