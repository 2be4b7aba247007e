"""One target through SSLyze's certificate information: its scan jobs one by one, then its verdict per trust store.

Runs in a worker process (see :mod:`dnscertscan.scan.serve`). A request brings the lists that are known already (``chains``);
lists are numbered in the order they become known, the request's first. A new list goes to the scanner at once, before it is
analysed and before the next handshake; which handshakes showed which list, and the verdicts, go in the last message.
"""

import re
import socket
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from nassl._nassl import OpenSSLError
from sslyze.connection_helpers import tls_connection
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum
from sslyze.errors import (
    ConnectionToServerFailed,
    ConnectionToServerTimedOut,
    ServerRejectedOpportunisticTlsNegotiation,
    ServerRejectedTlsHandshake,
    TlsHandshakeFailed,
    TlsHandshakeTimedOut,
)
from sslyze.plugins.certificate_info.implementation import CertificateInfoImplementation
from sslyze.plugins.plugin_base import ScanJob
from sslyze.server_connectivity import ClientAuthRequirementEnum, ServerConnectivityInfo, ServerTlsProbingResult, TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from dnscertscan.model.observations import Failure, FailureKind
from dnscertscan.scan import no_answer
from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.merge import NO_SNI
from dnscertscan.scan.metered import MeteredSocket
from dnscertscan.scan.serve import serve
from dnscertscan.scan.sslyze_judge import Verdict, judge, load, stores
from dnscertscan.scan.wire import connect_failure

_LEAST = 0.1
_VERSIONS = {
    "TLS 1.3": TlsVersionEnum.TLS_1_3, "TLS 1.2": TlsVersionEnum.TLS_1_2, "TLS 1.1": TlsVersionEnum.TLS_1_1,
    "TLS 1.0": TlsVersionEnum.TLS_1_0, "SSL 3.0": TlsVersionEnum.SSL_3_0,
}
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_SUITES13 = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
_SUITES = "ALL:COMPLEMENTOFALL:-aNULL:-eNULL:-PSK:-SRP"
_SERVICES = {
    "smtp": ProtocolWithOpportunisticTlsEnum.SMTP, "imap": ProtocolWithOpportunisticTlsEnum.IMAP,
    "pop3": ProtocolWithOpportunisticTlsEnum.POP3, "ftp": ProtocolWithOpportunisticTlsEnum.FTP,
    "ldap": ProtocolWithOpportunisticTlsEnum.LDAP, "postgres": ProtocolWithOpportunisticTlsEnum.POSTGRES,
    "xmpp": ProtocolWithOpportunisticTlsEnum.XMPP, "xmpp-server": ProtocolWithOpportunisticTlsEnum.XMPP_SERVER,
}
# What a peer can do to one of SSLyze's handshakes; anything else is a fault of the libraries and is reported as such.
_PEER_ERRORS = (ConnectionToServerFailed, OpenSSLError, OSError)
_CLOSED = {"Server interrupted the TLS handshake", "Server closed the connection during the TLS handshake"}
_RESET = "Server rejected the connection"
# In words of OpenSSL or SSLyze: an alert, another version than the one asked for, or nothing like TLS.
_AN_ANSWER = re.compile(
    "alert|tlsv1 |unsupported protocol|unknown protocol|wrong (ssl )?version|no cipher|insufficient security", re.IGNORECASE
)
_LIBRARY_ERRORS = (ValueError, TypeError, AttributeError, LookupError, AssertionError, RuntimeError, MemoryError)
Chain = tuple[bytes, ...]
_Shown = tuple[Chain, bytes | None]
"""(list, staple)."""
_pauses = no_answer.Pauses()


