"""SSLyze's verdict on a certificate list, one per trust store, each list judged once.

A verdict depends on the name asked for in one way only: cryptography compares it with the leaf, before it builds any path. What
comes of that comparison is found out alone, with the leaf and one root; names that fare alike then share the verdicts. Judging is
nine tenths of SSLyze's work on a list, and most lists of a big zone are served for many names.
"""

from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate, DNSName, IPAddress, load_der_x509_certificate, load_pem_x509_certificates
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from sslyze.plugins.certificate_info.trust_stores.trust_store import TrustStore
from sslyze.plugins.certificate_info.trust_stores.trust_store_repository import TrustStoresRepository

MAX_JUDGED = 12
MAX_TWINS = 2
_MAX_VERDICTS = 10_000
Chain = tuple[bytes, ...]
Verdict = tuple[str, bool, str | None]
"""(store, trusted, reason)."""

_verdicts: dict[tuple[Chain, str], list[Verdict]] = {}


def judge(chain: Chain, name: str, at: datetime) -> tuple[list[Verdict], str]:
    """The verdict of every store, or none of them and why."""
    distinct = tuple(dict.fromkeys(chain))
    try:
        if fault := _too_costly(distinct):
            return [], fault
        key = (distinct, _leaf_and_name(load(distinct[0]), name, at))
        if key not in _verdicts:
            if len(_verdicts) >= _MAX_VERDICTS:
                _verdicts.clear()
            _verdicts[key] = _ask(distinct, name, at)
        return _verdicts[key], ""
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm) as error:
        return [], f"SSLyze cannot judge it: {type(error).__name__}: {str(error)[:200]}"


def _ask(distinct: Chain, name: str, at: datetime) -> list[Verdict]:
    pems = [_pem(der) for der in distinct]
    results = ((store.name, store.verify_certificate_chain(pems, _subject(name), at)) for store in stores())
    return [(store, result.was_validation_successful, result.validation_error) for store, result in results]


def _leaf_and_name(leaf: Certificate, name: str, at: datetime) -> str:
    """What the library says of the leaf alone under this name; the one step of its work in which the name takes part."""
    try:
        PolicyBuilder().store(_one_root()).time(at).build_server_verifier(_subject(name)).verify(leaf, [])
    except VerificationError as error:
        return str(error)
    return ""


@lru_cache(maxsize=1)
def stores() -> tuple[TrustStore, ...]:
    """SSLyze's trust stores, read once."""
    return tuple(TrustStoresRepository.get_default().get_all_stores())


@lru_cache(maxsize=1)
def _one_root() -> Store:
    return Store(load_pem_x509_certificates(stores()[0].path.read_bytes())[:1])


@lru_cache(maxsize=4096)
def _subject(name: str) -> DNSName | IPAddress:
    try:
        return IPAddress(ip_address(name))
    except ValueError:
        return DNSName(name)


@lru_cache(maxsize=4096)
def _too_costly(distinct: Chain) -> str:
    """Versions of cryptography before 49 take minutes for a few certificates of one issuer with other dates or serials."""
    loaded = [load(der) for der in distinct]
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
def load(der: bytes) -> Certificate:
    """Each certificate is parsed once; raises what cryptography raises on octets it cannot read."""
    return load_der_x509_certificate(der)


@lru_cache(maxsize=4096)
def _pem(der: bytes) -> str:
    return load(der).public_bytes(Encoding.PEM).decode("ascii")
