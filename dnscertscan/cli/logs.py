"""Where log lines go: standard error or a file, as text or JSON; one handler, put up for one run and taken down after it."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dnscertscan.errors import UsageError
from dnscertscan.report.log import JsonFormatter, TextFormatter
from dnscertscan.settings.models import Log


@contextmanager
def log_to(log: Log) -> Iterator[None]:
    """Send the package's log where the settings say."""
    root = logging.getLogger("dnscertscan")
    try:
        handler = logging.FileHandler(log.file, encoding="utf-8") if log.file else logging.StreamHandler(sys.stderr)
    except OSError as problem:
        cause = f"cannot write the log file {log.file}: {problem.strerror}"
        raise UsageError(f"{cause}; name a file in a folder you may write") from problem
    handler.setFormatter(JsonFormatter() if log.format == "json" else TextFormatter())
    previous = root.level, root.propagate
    root.addHandler(handler)
    root.setLevel(log.level.upper())
    root.propagate = False
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
        root.setLevel(previous[0])
        root.propagate = previous[1]
