"""One target through SSLyze's certificate information: its scan jobs one by one, then its verdict per trust store.

Runs in a worker process (see :mod:`dnscertscan.scan.serve`). Lists go to the scanner before they are analysed.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from math import ceil
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, DNSName, IPAddress, load_der_x509_certificate
from nassl._nassl import OpenSSLError
from sslyze.connection_helpers.opportunistic_tls_helpers import ProtocolWithOpportunisticTlsEnum
from sslyze.connection_helpers.tls_connection import SslConnection
from sslyze.errors import ConnectionToServerFailed
from sslyze.plugins.certificate_info.implementation import CertificateInfoImplementation
from sslyze.plugins.certificate_info.trust_stores.trust_store import TrustStore
from sslyze.plugins.certificate_info.trust_stores.trust_store_repository import TrustStoresRepository
from sslyze.server_connectivity import ClientAuthRequirementEnum, ServerConnectivityInfo, ServerTlsProbingResult, TlsVersionEnum
from sslyze.server_setting import ServerNetworkConfiguration, ServerNetworkLocation

from dnscertscan.scan.frames import Message, pack, unpack
from dnscertscan.scan.serve import serve

MAX_JUDGED = 12
MAX_TWINS = 2
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


class _Info(ServerConnectivityInfo):
    """SSLyze's connectivity knowledge, which also remembers the connection in use so that it can be broken off."""

    def get_preconfigured_tls_connection(self, *args: Any, **kwargs: Any) -> SslConnection:
        connection = super().get_preconfigured_tls_connection(*args, **kwargs)
        object.__setattr__(self, "connection", connection)
        return connection


@dataclass
class SslyzeLook:
    """One target as the scanner sent it. ``deadline`` is monotonic time, after which :meth:`break_off` is called."""

    request: Message
    deadline: float
    _over: bool = field(default=False)
    _info: "_Info | None" = field(default=None)

    @classmethod
    def of(cls, message: Message) -> "SslyzeLook":
        """Take a request."""
        return cls(message, time.monotonic() + float(message["seconds"]))

    def break_off(self) -> None:
        """From another thread: end the conversation in progress."""
        self._over = True
        connection = getattr(self._info, "connection", None)
        sock = connection.ssl_client.get_underlying_socket() if connection is not None else None
        if sock is not None:
            with suppress(OSError):  # it was over already
                sock.shutdown(socket.SHUT_RDWR)

    def run(self) -> Iterator[Message]:
        """Every list as it is received, then the verdicts on each; the last message says what went wrong, if anything did."""
        seen = tuple(unpack(der) for der in self.request["chain"])
        chains = {seen: None} if seen else {}
        faults: list[str] = []
        for index, label in enumerate(_labels(self.request["protocol"])):
            received = None if self._over else self._handshake(index, label, faults)
            if received is not None:
                chain, staple = received
                chains.setdefault(chain)
                yield {"chain": [pack(der) for der in chain], "how": label, "staple": pack(staple) if staple else None}
        for chain in chains:
            verdicts, unjudged = _judge(chain, self.request["name"], datetime.fromisoformat(self.request["at"]))
            yield {"judged": [pack(der) for der in chain], "verdicts": verdicts, "unjudged": unjudged}
        yield {"faults": faults, "over": self._over}

    def _handshake(self, index: int, label: str, faults: list[str]) -> tuple[Chain, bytes | None] | None:
        self._info = _info(self.request, max(0.1, self.deadline - time.monotonic()))
        job = CertificateInfoImplementation.scan_jobs_for_scan_command(self._info)[index]
        try:
            pems, staple, *_ = job.function_to_call(*job.function_arguments)
            return tuple(_der(pem) for pem in pems), staple.as_der_bytes() if staple else None
        except _PEER_ERRORS:
            return None
        except _LIBRARY_ERRORS as error:
            if "peer did not present" not in str(error):
                faults.append(f"{label}: {type(error).__name__}: {str(error)[:200]}")
            return None


def _info(request: Message, seconds: float) -> _Info:
    """SSLyze's knowledge of the server, taken from what the scanner has seen, so that no connectivity test is made.

    A server that asks for a client certificate counts as requiring one: SSLyze then takes the chain as soon as it is asked,
    before the server can refuse.
    """
    asked = ClientAuthRequirementEnum.REQUIRED if request["client_auth"] else ClientAuthRequirementEnum.DISABLED
    version = _VERSIONS.get(request["protocol"], TlsVersionEnum.TLS_1_2)
    suites = _SUITES13 if version is TlsVersionEnum.TLS_1_3 else _SUITES
    return _Info(
        ServerNetworkLocation("target.invalid", int(request["port"]), request["address"]),
        ServerNetworkConfiguration(
            request["name"], _SERVICES.get(request["service"]), network_timeout=ceil(seconds), network_max_retries=1
        ),
        ServerTlsProbingResult(version, suites, asked, supports_ecdh_key_exchange=True),
    )


def _labels(protocol: str) -> tuple[str, ...]:
    """Names for the plugin's four jobs, in its order."""
    if protocol == "TLS 1.3":
        return (protocol, "TLS 1.2 RSA", "TLS 1.2 not RSA", "no SNI")
    word = protocol if protocol in _VERSIONS else "TLS 1.2"
    return ("default", f"{word} RSA", f"{word} not RSA", "no SNI")


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
        spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        key = (certificate.subject.public_bytes(), spki)
        twins[key] = twins.get(key, 0) + 1
        if twins[key] > MAX_TWINS:
            return f"not judged by SSLyze: more than {MAX_TWINS} certificates of one subject and key"
    return ""


@lru_cache(maxsize=4096)
def _load(der: bytes) -> Certificate:
    return load_der_x509_certificate(der)


@lru_cache(maxsize=4096)
def _pem(der: bytes) -> str:
    return _load(der).public_bytes(Encoding.PEM).decode("ascii")


def main() -> None:
    """Entry point of the worker process."""
    serve(SslyzeLook.of, _stores)
