"""What is said of each target, kept in scratch space: verdicts for the report, and what was told before everything was known."""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

from dnscertscan.model.endpoints import Target
from dnscertscan.model.observations import Observation
from dnscertscan.model.report import Place
from dnscertscan.store.codec import pack, unpack
from dnscertscan.store.keys import key_octets, target_key
from dnscertscan.store.scratch import Scratch

_DIGEST = 8


class Verdicts(Mapping[Place, Mapping[str, bool]]):
    """(address, port, server name) -> trust store -> valid."""

    def __init__(self) -> None:
        self._database = Scratch()
        self._database.write(
            "CREATE TABLE verdict (number INTEGER PRIMARY KEY, key BLOB UNIQUE, place BLOB, valid BLOB)"
        )

    def put(self, observation: Observation, valid: Mapping[str, bool]) -> None:
        """Note the verdicts on one target."""
        at = observation.target
        place = (at.endpoint.address, at.endpoint.port, at.server_name.text)
        values = (key_octets(place), pack(place), pack(dict(valid)))
        self._database.write("INSERT OR REPLACE INTO verdict (key, place, valid) VALUES (?, ?, ?)", values)

    def __getitem__(self, place: Place) -> Mapping[str, bool]:
        row = self._database.row("SELECT valid FROM verdict WHERE key = ?", (key_octets(place),))
        if row is None:
            raise KeyError(place)
        valid: dict[str, bool] = unpack(row[0])
        return valid

    def __iter__(self) -> Iterator[Place]:
        for _, place in self._database.pages("SELECT number, place FROM verdict WHERE number > ? ORDER BY number", 0):
            address, port, name = unpack(place)
            yield address, port, name

    def __len__(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM verdict")[0][0])

    def close(self) -> None:
        """Forget them."""
        self._database.close()


class Told:
    """Which messages were told of the targets that more may be said of."""

    def __init__(self) -> None:
        self._database = Scratch()
        self._database.write("CREATE TABLE told (key BLOB PRIMARY KEY, said BLOB NOT NULL) WITHOUT ROWID")
        self._any = False

    def put(self, target: Target, messages: Iterable[str]) -> None:
        """Note what was told of a target."""
        self._any = True
        said = b"".join(map(_digest, messages))
        self._database.write("INSERT OR REPLACE INTO told VALUES (?, ?)", (target_key(target), said))

    def before(self, target: Target) -> "Before | None":
        """What was told of a target; None when all was said of it."""
        row = self._database.row("SELECT said FROM told WHERE key = ?", (target_key(target),)) if self._any else None
        return Before(row[0]) if row else None

    def close(self) -> None:
        """Forget it."""
        self._database.close()


class Before:
    """A set of messages, by their digests."""

    def __init__(self, said: bytes) -> None:
        self._said = {said[start : start + _DIGEST] for start in range(0, len(said), _DIGEST)}

    def __contains__(self, message: str) -> bool:
        return _digest(message) in self._said


def _digest(message: str) -> bytes:
    return blake2b(message.encode("utf-8", "surrogatepass"), digest_size=_DIGEST).digest()
