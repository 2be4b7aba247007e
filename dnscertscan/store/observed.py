"""The observations of a run, read from its journal in the order of the targets as often as anybody likes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.store.codec import certificates_in, unpack, unpack_outcome
from dnscertscan.store.database import PAGE, Database, Row, damaged
from dnscertscan.store.keys import target_key
from dnscertscan.store.octets import Octets

TABLE = (
    "CREATE TABLE observation (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, outcome BLOB NOT NULL, engine BLOB NOT NULL, "
    "at TEXT NOT NULL, seconds REAL NOT NULL, final INTEGER NOT NULL)"
)
_ROWS = "SELECT key, outcome, engine, at, seconds FROM observation WHERE key > ? ORDER BY key LIMIT ?"


@dataclass(slots=True)
class Held:
    """Where the observations lie: that changes when the disk of the journal is full, even between two that are read."""

    database: Database
    octets: Octets


class Observed(Collection[Observation]):
    """What is known of ``targets``, which are sorted; what the journal has of other targets is left out.

    Reading raises UsageError when the journal is damaged.
    """

    def __init__(self, held: Held, targets: Sequence[Target]) -> None:
        self._held = held
        self._targets = targets

    def __len__(self) -> int:
        return sum(1 for _ in self._rows())

    def __iter__(self) -> Iterator[Observation]:
        for target, row in self._rows():
            yield self._read(target, row)

    def __contains__(self, item: object) -> bool:
        return any(item == one for one in self)

    def certificates(self) -> Iterator[Certificate]:
        """Every certificate they show, once, in the order of digests."""
        last = self._held.database.rows("SELECT max(id) FROM octets")[0][0] or 0
        shown = bytearray(last + 1)
        for _, row in self._rows():
            for number in certificates_in(row[1]):
                shown[number] = True
        return self._held.octets.certificates(shown)

    def _rows(self) -> Iterator[tuple[Target, Row]]:
        """Each target that was observed, with its row: both come in the same order."""
        rows = self._pages()
        row = next(rows, None)
        before = b""
        for target in self._targets:
            key = target_key(target)
            if key < before:
                raise ValueError("targets are not sorted")
            before = key
            while row is not None and row[0] < key:
                row = next(rows, None)  # a target that is no more
            if row is None:
                return
            if row[0] == key:
                yield target, row

    def _pages(self) -> Iterator[Row]:
        last = b""
        while page := self._held.database.rows(_ROWS, (last, PAGE)):
            yield from page
            last = page[-1][0]

    def _read(self, target: Target, row: Row) -> Observation:
        _, outcome, engine, at, seconds = row
        try:
            seen = unpack_outcome(outcome, self._held.octets)
            return Observation(target, seen, str(unpack(engine)), datetime.fromisoformat(at), float(seconds))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as problem:
            raise damaged(self._held.database.place, f"an observation cannot be read: {problem}") from problem
