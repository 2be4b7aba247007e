"""Reading files of certificates: PEM with anything between the blocks, or DER; what cannot be used is named (RFC 7468)."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import suppress

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.text import visible
from dnscertscan.pki import der
from dnscertscan.pki.parse import parse

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,60})-----")
_CERTIFICATE = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
_BLANK = bytes(range(33))
_NONE = "no certificate in it: a PEM block 'BEGIN CERTIFICATE' or a DER certificate is expected"
_DER_FILE = 0
_SHOWN = 4096
_Found = list[tuple[int, bytes]]
_Problems = list[tuple[int, str]]
"""Line (from 1; 0 is a file that is one DER certificate) and what is there."""


def read_bundle(data: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Trust anchors in order without exact duplicates, and one line for each thing that cannot be used, with its line number."""
    found, problems = _read(data)
    usable: dict[str, Certificate] = {}
    for line, octets in found:
        certificate = Certificate(octets)
        if fault := parse(certificate).problem:
            problems.append((line, f"certificate cannot be parsed: {visible(fault, 200)}"))
        else:
            usable.setdefault(certificate.sha256, certificate)
    return tuple(usable.values()), _told(problems, empty=not usable)


def read_chain(data: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """A certificate list as it stands, to be diagnosed: order, duplicates and what cannot be parsed are kept.

    A damaged block keeps its place as octets nobody can parse, so that the positions of the others stay right. The lines name
    what is no certificate; a private key beside its chain, as some servers want it, is among them.
    """
    found, problems = _read(data)
    found = sorted([*found, *_damaged(data, {line for line, _ in problems})])
    return tuple(Certificate(octets) for _, octets in found), _told(problems, empty=not found)


def _damaged(data: bytes, lines: set[int]) -> Iterator[tuple[int, bytes]]:
    """The text of the certificate blocks that begin on one of ``lines``, up to the next block."""
    for begin in _BEGIN.finditer(data):
        line = data.count(b"\n", 0, begin.start()) + 1
        if line in lines and begin[1] in _CERTIFICATE:
            following = _BEGIN.search(data, begin.end())
            yield line, data[begin.end() : following.start() if following else len(data)].strip()[:_SHOWN]


def _told(problems: _Problems, *, empty: bool) -> tuple[str, ...]:
    lines = [f"{f'line {line}' if line else 'DER file'}: {text}" for line, text in sorted(problems)]
    return (*lines, _NONE) if empty else tuple(lines)


def _read(data: bytes) -> tuple[_Found, _Problems]:
    """Every certificate block, and what else was met."""
    if data[:1] == b"\x30":
        return [(_DER_FILE, data)], []
    found: _Found = []
    problems: _Problems = []
    pos, line, counted = 0, 1, 0
    while begin := _BEGIN.search(data, pos):
        line += data.count(b"\n", counted, begin.start())
        counted = begin.start()
        label = begin[1]
        end = data.find(b"-----END " + label + b"-----", begin.end())
        following = _BEGIN.search(data, begin.end())
        if end < 0 or (following and following.start() < end):
            problems.append((line, f"block 'BEGIN {label.decode()}' has no matching END line"))
            pos = begin.end()
            continue
        pos = end
        if label in _CERTIFICATE:
            _decode(data[begin.end() : end], label, line, found, problems)
        elif b"PRIVATE KEY" in label:
            step = "remove it from there, and replace the key if others could read it"
            problems.append((line, f"private key in a file of certificates; {step}"))
        else:
            problems.append((line, f"block 'BEGIN {label.decode()}' is no certificate and is not used"))
    return found, problems


def _decode(body: bytes, label: bytes, line: int, found: _Found, problems: _Problems) -> None:
    try:
        octets = b64decode(body.translate(None, _BLANK), validate=True)
    except Base64Error as error:
        problems.append((line, f"certificate block is not base64 ({visible(str(error), 120)})"))
        return
    if label == b"TRUSTED CERTIFICATE":  # OpenSSL's own format: the certificate, then trust settings
        with suppress(der.DerError):  # what is broken is said by whoever parses it
            octets = octets[: der.expect(octets, 0, len(octets), der.SEQUENCE, "certificate")[1]]
    found.append((line, octets))
