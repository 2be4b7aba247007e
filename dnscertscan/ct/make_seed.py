"""Write the seed list that ships with the package, out of dated lists: how a release refreshes it.

    python -m dnscertscan.ct.make_seed LIST.json... [--partial LIST.json...] -o dnscertscan/ct/data/loglist-seed.json

Each LIST is one of Google's log_list.json of some day with its log_list.sig beside it (same name, ending .sig), or a seed made
earlier, which need not be signed. The order does not matter. A ``--partial`` list speaks only of the logs it names; it needs no
signature. Same lists in, same octets out.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dnscertscan.ct.loglist_formats import MAX_OCTETS, write
from dnscertscan.ct.loglist_guards import Seal, examine
from dnscertscan.ct.loglist_history import over
from dnscertscan.ct.loglist_values import Weight
from dnscertscan.errors import UsageError
from dnscertscan.model.ct import LogList

_END = datetime(9000, 1, 1, tzinfo=UTC)
"""Dates in the future are looked for where a list is put to use."""


def make(lists: Sequence[Path], partial: Sequence[Path]) -> str:
    """The seed in our own format; :class:`UsageError` for a list that cannot be used."""
    complete = sorted((_read(path, partial=False) for path in lists), key=lambda one: one.timestamp)
    extra = sorted((_read(path, partial=True) for path in partial), key=lambda one: one.timestamp)
    if not complete:
        raise UsageError("no list is named; name Google's log_list.json of several days")
    found = complete[0]
    for newer in complete[1:]:
        found = over(found, newer)
    for newer in extra:
        found = over(found, newer, complete=False)
    about = {
        "about": "Facts about CT logs (operators, ids, keys, URLs, states with dates) from the lists of Chrome's CT program "
        "named here. The date is that of the newest complete list. A log that left the lists is rejected from the next list on.",
        "sources": [source for one in complete for source in _sources(one)],
        "partial_sources": [source for one in extra for source in _sources(one)],
    }
    return write(found, about)


def _sources(log_list: LogList) -> list[str]:
    """Where a list comes from; an earlier seed names it itself."""
    if not log_list.signed and isinstance(data := json.loads(Path(log_list.source).read_bytes()), dict) and "sources" in data:
        return [str(one) for one in data["sources"]]
    return [f"Chrome log list {log_list.version} of {log_list.timestamp:%Y-%m-%d}"]


def _read(path: Path, *, partial: bool) -> LogList:
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_OCTETS + 1)
        own = b'"dnscertscan/ct-loglist/' in raw[:100]
        seal = Seal(waived=True) if partial or own else Seal(path.with_suffix(".sig").read_bytes())
    except OSError as problem:
        words = f"{problem.filename}: cannot be read: {problem.strerror}; a complete list needs its .sig beside it"
        raise UsageError(words) from None
    examined = examine(raw, str(path), seal, _END)
    if examined.log_list is None or not examined.clean:
        raise UsageError(f"{path}: {next(one for one in examined.objections if one.weight is not Weight.NOTE)}")
    return examined.log_list


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
