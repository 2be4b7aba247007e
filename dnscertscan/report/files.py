"""Output files appear whole or not at all: written beside their place, made durable, then renamed."""

import errno
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from dnscertscan.errors import OutputError
from dnscertscan.model.text import visible

_NEXT_STEP = {
    errno.ENOENT: "create its folder first",
    errno.ENOTDIR: "a part of the path is no folder; correct the path",
    errno.EISDIR: "it is a folder; name a file in it",
    errno.EACCES: "choose a folder you may write to",
    errno.EPERM: "choose a folder you may write to",
    errno.EROFS: "choose a folder you may write to",
    errno.ENOSPC: "free some space or choose another place",
    errno.EDQUOT: "free some space or choose another place",
    errno.EFBIG: "raise the file size limit or choose another place",
    errno.EPIPE: "the reader went away before everything was written",
    errno.ELOOP: "its symbolic links lead in a circle; correct them",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def write_atomically(path: Path, chunks: Iterable[bytes]) -> None:
    """Write ``chunks`` so that ``path`` holds either its old content or all of the new, also after a crash or a full disk.

    A symbolic link stays one: the file it leads to is replaced. Mode and owner of a file that is there are kept (the owner
    where the system allows it), a new one gets what the umask leaves of 0666. ``-`` is standard output; standard output,
    devices and pipes are written straight, since they cannot be replaced. Exceptions of ``chunks`` pass through, and leave no
    temporary file behind.

    Raises :class:`OutputError`: one line with path, cause and next step.
    """
    try:
        _write(path, chunks)
    except OSError as error:
        cause = error.strerror or type(error).__name__
        step = _NEXT_STEP.get(error.errno or 0, "choose another place")
        raise OutputError(f"cannot write {visible(str(path))}: {cause}; {step}") from error


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    if str(path) == "-":
        sys.stdout.flush()
        _pour(sys.stdout.buffer, chunks)
        return
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "the name has a NUL character")
    present = _stat(path)
    if present is not None and stat.S_ISDIR(present.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if present is not None and (stream := _open_stream(present)) is not None:
        with os.fdopen(os.dup(stream), "wb") as out:
            _pour(out, chunks)
    elif present is not None and not stat.S_ISREG(present.st_mode):
        with path.open("wb") as device:
            _pour(device, chunks)
    else:
        _replace(Path(os.path.realpath(path)), present, chunks)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def is_open_stream(present: os.stat_result) -> bool:
    """Whether standard output or error go there already: such a file is written on, not replaced."""
    return _open_stream(present) is not None


def _open_stream(present: os.stat_result) -> int | None:
    """The descriptor when the path is what standard output or error already writes to (``/dev/stdout`` sent to a file)."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        with suppress(OSError):  # a closed one is none
            if os.path.samestat(os.fstat(descriptor), present):
                stream.flush()
                return descriptor
    return None


def _pour(out: BinaryIO, chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        out.write(chunk)
    out.flush()


def _replace(place: Path, present: os.stat_result | None, chunks: Iterable[bytes]) -> None:
    # A short name of its own: the place's name may already be as long as a name can be.
    temporary = place.parent / f".dnscertscan-{secrets.token_hex(8)}.tmp"
    # 0666 is for the umask to narrow; tempfile would always give 0600, and no other user could read the report.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    moved = False
    try:
        with os.fdopen(descriptor, "wb") as out:
            if present is not None:
                _keep_access(descriptor, present)
            _pour(out, chunks)
            os.fsync(descriptor)
        temporary.replace(place)
        moved = True
    finally:
        if not moved:
            temporary.unlink(missing_ok=True)
    _sync_folder(place.parent)


def _keep_access(descriptor: int, present: os.stat_result) -> None:
    with suppress(PermissionError):  # only root may give files away; the mode below still holds
        os.fchown(descriptor, present.st_uid, present.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(present.st_mode))


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # the file is in its place; some file systems cannot sync a folder, and a folder may be unreadable
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
