"""The reviewed file: issuances learnt for a person to look at (TOML); only what he marks as accepted counts, until its end."""

import fcntl
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from dnscertscan.ct.inventory_values import FAULTS, LONGEST, Decision, Item, Kind, State, end_of
from dnscertscan.errors import ConfigError, OutputError
from dnscertscan.model.text import visible
from dnscertscan.settings.openfile import open_file

Tell = Callable[[str], None]
TABLE = "issuance"
_MAX_OCTETS = 32 << 20
_TBS = re.compile(r"[0-9a-f]{64}")
_REVIEW = "review"
_NEVER = datetime.max.replace(tzinfo=UTC)
_COUNTING = {"accept": Kind.ACCEPT, "reject": Kind.REJECT}
_HEAD = """\
# Certificates that `dnscertscan ct inventory --learn` found and did not know. None of them counts as known yet. Look at each.
# If it is yours, write decision = "accept" (or "reject", then it stays an alarm) and check `until`, the last day that it is
# accepted, within 400 days; a rejection has no end. Use the file with --accept. Certificates of a CA that is not among
# --issuer, and such with a serial number that the CA has used twice, are never written here, and an entry for one does not
# count.
"""


def read_reviewed(path: Path, tell: Tell, *, may_miss: bool = False, at: datetime | None = None) -> tuple[Decision, ...]:
    """The entries a person has decided about; ``tell`` takes a line for each that does not count though it should.

    Those whose end has come are among them. What is accepted for longer than :data:`LONGEST` from ``at`` does not count; a
    rejection has no end. Raises :class:`ConfigError` for a file that cannot be used; with ``may_miss`` one
    that is not there has no entries.
    """
    try:
        with open_file(path) as handle:
            raw = handle.read(_MAX_OCTETS + 1)
            mode = os.fstat(handle.fileno()).st_mode
    except FileNotFoundError:
        if may_miss:
            return ()
        raise ConfigError(f"{visible(str(path))}: no such file; make it with --learn, then look at each entry") from None
    except OSError as problem:
        raise ConfigError(f"{visible(str(path))}: cannot read the reviewed file: {problem.strerror}") from problem
    place = visible(str(path), 300)
    if mode & 0o002:
        raise ConfigError(f"{place}: everybody may write to it, so it proves nobody's decision; chmod o-w it")
    return tuple(_decisions(_tables(raw, place), place, tell, at + LONGEST + timedelta(days=1) if at else _NEVER))


def _tables(raw: bytes, place: str) -> list[object]:
    if len(raw) > _MAX_OCTETS:
        raise ConfigError(f"{place}: larger than {_MAX_OCTETS} octets; this is no reviewed file")
    try:
        found = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise ConfigError(f"{place}: not UTF-8 at octet {problem.start}") from problem
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise ConfigError(f"{place}: not TOML: {visible(str(problem), 200)}") from problem
    unknown = sorted(set(found) - {TABLE})
    tables = found.get(TABLE, [])
    if unknown or not isinstance(tables, list):
        what = f"has {visible(unknown[0], 60)!r}" if unknown else f"has one {TABLE!r} that is no list"
        raise ConfigError(f"{place}: {what}; a reviewed file has only tables [[{TABLE}]]")
    return tables


