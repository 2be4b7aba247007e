"""Every exception this package raises, and every exit status it ends with.

    DnsCertScanError
    ├── UsageError          the command line or the configuration is wrong: nothing was scanned
    │   └── ConfigError     the same, with the file (and line) it stands in
    ├── ZoneError           one zone could not be read or transferred; the others go on
    ├── OutputError         one output could not be written; the others are still written
    └── EngineError         the scanner itself failed on a target (worker died, time limit, bug below us)

A message is one line and names the thing, the place and the next step.
"""

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of ``dnscertscan scan``; when several apply, see :func:`worst`."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    BUG = 4


_PRECEDENCE = (ExitStatus.BUG, ExitStatus.USAGE, ExitStatus.INCOMPLETE, ExitStatus.FINDINGS)


def worst(*statuses: ExitStatus) -> ExitStatus:
    """The status to end with when several apply: 4 > 2 > 3 > 1 > 0."""
    return next((status for status in _PRECEDENCE if status in statuses), ExitStatus.CLEAN)


class DnsCertScanError(Exception):
    """Base of all errors a caller may want to catch; its text is one line for a person."""

    exit_status = ExitStatus.BUG


class UsageError(DnsCertScanError):
    """The command line or an input named on it cannot be used."""

    exit_status = ExitStatus.USAGE


class ConfigError(UsageError):
    """A configuration file cannot be used; the text starts with ``file:line:``."""


class ZoneError(DnsCertScanError):
    """One zone could not be obtained. ``zone`` may be empty when a whole source is unreadable."""

    exit_status = ExitStatus.INCOMPLETE

    def __init__(self, message: str, *, zone: str = "", source: str = "") -> None:
        super().__init__(message)
        self.zone = zone
        self.source = source


class OutputError(DnsCertScanError):
    """One output file could not be written."""

    exit_status = ExitStatus.INCOMPLETE


class EngineError(DnsCertScanError):
    """The scan engine failed in a way that is not the target's doing."""

    exit_status = ExitStatus.INCOMPLETE
