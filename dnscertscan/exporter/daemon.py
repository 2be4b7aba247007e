"""The exporter's own schedule: scan, keep the results, wait, scan again, until it is told to end."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from dnscertscan.errors import DnsCertScanError
from dnscertscan.exporter.state import Moment, Page, State
from dnscertscan.model.text import visible

logger = logging.getLogger("dnscertscan")
RETRY = 0.1
"""Share of the interval after which a scan that failed is tried again."""


class NoResultsError(DnsCertScanError):
    """A scan has come to its end and says nothing about the targets; its text says why."""


Deliver = Callable[[], Awaitable[Sequence[str]]]
"""Writes and sends what else a scan gives; one line for each output for which that failed. Takes a limited time."""


async def nothing_else() -> Sequence[str]:
    """A scan whose results go nowhere else."""
    return ()


@dataclass(frozen=True, slots=True)
class Results:
    """What a scan gave: the metrics, why they are not complete (empty: they are), and how they get to other places."""

    text: bytes
    missing: str = ""
    deliver: Deliver = nothing_else


Scan = Callable[[], Awaitable[Results | None]]
"""One scan; None when it was told to end before it had come to its end."""
Pause = Callable[[float], Awaitable[bool]]
"""Waits some seconds; True as soon as the exporter is to end."""


async def keep_scanning(scan: Scan, state: State, pause: Pause, clock: Callable[[], Moment]) -> None:
    """Scan again and again. From start to start it is the interval, but scans never overlap.

    Whatever goes wrong with a scan, the results of the one before stay, and ``state`` says what it was. Results are served
    before they go anywhere else.
    """
    while True:
        began = clock().steady
        state.start()
        try:
            results = await scan()
        except DnsCertScanError as problem:
            _failed(state, visible(str(problem), 1000), clock())
        except OSError as problem:
            place = f"{problem.filename}: " if problem.filename else ""
            _failed(state, visible(f"{place}{problem.strerror or problem}", 1000), clock())
        except Exception as problem:  # a bug in one scan must not take the last results away; it is told in full
            logger.critical("internal error in a scan; this is a bug: please report it", exc_info=problem)
            _failed(state, f"internal error ({type(problem).__name__}: {visible(str(problem), 500)})", clock())
        else:
            if results is None:
                return
            state.succeed(Page.of(results.text), clock(), results.missing)
            state.delivered(await _delivered(results.deliver))
        took = clock().steady - began
        if took > state.interval:
            logger.warning("a scan took %.0f s, the interval is %.0f s: the next one begins at once", took, state.interval)
        wait = state.interval * RETRY if state.failed else state.interval - took
        if await pause(max(wait, 0.0)):
            return


async def _delivered(deliver: Deliver) -> Sequence[str]:
    """Whatever goes wrong with the outputs, the next scan comes."""
    try:
        return await deliver()
    except (DnsCertScanError, OSError) as problem:
        said = visible(str(problem), 500)
        logger.error("outputs: %s", said)
    except Exception as problem:  # as a bug in a scan: it is told in full
        logger.critical("internal error in the outputs of a scan; this is a bug: please report it", exc_info=problem)
        said = f"internal error ({type(problem).__name__}: {visible(str(problem), 300)})"
    return [said]


def _failed(state: State, reason: str, now: Moment) -> None:
    logger.error("the scan failed: %s; the last results are kept", reason)
    state.fail(reason, now)
