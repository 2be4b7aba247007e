"""The files below some paths, as a person's folders have them: linked, unreadable, endless; each trouble is one line."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dnscertscan.model.text import visible
from dnscertscan.settings.openfile import open_file, special

Tell = Callable[[str], None]
"""Takes one line for a person, safe to show."""
MAX_FILE = 4 << 20
"""Octets of one file; no certificate, key or CSR needs so many, a bundle of all CAs has a tenth."""
_CERTSPOTTER = "is of the state folder of a certspotter, which has what is in CT, not what is yours; passed over"
_Identity = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read at most: seconds, entries of folders, octets of all files together, folders within each other.

    ``lines`` of trouble are told; the others are counted.
    """

    seconds: float = 60.0
    entries: int = 100_000
    octets: int = 512 << 20
    depth: int = 40
    lines: int = 100


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read; ``where`` is its path, safe to show. ``named``: by the user, it was not found in a folder."""

    path: Path
    data: bytes = field(repr=False)
    named: bool

    @property
    def where(self) -> str:
        """The path, safe to show."""
        return visible(str(self.path), 300)


class Lines:
    """Passes lines on up to a limit, and says at the end how many more there were."""

    def __init__(self, tell: Tell, limit: int) -> None:
        self._tell, self._limit, self._count = tell, limit, 0

    def __call__(self, line: str) -> None:
        """One more."""
        self._count += 1
        if self._count <= self._limit:
            self._tell(line)

    def end(self) -> None:
        """There are no more."""
        if self._count > self._limit:
            self._tell(f"and {self._count - self._limit} more lines like that about local files")


class StateFolders:
    """Recognises state folders of certspotter: those that are ``known``, and what has its ``certs``, ``logs`` and ``version``."""

    def __init__(self, known: Sequence[Path] = ()) -> None:
        self._answers: dict[Path, bool] = {}
        for path in known:
            with suppress(OSError, RuntimeError, ValueError):
                self._answers[path.expanduser().resolve()] = True

    def above(self, path: Path) -> bool:
        """Whether ``path``, with all links followed, is one or in one."""
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError):
            return False
        return any(map(self.is_one, (real, *real.parents)))

    def is_one(self, folder: Path) -> bool:
        """Whether this very folder is one."""
        if folder not in self._answers:
            try:
                self._answers[folder] = (
                    (folder / "version").is_file() and (folder / "certs").is_dir() and (folder / "logs").is_dir()
                )
            except OSError:
                return False
        return self._answers[folder]


class Walk:
    """The files below ``paths``, in the order of their names, each once whatever leads to it.

    Links are followed. What is no regular file is never opened, and a file is opened without waiting. ``cut`` says after the walk
    why it ended early (empty: it did not), ``lost`` which of ``paths`` themselves could not be used.

    What certspotter has found is passed over wherever it is met: it is what CT has, not what is ours. ``spared`` are folders of
    its kind that are known to be such; others are recognised by what is in them.
    """

    def __init__(self, paths: Sequence[Path], tell: Tell, limits: Limits, spared: Sequence[Path] = ()) -> None:
        self._paths, self._tell, self._limits = paths, tell, limits
        self._found = StateFolders(spared)
        self._end = time.monotonic() + limits.seconds
        self._entries = self._octets = 0
        self._seen: set[_Identity] = set()
        self.cut = ""
        self.lost: list[str] = []

    def files(self) -> Iterator[File]:
        """One after the other."""
        for path in self._paths:
            yield from self._at(path.expanduser(), (), named=True)
        if self.cut:
            self._tell(f"{self.cut}; what comes behind it was not looked at: name fewer or smaller folders")

    def _at(self, path: Path, above: tuple[_Identity, ...], *, named: bool) -> Iterator[File]:
        if self._is_over(path):
            return
        try:
            found = path.stat()
        except (OSError, ValueError) as problem:
            self._trouble(path, _words(problem), named=named)
            return
        identity = (found.st_dev, found.st_ino)
        if (named or stat.S_ISDIR(found.st_mode) or path.is_symlink()) and self._found.above(path):
            self._tell(f"{visible(str(path), 300)}: {_CERTSPOTTER}")  # not lost: nothing there would be known
        elif stat.S_ISDIR(found.st_mode):
            yield from self._folder(path, identity, above, named=named)
        elif kind := special(found.st_mode):
            self._trouble(path, f"is {kind}, not a file; passed over", named=named)
        elif identity not in self._seen:
            self._seen.add(identity)
            yield from self._file(path, found.st_size, named=named)

    def _folder(self, path: Path, identity: _Identity, above: tuple[_Identity, ...], *, named: bool) -> Iterator[File]:
        if identity in above:
            self._trouble(path, "leads back to a folder above it (a loop of links); passed over", named=named)
            return
        if identity in self._seen:
            return
        if len(above) >= self._limits.depth:
            self._trouble(path, f"more than {self._limits.depth} folders within each other; passed over", named=named)
            return
        self._seen.add(identity)
        names: list[str] = []
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    names.append(entry.name)
                    self._entries += 1
                    if self._is_over(path):
                        return
        except OSError as problem:
            self._trouble(path, _words(problem), named=named)
            return
        for name in sorted(names):
            yield from self._at(path / name, (*above, identity), named=False)
            if self.cut:
                return

    def _file(self, path: Path, size: int, *, named: bool) -> Iterator[File]:
        try:
            data = _contents(path) if size <= MAX_FILE else b""
        except OSError as problem:
            self._trouble(path, _words(problem), named=named)
            return
        if max(size, len(data)) > MAX_FILE:
            self._trouble(path, f"has more than {MAX_FILE} octets, so it is no certificate, key or CSR; passed over", named=named)
        else:
            self._octets += len(data)
            yield File(path, data, named)

    def _is_over(self, path: Path) -> bool:
        limits, shown = self._limits, visible(str(path), 300)
        if self.cut:
            return True
        if self._entries > limits.entries:
            self.cut = f"{shown}: more than {limits.entries} files and folders"
        elif self._octets > limits.octets:
            self.cut = f"{shown}: more than {limits.octets >> 20} MiB of files"
        elif time.monotonic() > self._end:
            self.cut = f"{shown}: reading local files took more than {limits.seconds:g} s"
        return bool(self.cut)

    def _trouble(self, path: Path, what: str, *, named: bool) -> None:
        line = f"{visible(str(path), 300)}: {what}"
        if named:
            self.lost.append(line)
        self._tell(line)


def _contents(path: Path) -> bytes:
    """At most one octet more than allowed."""
    with open_file(path) as handle:
        return handle.read(MAX_FILE + 1)


def _words(problem: OSError | ValueError) -> str:
    return f"cannot be read: {getattr(problem, 'strerror', None) or 'its name is no name of a file'}; passed over"
