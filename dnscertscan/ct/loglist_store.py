"""The lists that were accepted, by name and date, in a folder of this user's: the newest is used, the older ones are history."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dnscertscan.ct.loglist_formats import MAX_OCTETS
from dnscertscan.ct.loglist_guards import Seal
from dnscertscan.ct.loglist_signature import MAX_KEY, MAX_SIGNATURE

RECENT, MONTHS = 14, 60
"""Kept of each name: the newest lists, and before them the last one of each month."""
_NAME = re.compile(r"(?P<name>google|apple|own)-(?P<date>\d{8}T\d{6}Z)\.json")
_DATE = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Kept:
    """One list in the folder."""

    path: Path
    name: str
    timestamp: datetime

    def read(self) -> tuple[bytes, Seal]:
        """The list as it was accepted, with what proves it; raises OSError."""
        signature = _bounded(self.path.with_suffix(".sig"), MAX_SIGNATURE)
        return _bounded(self.path, MAX_OCTETS + 1) or b"", Seal(
            signature, _bounded(self.path.with_suffix(".pem"), MAX_KEY), waived=signature is None and self.name != "google"
        )


class Store:
    """A folder of lists. Nothing in it is trusted more than its signature, where it has one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def kept(self, name: str) -> tuple[Kept, ...]:
        """The lists of that name, oldest first; none when the folder is not there. Raises OSError when it cannot be read."""
        return tuple(sorted((one for one in self._all() if one.name == name), key=lambda one: one.timestamp))

    def keep(self, name: str, timestamp: datetime, raw: bytes, seal: Seal) -> Path:
        """Write a list and thin out the old ones; raises OSError. It is there whole or not at all."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / f"{name}-{timestamp.astimezone(UTC):{_DATE}}.json"
        for suffix, content in ((".sig", None if seal.waived else seal.signature), (".pem", None if seal.waived else seal.key)):
            if content is None:
                path.with_suffix(suffix).unlink(missing_ok=True)
            else:
                self._write(path.with_suffix(suffix), content)
        self._write(path, raw)
        for one in _superfluous(self.kept(name)):
            for suffix in (".json", ".sig", ".pem"):
                with suppress(OSError):  # another run was quicker, or it goes next time
                    one.path.with_suffix(suffix).unlink(missing_ok=True)
        return path

    def _write(self, path: Path, content: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _all(self) -> Iterator[Kept]:
        try:
            names = [path.name for path in self.folder.iterdir()]
        except FileNotFoundError:
            return
        for name in names:
            if found := _NAME.fullmatch(name):
                with suppress(ValueError):  # no date of the calendar: not ours
                    yield Kept(self.folder / name, found["name"], datetime.strptime(found["date"], _DATE).replace(tzinfo=UTC))


def _superfluous(kept: tuple[Kept, ...]) -> list[Kept]:
    older = kept[:-RECENT]
    last_of_month = {(one.timestamp.year, one.timestamp.month): one for one in older}
    stay = list(last_of_month.values())[-MONTHS:]
    return [one for one in older if one not in stay]


def _bounded(path: Path, limit: int) -> bytes | None:
    try:
        with path.open("rb") as handle:
            return handle.read(limit)
    except FileNotFoundError:
        return None