def _decisions(tables: Iterable[object], place: str, tell: Tell, latest: datetime) -> Iterator[Decision]:
    for number, table in enumerate(tables, start=1):
        entry = table if isinstance(table, dict) else {}
        tbs, word = entry.get("tbs_sha256"), entry.get("decision", _REVIEW)
        where = f"{place}: entry {number}"
        if not isinstance(tbs, str) or not _TBS.fullmatch(tbs.lower()):
            tell(f"{where}: tbs_sha256 is not 64 hexadecimal digits; it does not count")
            continue
        where = f"{where} ({tbs[:16].lower()}...)"
        if word == _REVIEW:
            continue
        kind = _COUNTING.get(word) if isinstance(word, str) else None
        if kind is None:
            tell(f"{where}: decision is {visible(str(word), 40)!r}, not review, accept or reject; it does not count")
            continue
        until = _end(entry.get("until"))
        if until is None and kind is Kind.ACCEPT:
            tell(f"{where}: accepted without an end (until = 2027-01-31, say); it does not count")
            continue
        if kind is Kind.ACCEPT and until and until > latest:
            step = f"write an end within the next {LONGEST.days} days"
            tell(f"{where}: accepted until {until:%Y-%m-%d}, which is as good as for ever; it does not count: {step}")
            continue
        reason = entry.get("reason", "")
        yield Decision(
            tbs.lower(), kind, until if until and kind is Kind.ACCEPT else _NEVER,
            reason[:1000] if isinstance(reason, str) else "", place,
        )


def _end(found: object) -> datetime | None:
    if not isinstance(found, (str, date)):  # a datetime is a date
        return None
    try:
        return end_of(found)
    except (ValueError, OverflowError):
        return None


def learnable(items: Iterable[Item]) -> list[Item]:
    """What may be learnt: unknown issuances, never one with an alarm, rejected, or whose CA cannot be told."""
    return [item for item in items if item.state is State.UNKNOWN and not item.faults & FAULTS]


def learn(path: Path, items: Iterable[Item], until: datetime, at: datetime) -> int:
    """Add what is learnable and not in the file yet, marked for review; how many were added.

    What stands there stays as it is, to the octet. The file is replaced as a whole, and processes take turns. Raises
    :class:`ConfigError` for a file that is none of ours, :class:`OutputError` when it cannot be written.
    """
    place = visible(str(path), 300)
    try:
        target = path.resolve()
        with _turn(target.parent):
            try:
                with open_file(target) as handle:
                    old, mode = handle.read(_MAX_OCTETS + 1), os.fstat(handle.fileno()).st_mode & 0o777
            except FileNotFoundError:
                old, mode = b"", 0o640
            there = {str(entry.get("tbs_sha256", "")).lower() for entry in _tables(old, place) if isinstance(entry, dict)}
            new = [item for item in learnable(items) if item.issuance.tbs_sha256 not in there]
            if new:
                text = "".join(_entry(item, until, at) for item in new)
                start = old if old.endswith(b"\n") or not old else old + b"\n"
                _replace(target, (start or _HEAD.encode()) + text.encode(), mode)
    except (OSError, RuntimeError) as problem:
        why = getattr(problem, "strerror", None) or "a loop of links"
        raise OutputError(f"{place}: cannot write what was learnt: {why}; name another file with --learn") from problem
    return len(new)


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One process after the other, without a file that stays behind."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(target: Path, content: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except OSError:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _entry(item: Item, until: datetime, at: datetime) -> str:
    one = item.issuance
    fields: list[tuple[str, str]] = [
        ("tbs_sha256", _text(one.tbs_sha256)),
        ("decision", f'{_text(_REVIEW)}  # "accept" or "reject", once you have looked at it'),
        ("until", f"{until:%Y-%m-%d}"),
        ("reason", _text("")),
        ("names", f"[{', '.join(_text(name) for name in one.names[:100])}]"),
        ("issuer", _text(one.issuer)), ("issuer_key_sha256", _text(item.issuer_key)), ("serial", _text(one.serial)),
        ("not_before", _moment(one.not_before)), ("not_after", _moment(one.not_after)),
        ("key_sha256", _text(one.key_sha256 or "")),
        ("seen", f"[{', '.join(map(_text, item.sources))}]"), ("learnt", _moment(at)),
    ]
    return f"\n[[{TABLE}]]\n" + "".join(f"{name} = {value}\n" for name, value in fields)


def _text(text: str) -> str:
    """A TOML string, safe to show. JSON's escapes are TOML's, for there is nothing left that JSON writes otherwise."""
    return json.dumps(visible(text, 1000), ensure_ascii=False)


def _moment(when: datetime | None) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if when else '""'