@dataclass
class SslyzeLook:
    """One target as the scanner sent it. ``deadline`` is monotonic time, over all handshakes."""

    request: Message
    deadline: float
    _over: bool = False
    _sock: MeteredSocket | None = None
    _unconnected: Failure | None = None

    @classmethod
    def of(cls, message: Message) -> "SslyzeLook":
        """Take a request."""
        return cls(message, time.monotonic() + float(message["seconds"]))

    def break_off(self) -> None:
        """From another thread: end the conversation in progress."""
        self._over = True
        if (sock := self._sock) is not None:
            with suppress(OSError):  # it was over already
                sock.shutdown(socket.SHUT_RDWR)

    def run(self) -> Generator[Message, None, Message]:
        """Every list that was not known as it is received; then which handshakes showed what, verdicts, and what went wrong."""
        chains = {tuple(unpack(der) for der in chain): number for number, chain in enumerate(self.request["chains"])}
        shown: list[tuple[int, str, str | None]] = []
        faults: list[str] = []
        unanswered: list[str] = []
        no_sni_unanswered = False
        jobs = CertificateInfoImplementation.scan_jobs_for_scan_command(_info(self.request))
        for index, label in self._wanted(next(iter(chains), ())):
            received = self._handshake(jobs[index], label)
            if isinstance(received, Failure):
                if label == NO_SNI:  # what clients without SNI get is never the endpoint's own affair
                    no_sni_unanswered = True
                elif received.kind is FailureKind.ENGINE:
                    faults.append(f"{label}: {received.detail}")
                else:
                    unanswered.append(f"{label}: {no_answer.why(received)}")
            elif received is not None:
                chain, staple = received
                if chain not in chains:
                    chains[chain] = len(chains)
                    yield {"list": chains[chain], "chain": [pack(der) for der in chain], "how": label}
                shown.append((chains[chain], label, pack(staple) if staple else None))
        judged: list[tuple[int, list[Verdict], str]] = []
        complete = False
        try:
            for chain, number in chains.items():
                judged.append((number, *judge(chain, self.request["name"], datetime.fromisoformat(self.request["at"]))))
            complete = True
        finally:
            if not complete:  # a library failed on one list: the verdicts on those before it count
                yield {"judged": judged}
        return {
            "shown": shown, "judged": judged, "faults": faults, "unanswered": unanswered, "no_sni_unanswered": no_sni_unanswered,
        }

    def _wanted(self, first: Chain) -> list[tuple[int, str]]:
        """(index, label) of the plugin's jobs that can show something that is not known yet."""
        protocol = self.request["protocol"]
        left_out = set() if self.request["no_sni"] else {NO_SNI}
        if protocol == "TLS 1.3" and self.request["first_look"] and first and _known_to_sslyze(first[0]):
            left_out.add(protocol)
        return [(index, label) for index, label in enumerate(_labels(protocol)) if label not in left_out]

    def _handshake(self, job: ScanJob, label: str) -> _Shown | Failure | None:
        """One scan job of the plugin, twice where the first one got no answer and there is time.

        None where the server has answered and shows no list. A failure of kind ENGINE is that of a library, any other one tells
        why there is no answer. Each job gets half of the time that is left, so that silence in one does not starve the next.
        """
        received = self._once(job)
        if not isinstance(received, Failure) or not no_answer.worth_another_try(received):
            return received
        key = (self.request["address"], self.request["port"], self.request["service"], label)
        pause = _pauses.before(key, received)
        if self._over or time.monotonic() + pause + _LEAST > self.deadline:
            return received
        time.sleep(pause)
        received = self._once(job)
        _pauses.ended(key, in_vain=isinstance(received, Failure) and no_answer.worth_another_try(received))
        return received

    def _once(self, job: ScanJob) -> _Shown | Failure | None:
        _current.look = self
        self._sock = self._unconnected = None
        try:
            pems, staple, *_ = job.function_to_call(*job.function_arguments)
            return tuple(_der(pem) for pem in pems), staple.as_der_bytes() if staple else None
        except _PEER_ERRORS as error:
            return self._given_up() or _failure(error)
        except _LIBRARY_ERRORS as error:
            if "peer did not present" in str(error):
                return None
            return Failure(FailureKind.ENGINE, f"{type(error).__name__}: {str(error)[:200]}")

    def _given_up(self) -> Failure | None:
        """Why there was no connection, or which of its limits the peer has used up."""
        why = self._sock.spent if self._sock is not None else ""
        if not why and not self._over:
            return self._unconnected
        large = why == no_answer.SPENT[FailureKind.TOO_LARGE]
        return Failure(FailureKind.TOO_LARGE if large else FailureKind.HANDSHAKE_TIMEOUT, why)

    def open(self) -> MeteredSocket:
        """A connection to the target for one handshake."""
        now = time.monotonic()
        until = now + max(_LEAST, (self.deadline - now) / 2)
        address, port = self.request["address"], int(self.request["port"])
        try:
            self._sock = MeteredSocket(address, port, deadline=until, budget=int(self.request["max_bytes"]))
        except OSError as error:
            self._unconnected = connect_failure(error, address)
            raise
        return self._sock


