"""Long octet strings (certificates, OCSP responses, SCT lists) kept once each, whoever sent them how often."""

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import sha256

from dnscertscan.model.certificates import Certificate
from dnscertscan.store.database import Database, damaged

_REMEMBERED = 1024
TABLE = "CREATE TABLE octets (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, data BLOB NOT NULL)"


class Octets:
    """Numbers for octet strings and back; the most used are remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: OrderedDict[bytes, int] = OrderedDict()
        self._certificates: OrderedDict[int, Certificate] = OrderedDict()

    def number_of(self, certificate: Certificate) -> int:
        """The number of a certificate, which is kept."""
        return self._put(bytes.fromhex(certificate.sha256), certificate.der)

    def number(self, data: bytes | None) -> int | None:
        """The number of any octets, which are kept; None of none."""
        return None if data is None else self._put(sha256(data).digest(), data)

    def certificate(self, number: int) -> Certificate:
        """The certificate kept under a number."""
        found = self._certificates.get(number)
        if found is None:
            digest, data = self._get(number)
            found = self._certificates[number] = Certificate(data)
            if found.sha256 != digest.hex():
                raise damaged(self._database.place, f"entry {number} does not match its digest")
            if len(self._certificates) > _REMEMBERED:
                self._certificates.popitem(last=False)
        else:
            self._certificates.move_to_end(number)
        return found

    def data(self, number: int | None) -> bytes | None:
        """The octets kept under a number."""
        return None if number is None else self._get(number)[1]

    def certificates(self, shown: bytearray) -> Iterator[Certificate]:
        """The certificates whose numbers ``shown`` has marked, in the order of their digests."""
        for digest, number in self._database.pages("SELECT sha256, id FROM octets WHERE sha256 > ? ORDER BY sha256", b""):
            if number < len(shown) and shown[number]:
                found = Certificate(self._get(number)[1])
                if found.sha256 != digest.hex():
                    raise damaged(self._database.place, f"entry {number} does not match its digest")
                yield found

    def _put(self, digest: bytes, data: bytes) -> int:
        number = self._numbers.get(digest)
        if number is not None:
            self._numbers.move_to_end(digest)
            return number
        row = self._database.row("SELECT id FROM octets WHERE sha256 = ?", (digest,))
        number = row[0] if row else self._database.write("INSERT INTO octets (sha256, data) VALUES (?, ?)", (digest, data))
        self._numbers[digest] = number
        if len(self._numbers) > _REMEMBERED:
            self._numbers.popitem(last=False)
        return number

    def _get(self, number: int) -> tuple[bytes, bytes]:
        row = self._database.row("SELECT sha256, data FROM octets WHERE id = ?", (number,))
        if row is None or not isinstance(row[0], bytes) or not isinstance(row[1], bytes):
            raise damaged(self._database.place, f"entry {number} is missing")
        return row[0], row[1]
