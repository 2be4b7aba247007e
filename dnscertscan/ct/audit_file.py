"""Certificates of a file, sorted into those to audit and those that may have issued them."""

from collections.abc import Iterable
from dataclasses import dataclass

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.bundle import read_chain
from dnscertscan.pki.parse import Facts, parse

_KEY = "private key"
MAX_CERTIFICATES = 100


@dataclass(frozen=True, slots=True)
class Sorted:
    """``chains`` are leaf first, one for each certificate that is no CA's; ``problems`` are lines about what was not used.

    ``moved``: the certificate to audit was not the first one of the file.
    """

    chains: tuple[tuple[Certificate, ...], ...]
    problems: tuple[str, ...] = ()
    moved: bool = False


def read(data: bytes) -> Sorted:
    """The certificates of a PEM or DER file in whatever order they stand. Private keys are passed over and never read.

    Without any certificate ``chains`` is empty and the last problem says so. A file of CA certificates alone is about the one
    that issued none of the others.
    """
    found, problems = read_chain(data)
    told = tuple(line for line in problems if _KEY not in line)
    distinct = list({one.sha256: one for one in found}.values())[:MAX_CERTIFICATES]
    if not distinct:
        return Sorted((), told)
    leaves = _leaves(distinct)
    return Sorted(
        tuple((leaf, *(one for one in distinct if one is not leaf)) for leaf in leaves), told, moved=distinct[0] is not leaves[0],
    )


def _leaves(certificates: list[Certificate]) -> list[Certificate]:
    facts = {one.sha256: parse(one) for one in certificates}
    broken = [one for one in certificates if facts[one.sha256].problem]
    readable = [one for one in certificates if not facts[one.sha256].problem]
    if ends := [one for one in readable if not facts[one.sha256].is_ca]:
        # Certificates of version 1 do not say that they are a CA's: one that others name as their issuer is none to audit.
        return [one for one in ends if not _is_named(facts[one.sha256], (facts[other.sha256] for other in ends))] or ends[:1]
    lowest = [one for one in readable if not _is_named(facts[one.sha256], (facts[other.sha256] for other in readable))]
    return (broken or lowest or readable)[:1]


def _is_named(issuer: Facts, others: Iterable[Facts]) -> bool:
    """Whether another certificate than itself has it for its issuer, by name."""
    return any(issuer.subject.key == other.issuer.key for other in others if other != issuer)
