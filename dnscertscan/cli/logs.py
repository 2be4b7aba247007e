"""Where log lines go: standard error or a file, as text or JSON; one handler, put up for one run and taken down after it."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dnscertscan.errors import ExitStatus, UsageError
from dnscertscan.report.log import JsonFormatter, TextFormatter
from dnscertscan.settings.models import Log


class _Handler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the type stubs only, not when it runs
    """A handler that keeps the first reason why a line could not be written, instead of printing a traceback for each."""

    problem: BaseException | None = None

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - the name and arguments logging calls
        """Say it once, where it can be said."""
        if self.problem is None:
            self.problem = sys.exc_info()[1]
            with suppress(OSError):  # standard error may be what is broken
                sys.stderr.write(f"dnscertscan: the log cannot be written: {self.problem}; the scan goes on without it\n")

    @property
    def status(self) -> ExitStatus:
        """A run whose log could not be written is not complete."""
        return ExitStatus.CLEAN if self.problem is None else ExitStatus.INCOMPLETE


@contextmanager
def log_to(log: Log) -> Iterator[_Handler]:
    """Send the package's log where the settings say; yields the handler, whose ``status`` says whether that works."""
    root = logging.getLogger("dnscertscan")
    try:
        # Lines are short and many are wanted at once when something goes wrong: no buffer beyond the line.
        file = log.file.open("a", encoding="utf-8", buffering=1) if log.file else None
    except OSError as problem:
        cause = f"cannot write the log file {log.file}: {problem.strerror}"
        raise UsageError(f"{cause}; name a file in a folder you may write") from problem
    handler = _Handler(file or sys.stderr)
    handler.setFormatter(JsonFormatter() if log.format == "json" else TextFormatter())
    previous = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(log.level.upper())
    root.propagate = False
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        if file is not None:
            with suppress(OSError):  # the handler has told of it when it wrote the line
                file.close()
        root.setLevel(previous[0])
        root.propagate = previous[1]
