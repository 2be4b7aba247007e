"""One target through SSLyze's certificate information: its scan jobs one by one, then its verdict per trust store.

Runs in a worker process (see :mod:`dnscertscan.scan.serve`). Lists go to the scanner before they are analysed.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, DNSName, IPAddress, load_der_x509_certificate
from nassl._nassl import OpenSSLError
from sslyze.connection_helpers import tls_connection
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum
from sslyze.errors import ConnectionToServerFailed, ConnectionToServerTimedOut, TlsHandshakeTimedOut
from sslyze.plugins.certificate_info.implementation import CertificateInfoImplementation
from sslyze.plugins.certificate_info.trust_stores.trust_store import TrustStore
from sslyze.plugins.certificate_info.trust_stores.trust_store_repository import TrustStoresRepository
from sslyze.server_connectivity import ClientAuthRequirementEnum, ServerConnectivityInfo, ServerTlsProbingResult, TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.merge import NO_SNI
from dnscertscan.scan.metered import MeteredSocket
from dnscertscan.scan.serve import serve

MAX_JUDGED = 12
MAX_TWINS = 2
_LEAST = 0.1
_VERSIONS = {
    "TLS 1.3": TlsVersionEnum.TLS_1_3, "TLS 1.2": TlsVersionEnum.TLS_1_2, "TLS 1.1": TlsVersionEnum.TLS_1_1,
    "TLS 1.0": TlsVersionEnum.TLS_1_0, "SSL 3.0": TlsVersionEnum.SSL_3_0,
}
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
_LIBRARY_ERRORS = (ValueError, TypeError, AttributeError, LookupError, AssertionError, RuntimeError, MemoryError)
Chain = tuple[bytes, ...]


@dataclass
class SslyzeLook:
    """One target as the scanner sent it. ``deadline`` is monotonic time, over all handshakes."""

    request: Message
    deadline: float
    _over: bool = False
    _sock: MeteredSocket | None = None

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

    def run(self) -> Iterator[Message]:
        """Every list as it is received, then the verdicts on each; the last message says what went wrong, if anything did."""
        seen = tuple(unpack(der) for der in self.request["chain"])
        chains = {seen: None} if seen else {}
        faults: list[str] = []
        unanswered: list[str] = []
        for index, label in enumerate(_labels(self.request["protocol"])):
            received = self._handshake(index, label, faults, unanswered)
            if received is not None:
                chain, staple = received
                chains.setdefault(chain)
                yield {"chain": [pack(der) for der in chain], "how": label, "staple": pack(staple) if staple else None}
        for chain in chains:
            verdicts, unjudged = _judge(chain, self.request["name"], datetime.fromisoformat(self.request["at"]))
            yield {"judged": [pack(der) for der in chain], "verdicts": verdicts, "unjudged": unjudged}
        yield {"faults": faults, "unanswered": unanswered}

    def _handshake(
        self, index: int, label: str, faults: list[str], unanswered: list[str]
    ) -> tuple[Chain, bytes | None] | None:
        """One scan job of the plugin: (list, staple).

        What keeps it from its end, other than the peer's refusal, goes to ``unanswered`` where it is the peer's doing (silence,
        a flood), and to ``faults`` where a library failed.
        Each job gets half of the time that is left, so that silence in one does not starve the next.
        """
        info = _info(self.request)
        job = CertificateInfoImplementation.scan_jobs_for_scan_command(info)[index]
        _current.look = self
        self._sock = None
        kind, fault = faults, ""
        try:
            pems, staple, *_ = job.function_to_call(*job.function_arguments)
            return tuple(_der(pem) for pem in pems), staple.as_der_bytes() if staple else None
        except _PEER_ERRORS as error:
            silent = isinstance(error, ConnectionToServerTimedOut | TlsHandshakeTimedOut | TimeoutError) or self._over
            kind, fault = unanswered, self._spent() or ("no answer in time" if silent else "")
        except _LIBRARY_ERRORS as error:
            fault = "" if "peer did not present" in str(error) else f"{type(error).__name__}: {str(error)[:200]}"
        if fault and label != NO_SNI:  # what clients without SNI get is never the endpoint's own affair
            kind.append(f"{label}: {fault}")
        return None

    def _spent(self) -> str:
        return self._sock.spent if self._sock is not None else ""

    def open(self) -> MeteredSocket:
        """A connection to the target for one handshake."""
        now = time.monotonic()
        until = now + max(_LEAST, (self.deadline - now) / 2)
        address, port = self.request["address"], int(self.request["port"])
        self._sock = MeteredSocket(address, port, deadline=until, budget=int(self.request["max_bytes"]))
        return self._sock


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


def _der(pem: str) -> bytes:
    return unpack("".join(line for line in pem.splitlines() if not line.startswith("-----")))


_verdicts: dict[tuple[bytes, str, str], tuple[bool, str | None]] = {}
_MAX_VERDICTS = 50_000


@lru_cache(maxsize=1)
def _stores() -> tuple[TrustStore, ...]:
    return tuple(TrustStoresRepository.get_default().get_all_stores())


def _judge(chain: Chain, name: str, at: datetime) -> tuple[list[tuple[str, bool, str | None]], str]:
    """(store, trusted, reason) for every store, or none of them and why."""
    distinct = tuple(dict.fromkeys(chain))
    try:
        loaded = [_load(der) for der in distinct]
        if fault := _too_costly(loaded):
            return [], fault
        pems = [_pem(der) for der in distinct]
        digest = sha256(b"".join(sha256(der).digest() for der in distinct)).digest()
        return [(store.name, *_verdict(store, digest, pems, name, at)) for store in _stores()], ""
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm) as error:
        return [], f"SSLyze cannot judge it: {type(error).__name__}: {str(error)[:200]}"


def _verdict(store: TrustStore, digest: bytes, pems: list[str], name: str, at: datetime) -> tuple[bool, str | None]:
    key = (digest, name, store.name)
    if key not in _verdicts:
        if len(_verdicts) > _MAX_VERDICTS:
            _verdicts.clear()
        result = store.verify_certificate_chain(pems, _subject(name), at)
        _verdicts[key] = (result.was_validation_successful, result.validation_error)
    return _verdicts[key]


def _subject(name: str) -> DNSName | IPAddress:
    try:
        return IPAddress(ip_address(name))
    except ValueError:
        return DNSName(name)


def _too_costly(loaded: list[Certificate]) -> str:
    """Versions of cryptography before 49 take minutes for a few certificates of one issuer with other dates or serials."""
    if len(loaded) > MAX_JUDGED:
        return f"not judged by SSLyze: {len(loaded)} distinct certificates, more than {MAX_JUDGED}"
    twins: dict[tuple[bytes, bytes], int] = {}
    for certificate in loaded[1:]:
        key = (certificate.subject.public_bytes(), _spki(certificate))
        twins[key] = twins.get(key, 0) + 1
        if twins[key] > MAX_TWINS:
            return f"not judged by SSLyze: more than {MAX_TWINS} certificates of one subject and key"
    return ""


def _spki(certificate: Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return b""  # keys of unknown kind count as one


@lru_cache(maxsize=4096)
def _load(der: bytes) -> Certificate:
    return load_der_x509_certificate(der)


@lru_cache(maxsize=4096)
def _pem(der: bytes) -> str:
    return _load(der).public_bytes(Encoding.PEM).decode("ascii")


def main() -> None:
    """Entry point of the worker process."""
    serve(SslyzeLook.of, _stores)
