"""Issuance as CAs do it for CT: precertificate, SCTs of several logs, certificate; SCTs by TLS extension and OCSP; lists of logs.

    ca = Authority.root("Root", now=now).intermediate("Issuer")
    issued = issue(ca, "www.example.com", logs=[alpha, beta])     # issued.credential goes into nginx.serve, s_server, ...
    renewed = renew(issued, logs=[alpha, beta])                   # the same names, a new key, later dates
    rogue = issue(other_ca, "www.example.com", logs=[alpha])      # another CA: nothing else is special about it
    twin = serial_twin(issued, logs=[alpha])                      # issuer and serial of ``issued``, another TBS
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from pki import forge
from servers import log_lists
from servers.ct_log import CtLog
from servers.ct_log_core import vector
from servers.ct_log_der import element, tbs_sha256, wrap

from dnscertscan.demo.authority import Amend, Authority, Credential, Key, new_key
from dnscertscan.model.ct import LogList

SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
OCSP_SCT_LIST = "1.3.6.1.4.1.11129.2.4.5"


@dataclass(frozen=True, slots=True)
class Issued:
    """One issuance. ``scts`` are SerializedSCTs, one of each log, as they are embedded; ``precert`` is what the logs have."""

    authority: Authority
    names: tuple[str, ...]
    precert: x509.Certificate
    credential: Credential
    scts: tuple[bytes, ...]

    @property
    def certificate(self) -> x509.Certificate:
        """The final certificate."""
        return self.credential.certificate

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What a server sends."""
        return self.credential.chain

    @property
    def tbs_sha256(self) -> str:
        """Identity of the issuance, hexadecimal; of the precertificate, by the test log's own code."""
        return tbs_sha256(self.precert)


def sct_list(scts: Sequence[bytes]) -> bytes:
    """SignedCertificateTimestampList (RFC 6962 3.3)."""
    return vector(2, b"".join(vector(2, sct) for sct in scts))


def sct_extension(scts: Sequence[bytes]) -> x509.UnrecognizedExtension:
    """The extension of a certificate that carries them."""
    return x509.UnrecognizedExtension(SCT_LIST, wrap(0x04, sct_list(scts)))


