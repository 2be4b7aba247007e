"""Certificates, keys and CSRs in the octets of one file; of a private key only its public half comes out of here."""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import der
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import parse

_MARK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,60})-----")
_CERTIFICATES = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
_REQUESTS = frozenset({b"CERTIFICATE REQUEST", b"NEW CERTIFICATE REQUEST"})
_PUBLIC = frozenset({b"PUBLIC KEY", b"RSA PUBLIC KEY"})
_STARTS = ("-----BEGIN ", "LS0tLS1CRUdJTi")
"""How a text in JSON begins that is PEM, or base64 of PEM."""
_USUAL = frozenset({".pem", ".crt", ".cer", ".der", ".key", ".csr", ".req", ".pub"})
_STORES = {".p12": "PKCS #12", ".pfx": "PKCS #12", ".p7b": "PKCS #7", ".p7c": "PKCS #7", ".jks": "Java keystore"}
_MAX_BLOCKS, _MAX_KEY, _MAX_NODES = 5000, 1 << 16, 50_000
_ENCRYPTED = "the private key is encrypted, so its public half cannot be read; name its certificate or CSR instead"
_NOTHING = "no certificate, key or CSR in it"


@dataclass(slots=True)
class Contents:
    """What one file has. ``keys`` are SHA-256 digests of SubjectPublicKeyInfos, ``names`` those that CSRs ask for."""

    certificates: list[Certificate] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def is_useful(self) -> bool:
        """Whether there is anything of use."""
        return bool(self.certificates or self.keys)


def read_contents(path: Path, data: bytes, *, named: bool) -> Contents:
    """Everything in a file: PEM, DER, or JSON with PEM in it (as Traefik keeps its certificates).

    A file without anything of that kind is only a problem when it was ``named``, or is called like one that has; problems are
    one line each, and never show what is in the file.
    """
    found, kind = Contents(), path.suffix.lower()
    if kind == ".json":
        for text in _texts(data):
            _read_pem(text, found)
    elif _MARK.search(data):
        _read_pem(data, found)
    elif data[:1] == b"\x30":
        _read_der(data, found, expected=named or kind in _USUAL)
    if not found.is_useful and kind in _STORES:
        found.problems = [f"{store_kind(path)} files are not read; write its certificates as PEM beside it"]
    elif not found.is_useful and not found.problems and (named or kind in _USUAL):
        found.problems = [_NOTHING]
    return found


def store_kind(path: Path) -> str:
    """What a file is that is called so and keeps certificates in a form that is not read here; empty for others."""
    return _STORES.get(path.suffix.lower(), "")


def _blocks(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Label, line, and the whole block; empty where its END line is missing. One pass, whatever the octets are."""
    begin: re.Match[bytes] | None = None
    line, counted = 1, 0
    for mark in _MARK.finditer(data):
        if mark[1] == b"END":
            if begin and begin[2] == mark[2]:
                yield mark[2], line, data[begin.start() : mark.end()]
            begin = None
            continue
        if begin:
            yield begin[2], line, b""
        line += data.count(b"\n", counted, mark.start())
        begin, counted = mark, mark.start()
    if begin:
        yield begin[2], line, b""


def _read_pem(data: bytes, found: Contents) -> None:
    for number, (label, line, block) in enumerate(_blocks(data)):
        if number >= _MAX_BLOCKS:
            found.problems.append(f"more than {_MAX_BLOCKS} PEM blocks, the others were not read")
            return
        problem = "" if block else f"block 'BEGIN {label.decode()}' has no matching END line"
        if not block:
            pass
        elif label in _CERTIFICATES:
            problem = _certificates(block, found)
        elif label in _REQUESTS:
            problem = _request(_decoded(block), found)
        elif label == b"ENCRYPTED PRIVATE KEY":
            problem = _ENCRYPTED
        elif label.endswith(b"PRIVATE KEY"):
            problem = _private(load_pem_private_key, block, found)
        elif label in _PUBLIC:
            problem = _public(block, found, load_pem_public_key)
        if problem:
            found.problems.append(f"line {line}: {problem}")


def _read_der(data: bytes, found: Contents, *, expected: bool) -> None:
    """One thing, whatever it is."""
    if not _certificates(data, found) or not _request(data, found):
        return
    problem = _private(load_der_private_key, data, found)
    if problem and problem != _ENCRYPTED and not _public(data, found, load_der_public_key):
        return
    if problem and expected:
        found.problems.append(problem if problem == _ENCRYPTED else _NOTHING)


def _certificates(data: bytes, found: Contents) -> str:
    chain = [one for one in read_chain(data)[0] if not parse(one).problem]
    found.certificates += chain
    return "" if chain else "the certificate cannot be read"


def _decoded(block: bytes) -> bytes:
    """The octets of a PEM block; none where it is not base64."""
    body = block[block.index(b"-----", 5) + 5 : block.rindex(b"-----END ")]
    try:
        return b64decode(body.translate(None, bytes(range(33))), validate=True)
    except Base64Error:
        return b""


def _request(data: bytes, found: Contents) -> str:
    """A CSR (RFC 2986 4): its key as it stands there; its names where they can be read."""
    try:
        start, stop = der.whole(data, der.SEQUENCE, "CSR")
        info, end = der.expect(data, start, stop, der.SEQUENCE, "CSR")
        _, pos = der.expect(data, info, end, der.INTEGER, "version")
        _, key = der.expect(data, pos, end, der.SEQUENCE, "subject")
        _, key_stop = der.expect(data, key, end, der.SEQUENCE, "public key")
        load_der_public_key(data[key:key_stop])
    except (der.DerError, ValueError, TypeError, UnsupportedAlgorithm):
        return "the CSR cannot be read"
    found.keys.append(sha256(data[key:key_stop]).hexdigest())
    with suppress(ValueError, TypeError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.InvalidVersion,
                  x509.UnsupportedGeneralNameType):
        asked = x509.load_der_x509_csr(data).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found.names += asked.value.get_values_for_type(x509.DNSName)
    return ""


def _private(load: Callable[..., PrivateKeyTypes], data: bytes, found: Contents) -> str:
    """The digest of the public half; the words of the library are never passed on."""
    if len(data) > _MAX_KEY:
        return "the private key is too long to be one"
    try:
        public = load(data, None, unsafe_skip_rsa_key_validation=True).public_key()
        spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except TypeError:
        return _ENCRYPTED
    except (ValueError, UnsupportedAlgorithm):
        return "the private key cannot be read; write it as PEM (PKCS #8), or name its certificate or CSR"
    found.keys.append(sha256(spki).hexdigest())
    return ""


def _public(data: bytes, found: Contents, load: Callable[[bytes], PublicKeyTypes]) -> str:
    if len(data) > _MAX_KEY:
        return "the key is too long to be one"
    try:
        public = load(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "the public key cannot be read"
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found.keys.append(sha256(spki).hexdigest())
    return ""


def _texts(data: bytes) -> Iterator[bytes]:
    """The texts in JSON that are PEM, decoded where they are base64 of it."""
    try:
        left: list[object] = [json.loads(data)]
    except (ValueError, RecursionError):
        return
    for _ in range(_MAX_NODES):
        if not left:
            return
        one = left.pop()
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        elif isinstance(one, str) and one.startswith(_STARTS[0]):
            yield one.encode("utf-8", "replace")
        elif isinstance(one, str) and one.startswith(_STARTS[1]):
            with suppress(Base64Error, ValueError):
                yield b64decode(one)
