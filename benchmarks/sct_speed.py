"""SCTs a second on one core, beside the bare ECDSA P-256 verify that is the floor.

    python benchmarks/sct_speed.py [--certificates 500] [--scts 3]

Every certificate is another one, with SCTs of as many logs as asked for. An audit is everything from octets to the report:
parsing, the issuer's signature, the precertificate TBS, each SCT, the three policies. Processor time is counted, so that other
work of the machine matters less.
"""

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Log, Logged, LogKind, LogList, LogState, Sct, SctVerdict
from dnscertscan.pki.ct_audit import audit
from dnscertscan.pki.sct import embedded_sct_list, parse_sct_list, verify
from dnscertscan.pki.tbs import precert_entry

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GOAL = 2000
"""SCTs a second on one core, every certificate seen for the first time."""
SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
Key = ec.EllipticCurvePrivateKey


def _spki(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _log(number: int, key: Key) -> Log:
    spki = _spki(key)
    states = ((LogState.USABLE, datetime(2020, 1, 1, tzinfo=UTC)),)
    operators = ((f"Operator {number}", None),)
    return Log(sha256(spki).digest(), spki, f"log {number}", LogKind.RFC6962, "", "", 86400, None, states, operators)


def _builder(subject: str, issuer: Key, key: Key) -> x509.CertificateBuilder:
    built = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name("Speed CA")).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number()).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=60))
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())
    names = x509.SubjectAlternativeName([x509.DNSName(subject)])
    return built.add_extension(identifier, critical=False).add_extension(names, critical=False)


def _sct(key: Key, log: Log, entry: bytes) -> bytes:
    time_ms = int(NOW.timestamp() * 1000).to_bytes(8, "big")
    signature = key.sign(b"\0\0" + time_ms + entry + b"\0\0", ec.ECDSA(hashes.SHA256()))
    sct = b"\0" + log.log_id + time_ms + b"\0\0" + b"\4\3" + len(signature).to_bytes(2, "big") + signature
    return len(sct).to_bytes(2, "big") + sct


def _leaf(number: int, ca: Key, key: Key, logs: list[tuple[Key, Log]]) -> Certificate:
    builder = _builder(f"host{number}.example.com", ca, key)
    tbs = builder.sign(ca, hashes.SHA256()).tbs_certificate_bytes
    entry = b"\0\1" + sha256(_spki(ca)).digest() + len(tbs).to_bytes(3, "big") + tbs
    scts = b"".join(_sct(log_key, log, entry) for log_key, log in logs)
    listed = len(scts).to_bytes(2, "big") + scts
    value = b"\4" + (b"\x82" + len(listed).to_bytes(2, "big") if len(listed) > 255 else b"\x81" + bytes([len(listed)])) + listed
    final = builder.add_extension(x509.UnrecognizedExtension(SCT_LIST, value), critical=False).sign(ca, hashes.SHA256())
    return Certificate(final.public_bytes(Encoding.DER))


def _rate(label: str, count: int, work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    rate = count / (time.process_time() - start)
    print(f"{label:44} {rate:8.0f} a second")
    return rate


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--certificates", type=int, default=500)
    options.add_argument("--scts", type=int, default=3)
    chosen = options.parse_args()
    ca, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(chosen.scts)]
    logs = [(log_key, _log(number, log_key)) for number, log_key in enumerate(keys)]
    issuer = Certificate(_builder("Speed CA", ca, ca).sign(ca, hashes.SHA256()).public_bytes(Encoding.DER))
    leaves = [_leaf(number, ca, key, logs) for number in range(chosen.certificates)]
    log_list = LogList("speed", "1", NOW, {log.log_id: log for _, log in logs}, "", True)
    total = chosen.certificates * chosen.scts
    signature, public = keys[0].sign(b"x" * 1200, ec.ECDSA(hashes.SHA256())), keys[0].public_key()

    def floor() -> None:
        for _ in range(total):
            public.verify(signature, b"x" * 1200, ec.ECDSA(hashes.SHA256()))

    def audits() -> None:
        for leaf in leaves:
            assert audit((leaf, issuer), log_list, NOW, public=True).logged is Logged.LOGGED

    def verifies() -> None:
        for leaf in leaves:
            entry = precert_entry(leaf, issuer)
            for sct in parse_sct_list(embedded_sct_list(leaf) or b""):
                assert isinstance(sct, Sct)
                assert verify(sct, log_list.logs[sct.log_id], entry)[0] is SctVerdict.VALID

    bare = _rate("bare ECDSA P-256 verify", total, floor)
    cold = _rate("SCTs in audits, certificates never seen before", total, audits)
    _rate("SCTs in audits, certificates seen", total, audits)
    _rate("SCTs parsed and verified", total, verifies)
    print(f"an SCT in an audit costs {bare / cold:.1f} bare verifies (one more for the issuer's signature per certificate)")
    word = "met" if cold >= GOAL else "missed"
    print(f"one core: {cold:,.0f} SCTs a second in audits beside {bare:,.0f} bare ECDSA P-256 verifies; goal {GOAL:,}: {word}")


if __name__ == "__main__":
    main()
