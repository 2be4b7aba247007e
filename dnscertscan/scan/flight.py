"""A passive reader of what a TLS server sends first: no socket, no key exchange, only octets in and facts out.

Up to TLS 1.2 the whole first flight is in clear (RFC 5246 7.3). In TLS 1.3 everything after ServerHello is encrypted
(RFC 8446 4.4); :meth:`Flight.unlock` takes the server's handshake traffic secret from whoever did the key exchange. Reading
beside a TLS library instead of asking it keeps the certificates octet by octet as sent, also those the library refuses.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

MAX_CERTIFICATES = 1000
MAX_HELLO_REQUESTS = 50
MAX_RECORDS = 5000
RECORD_HEADER = 5
MAX_RECORD = (1 << 14) + 2048
# RFC 8446 4.1.3: the random of a ServerHello that only asks for another hello.
_RETRY_RANDOM = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
_STATUS_REQUEST, _ALPN, _SCT, _SUPPORTED_VERSIONS, _KEY_SHARE = 5, 16, 18, 43, 51
PROTOCOLS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2", 0x0304: "TLS 1.3"}


class Record(IntEnum):
    """Record types (RFC 8446 5.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class Message(IntEnum):
    """Handshake messages a client may meet before it has sent its second flight."""

    HELLO_REQUEST = 0
    SERVER_HELLO = 2
    ENCRYPTED_EXTENSIONS = 8
    CERTIFICATE = 11
    CERTIFICATE_REQUEST = 13
    SERVER_HELLO_DONE = 14
    FINISHED = 20
    CERTIFICATE_STATUS = 22


class FlightError(ValueError):
    """The octets are no TLS first flight; the text says why."""


class FlightTooLargeError(FlightError):
    """A message or list is longer than what is allowed."""


class Opener(Protocol):
    """Decrypts one TLS 1.3 record: header and body in, content with its type octet out; None when it cannot."""

    def open(self, header: bytes, body: bytes) -> tuple[int, bytes] | None:
        """(content type, content)."""
        ...


@dataclass(slots=True)
class Flight:
    """What has been seen so far; feed it every octet the server sends, in order."""

    limit: int
    """Longest handshake message that is read, octets."""
    version: int | None = None
    cipher: int | None = None
    certificates: tuple[bytes, ...] | None = None
    """The certificate list as sent (DER, leaf first); ``()`` when the server sent an empty one."""
    staple: bytes | None = None
    scts: bytes | None = None
    """The SignedCertificateTimestampList that came in a TLS extension (RFC 6962 3.3.1)."""
    alpn: str = ""
    """The application protocol the server chose (RFC 7301), octets as Latin-1."""
    retry: bool = False
    """The server has asked for another hello (TLS 1.3)."""
    key_share: tuple[int, bytes] | None = None
    """(group, share) of a TLS 1.3 ServerHello."""
    server_hello: bytes = b""
    """The ServerHello message, for the transcript."""
    client_auth: bool = False
    alert: tuple[int, int] | None = None
    """(level, description) of the last alert."""
    complete: bool = False
    """The server has said all it says before it waits for the client."""
    undecipherable: bool = False
    """A record of the encrypted flight was under other keys than those given."""
    after: int = 0
    """Encrypted records that came after the flight was complete (TLS 1.3)."""
    _raw: bytearray = field(default_factory=bytearray)
    _messages: bytearray = field(default_factory=bytearray)
    _sealed: list[tuple[bytes, bytes]] = field(default_factory=list)
    _opener: Opener | None = None
    _hello_requests: int = 0
    _records: int = 0
    _small: int = 0
    _opaque: bool = False

    @property
    def protocol(self) -> str:
        """``TLS 1.3``; empty before a ServerHello."""
        return "" if self.version is None else PROTOCOLS.get(self.version, f"version 0x{self.version:04x}")

    @property
    def blind(self) -> bool:
        """What comes next cannot be read unless a library goes on with the handshake."""
        return self.version is None or (self.version == 0x0304 and self._opener is None)

    def feed(self, data: bytes) -> None:
        """Read on; raises :class:`FlightError` on octets that no TLS server sends."""
        self._raw += data
        position = 0
        try:
            while len(self._raw) - position >= RECORD_HEADER:
                header = bytes(self._raw[position : position + RECORD_HEADER])
                length = int.from_bytes(header[3:])
                if header[0] not in (20, 21, 22, 23, 24) or header[1] != 3 or length > MAX_RECORD:
                    raise FlightError(f"not a TLS record: {header.hex(' ')}")
                if len(self._raw) - position - RECORD_HEADER < length:
                    break
                body = bytes(self._raw[position + RECORD_HEADER : position + RECORD_HEADER + length])
                position += RECORD_HEADER + length
                self._record(header, body)
        finally:
            del self._raw[:position]

    def unlock(self, opener: Opener) -> None:
        """Read the encrypted part of a TLS 1.3 flight, what has come and what will come."""
        self._opener = opener
        sealed, self._sealed = self._sealed, []
        for header, body in sealed:
            self._open(header, body)

    def _record(self, header: bytes, body: bytes) -> None:
        self._records += 1
        if self._records > MAX_RECORDS:
            raise FlightError(f"more than {MAX_RECORDS} records, {self._small} of them with less than 16 octets")
        self._small += len(body) < 16
        if self._opaque:
            return
        if header[0] == Record.APPLICATION_DATA and self.version == 0x0304:
            self._open(header, body)
        elif header[0] == Record.CHANGE_CIPHER_SPEC:
            self._opaque = self.version != 0x0304  # in TLS 1.3 it means nothing (RFC 8446 D.4)
        else:
            self._content(header[0], body)

    def _open(self, header: bytes, body: bytes) -> None:
        if self.complete:
            self.after += 1  # under other keys
            return
        if self._opener is None:
            self._sealed.append((header, body))
        elif (opened := self._opener.open(header, body)) is not None:
            self._content(*opened)
        else:
            self.undecipherable = True

    def _content(self, kind: int, body: bytes) -> None:
        if kind == Record.ALERT and len(body) >= 2:
            self.alert = (body[0], body[1])
        elif kind == Record.HANDSHAKE:
            self._messages += body
            self._read_messages()

    def _read_messages(self) -> None:
        position = 0
        while len(self._messages) - position >= 4:
            kind, length = self._messages[position], int.from_bytes(self._messages[position + 1 : position + 4])
            if length > self.limit:
                name = "certificate" if kind == Message.CERTIFICATE else f"handshake ({kind})"
                raise FlightTooLargeError(f"{name} message of {length} octets announced, {self.limit} allowed")
            if len(self._messages) - position - 4 < length:
                break
            body = bytes(self._messages[position + 4 : position + 4 + length])
            position += 4 + length
            self._message(kind, body)
        del self._messages[:position]

    def _message(self, kind: int, body: bytes) -> None:
        match kind:
            case Message.HELLO_REQUEST:
                self._hello_requests += 1
                if self._hello_requests > MAX_HELLO_REQUESTS:
                    raise FlightError(f"more than {MAX_HELLO_REQUESTS} HelloRequest messages")
            case Message.SERVER_HELLO:
                self._server_hello(body)
            case Message.ENCRYPTED_EXTENSIONS if self.version == 0x0304:
                with suppress(FlightError):
                    self._application_protocol(_extensions(_vector(body, 0, 2)))
            case Message.CERTIFICATE if self.certificates is None:
                self._certificate(body)
            case Message.CERTIFICATE_STATUS if len(body) > 4 and body[0] == 1:
                self.staple = body[4:]
            case Message.CERTIFICATE_REQUEST:
                self.client_auth = True
            case Message.SERVER_HELLO_DONE | Message.FINISHED:
                self.complete = True

    def _server_hello(self, body: bytes) -> None:
        version, random, at = int.from_bytes(body[:2]), body[2:34], 35 + _octet(body, 34)
        cipher = int.from_bytes(body[at : at + 2])
        at += 3
        if at > len(body):
            raise FlightError(_SHORT)
        extensions = _extensions(_vector(body, at, 2)) if at < len(body) else {}
        if (chosen := extensions.get(_SUPPORTED_VERSIONS)) is not None:
            if len(chosen) != 2:
                raise FlightError(f"supported_versions of {len(chosen)} octets in a ServerHello, which are 2 (RFC 8446 4.2.1)")
            version = int.from_bytes(chosen)
        if self.retry and random == _RETRY_RANDOM:
            raise FlightError("a second HelloRetryRequest (RFC 8446 4.1.4)")
        self.version = version
        self.retry = random == _RETRY_RANDOM
        if self.retry:
            return
        self.cipher = cipher
        self.server_hello = b"\x02" + len(body).to_bytes(3) + body
        self.scts = extensions.get(_SCT)
        self._application_protocol(extensions)
        share = extensions.get(_KEY_SHARE, b"")
        if len(share) > 4:
            self.key_share = (int.from_bytes(share[:2]), share[4:])

    def _application_protocol(self, extensions: dict[int, bytes]) -> None:
        """One name in a list (RFC 7301 3.1); what is malformed is no reason to leave the certificates unread."""
        names = extensions.get(_ALPN, b"")
        if len(names) > 3:
            self.alpn = names[3 : 3 + names[2]].decode("latin-1")

    def _certificate(self, body: bytes) -> None:
        modern = self.version == 0x0304
        entries = _vector(body, 1 + _octet(body, 0) if modern else 0, 3)
        found: list[bytes] = []
        at = 0
        while at < len(entries):
            found.append(_vector(entries, at, 3))
            at += 3 + len(found[-1])
            if len(found) > MAX_CERTIFICATES:
                raise FlightTooLargeError(f"more than {MAX_CERTIFICATES} certificates in the list")
            if modern:
                octets = _vector(entries, at, 2)
                at += 2 + len(octets)
                if len(found) == 1:
                    extensions = _extensions(octets)
                    self.scts = extensions.get(_SCT)
                    status = extensions.get(_STATUS_REQUEST, b"")
                    if len(status) > 4 and status[0] == 1:
                        self.staple = status[4:]
        self.certificates = tuple(found)


_SHORT = "handshake message ends early"


def _octet(data: bytes, at: int) -> int:
    if at >= len(data):
        raise FlightError(_SHORT)
    return data[at]


def _vector(data: bytes, at: int, prefix: int) -> bytes:
    """The vector at ``at``, without the ``prefix`` octets that say its length (RFC 8446 3.4)."""
    start = at + prefix
    end = start + int.from_bytes(data[at:start])
    if end > len(data) or start > len(data):
        raise FlightError(_SHORT)
    return data[start:end]


def _extensions(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        found[int.from_bytes(data[at : at + 2])] = body = _vector(data, at + 2, 2)
        at += 4 + len(body)
    return found
