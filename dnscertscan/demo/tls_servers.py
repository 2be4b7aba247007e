"""TLS servers and servers that only pretend to be: what each one does with a connection.

Every connection is a plain TCP one whose protocol object drives TLS through memory buffers, so nothing here waits, polls or
owns a task: a silent server costs one socket, and dropping the sockets ends everything.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509

from dnscertscan.demo.authority import Credential, Key, pem
from dnscertscan.demo.connections import Connections

_PAGE = b"This server is part of a demonstration.\n"
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(_PAGE) + _PAGE
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + _PAGE
_BAD_CERTIFICATE = 42
"""The alert (RFC 8446 6.2) that servers wrongly send when they want a client certificate before they know the client."""


class Oddity(Enum):
    """What a server does that never gets as far as a certificate."""

    SILENT = "accepts and never says anything"
    PLAIN_HTTP = "speaks HTTP on the TLS port"
    RESET = "resets the connection after the client hello"
    CLOSE = "closes the connection after the client hello"
    ALERT = "answers the client hello with a fatal alert"
    CLOSED_PORT = "does not listen"


@dataclass(frozen=True, slots=True)
class Served:
    """One certificate list as a server sends it, in that order, however wrong the order is."""

    chain: tuple[x509.Certificate, ...]
    key: Key

    @classmethod
    def of(cls, credential: Credential) -> "Served":
        """What a well configured server sends."""
        return cls(credential.chain, credential.key)


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a TLS server is configured. ``served`` holds one list for each type of key.

    ``by_name`` selects by SNI instead; names that are not in it get the alert ``unrecognized_name``, clients without SNI
    get ``served``. ``client_ca`` (PEM) makes a client certificate a must. ``weak`` lets OpenSSL load weak keys and signatures.
    """

    served: tuple[Served, ...]
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    maximum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    by_name: Mapping[str, Served] | None = None
    client_ca: bytes | None = None
    weak: bool = False


def make_context(settings: TlsSettings) -> ssl.SSLContext:
    """The server context for these settings. Raises :class:`ssl.SSLError` for a certificate OpenSSL refuses to load."""
    context = _context(settings, settings.served)
    if settings.by_name is not None:
        contexts = {name: _context(settings, [served]) for name, served in settings.by_name.items()}

        def choose(connection: ssl.SSLObject, name: str | None, _default: ssl.SSLContext) -> int | None:
            if name is not None and name not in contexts:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = contexts[name] if name is not None else context
            return None

        context.sni_callback = choose
    return context


def _context(settings: TlsSettings, lists: Sequence[Served]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = settings.minimum, settings.maximum
    if settings.weak:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if settings.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=settings.client_ca.decode("ascii"))
    with TemporaryDirectory(prefix="dnscertscan-demo-") as folder:  # the ssl module reads certificates from files only
        for served in lists:
            file = Path(folder, "credential.pem")
            file.touch(mode=0o600)
            file.write_bytes(Credential(served.chain[0], served.key).key_pem + pem(served.chain))
            context.load_cert_chain(file)
    return context


def behaviour(what: TlsSettings | Oddity, connections: Connections) -> Callable[[], asyncio.Protocol]:
    """A protocol factory for :meth:`Connections.listen` that does ``what`` and registers its connections."""
    if isinstance(what, Oddity):
        return lambda: _Odd(connections, what)
    context = make_context(what)
    return lambda: _Tls(connections, context)


class _Peer(asyncio.Protocol):
    """A registered connection; a subclass says what to do with octets."""

    transport: asyncio.Transport

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = self._connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended matters to nobody here
        self._connections.discard(self.transport)


class _Odd(_Peer):
    """Waits for the client hello before it misbehaves: closing with octets unread would be a reset in place of a close."""

    def __init__(self, connections: Connections, oddity: Oddity) -> None:
        super().__init__(connections)
        self._oddity = oddity

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - the reaction is the same whatever was asked
        match self._oddity:
            case Oddity.PLAIN_HTTP:
                self.transport.write(_BAD_REQUEST)
            case Oddity.ALERT:
                self.transport.write(bytes((21, 3, 1, 0, 2, 2, _BAD_CERTIFICATE)))
            case Oddity.RESET:
                linger: socket.socket = self.transport.get_extra_info("socket")
                linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
        if self._oddity is not Oddity.SILENT:
            self.transport.close()


class _Tls(_Peer):
    """Shakes hands, answers whatever comes with one small page, and closes."""

    def __init__(self, connections: Connections, context: ssl.SSLContext) -> None:
        super().__init__(connections)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._established = False

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._incoming.write(data)
        try:
            self._proceed()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError:  # the client refused us, spoke something else, or said goodbye: the alert for it is in the buffer
            self._flush()
            self.transport.close()

    def _proceed(self) -> None:
        if not self._established:
            self._tls.do_handshake()
            self._established = True
            self._flush()
        if self._tls.read(65536):
            self._tls.write(_ANSWER)
            with suppress(ssl.SSLWantReadError):  # our goodbye is in the buffer; nobody waits for the client's
                self._tls.unwrap()
        self._flush()
        self.transport.close()

    def _flush(self) -> None:
        if waiting := self._outgoing.read():
            self.transport.write(waiting)
