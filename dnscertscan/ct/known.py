"""What is known locally: certificates, keys and CSRs from files and folders, as ACME clients keep them.

Nothing is written, and of private keys only the digest of the public half is kept. Times and memory are bounded (see Limits).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dnscertscan.ct.known_files import Limits, Lines, Walk
from dnscertscan.ct.known_reading import read_contents
from dnscertscan.ct.search_reading import certificate_names
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.transparency import Known
from dnscertscan.pki.parse import parse
from dnscertscan.pki.tbs import tbs_sha256

_USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Local:
    """What was found. ``certificates`` are those of servers with their path, ``issuers`` those of CAs beside them.

    ``names`` are of certificates and CSRs. ``lost`` are lines for the paths that gave nothing at all; ``cut`` is why the reading
    ended early, empty when it did not.
    """

    known: Known = field(default_factory=Known)
    certificates: tuple[tuple[Certificate, str], ...] = field(default=(), repr=False)
    issuers: tuple[Certificate, ...] = field(default=(), repr=False)
    names: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    cut: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What was not read though it was named, one line each: then something may be known that is not here."""
        return (*self.lost, *([self.cut] if self.cut else []))


def read_known(paths: Sequence[Path], tell: Callable[[str], None]) -> Known:
    """Digests of everything below ``paths``; ``tell`` takes one line for each file that cannot be used, the others go on.

    Blocks (disk): call it in a thread where somebody waits.
    """
    return read_local(paths, tell).known


def read_local(
    paths: Sequence[Path], tell: Callable[[str], None], limits: Limits = _USUAL, spared: Sequence[Path] = ()
) -> Local:
    """The same with the certificates themselves. ``spared`` are state folders of certspotter, which are never read (see Walk)."""
    lines = Lines(tell, limits.lines)
    walk = Walk(paths, lines, limits, spared)
    keys: dict[str, str] = {}
    issuances: dict[str, str] = {}
    certificates: dict[str, tuple[Certificate, str]] = {}
    issuers: dict[str, Certificate] = {}
    names: dict[str, None] = {}
    useless: list[str] = []
    for file in walk.files():
        found = read_contents(file.path, file.data, named=file.named)
        for problem in found.problems:
            lines(f"{file.where}: {problem}")
        if file.named and not found.is_useful:
            useless += [f"{file.where}: {problem}" for problem in found.problems[:1]]
        for key in found.keys:
            keys.setdefault(key, file.where)
        names.update(dict.fromkeys(found.names))
        for certificate in found.certificates:
            facts = parse(certificate)
            if facts.is_ca:  # the chain beside the certificate: not a key of ours
                issuers.setdefault(certificate.sha256, certificate)
                continue
            certificates.setdefault(certificate.sha256, (certificate, file.where))
            names.update(dict.fromkeys(certificate_names(certificate)))
            if identity := tbs_sha256(certificate):
                issuances.setdefault(identity, file.where)
            if facts.key.spki:
                keys.setdefault(facts.key.digest.hex(), file.where)
    lines.end()
    lost = (*walk.lost, *useless)
    return Local(Known(keys, issuances), tuple(certificates.values()), tuple(issuers.values()), tuple(names), lost, walk.cut)
