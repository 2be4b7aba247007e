"""Taking in a new list: only one that passes every guard replaces the last good one."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dnscertscan.ct.loglist import Tell, newest_kept, seed
from dnscertscan.ct.loglist_guards import GOOGLE, Seal, examine
from dnscertscan.ct.loglist_store import Store
from dnscertscan.ct.loglist_values import Examined
from dnscertscan.errors import OutputError
from dnscertscan.model.ct import LogList

DEFAULT_URL = "https://www.gstatic.com/ct/log_list/v3/log_list.json"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a list: where it is kept now (None when it was refused), and the one in use before it."""

    examined: Examined
    path: Path | None
    before: LogList | None


def take(raw: bytes, source: str, seal: Seal, at: datetime, store: Store, tell: Tell) -> Taken:
    """Examine a list against the one in use, and keep it unless it is refused; :class:`OutputError` when it cannot be written."""
    before = in_use(raw, seal, at, store, tell)
    examined = examine(raw, source, seal, at, before)
    found = examined.log_list
    if found is None or examined.refused:
        return Taken(examined, None, before)
    try:
        path = store.keep(found.name, found.timestamp, raw, seal)
    except OSError as problem:
        place = problem.filename or store.folder
        raise OutputError(f"{place}: the list cannot be kept: {problem.strerror}; the last good one stays in use") from problem
    return Taken(examined, path, before)


def in_use(raw: bytes, seal: Seal, at: datetime, store: Store, tell: Tell) -> LogList | None:
    """The list that this one would replace: the newest kept one of its name; of Google's not one older than the seed."""
    alone = examine(raw, "", seal, at).log_list
    if alone is None:
        return None
    kept = newest_kept(store, alone.name, at, tell)
    if alone.name == GOOGLE and (kept is None or kept.timestamp < seed().timestamp):
        return seed()
    return kept


def signature_place(place: str) -> str:
    """Where the signature of a list lies by custom: beside it, ``.sig`` in place of ``.json``."""
    return place.removesuffix(".json") + ".sig"
