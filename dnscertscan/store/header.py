"""Which run a journal belongs to, and how a file shows that it is a journal of ours."""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible
from dnscertscan.store.codec import pack, unpack
from dnscertscan.store.database import Database, damaged

SCHEMA = 1
"""The format's number (``PRAGMA user_version``)."""
APPLICATION = 0x44435343
"""Marks a SQLite file as ours (``PRAGMA application_id``)."""
TABLE = "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)"


@dataclass(frozen=True, slots=True)
class Header:
    """``settings`` is the canonical text of all that decides what is scanned and found; ``started`` is aware UTC."""

    settings: str
    started: datetime
    version: str = ""
    targets: int = 0
    """Targets that were planned; 0 as long as that is not known."""
    ended: bool = False
    """Whether the run was ended completely: then there is nothing to continue."""


def write_header(database: Database, header: Header) -> None:
    """Put the header into a journal."""
    values = {**asdict(header), "started": header.started.isoformat()}
    database.write_all("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(name, pack(value)) for name, value in values.items()])


def read_header(database: Database, place: Path) -> Header:
    """The header of a journal. Raises UsageError when its format is newer than ours, or it is damaged."""
    found = database.rows("PRAGMA user_version")[0][0]
    if found > SCHEMA:
        raise UsageError(
            f"{visible(str(place))}: this journal is of a newer dnscertscan (format {found}, this one reads {SCHEMA}); "
            "continue with that version, or start without --resume"
        )
    try:
        held = {name: unpack(value) for name, value in database.rows("SELECT name, value FROM meta")}
        started = datetime.fromisoformat(held["started"])
        return Header(str(held["settings"]), started, str(held["version"]), int(held["targets"]), bool(held["ended"]))
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise damaged(place, f"its head cannot be read: {problem}") from problem


def is_journal(place: Path) -> bool:
    """Whether a file says of itself that it is a journal of ours. Raises UsageError when it cannot be read."""
    try:
        with place.open("rb") as handle:
            head = handle.read(100)
    except OSError as problem:
        raise UsageError(f"{visible(str(place))}: the journal cannot be read: {problem.strerror}") from problem
    return head.startswith(b"SQLite format 3\0") and head[68:72] == APPLICATION.to_bytes(4, "big")
