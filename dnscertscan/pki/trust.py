"""Why a path does not end in an anchor: nothing sent, nothing known, or a root nobody trusts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dnscertscan.model.certificates import CertificateRef
from dnscertscan.pki.dn import DistinguishedName
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.parse import Facts
from dnscertscan.pki.paths import MAX_INTERMEDIATES, Cut, Path, key_id_fits
from dnscertscan.pki.signatures import MAX_CHECKS, Budget
from dnscertscan.pki.wording import fault, quoted, who

Lookup = Callable[[DistinguishedName], Sequence[Facts]]
"""Certificates with a subject."""
_OTHER_CA = "use a CA that clients trust, or add this root to the trust store if it is your own"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Beyond the path: ``known`` from elsewhere (other stores included), ``sent`` here, and the anchors of all stores."""

    known: Lookup
    sent: Lookup
    is_anchor: Callable[[Facts], bool]
    budget: Budget


def trust_faults(path: Path, refs: Sequence[CertificateRef], around: Surroundings) -> Iterator[Fault]:
    """The one fault of a path that reaches no anchor; nothing for one that does."""
    last, ref = path.certificates[-1], refs[-1]
    match path.end:
        case Cut.ANCHOR:
            return
        case Cut.SELF_SIGNED if len(path.certificates) == 1:
            fact = f"{who(ref)} is its own issuer and is in no trust store"
            step = "install a certificate from a CA that clients trust, or add this one to the trust store"
            yield fault("self-signed-leaf", ref, fact, step)
        case Cut.SELF_SIGNED:
            fact = f"untrusted root {who(ref)} was sent, but is not in any store"
            yield fault("self-signed-in-chain", ref, fact, _OTHER_CA)
        case Cut.DEPTH:
            fact = f"no trust anchor within {MAX_INTERMEDIATES} intermediate certificates above {who(refs[0])}"
            yield fault("chain-too-long", ref, fact, "use a shorter chain")
        case Cut.BUDGET:
            fact = f"the search for issuers of {who(ref)} stopped after {MAX_CHECKS} signature checks"
            yield fault("chain-too-long", ref, fact, "send only the certificates that are needed")
        case Cut.NO_ISSUER:
            yield _not_found(last, ref, around)


def _not_found(last: Facts, ref: CertificateRef, around: Surroundings) -> Fault:
    missing, root = _way_up(last, around)
    issuer = quoted(last.issuer.text)
    urls = f" (to be had at {quoted(last.extensions.issuer_urls[0])})" if last.extensions.issuer_urls else ""
    if missing:
        named = " and ".join(f'"{quoted(facts.subject.text)}"' for facts in missing)
        beyond = ""
        if root and not around.is_anchor(root):
            beyond = f'; its root "{quoted(root.subject.text)}" is an untrusted root, not in any store'
        fact = f"missing intermediate {named}, the issuer of {who(ref)}, was not sent{beyond}"
        return fault("issuer-not-found", ref, fact, f"configure the server to send it after its own certificate{urls}")
    if root:
        which = "this" if around.is_anchor(root) else "any"
        fact = f'untrusted root "{quoted(root.subject.text)}", the issuer of {who(ref)}, is not in {which} store'
        return fault("issuer-not-found", ref, fact, _OTHER_CA)
    fact = f'issuer "{issuer}" of {who(ref)} was not sent and is in no trust store'
    if around.sent(last.issuer):
        fact = f'issuer "{issuer}" of {who(ref)} is in no trust store, and what was sent under that name has another key'
    step = f"if that is an intermediate CA, let the server send its certificate{urls}; if it is a root, clients must trust it"
    return fault("issuer-not-found", ref, fact, step)


def _way_up(last: Facts, around: Surroundings) -> tuple[list[Facts], Facts | None]:
    """Intermediates that were missing and the root they lead to, as far as certificates seen elsewhere tell."""
    missing: list[Facts] = []
    while len(missing) < MAX_INTERMEDIATES:
        fitting = [facts for facts in around.known(last.issuer) if key_id_fits(facts, last)]
        issuers = [facts for facts in fitting if around.budget.is_signed(facts, last)]
        roots = [facts for facts in issuers if facts.names_itself]
        if roots:
            return missing, roots[0]
        issuers = [facts for facts in issuers if facts not in missing]
        if not issuers:
            break
        last = issuers[0]
        missing.append(last)
    return missing, None
