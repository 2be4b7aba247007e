"""Write the seed list that ships with the package, out of dated lists: how a release refreshes it.

    python -m dnscertscan.ct.make_seed LIST.json... [--partial LIST.json...] -o dnscertscan/ct/data/loglist-seed.json

Each LIST is one of Google's log_list.json of some day with its log_list.sig beside it (same name, ending .sig), or a list in our
own format, which need not be signed: a seed made earlier, or facts taken from a list whose signature nobody kept; its "sources"
say which. The order does not matter. A ``--partial`` list speaks only of the logs it names; it needs no signature. Every log of
the seed says in its "source" which list was the newest that spoke of it. Same lists in, same octets out.
"""

import argparse
import json
import sys
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dnscertscan.ct.loglist_formats import FORMAT, MAX_OCTETS, write
from dnscertscan.ct.loglist_guards import Seal, examine
from dnscertscan.ct.loglist_history import over
from dnscertscan.ct.loglist_values import Weight
from dnscertscan.errors import UsageError
from dnscertscan.model.ct import LogList

_END = datetime(9000, 1, 1, tzinfo=UTC)
"""Dates in the future are looked for where a list is put to use."""
_ABOUT = (
    "Facts about CT logs (operators, ids, keys, URLs, states with dates) from the lists of Chrome's CT program named here. "
    "The date is that of the newest complete list. A log that left the lists is rejected from the next list on. The source of "
    "a log is the newest list that speaks of it. A list of which only a copy without signature is at hand is named as such; in "
    "any case an id is the SHA-256 of the key."
)


@dataclass(frozen=True, slots=True)
class _Source:
    """A list, whether it speaks of all logs, what it is called, and where it has each of its logs from."""

    log_list: LogList
    complete: bool
    sources: tuple[str, ...]
    partial_sources: tuple[str, ...]
    origins: Mapping[bytes, str]


def make(lists: Sequence[Path], partial: Sequence[Path]) -> str:
    """The seed in our own format; :class:`UsageError` for a list that cannot be used."""
    given = [*(_read(path, complete=True) for path in lists), *(_read(path, complete=False) for path in partial)]
    given.sort(key=lambda one: (one.log_list.timestamp, one.complete, one.sources))
    first = next((one for one in given if one.complete), None)
    if first is None:
        raise UsageError("no list is named; name Google's log_list.json of several days")
    found, origins = first.log_list, dict(first.origins)
    for newer in given:
        if newer is not first:
            found = over(found, newer.log_list, complete=newer.complete)
            origins |= newer.origins
    names = {"sources": list(_named(given, complete=True)), "partial_sources": list(_named(given, complete=False))}
    return write(found, {"about": _ABOUT, **names}, {log_id: {"source": origins[log_id]} for log_id in found.logs})


def _named(given: Sequence[_Source], *, complete: bool) -> Iterator[str]:
    """The names of complete lists, or of the others; those that an earlier seed was made of are not forgotten."""
    told = [name for one in given for name in (one.sources if one.complete is complete else ())]
    earlier = [name for one in given if one.complete and not complete for name in one.partial_sources]
    yield from dict.fromkeys([*earlier, *told])


def _read(path: Path, *, complete: bool) -> _Source:
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_OCTETS + 1)
        own = f'"{FORMAT}"'.encode() in raw[:100]
        seal = Seal(path.with_suffix(".sig").read_bytes()) if complete and not own else Seal(waived=True)
    except OSError as problem:
        words = f"{problem.filename}: cannot be read: {problem.strerror}; a complete list needs its .sig beside it"
        raise UsageError(words) from None
    examined = examine(raw, str(path), seal, _END)
    if examined.log_list is None or not examined.clean:
        raise UsageError(f"{path}: {next(one for one in examined.objections if one.weight is not Weight.NOTE)}")
    found = examined.log_list
    data: dict[str, Any] = json.loads(raw) if own else {}
    sources = tuple(map(str, data.get("sources", ()))) or (f"Chrome log list {found.version} of {found.timestamp:%Y-%m-%d}",)
    origins = dict.fromkeys(found.logs, sources[-1])
    origins |= {b64decode(log["log_id"]): str(log["source"]) for log in data.get("logs", ()) if "source" in log}
    return _Source(found, complete, sources, tuple(map(str, data.get("partial_sources", ()))), origins)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; 2 when a list cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m dnscertscan.ct.make_seed", description="Write the seed list of CT logs.")
    parser.add_argument("lists", nargs="+", type=Path, metavar="LIST")
    parser.add_argument("--partial", action="append", type=Path, default=[], metavar="LIST")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    given = parser.parse_args(arguments)
    try:
        given.output.write_text(make(given.lists, given.partial), encoding="utf-8")
    except UsageError as problem:
        sys.stderr.write(f"make_seed: {problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
