"""Certificates of a file, sorted into those to audit and those that may have issued them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dnscertscan.ct.known_reading import read_contents, store_kind
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.text import visible
from dnscertscan.pki import der
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import Facts, parse

_KEY = "private key"
MAX_AUDITED, MAX_CERTIFICATES = 100, 5000
_MAX_TOLD = 20
_INNER = (
    (b"\x02\x01\x03", "PKCS #12"),  # version 3 of a PFX (RFC 7292 4)
    (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01", "PKCS #7"),  # contentType (RFC 2315 7)
    (b"\x0a", "OCSP response"),  # responseStatus (RFC 6960 4.2.1)
)
"""What comes first inside the outer SEQUENCE."""
_WRITE = "write its certificates as PEM beside it"


@dataclass(frozen=True, slots=True)
class Sorted:
    """``chains`` are leaf first, one for each certificate that is no CA's; ``problems`` are lines about what was not used.

    ``moved``: the certificate to audit was not the first one of the file. ``undecided`` are lines, safe to show, about
    certificates of which nothing is known, since they cannot be read or are too many.
    """

    chains: tuple[tuple[Certificate, ...], ...]
    problems: tuple[str, ...] = ()
    moved: bool = False
    undecided: tuple[str, ...] = ()


def read(data: bytes, path: Path = Path("-")) -> Sorted:
    """The certificates of a PEM or DER file in whatever order they stand. Private keys are passed over and never read.

    Without any certificate ``chains`` is empty and the last problem says so. A file of CA certificates alone is about the one
    that issued none of the others. At most :data:`MAX_AUDITED` are audited; what is not is among ``undecided``.
    """
    if words := _something_else(data, path):
        return Sorted((), (words,))
    found, problems = read_chain(data)
    told = tuple(line for line in problems if _KEY not in line)
    distinct = list({one.sha256: one for one in found}.values())
    if not distinct:
        return Sorted((), told)
    if len(distinct) > MAX_CERTIFICATES:
        return Sorted((), (*told, f"more than {MAX_CERTIFICATES} certificates in one file; split it"))
    facts = {one.sha256: parse(one) for one in distinct}
    leaves = _leaves(distinct, facts)
    beside = [one for one in distinct if one not in set(leaves)]
    return Sorted(
        tuple((leaf, *beside) for leaf in leaves[:MAX_AUDITED]), told, moved=distinct[0] is not leaves[0],
        undecided=(*_unreadable(found, facts), *_more(len(leaves) - MAX_AUDITED)),
    )


def _unreadable(found: Sequence[Certificate], facts: Mapping[str, Facts]) -> list[str]:
    """A line for each certificate of the file that cannot be read; it may be the very one that is served."""
    lines = [
        f"certificate {number} of {len(found)} in the file cannot be read: {visible(facts[one.sha256].problem, 200)}"
        for number, one in enumerate(found, start=1) if facts[one.sha256].problem
    ]
    more = len(lines) - _MAX_TOLD
    return lines if more <= 0 else [*lines[:_MAX_TOLD], f"{more} more certificates in the file cannot be read"]


def _more(number: int) -> list[str]:
    said = f"{number} more certificates were not audited (at most {MAX_AUDITED} of one file are); split it"
    return [said] if number > 0 else []


def _leaves(certificates: list[Certificate], facts: Mapping[str, Facts]) -> list[Certificate]:
    broken = [one for one in certificates if facts[one.sha256].problem]
    readable = [one for one in certificates if not facts[one.sha256].problem]
    if ends := [one for one in readable if not facts[one.sha256].is_ca]:
        # Certificates of version 1 do not say that they are a CA's: one that others name as their issuer is none to audit.
        return _unnamed(ends, facts) or ends[:1]
    return (broken or _unnamed(readable, facts) or readable)[:1]


def _unnamed(certificates: list[Certificate], facts: Mapping[str, Facts]) -> list[Certificate]:
    """Those that no other one than themselves has for its issuer, by name."""
    named = Counter(facts[one.sha256].issuer.key for one in certificates)
    return [
        one for one in certificates
        if named[facts[one.sha256].subject.key] == (facts[one.sha256].subject.key == facts[one.sha256].issuer.key)
    ]


def _something_else(data: bytes, path: Path) -> str:
    """What a file of another kind is, and what to do; empty for a file of certificates, also a damaged one."""
    kind = _binary_kind(data)
    if not kind and b"-----BEGIN " not in data:
        kind = store_kind(path)
        if data[:1] == b"\x30" and not parse(Certificate(data)).problem:
            return ""
    if kind:
        return f"{kind} files are not read; {_WRITE}"
    if data[:1] == b"\x30" and parse(Certificate(data)).problem:
        found = read_contents(path, data, named=True)
        if found.keys or any(_KEY in line for line in found.problems):
            return "it is a key or a CSR, no certificate"
    return ""


def _binary_kind(data: bytes) -> str:
    """By the first octets: what no certificate begins with."""
    if data[:4] == b"\xfe\xed\xfe\xed":
        return "Java keystore"
    if data[:1] != b"\x30":
        return ""
    try:
        inner = 2 if data[1:2] == b"\x80" else der.expect(data, 0, len(data), der.SEQUENCE, "file")[0]
    except der.DerError:
        return ""
    return next((kind for start, kind in _INNER if data.startswith(start, inner)), "")
