"""One TLS handshake without a socket: OpenSSL does the key exchange, :class:`Flight` reads what comes.

Nothing is verified here, and no data is ever exchanged: the only question is what the server presents.
"""

from collections.abc import Sequence
from functools import cache

from OpenSSL import SSL

from dnscertscan.scan import tls13
from dnscertscan.scan.flight import Flight

_SECRET_LABEL = b"SERVER_HANDSHAKE_TRAFFIC_SECRET"
_TLS13_SUITES = b"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
# Everything that shows a certificate but finite-field Diffie-Hellman up to TLS 1.2: its size, and so the time the arithmetic
# takes here, is the peer's choice. Servers that have nothing else are read by a hello of our own, which computes nothing.
_OLDER_SUITES = b"ECDHE:kRSA:-aNULL:-eNULL:-PSK:-SRP:@SECLEVEL=0"
_READ = 1 << 16
_TLS13 = 0x0304
# OpenSSL's words for the alerts that reject a client for its certificate or the lack of one.
_REFUSALS = (
    "alert certificate required", "alert bad certificate", "alert handshake failure", "alert unknown ca", "alert access denied",
    "alert certificate unknown", "alert unsupported certificate", "alert no certificate",
)


class SessionError(Exception):
    """OpenSSL gave the handshake up; the text is its reason."""


@cache
def _context() -> SSL.Context:
    """The one context of the process; making one costs more than a handshake."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(_OLDER_SUITES)
    context.set_tls13_ciphersuites(_TLS13_SUITES)
    context.set_min_proto_version(SSL.TLS1_VERSION)
    context.set_options(SSL.OP_LEGACY_SERVER_CONNECT)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_NONE)
    context.set_keylog_callback(_on_secret)
    return context


def _on_secret(connection: SSL.Connection, line: bytes) -> None:
    if line.startswith(_SECRET_LABEL):
        secrets: list[bytes] = connection.get_app_data()
        secrets.append(bytes.fromhex(line.rsplit(b" ", 1)[1].decode("ascii")))


class Session:
    """Feed it what the server sends, send what :meth:`outgoing` gives, until :attr:`flight` is complete."""

    can_answer = True
    beyond_us = False
    asks_scts = False

    def __init__(self, server_name: str, limit: int, protocols: Sequence[bytes] = ()) -> None:
        self.flight = Flight(limit)
        self.done = False
        """OpenSSL has finished the handshake on our side."""
        self.error = ""
        """Why OpenSSL gave up; the flight is read on nevertheless."""
        self._unlocked = False
        self._secrets: list[bytes] = []  # filled by _on_secret; not the session itself, so that no cycle keeps OpenSSL's memory
        self._tls = SSL.Connection(_context(), None)
        self._tls.set_app_data(self._secrets)
        self._tls.set_connect_state()
        if server_name:
            self._tls.set_tlsext_host_name(server_name.encode("ascii"))
        if protocols:
            self._tls.set_alpn_protos(list(protocols))
        self._tls.request_ocsp()
        self._advance()

    def feed(self, data: bytes) -> None:
        """Take octets from the server; raises FlightError when they are no TLS flight."""
        self.flight.feed(data)
        if not self.error:
            _write(self._tls, data)
            self._advance()
        if self._secrets and not self._unlocked and self.flight.cipher in tls13.SUITES:
            self._unlocked = True
            self.flight.unlock(tls13.Opener(self.flight.cipher, self._secrets[-1]))

    def outgoing(self) -> bytes:
        """Octets to send now; after an error nothing more is sent."""
        if self.error:
            return b""
        try:
            return self._tls.bio_read(_READ)
        except SSL.WantReadError:
            return b""

    def verdict_on_us(self) -> str:
        """After the handshake: ``accepted`` when the server goes on without our certificate, ``refused`` when it says so.

        Empty while it has said nothing. Up to TLS 1.2 the server's Finished, which ends the handshake, is its consent; in
        TLS 1.3 it is what comes later: a session ticket is sent only to an accepted client (RFC 8446 4.6.1).
        """
        if self.flight.version != _TLS13:
            return "accepted"
        try:
            self._tls.recv(1)
        except SSL.WantReadError:
            return "accepted" if self.flight.after else ""
        except SSL.ZeroReturnError:
            return "accepted"
        except SSL.Error as error:
            return "refused" if any(words in _reason(error) for words in _REFUSALS) else "accepted"
        return "accepted"

    def _advance(self) -> None:
        if self.done:
            return
        try:
            self._tls.do_handshake()
            self.done = True
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            pass  # close_notify: no fault of anybody's; the end of the connection follows and says it
        except SSL.Error as error:
            self.error = _reason(error)


def _write(tls: SSL.Connection, data: bytes) -> None:
    while data:
        data = data[tls.bio_write(data) :]


def _reason(error: SSL.Error) -> str:
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [str(entry[2]) for entry in entries if len(entry) > 2 and entry[2]]
    return reasons[-1] if reasons else str(error) or type(error).__name__