def _failure(error: Exception) -> Failure | None:
    """What kept one of SSLyze's handshakes from its end once it was connected; None where that was an answer in TLS."""
    text = str(getattr(error, "error_message", error))
    match error:
        case ServerRejectedOpportunisticTlsNegotiation():
            kind = FailureKind.STARTTLS_REFUSED
        case ConnectionToServerTimedOut() | TlsHandshakeTimedOut() | TimeoutError():
            kind = FailureKind.HANDSHAKE_TIMEOUT
        case ServerRejectedTlsHandshake() if text in _CLOSED:
            kind = FailureKind.CLOSED
        case OpenSSLError() | TlsHandshakeFailed() if text != _RESET:
            if _AN_ANSWER.search(text):
                return None
            kind = FailureKind.HANDSHAKE_ERROR
        case _:
            kind = FailureKind.RESET
    return Failure(kind, f"SSLyze: {text[:200]}")


_current = threading.local()


def _open_metered(server_location: ServerNetworkLocation, network_timeout: int) -> socket.socket:  # noqa: ARG001 - SSLyze's names
    """Stands in for SSLyze's function, whose sockets bound single calls only: a peer that drips or floods would hold it."""
    look: SslyzeLook = _current.look
    return look.open()


tls_connection._open_socket = _open_metered  # noqa: SLF001 - the one place where SSLyze opens a connection; a test watches it


def _info(request: Message) -> ServerConnectivityInfo:
    """SSLyze's knowledge of the server, taken from what the scanner has seen, so that no connectivity test is made.

    A server that asks for a client certificate counts as requiring one: SSLyze then takes the chain as soon as it is asked,
    before the server can refuse.
    """
    asked = ClientAuthRequirementEnum.REQUIRED if request["client_auth"] else ClientAuthRequirementEnum.DISABLED
    version = _VERSIONS.get(request["protocol"], TlsVersionEnum.TLS_1_2)
    suites = _SUITES13 if version is TlsVersionEnum.TLS_1_3 else _SUITES
    return ServerConnectivityInfo(
        ServerNetworkLocation("target.invalid", int(request["port"]), request["address"]),
        ServerNetworkConfiguration(request["name"], _SERVICES.get(request["service"]), network_max_retries=1),
        ServerTlsProbingResult(version, suites, asked, supports_ecdh_key_exchange=True),
    )


def _labels(protocol: str) -> tuple[str, ...]:
    """Names for the plugin's four jobs, in its order."""
    if protocol == "TLS 1.3":
        return (protocol, "TLS 1.2 RSA", "TLS 1.2 not RSA", NO_SNI)
    word = protocol if protocol in _VERSIONS else "TLS 1.2"
    return ("default", f"{word} RSA", f"{word} not RSA", NO_SNI)


@lru_cache(maxsize=4096)
def _der(pem: str) -> bytes:
    return unpack("".join(line for line in pem.splitlines() if not line.startswith("-----")))


@lru_cache(maxsize=4096)
def _known_to_sslyze(leaf: bytes) -> bool:
    """Whether SSLyze's TLS 1.3 job would be shown this leaf, too, so that the scanner's first look counts as that job.

    Both hellos offer the same cipher suites and the same name. The first look offers more signature schemes (ML-DSA, brainpool,
    SHA-1), with those of SSLyze's OpenSSL in the same order among them (a test compares the two hellos). A server chooses its
    certificate by these schemes (RFC 8446 4.4.2.2): when it has chosen one that SSLyze can use, it would have chosen it from
    the shorter list. With any other key, or a signature that only the longer list allows, the job is done.
    """
    try:
        key, signature = load(leaf).public_key(), load(leaf).signature_hash_algorithm
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm):
        return False
    if isinstance(signature, SHA1):
        return False
    if isinstance(key, EllipticCurvePublicKey):
        return key.curve.name in _CURVES
    return isinstance(key, RSAPublicKey | Ed25519PublicKey | Ed448PublicKey)


def main() -> None:
    """Entry point of the worker process."""
    serve(SslyzeLook.of, stores)
