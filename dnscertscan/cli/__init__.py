"""The command line: parse, call one function, map to an exit status. One file per command, imported when it is called."""

import os
import sys
from typing import TYPE_CHECKING

from dnscertscan.errors import DnsCertScanError, ExitStatus

if TYPE_CHECKING:
    import click


def main() -> None:
    """Entry point of the ``dnscertscan`` command: every way out is a documented exit status, every error one line."""
    import click

    from dnscertscan.cli.root import root

    _open_standard_streams()
    try:
        status = _run(root)
        sys.stdout.flush()
    except click.exceptions.Exit as ending:
        status = ending.exit_code
    except click.Abort:
        status = _say("interrupted", ExitStatus.INCOMPLETE)
    except click.ClickException as problem:
        problem.show()
        status = ExitStatus.USAGE
    except DnsCertScanError as problem:
        status = _say(str(problem), problem.exit_status)
    except KeyboardInterrupt:
        status = _say("interrupted", ExitStatus.INCOMPLETE)
    except OSError as problem:
        status = _lost_output(problem)
    except Exception as problem:  # noqa: BLE001 - the last line of defence: the user gets one line, the log the traceback
        status = _bug(problem)
    sys.exit(int(status or 0))


def _run(root: "click.Group") -> int:
    """Invoke the command. Not through click's own ``main``, which ends with status 1, our "findings", when a reader has gone."""
    if "_DNSCERTSCAN_COMPLETE" in os.environ:
        root.main(prog_name="dnscertscan")  # shell completion, which ends the process
    with root.make_context("dnscertscan", sys.argv[1:]) as context:
        root.invoke(context)
    return ExitStatus.CLEAN


def _open_standard_streams() -> None:
    """A stream the caller closed is one he does not want to read, or write: it leads nowhere instead of to a crash.

    Standard input first: what is opened takes the lowest free number, so that each gets its own.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - open as long as the process


def _lost_output(problem: OSError) -> ExitStatus:
    """Standard output cannot be written: its reader has gone (nothing is said of that), or the disk is full."""
    from dnscertscan.cli.outputs import discard_stdout

    discard_stdout()
    if isinstance(problem, BrokenPipeError):
        return ExitStatus.INCOMPLETE
    place = problem.filename or "standard output"
    return _say(f"{place}: {problem.strerror}; what could be done was done", ExitStatus.INCOMPLETE)


def _say(message: str, status: ExitStatus) -> ExitStatus:
    from dnscertscan.model.text import visible

    for line in message.splitlines():
        print(f"dnscertscan: {visible(line)}", file=sys.stderr)  # noqa: T201 - the user-facing line of an error
    return status


def _bug(problem: Exception) -> ExitStatus:
    import logging

    logging.getLogger("dnscertscan").critical("internal error", exc_info=problem)
    return _say(
        f"internal error ({type(problem).__name__}: {problem}); this is a bug: please report it with the traceback from the log",
        ExitStatus.BUG,
    )
