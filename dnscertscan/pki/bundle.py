"""Reading CA files: PEM with anything between the blocks, or DER, and saying what in them cannot be used (RFC 7468)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from contextlib import suppress

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.text import visible
from dnscertscan.pki import der
from dnscertscan.pki.parse import parse

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
_CERTIFICATE = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
_BLANK = bytes(range(33))


def read_bundle(data: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Certificates in order without exact duplicates, and one line for each thing that cannot be used, with its line number."""
    found: dict[str, Certificate] = {}
    problems: list[str] = []
    if data[:1] == b"\x30":
        _add(found, problems, data, "DER file")
    else:
        _read_pem(data, found, problems)
    if not found:
        problems.append("no certificate in it: a PEM block 'BEGIN CERTIFICATE' or a DER certificate is expected")
    return tuple(found.values()), tuple(problems)


def _read_pem(data: bytes, found: dict[str, Certificate], problems: list[str]) -> None:
    pos, line, counted = 0, 1, 0
    while begin := _BEGIN.search(data, pos):
        line += data.count(b"\n", counted, begin.start())
        counted = begin.start()
        label = begin[1]
        end = data.find(b"-----END " + label + b"-----", begin.end())
        following = _BEGIN.search(data, begin.end())
        if end < 0 or (following and following.start() < end):
            problems.append(f"line {line}: block 'BEGIN {label.decode()}' has no matching END line")
            pos = begin.end()
            continue
        pos = end
        if label in _CERTIFICATE:
            _add_block(found, problems, data[begin.end() : end], label, line)
        elif b"PRIVATE KEY" in label:
            step = "remove it from there, and replace the key if others could read it"
            problems.append(f"line {line}: private key in a file of certificates; {step}")
        else:
            problems.append(f"line {line}: block 'BEGIN {label.decode()}' is no certificate and is not used")


def _add_block(found: dict[str, Certificate], problems: list[str], body: bytes, label: bytes, line: int) -> None:
    try:
        octets = b64decode(body.translate(None, _BLANK), validate=True)
    except Base64Error as error:
        problems.append(f"line {line}: certificate block is not base64 ({visible(str(error), 120)})")
        return
    if label == b"TRUSTED CERTIFICATE":  # OpenSSL's own format: the certificate, then trust settings
        with suppress(der.DerError):  # what is broken is said below
            octets = octets[: der.expect(octets, 0, len(octets), der.SEQUENCE, "certificate")[1]]
    _add(found, problems, octets, f"line {line}")


def _add(found: dict[str, Certificate], problems: list[str], octets: bytes, where: str) -> None:
    certificate = Certificate(octets)
    facts = parse(certificate)
    if facts.problem:
        problems.append(f"{where}: certificate cannot be parsed: {visible(facts.problem, 200)}")
    else:
        found.setdefault(certificate.sha256, certificate)
