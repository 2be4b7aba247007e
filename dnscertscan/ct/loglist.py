"""The lists of CT logs a run judges by: the seed of this package, and over it what was fetched or named since."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from importlib import resources
from pathlib import Path

from dnscertscan.ct.loglist_fields import has_right_id
from dnscertscan.ct.loglist_formats import MAX_OCTETS, read
from dnscertscan.ct.loglist_guards import APPLE, GOOGLE, OWN, Seal, age_problem, examine
from dnscertscan.ct.loglist_history import over
from dnscertscan.ct.loglist_signature import MAX_KEY, MAX_SIGNATURE
from dnscertscan.ct.loglist_store import Kept, Store
from dnscertscan.ct.loglist_values import Examined, Objection, Weight
from dnscertscan.errors import ConfigError
from dnscertscan.model.ct import LogList
from dnscertscan.model.text import visible
from dnscertscan.settings.models import Ct
from dnscertscan.settings.openfile import open_file

Tell = Callable[[str], None]
"""Takes a warning: one line, safe to show."""
SEED = "seed"
SEED_FILE = "loglist-seed.json"
SEED_BEGINS = datetime(2023, 3, 8, tzinfo=UTC)
"""The day of the oldest list that the seed was made of."""


@lru_cache(maxsize=1)
def seed() -> LogList:
    """The list that ships with the package, with the history of its logs."""
    raw = resources.files("dnscertscan.ct").joinpath("data", SEED_FILE).read_bytes()
    draft = read(raw)
    if isinstance(draft, Objection) or not all(map(has_right_id, draft.logs)):
        raise ConfigError("the list of CT logs of this installation is damaged; install dnscertscan again")
    logs = {log.log_id: log for log in draft.logs}
    return LogList(SEED, draft.version, draft.timestamp, logs, "shipped with dnscertscan", signed=False, begins=SEED_BEGINS)


def load(settings: Ct, folder: Path | None, at: datetime, tell: Tell, *, base: LogList | None = None) -> LogList:
    """The list to judge by at ``at``: the seed, over it Google's kept lists in their order, beside them the operator's own.

    ``folder`` is where lists are kept (None: nowhere). A kept list that is damaged is passed over and told; the file that the
    settings name must be usable (:class:`ConfigError`). A list older than 70 days is told. ``base`` stands in for the seed.
    """
    found = base or seed()
    store = Store(folder) if folder else None
    for one in _kept(store, GOOGLE, tell):
        if one.timestamp > found.timestamp and (examined := _read(one, at, tell)):
            found = _laid_over(found, examined)
    for one in _kept(store, OWN, tell)[-1:]:
        if examined := _read(one, at, tell):
            found = _laid_over(found, examined)
    if settings.log_list:
        examined = examine_file(settings.log_list, settings.log_list_signature, settings.log_list_key, at)
        if examined.log_list is None or examined.refused:
            raise ConfigError(f"ct.log_list: {settings.log_list}: {examined.objections[0]}")
        for objection in examined.objections:
            if objection.weight is not Weight.NOTE:
                tell(f"{settings.log_list}: {objection}")
        found = _laid_over(found, examined)
    if problem := age_problem(found, at):
        tell(problem)
    return found


def load_apple(folder: Path | None, at: datetime, tell: Tell) -> LogList | None:
    """Apple's newest kept list; its states are those of Apple's program, so that it is not mixed with the other."""
    return newest_kept(Store(folder), APPLE, at, tell) if folder else None


def newest_kept(store: Store, name: str, at: datetime, tell: Tell) -> LogList | None:
    """The newest usable list of that name in the store, alone."""
    for one in reversed(_kept(store, name, tell)):
        if examined := _read(one, at, tell):
            return examined.log_list
    return None


def examine_file(path: Path, signature: Path | None, key: Path | None, at: datetime, kept: LogList | None = None) -> Examined:
    """A list in a file, its signature and key in others; without a signature it is the operator's own file."""
    return examine(read_file(path, MAX_OCTETS, "list of CT logs"), str(path), seal_of(signature, key), at, kept)


def seal_of(signature: Path | None, key: Path | None) -> Seal:
    """The seal in two files."""
    octets = read_file(signature, MAX_SIGNATURE, "signature") if signature else None
    return Seal(octets, read_file(key, MAX_KEY, "key") if key else None, waived=octets is None)


def read_file(path: Path, limit: int, what: str) -> bytes:
    """The octets of a file, one more than ``limit`` at most; raises :class:`ConfigError`."""
    try:
        with open_file(path) as handle:
            return handle.read(limit + 1)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot read the {what}: {problem.strerror}") from problem


def _kept(store: Store | None, name: str, tell: Tell) -> tuple[Kept, ...]:
    try:
        return store.kept(name) if store else ()
    except OSError as problem:
        tell(f"{problem.filename}: the kept lists of CT logs cannot be read: {problem.strerror}; the seed list is used")
        return ()


def _read(one: Kept, at: datetime, tell: Tell) -> Examined | None:
    try:
        raw, seal = one.read()
    except OSError as problem:
        tell(f"{one.path}: cannot be read: {problem.strerror}; passed over")
        return None
    examined = examine(raw, str(one.path), seal, max(at, one.timestamp))
    if examined.log_list is None or examined.refused:
        tell(f"{visible(str(one.path), 300)}: {examined.objections[0]} (passed over; remove the file)")
        return None
    if (examined.log_list.name, examined.log_list.timestamp.replace(microsecond=0)) != (one.name, one.timestamp):
        tell(f"{visible(str(one.path), 300)}: is not what its name says; passed over; remove the file")
        return None
    return examined


def _laid_over(found: LogList, examined: Examined) -> LogList:
    """Google's list over what is there unless that is newer; any other beside it."""
    mine = examined.log_list
    if mine is None:
        return found
    if mine.name == GOOGLE:
        return over(found, mine, spared=examined.left_out) if mine.timestamp > found.timestamp else found
    mixed = over(found, mine, complete=False)
    return replace(mixed, name=f"{found.name}+{mine.name}", signed=found.signed and mine.signed)


def states(log_list: LogList, at: datetime) -> Mapping[str, int]:
    """How many logs are in each state at ``at``."""
    counted: dict[str, int] = {}
    for log in log_list.logs.values():
        state = log.state_at(at)
        counted[state.value if state else "unlisted"] = counted.get(state.value if state else "unlisted", 0) + 1
    return counted
