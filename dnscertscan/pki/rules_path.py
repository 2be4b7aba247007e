"""What the certificates of a path must be to each other: path length and name constraints (RFC 5280 6.1.4)."""

from collections.abc import Iterator, Sequence

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.pki.constraints import Comparisons
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.parse import Facts
from dnscertscan.pki.paths import Link, Path
from dnscertscan.pki.signatures import algorithm_of
from dnscertscan.pki.wording import fault, quoted, who


def link_faults(path: Path, refs: Sequence[CertificateRef]) -> Iterator[Fault]:
    """Signatures that do not fit, and key identifiers that point elsewhere."""
    for index, link in enumerate(path.links):
        child, issuer = refs[index], refs[index + 1]
        if link is Link.NOT_SIGNED:
            why = _why(path.certificates[index])
            fact = f"{who(child)} is not signed by the key of {who(issuer)}, whose name it gives as issuer: {why}"
            step = "install the certificate as the CA issued it, and the CA certificate that signed it"
            yield fault("signature-failure", child, fact, step)
        elif link is Link.OTHER_KEY_ID:
            fact = f"authorityKeyIdentifier of {who(child)} does not point to {who(issuer)}, which signed it: OpenSSL stops"
            step = "install the issuer certificate it points to, or issue it anew with the right identifier"
            yield fault("issuer-not-found", child, fact, step)


def _why(facts: Facts) -> str:
    if facts.algorithms_differ:
        return "its two signature algorithm fields differ"
    algorithm = algorithm_of(facts.algorithm)
    return "the signature does not match" if algorithm.scheme else f"nobody can check {algorithm.label}"


def path_length_faults(path: Sequence[Facts], refs: Sequence[CertificateRef]) -> Iterator[Fault]:
    """RFC 5280 6.1.4 l, m: self-issued certificates and the leaf do not count."""
    below = 0
    for index, facts in enumerate(path):
        if index == 0:
            continue
        basic = facts.extensions.basic
        if basic is not None and basic.ca and basic.path_length is not None and below > basic.path_length:
            fact = f"{who(refs[index])} allows {basic.path_length} intermediate certificates below it, the chain has {below}"
            yield fault("pathlen-exceeded", refs[index], fact, "issue the server certificate from a CA within that limit")
        if not facts.is_self_issued:
            below += 1


def constraint_faults(path: Sequence[Facts], refs: Sequence[CertificateRef], comparisons: Comparisons) -> Iterator[Fault]:
    """RFC 5280 6.1.3 b, c: names of every certificate below, self-issued ones excepted unless it is the leaf."""
    reported: set[tuple[str, int]] = set()
    for upper in range(1, len(path)):
        for lower in range(upper):
            facts = path[lower]
            if lower and facts.is_self_issued:
                continue
            for violation in comparisons.violations(path[upper], facts):
                slug = "nc-excluded" if violation.excluded else "nc-permitted"
                if (slug, lower) in reported:
                    continue
                reported.add((slug, lower))
                fact = f"name constraints of {who(refs[upper])} forbid a name of {who(refs[lower])}: {quoted(violation.text)}"
                step = "issue the certificate from a CA that may issue for this name"
                if not violation.compared:
                    both = f"{who(refs[lower])} and {who(refs[upper])}"
                    fact = f"{both} have too many names and constraints to compare: {violation.text}"
                    step = "issue it with fewer names, or from a CA with fewer name constraints"
                yield fault(slug, refs[lower], fact, step)
