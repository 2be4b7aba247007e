"""Opening a file that somebody has named: never one that could hold us for ever."""

import errno
import os
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

_KINDS = (
    (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)
_HANDED_OVER = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")


def special(mode: int) -> str:
    """What a thing of that mode is when it is neither a file nor a folder: ``a FIFO``; else empty."""
    return next((words for is_one, words in _KINDS if is_one(mode)), "")


def open_file(path: Path) -> BinaryIO:
    """A regular file (or an empty one, ``/dev/null``) for reading; OSError for all else, whose ``strerror`` says what it is.

    Opening does not wait: a FIFO that nobody writes to is refused like any other, so that it never holds us. A pipe that the
    caller opened himself and hands over by its number (``/dev/stdin``, a shell's ``<(...)``) is read like standard input.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with ExitStack() as on_failure:
        on_failure.callback(os.close, handle)
        found = os.fstat(handle)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if stat.S_ISFIFO(found.st_mode) and str(path).startswith(_HANDED_OVER):
            os.set_blocking(handle, True)
        elif not stat.S_ISREG(found.st_mode) and not os.path.samestat(found, Path(os.devnull).stat()):
            raise OSError(errno.EINVAL, f"is {special(found.st_mode) or 'no file'}, not a file", str(path))
        file = os.fdopen(handle, "rb")
        on_failure.pop_all()
    return file
