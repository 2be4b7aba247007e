"""Everything a run writes: each output on its own, so that one that fails keeps no other from being written."""

import logging
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dnscertscan.cli.watch import Sink
from dnscertscan.errors import ExitStatus, OutputError, UsageError
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.report import Report
from dnscertscan.model.text import visible
from dnscertscan.report import FORMATS, Format, format_for
from dnscertscan.report.base import in_chunks
from dnscertscan.report.coverage import render_coverage
from dnscertscan.report.files import write_atomically
from dnscertscan.report.github import SUMMARY_ROOM
from dnscertscan.report.influx import render_influx
from dnscertscan.report.jsonl import findings_lines, observation_line
from dnscertscan.report.markdown import job_summary
from dnscertscan.report.statsd import render_statsd
from dnscertscan.report.table import table_pieces
from dnscertscan.settings.models import Output
from dnscertscan.settings.values import StatEndpoint

logger = logging.getLogger("dnscertscan")
_DATAGRAMS = {"influx": render_influx, "statsd": render_statsd}


class Outputs:
    """The files of one run, and the format of standard output."""

    def __init__(self, output: Output) -> None:
        """Settle every output before the scan: what cannot be written is said at once, and does not stop the others."""
        self._files: list[tuple[Path, Format]] = []
        self._failed: list[ExitStatus] = []
        self.problems: list[str] = []
        """One line for each output that could not be written."""
        self._shown = output.format
        self._coverage = output.coverage
        self._stat_endpoints = [StatEndpoint.parse(text) for text in output.stat_endpoints]
        self._stdout_fails = False
        self.lost = False
        """Whether a file could not be written: its report exists nowhere else."""
        style = FORMATS[output.format]  # raises with the hint
        if style.binary and sys.stdout.isatty():
            raise UsageError(f"{style.name} is nothing for a terminal; write it to a file with -o, or redirect standard output")
        for path in output.files:
            try:
                self._files.append((path, format_for(path)))
            except UsageError as problem:
                self._fail(problem)
        for path in [*(path for path, _ in self._files), *([output.coverage] if output.coverage else [])]:
            if not _writable(path):
                logger.warning("output %s cannot be written as things are; the scan goes on and tries at its end", path)

    @property
    def sink(self) -> Sink | None:
        """With JSONL on standard output, each observation is written as it comes."""
        return self._stream if self._shown == "jsonl" else None

    def write(self, report: Report) -> list[ExitStatus]:
        """Write everything; a status for each output that could not be written."""
        self.write_elsewhere(report)
        if self._shown != "jsonl":
            self._print(self._rendered(report))
        if self._shown == "github" and (place := os.environ.get("GITHUB_STEP_SUMMARY")):
            self._summarise(report, Path(place))
        return self._failed

    def write_elsewhere(self, report: Report) -> None:
        """Write the files, and send the figures; nothing goes to standard output but what was named so."""
        jobs: list[tuple[Path, Iterable[bytes]]] = [(path, style.render(report)) for path, style in self._files]
        if self._coverage:
            jobs.append((self._coverage, render_coverage(report)))
        for path, chunks in jobs:
            try:
                write_atomically(path, chunks)
            except OutputError as problem:
                self.lost = True
                self._fail(problem)
        if self._stat_endpoints:
            self._send(report)

    def _send(self, report: Report) -> None:
        from dnscertscan.exporter.udp import send

        for endpoint in self._stat_endpoints:
            try:
                send(endpoint.server.host, endpoint.server.port, _DATAGRAMS[endpoint.protocol](report))
            except OutputError as problem:
                self._fail(problem)

    def _stream(self, observation: Observation | None, findings: Sequence[Finding], valid: Mapping[str, bool]) -> None:
        lines = findings_lines(findings) if observation is None else (observation_line(observation, findings, valid),)
        self._print(lines)

    def _rendered(self, report: Report) -> Iterable[bytes]:
        if self._shown != "table":
            return FORMATS[self._shown].render(report)
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size((100, 24)).columns if terminal else 0
        colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return in_chunks(table_pieces(report, width, colour=colour))

    def _print(self, chunks: Iterable[bytes]) -> None:
        """Write to standard output. A reader that has gone, or a full disk, costs this output and nothing else."""
        if self._stdout_fails:
            return
        try:
            sys.stdout.buffer.writelines(chunks)
            sys.stdout.buffer.flush()
        except OSError as problem:
            self._stdout_fails = True
            discard_stdout()
            self._fail(OutputError(f"standard output: {problem.strerror}; the other outputs are still written"))

    def _summarise(self, report: Report, place: Path) -> None:
        """Add to the summary of the job, which other commands of the step write to as well."""
        try:
            with place.open("ab") as out:
                written = out.tell()
                out.writelines(job_summary(report, SUMMARY_ROOM - written))
                if out.tell() == written:
                    logger.warning("job summary %s: others of this step have filled it; the files have the findings", place)
        except OSError as problem:
            shown = visible(str(place))
            self._fail(OutputError(f"job summary {shown}: {problem.strerror}; correct GITHUB_STEP_SUMMARY, the rest is written"))

    def _fail(self, problem: OutputError | UsageError) -> None:
        logger.error("%s", problem)
        self.problems.append(str(problem))
        self._failed.append(ExitStatus.INCOMPLETE)


def discard_stdout() -> None:
    """From now on what is written to standard output goes nowhere, also what the interpreter flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _writable(path: Path) -> bool:
    try:
        if path == Path("-") or (path.exists() and not path.is_file()):
            return not path.is_dir()
    except OSError:
        return False
    return os.access(path.parent, os.W_OK)