def issue(
    authority: Authority, *names: str, logs: Sequence[CtLog], amend: Amend | None = None, submit_final: bool = False,
    spoil: Callable[[list[bytes]], Sequence[bytes]] = tuple, **options: Any,
) -> Issued:
    """A certificate with an SCT of each log; no SCT list when there are no logs.

    ``submit_final`` logs the certificate too, as real CAs often do (the final one then is a second entry of the same issuance).
    ``spoil`` changes the SCTs before they go into the certificate. ``options`` are those of :meth:`Authority.leaf`.
    """
    base: list[x509.CertificateBuilder] = []

    def poisoned(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
        base.append(amend(builder) if amend else builder)
        return base[-1].add_extension(x509.PrecertPoison(), critical=True)

    first = authority.leaf(*names, amend=poisoned, **options)
    return _finish(authority, names, base[-1], first, logs, submit_final, spoil)


def _finish(
    authority: Authority, names: tuple[str, ...], base: x509.CertificateBuilder, first: Credential, logs: Sequence[CtLog],
    submit_final: bool = False, spoil: Callable[[list[bytes]], Sequence[bytes]] = tuple,
) -> Issued:
    scts = tuple(spoil([log.add_pre_chain(first.chain) for log in logs]))
    builder = base.add_extension(sct_extension(scts), critical=False) if scts else base
    final = Credential(builder.sign(authority.credential.key, hashes.SHA256()), first.key, first.intermediates)
    if submit_final:
        for log in logs:
            log.add_chain(final.chain)
    return Issued(authority, names, first.certificate, final, scts)


def renew(
    issued: Issued, *, logs: Sequence[CtLog], key: Key | str = "ec", later: timedelta = timedelta(days=5), **options: Any
) -> Issued:
    """The next certificate for the same names by the same CA, ``later`` than the one before; a new key unless one is given."""
    old = issued.certificate
    options.setdefault("not_before", old.not_valid_before_utc + later)
    options.setdefault("not_after", old.not_valid_after_utc + later)
    return issue(issued.authority, *issued.names, logs=logs, key=key, **options)


def serial_twin(issued: Issued, *, logs: Sequence[CtLog], later: timedelta = timedelta(hours=1)) -> Issued:
    """Another certificate with the issuer and the serial number of ``issued``: what no CA may ever make."""
    old, key = issued.certificate, new_key()
    base = (
        x509.CertificateBuilder().subject_name(old.subject).issuer_name(old.issuer).public_key(key.public_key())
        .serial_number(old.serial_number).not_valid_before(old.not_valid_before_utc + later)
        .not_valid_after(old.not_valid_after_utc + later)
    )
    for one in old.extensions:
        if one.oid != SCT_LIST:
            base = base.add_extension(one.value, one.critical)
    poisoned = base.add_extension(x509.PrecertPoison(), critical=True).sign(issued.authority.credential.key, hashes.SHA256())
    first = Credential(poisoned, key, issued.credential.intermediates)
    return _finish(issued.authority, issued.names, base, first, logs)


def late_scts(credential: Credential, logs: Sequence[CtLog]) -> tuple[bytes, ...]:
    """SCTs for a final certificate, for TLS extension or OCSP: the logs get the certificate itself."""
    return tuple(log.add_chain(credential.chain) for log in logs)


def serverinfo(scts: Sequence[bytes]) -> bytes:
    """A file for ``openssl s_server -serverinfo``: signed_certificate_timestamp (18) for TLS 1.2 and 1.3."""
    context = 0x0080 | 0x0100 | 0x1000  # ClientHello, TLS 1.2 ServerHello, TLS 1.3 Certificate
    content = context.to_bytes(4, "big") + (18).to_bytes(2, "big") + vector(2, sct_list(scts))
    return b"-----BEGIN SERVERINFOV2 FOR SCT-----\n" + b64encode(content) + b"\n-----END SERVERINFOV2 FOR SCT-----\n"


def staple(
    authority: Authority, certificate: x509.Certificate, scts: Sequence[bytes], *, now: datetime,
    next_update: timedelta = timedelta(days=3),
) -> bytes:
    """A good OCSP response by the CA itself, with the SCTs in its SingleResponse (RFC 6962 3.3)."""
    issuer, key = authority.certificate, authority.credential.key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    plain = ocsp.OCSPResponseBuilder().add_response(
        certificate, issuer, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, now - timedelta(hours=1), now + next_update, None, None
    ).responder_id(ocsp.OCSPResponderEncoding.HASH, issuer).sign(key, hashes.SHA256())
    # cryptography has no way to put extensions into a SingleResponse: they go in behind its last field, and it is signed anew.
    signed = plain.tbs_response_bytes
    head, single = _split_before_single(signed)
    extension = forge.seq(forge.oid(OCSP_SCT_LIST), forge.octets(forge.octets(sct_list(scts))))
    responses = wrap(0x30, wrap(0x30, element(single)[1], wrap(0xA1, wrap(0x30, extension))))
    data = wrap(0x30, head, responses)
    basic = wrap(0x30, data, forge.algorithm(key), forge.bits(key.sign(data, ec.ECDSA(hashes.SHA256()))))
    return wrap(0x30, wrap(0x0A, b"\x00"), wrap(0xA0, wrap(0x30, forge.oid("1.3.6.1.5.5.7.48.1.1"), forge.octets(basic))))


def _split_before_single(data: bytes) -> tuple[bytes, bytes]:
    """ResponseData: responder and time, and its one SingleResponse."""
    content = element(data)[1]
    at = element(content, element(content)[2])[2]
    return content[:at], element(content, at)[1]


def log_list(*logs: CtLog, now: datetime | None = None, version: str = "1.0", rfc6962_only: bool = False) -> bytes:
    """A list of these logs in Google's format (v3). ``rfc6962_only`` names static logs by their other side, for old readers."""
    now = now or datetime.now(UTC)
    operators: dict[str, dict[str, Any]] = {}
    for log in logs:
        tiled = log.static_ext and not rfc6962_only
        operator = operators.setdefault(
            log.operator, {"name": log.operator, "email": ["ct@operator.test"], "logs": [], "tiled_logs": []}
        )
        operator["tiled_logs" if tiled else "logs"].append(_list_entry(log, tiled))
    stamp = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return json.dumps({"version": version, "log_list_timestamp": stamp, "operators": list(operators.values())}, indent=1).encode()


def _list_entry(log: CtLog, tiled: bool) -> dict[str, Any]:
    urls = {"submission_url": log.url, "monitoring_url": log.monitoring_url} if tiled else {"url": log.url}
    fields: dict[str, Any] = {
        "description": f"log {log.name}", "log_id": log_lists.b64(log.log_id), "key": log_lists.b64(log.spki), "mmd": log.mmd,
        **urls,
        "state": {log.state.value: {"timestamp": f"{log.since:%Y-%m-%dT%H:%M:%SZ}"}},
    }
    if log.interval:
        start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in log.interval)
        fields["temporal_interval"] = {"start_inclusive": start, "end_exclusive": end}
    return fields


def signed_list(*logs: CtLog, **options: Any) -> tuple[bytes, bytes, bytes]:
    """:func:`log_list`, its signature, and the public key of that (PEM)."""
    raw = log_list(*logs, **options)
    return raw, log_lists.sign(raw), log_lists.key_pem()


def model_list(*logs: CtLog, now: datetime | None = None, version: str = "1.0") -> LogList:
    """The same list as a value."""
    return LogList("test", version, now or datetime.now(UTC), {log.log_id: log.model for log in logs}, "test", True)
