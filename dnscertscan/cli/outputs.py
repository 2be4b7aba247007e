"""Everything a run writes: each output on its own, so that one that fails keeps no other from being written."""

import logging
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnscertscan.errors import ExitStatus, OutputError, UsageError
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Observation
from dnscertscan.model.report import Report
from dnscertscan.report import FORMATS, Format, format_for
from dnscertscan.report.coverage import render_coverage
from dnscertscan.report.files import write_atomically
from dnscertscan.report.jsonl import findings_lines, observation_line
from dnscertscan.report.table import render_table
from dnscertscan.settings.models import Output

logger = logging.getLogger("dnscertscan")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files of one run and the format of standard output. ``problems`` counts outputs that cannot be written at all."""

    files: tuple[tuple[Path, Format], ...]
    shown: str
    coverage: Path | None
    problems: int

    @classmethod
    def open(cls, output: Output) -> "Outputs":
        """Settle every output before the scan: an unknown format is said at once and does not stop the others."""
        files, problems = [], 0
        for path in output.files:
            try:
                files.append((path, format_for(path)))
            except UsageError as problem:
                logger.error("%s", problem)
                problems += 1
        if output.format not in FORMATS:
            FORMATS[output.format]  # raises with the hint
        for path in [*(path for path, _ in files), *([output.coverage] if output.coverage else [])]:
            if not _writable(path):
                logger.warning("output %s cannot be written as things are; the scan goes on and tries at its end", path)
        return cls(tuple(files), output.format, output.coverage, problems)

    @property
    def stream(self) -> Callable[[Observation | None, Sequence[Finding]], None] | None:
        """With JSONL on standard output, each observation is written as it comes."""
        if self.shown != "jsonl":
            return None

        def write(observation: Observation | None, findings: Sequence[Finding]) -> None:
            lines = findings_lines(findings) if observation is None else (observation_line(observation, findings),)
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()

        return write

    def write(self, report: Report) -> list[ExitStatus]:
        """Write everything; a status for each output that could not be written."""
        failed = [ExitStatus.INCOMPLETE] * self.problems
        jobs: list[tuple[Path, Iterable[bytes]]] = [(path, style.render(report)) for path, style in self.files]
        if self.coverage:
            jobs.append((self.coverage, render_coverage(report)))
        for path, chunks in jobs:
            try:
                write_atomically(path, chunks)
            except OutputError as problem:
                logger.error("%s", problem)
                failed.append(problem.exit_status)
        self._show(report)
        return failed

    def _show(self, report: Report) -> None:
        if self.shown == "table":
            terminal = sys.stdout.isatty()
            width = shutil.get_terminal_size((100, 24)).columns if terminal else 0
            colour = terminal and not os.environ.get("NO_COLOR")
            sys.stdout.buffer.write(render_table(report, width=width, colour=colour).encode())
        elif self.shown != "jsonl":
            for chunk in FORMATS[self.shown].render(report):
                sys.stdout.buffer.write(chunk)
        sys.stdout.flush()


def _writable(path: Path) -> bool:
    if path == Path("-") or (path.exists() and not path.is_file()):
        return not path.is_dir()
    return os.access(path.parent, os.W_OK)
