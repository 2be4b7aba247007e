"""Many distinct certificates quickly: one template whose number, in serial, names and subject, is replaced and signed anew."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from dnscertscan.demo.authority import Authority, new_key

_DIGITS = 8
_MARK = b"90909090"


def _tlv(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else b"\x82" + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


class Mint:
    """Leaves of one issuing CA for ``host<number>.bench.test``, 30 microseconds each."""

    def __init__(self, name: str, now: datetime) -> None:
        self.root = Authority.root(f"{name} Root", now=now)
        self.issuing = self.root.intermediate(f"{name} CA")
        self.sent = self.issuing.certificate.public_bytes(Encoding.DER)
        serial = int.from_bytes(_MARK, "big")

        def amend(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
            builder._serial_number = serial  # noqa: SLF001 - the builder has a random number already and takes no second one
            return builder

        made = self.issuing.leaf(self.name(int(_MARK)), f"www.{self.name(int(_MARK))}", key=new_key("ec"), amend=amend)
        self._template = made.certificate.tbs_certificate_bytes
        self._algorithm = _tlv(0x30, bytes.fromhex("06082a8648ce3d040302"))

    @staticmethod
    def name(number: int) -> str:
        return f"host{number:0{_DIGITS}}.bench.test"

    def leaf(self, number: int) -> bytes:
        """DER of the leaf for ``name(number)``."""
        signed = self._template.replace(_MARK, f"{number:0{_DIGITS}}".encode())
        key = self.issuing.credential.key
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
        return _tlv(0x30, signed + self._algorithm + _tlv(0x03, b"\0" + signature))


class Shelf:
    """Certificates in a file, so that what a judge remembers of them is all the memory they take."""

    def __init__(self, path: Path, certificates: Iterator[bytes]) -> None:
        self._places: list[int] = [0]
        with path.open("wb") as file:
            for der in certificates:
                file.write(der)
                self._places.append(file.tell())
        self._file: IO[bytes] = path.open("rb")

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, number: int) -> bytes:
        self._file.seek(self._places[number])
        return self._file.read(self._places[number + 1] - self._places[number])
