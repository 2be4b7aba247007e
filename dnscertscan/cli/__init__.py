"""The command line: parse, call one function, map to an exit status. One file per command, imported when it is called."""

import os
import sys

from dnscertscan.errors import DnsCertScanError, ExitStatus


def main() -> None:
    """Entry point of the ``dnscertscan`` command: every way out is a documented exit status, every error one line."""
    import click

    from dnscertscan.cli.root import root

    try:
        status = root.main(prog_name="dnscertscan", standalone_mode=False)
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
    except BrokenPipeError:
        # The reader of our output has gone. Say nothing, as other filters do, also not from the interpreter's last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ExitStatus.INCOMPLETE
    except Exception as problem:  # noqa: BLE001 - the last line of defence: the user gets one line, the log the traceback
        status = _bug(problem)
    sys.exit(int(status or 0))


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
