"""Trust anchors from files, from SSLyze and from this machine."""

import ssl
from collections.abc import Sequence
from pathlib import Path

from dnscertscan.errors import ConfigError
from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.truststore import SYSTEM, TrustStore, read_bundle
from dnscertscan.settings.openfile import open_file

# Debian and Ubuntu, Fedora and RHEL, Alpine and the BSDs.
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_MAX_BUNDLE = 64 * 1024 * 1024


def private_stores(paths: Sequence[Path]) -> tuple[TrustStore, ...]:
    """One store with the anchors of all the files; none without files."""
    return (TrustStore("private bundle", _read_bundles(paths)),) if paths else ()


def public_stores(*, system: bool = False) -> tuple[TrustStore, ...]:
    """The trust stores inside SSLyze, and with ``system`` this machine's own."""
    from dnscertscan.scan.sslyze import bundled_stores  # noqa: PLC0415 - SSLyze is imported only where its stores are needed

    bundled = tuple(TrustStore(name, read_bundle(data)[0]) for name, data in bundled_stores())
    return (*bundled, _system_store()) if system else bundled


def _system_store() -> TrustStore:
    places = [place for place in (ssl.get_default_verify_paths().cafile, *_SYSTEM_BUNDLES) if place and Path(place).is_file()]
    if not places:
        raise ConfigError("trust.system: this machine has no bundle of trust anchors; install ca-certificates or set it false")
    return TrustStore(SYSTEM, read_bundle(read_pem_file(Path(places[0]), "system trust store"))[0])


def read_pem_file(path: Path, what: str) -> bytes:
    """The octets of a file of certificates, bounded; ``what`` names it in the error."""
    try:
        with open_file(path) as handle:
            data = handle.read(_MAX_BUNDLE + 1)
    except OSError as problem:
        raise ConfigError(f"{path}: cannot read the {what}: {problem.strerror}; name a PEM file") from problem
    if len(data) > _MAX_BUNDLE:
        raise ConfigError(f"{path}: larger than {_MAX_BUNDLE} octets; this is no {what}")
    return data


def _read_bundles(paths: Sequence[Path]) -> tuple[Certificate, ...]:
    certificates: list[Certificate] = []
    for path in paths:
        found, problems = read_bundle(read_pem_file(path, "CA file"))
        if problems or not found:
            raise ConfigError("\n".join(f"{path}: {problem}" for problem in problems or ("no certificate in the CA file",)))
        certificates.extend(found)
    return tuple(dict.fromkeys(certificates))
