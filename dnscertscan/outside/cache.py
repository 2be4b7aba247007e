"""Answers kept on disk from run to run: one file per URL, written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

LONGEST = timedelta(days=7)
"""Nothing is kept longer, whatever it says of itself."""
_SUFFIX, _PART = ".answer", ".part"


class Cache:
    """A folder of answers, private to its owner. Nothing in it is trusted more than what came over the network."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Make the folder where it is missing and drop what was written more than :data:`LONGEST` ago; raises OSError."""
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep(now - LONGEST)

    def load(self, url: str, now: datetime, max_bytes: int) -> bytes | None:
        """The answer of ``url`` if there is one that is still to be used at ``now``."""
        try:
            with self._path(url).open("rb") as handle:
                until, _, kept_url = handle.readline(8192).decode("ascii").rstrip("\n").partition(" ")
                end = datetime.fromisoformat(until)
                if kept_url != url or not now < end <= now + LONGEST:
                    return None
                body = handle.read(max_bytes + 1)
        except (OSError, ValueError, TypeError):
            return None  # not there, not ours, or cut off: it is fetched again
        return body if len(body) <= max_bytes else None

    def store(self, url: str, body: bytes, until: datetime) -> None:
        """Keep ``body`` until then; raises OSError. Readers see the old file or the new one, never half of it."""
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=_PART)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(f"{until.isoformat()} {url}\n".encode("ascii"))
                file.write(body)
            Path(name).replace(self._path(url))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _path(self, url: str) -> Path:
        return self._folder / (sha256(url.encode("utf-8", "surrogatepass")).hexdigest() + _SUFFIX)

    def _sweep(self, oldest: datetime) -> None:
        for path in self._folder.iterdir():
            if path.suffix in (_SUFFIX, _PART):
                with suppress(OSError):  # another run was quicker
                    if path.stat().st_mtime < oldest.timestamp():
                        path.unlink()
