"""What an output format is: a name, the file endings that ask for it, and a pure function from a report to bytes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module

from dnscertscan.model.report import Report

CHUNK = 64 * 1024
"""Octets (about) that a renderer collects before it hands them on."""


@dataclass(frozen=True, slots=True)
class Format:
    """One output format. ``render`` does no I/O and yields the document in pieces; a report gives the same octets every time.

    Observations, findings and coverage rows are written in the order the report has them in.
    """

    name: str
    endings: tuple[str, ...]
    """File endings in lower case with the dot, ``.csv``; a format without any is for standard output only."""
    render: Callable[[Report], Iterator[bytes]]
    binary: bool = False
    """Whether the octets are nothing for a terminal."""


def later(module: str, function: str) -> Callable[[Report], Iterator[bytes]]:
    """A renderer that is imported when it is asked for: what it needs of others would cost every start time and memory."""

    def render(report: Report) -> Iterator[bytes]:
        made: Iterator[bytes] = getattr(import_module(module), function)(report)
        return made

    render.__module__, render.__name__ = module, function
    return render


def in_chunks(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts joined and encoded (UTF-8), handed on in pieces of about :data:`CHUNK` octets."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= CHUNK:
            yield "".join(held).encode()
            held.clear()
            size = 0
    if held:
        yield "".join(held).encode()


def utc(moment: datetime | None) -> str | None:
    """``2026-12-01T00:00:00+00:00``, or None."""
    return None if moment is None else moment.astimezone(UTC).isoformat()
