"""What the exporter knows: the last results, how the last scans ended, and whether all that can be relied on."""

import struct
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from dnscertscan.exporter import metrics

STALE = 2
"""Intervals after which results are too old to be called healthy."""
_GZIP = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
"""Begins a gzip member without a name and without a time: the same octets for the same text (RFC 1952 2.3)."""


class Outcome(StrEnum):
    """How a scan ended. INCOMPLETE has results, and something is missing in them; FAILED has none."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Page:
    """A document that is asked for, and what makes it gzip: compressed once, however often it is asked for."""

    plain: bytes
    packed: bytes
    """A gzip member without its end: blocks that fill whole octets, none of them the last (RFC 1951 3.2.3)."""
    crc: int

    @classmethod
    def of(cls, text: bytes) -> "Page":
        """Compress it."""
        packer = _packer()
        return cls(text, _GZIP + packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH), zlib.crc32(text))

    def packed_with(self, end: bytes) -> tuple[bytes, bytes]:
        """The page and ``end`` as one gzip member, in two pieces: not every reader takes two members."""
        packer = _packer()
        length = (len(self.plain) + len(end)) & 0xFFFFFFFF
        last = packer.compress(end) + packer.flush() + struct.pack("<II", zlib.crc32(end, self.crc), length)
        return self.packed, last


def _packer() -> "zlib._Compress":
    """Makes blocks alone (RFC 1951), with nothing before or after them."""
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)


_NOTHING = Page.of(b"")


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, twice: seconds since 1970 for people, and seconds of a clock that nobody sets for everything that is measured."""

    wall: float
    steady: float


@dataclass(slots=True)
class State:
    """Written by the thread that scans, read by the one that answers; every method is one step for both."""

    version: str
    interval: float
    begun: Moment
    page: Page = _NOTHING
    """The results of the last scan that had some."""
    reason: str = ""
    """Why the last scan failed, or is not complete; one line, safe to show."""
    _outputs: tuple[str, ...] | None = None
    _last: Outcome | None = None
    _results: Moment | None = None
    _attempt: Moment | None = None
    _scanning: bool = False
    _counted: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def start(self) -> None:
        """A scan begins."""
        with self._lock:
            self._scanning = True

    def succeed(self, page: Page, now: Moment, missing: str = "") -> None:
        """A scan has results; ``missing`` says why they are not complete."""
        with self._lock:
            self._end(Outcome.INCOMPLETE if missing else Outcome.COMPLETE, now, missing)
            self.page, self._results = page, now

    def fail(self, reason: str, now: Moment) -> None:
        """A scan has no results: those of the last one that had some stay."""
        with self._lock:
            self._end(Outcome.FAILED, now, reason)

    def delivered(self, failed: Sequence[str]) -> None:
        """The files and datagrams of the last results are written, but for these: one line each, safe to show."""
        with self._lock:
            self._outputs = tuple(failed)

    def _end(self, outcome: Outcome, now: Moment, reason: str) -> None:
        self._scanning, self._last, self._attempt, self.reason = False, outcome, now, reason
        self._counted[outcome] += 1

    @property
    def failed(self) -> bool:
        """Whether the last scan failed."""
        return self._last is Outcome.FAILED

    def health(self, now: Moment) -> tuple[bool, str]:
        """Whether the results can be relied on, and one line why (not)."""
        with self._lock:
            return self._health(now)

    def _health(self, now: Moment) -> tuple[bool, str]:
        if self._last is Outcome.FAILED:
            kept = f"the results are {_span(now.steady - self._results.steady)} old" if self._results else "there are no results"
            return False, f"the last scan failed ({kept}): {self.reason}"
        if self._results is None:
            return False, "the first scan has not ended yet"
        age = now.steady - self._results.steady
        if age > STALE * self.interval:
            return False, f"the last scan ended {_span(age)} ago, which is more than {STALE} intervals of {_span(self.interval)}"
        bad = [f"is not complete: {self.reason}"] if self._last is Outcome.INCOMPLETE else []
        if self._outputs:
            more = f" (and {len(self._outputs) - 1} more)" if len(self._outputs) > 1 else ""
            bad.append(f"an output could not be written: {self._outputs[0]}{more}")
        return not bad, " and ".join([f"the last scan ended {_span(age)} ago", *bad])

    def own_metrics(self, now: Moment) -> bytes:
        """The exporter's own metrics, as they are at this moment."""
        with self._lock:
            return b"".join(metrics.render(metrics.Figures(
                version=self.version, started=self.begun.wall, interval=self.interval, healthy=self._health(now)[0],
                scanning=self._scanning, succeeded=None if self._last is None else self._last is not Outcome.FAILED,
                attempt=self._attempt.wall if self._attempt else None, results=self._results.wall if self._results else None,
                outputs=None if self._outputs is None else len(self._outputs),
                scans={outcome: self._counted[outcome] for outcome in Outcome},
            )))


def _span(seconds: float) -> str:
    """``90 s``, ``12 min``, ``3.5 h``: for people."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
