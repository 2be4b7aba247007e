"""A CT log of our own: SCTs and tree heads with real signatures, certificates that carry them. Octet by octet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from pki import forge
from pki.forge import NOW, Extension, OcspSpec, Spec

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Log, LogKind, LogList, LogState

SCT_LIST, POISON, OCSP_SCT_LIST = "1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.11129.2.4.3", "1.3.6.1.4.1.11129.2.4.5"
SIGNING_CA = "1.3.6.1.4.1.11129.2.4.4"
START = datetime(2020, 1, 1, tzinfo=UTC)
POISONED = Extension(POISON, forge.tlv(5), True)
CA = forge.ca_spec()
LEAF = forge.leaf_spec()


def milliseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000


def vector(size: int, content: bytes) -> bytes:
    return len(content).to_bytes(size, "big") + content


def leaf_index(index: int) -> bytes:
    return b"\0" + vector(2, index.to_bytes(5, "big"))


def x509_entry(leaf: bytes) -> bytes:
    return b"\0\0" + vector(3, leaf)


def precert_entry(issuer: Spec, tbs: bytes) -> bytes:
    return b"\0\1" + sha256(forge.spki(issuer.private)).digest() + vector(3, tbs)


@dataclass(frozen=True)
class OwnLog:
    """A log with a key of its own (``P-256``, ``RSA2048``, ...), its operator and states."""

    label: str = "one"
    operator: str = "Op A"
    key_kind: str = "P-256"
    kind: LogKind = LogKind.RFC6962
    states: tuple[tuple[LogState, datetime], ...] = ((LogState.USABLE, START),)

    @property
    def spki(self) -> bytes:
        return forge.spki(forge.key(f"log {self.label}", self.key_kind))

    @property
    def log_id(self) -> bytes:
        return sha256(self.spki).digest()

    @property
    def log(self) -> Log:
        url = f"https://{self.label}.example/"
        return Log(
            self.log_id, self.spki, f"log {self.label}", self.kind, url, url if self.kind is LogKind.STATIC else "", 86400, None,
            self.states, ((self.operator, None),),
        )

    def signed(self, data: bytes) -> bytes:
        """DigitallySigned."""
        private = forge.key(f"log {self.label}", self.key_kind)
        return (b"\4\1" if self.key_kind.startswith("RSA") else b"\4\3") + vector(2, forge.sign(private, data))

    def sct(self, entry: bytes, at: datetime = NOW, extensions: bytes | None = None) -> bytes:
        """A SerializedSCT over ``entry``."""
        if extensions is None:
            extensions = leaf_index(7) if self.kind is LogKind.STATIC else b""
        time = milliseconds(at).to_bytes(8, "big")
        signature = self.signed(b"\0\0" + time + entry + vector(2, extensions))
        return b"\0" + self.log_id + time + vector(2, extensions) + signature


def sct_list(scts: Sequence[bytes]) -> bytes:
    return vector(2, b"".join(vector(2, sct) for sct in scts))


def embedding(octets: bytes) -> Extension:
    return Extension(SCT_LIST, forge.octets(octets))


def tbs_of(certificate: bytes) -> bytes:
    """The TBSCertificate, whole; lengths of our own making are of at most two octets."""
    outer = 2 + (certificate[1] & 0x7F if certificate[1] & 0x80 else 0)
    count = certificate[outer + 1] & 0x7F if certificate[outer + 1] & 0x80 else 0
    size = int.from_bytes(certificate[outer + 2 : outer + 2 + count], "big") if count else certificate[outer + 1]
    return certificate[outer : outer + 2 + count + size]


def issue(logs: Sequence[OwnLog], spec: Spec = LEAF, issuer: Spec = CA, at: datetime = NOW) -> Certificate:
    """A certificate with an SCT of each log, by way of its precertificate TBS."""
    entry = precert_entry(issuer, tbs_of(spec.signed_by(issuer)))
    return with_scts([log.sct(entry, at) for log in logs], spec, issuer)


def with_scts(scts: Sequence[bytes], spec: Spec = LEAF, issuer: Spec = CA) -> Certificate:
    return Certificate(spec.with_(embedding(sct_list(scts))).signed_by(issuer))


def issuer_of(issuer: Spec = CA) -> Certificate:
    return Certificate(issuer.signed_by(forge.root_spec()))


def stapled(scts: bytes, serial: bytes = LEAF.serial, issuer: Spec = CA, status: bytes = forge.tlv(0x80)) -> bytes:
    """An OCSP response whose SingleResponse has the SCT list among its extensions."""
    hashes = forge.octets(b"n" * 20), forge.octets(b"k" * 20)
    certificate_id = forge.seq(forge.seq(forge.oid("1.3.14.3.2.26")), *hashes, forge.tlv(2, serial))
    extension = Extension(OCSP_SCT_LIST, forge.octets(scts)).der
    other = Extension("1.2.3.4", b"x", True).der
    single = forge.seq(
        certificate_id, status, forge.generalized_time(NOW), forge.tlv(0xA0, forge.generalized_time(NOW)),
        forge.tlv(0xA1, forge.seq(other, extension)),
    )
    return replace(OcspSpec(issuer, b"\x55"), extra=(single,)).der


def list_of(*logs: OwnLog, timestamp: datetime = NOW) -> LogList:
    return LogList("own", "1", timestamp, {log.log_id: log.log for log in logs}, "memory", True)
