"""Which process a journal belongs to: a lock on a file beside it, so that it does not depend on what stands in the journal."""

import fcntl
import os
from pathlib import Path

from dnscertscan.store.database import in_use


class Lock:
    """Held from its making to :meth:`release`, or to the death of the process; the file is there as long.

    Raises InUseError when another run has it, OSError when the file cannot be made.
    """

    def __init__(self, place: Path) -> None:
        self._journal = place
        self._place = Path(f"{place}-lock")
        self._handle: int | None = self._taken()

    def release(self) -> None:
        """Let go of it; once is enough."""
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                # Before it is free: whoever waits for it then finds that it is no more the file with that name.
                if _is_at(handle, self._place):
                    self._place.unlink(missing_ok=True)
            finally:
                os.close(handle)

    def _taken(self) -> int:
        while True:
            handle = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(handle, self._place):
                    return handle
            except BlockingIOError:
                os.close(handle)
                raise in_use(self._journal) from None
            except OSError:
                os.close(handle)
                raise
            os.close(handle)


def _is_at(handle: int, place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), place.stat(follow_symlinks=False))
    except FileNotFoundError:
        return False
