"""The files and datagrams of the exporter: written beside its event loop, so that one that hangs holds up nobody for long."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from dnscertscan.cli.outputs import Outputs
from dnscertscan.ct.aside import aside
from dnscertscan.errors import OutputError
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.pipeline import Stop
from dnscertscan.settings.models import Output

logger = logging.getLogger("dnscertscan")
_LIMIT = 300.0
"""Seconds for one output; what takes longer is left behind in its thread."""
_GRACE = 2.0
"""Seconds that are left to the output being written when the exporter is to end."""


def each_output(output: Output) -> dict[str, Outputs]:
    """Every output by itself, by a name that is safe to show; nothing goes to standard output, whatever its format is set to."""
    none = output.model_copy(update={"format": "table", "files": (), "coverage": None, "stat_endpoints": ()})
    chosen: list[tuple[str, dict[str, object]]] = [(place, {"stat_endpoints": (place,)}) for place in output.stat_endpoints]
    chosen += [(str(path), {"files": (path,)}) for path in output.files]
    if output.coverage:
        chosen.append((str(output.coverage), {"coverage": output.coverage}))
    return {visible(name): Outputs(none.model_copy(update=one)) for name, one in chosen}


class Delivery:
    """Writes the outputs of each scan, one after the other."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._behind: dict[str, asyncio.Future[None]] = {}
        """Outputs of an earlier scan that hang: nothing else is written there until they have come to their end."""

    async def write(self, report: Report, outputs: Mapping[str, Outputs]) -> list[str]:
        """Write all outputs and close the report; one line, safe to show, for each that could not be written."""
        failed: list[str] = []
        hanging: list[asyncio.Future[None]] = []
        for name, output in outputs.items():
            if why := self._end():
                logger.warning("%s: not written: the exporter ends (%s)", name, why)
                continue
            if name in self._behind:
                failed.append(_told(f"{name}: results of an earlier scan are still being written there; does anybody read it?"))
                continue
            work = asyncio.ensure_future(aside(partial(output.write_elsewhere, report)))
            if await self._ended(work):
                failed += _problems(name, output, work)
                continue
            hanging.append(work)
            if why := self._end():
                logger.warning("%s: not written to its end: the exporter ends (%s)", name, why)
            else:
                failed.append(_told(f"{name}: not written after {_LIMIT:g} s; it is left to itself; does anybody read it?"))
                self._behind[name] = work
                work.add_done_callback(partial(self._come_back, name))
        if hanging:
            asyncio.gather(*hanging, return_exceptions=True).add_done_callback(partial(self._close, report))
        else:
            _closed(report)
        return failed

    def _end(self) -> str:
        """Why the exporter is to end; empty as long as it is not."""
        return self._stop.reason or ""

    async def _ended(self, work: "asyncio.Future[None]") -> bool:
        """Whether the work ends in time; it is cancelled in no case."""
        await self._stop.unless(asyncio.wait({work}, timeout=_LIMIT))
        if self._stop.reason and not work.done():
            await asyncio.wait({work}, timeout=_GRACE)
        return work.done()

    def _come_back(self, name: str, work: "asyncio.Future[None]") -> None:
        if self._behind.get(name) is work:
            del self._behind[name]

    def _close(self, report: Report, works: "asyncio.Future[list[BaseException | None]]") -> None:
        ended = not works.cancelled() and not any(isinstance(one, asyncio.CancelledError) for one in works.result())
        if ended:  # else the process ends, and threads may still read
            _closed(report)


def _closed(report: Report) -> None:
    try:
        report.close()
    except OutputError as problem:  # everything is written: it is a temporary file that is not let go
        logger.warning("%s", problem)


def _problems(name: str, output: Outputs, work: "asyncio.Future[None]") -> list[str]:
    problem = work.exception()
    if problem is None:
        return [visible(text, 500) for text in output.problems]
    logger.critical("internal error in output %s; this is a bug: please report it", name, exc_info=problem)
    return [f"{name}: internal error ({type(problem).__name__}: {visible(str(problem), 300)})"]


def _told(line: str) -> str:
    logger.error("%s", line)
    return line
