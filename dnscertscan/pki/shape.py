"""What was sent, apart from trust: order, extra and repeated certificates, the root among them (RFC 5246 7.4.2, 8446 4.4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from dnscertscan.model.certificates import Certificate, CertificateRef
from dnscertscan.model.findings import Severity
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.names import Offer, offer
from dnscertscan.pki.parse import Facts, refer
from dnscertscan.pki.paths import Path
from dnscertscan.pki.rules_certificate import date_faults
from dnscertscan.pki.signatures import Budget
from dnscertscan.pki.wording import fault, who

MAX_SENT = 100
_IN_ORDER = "send the server certificate first, then each issuer after what it issued"


@dataclass(frozen=True, slots=True)
class Sent:
    """The list as received: distinct certificates in order with their first positions, and what was left out."""

    facts: tuple[Facts, ...]
    positions: dict[str, int]
    repeats: tuple[tuple[int, int], ...]
    """(position, position of the same certificate before)."""
    ignored: int
    """Certificates behind the first ``MAX_SENT`` distinct ones: not looked at."""
    _refs: dict[str, CertificateRef] = field(default_factory=dict)

    def ref(self, facts: Facts) -> CertificateRef:
        """How findings name it; position None when it was not sent."""
        made = self._refs.get(facts.sha256)
        if made is None:
            made = self._refs[facts.sha256] = refer(facts, self.positions.get(facts.sha256))
        return made


def distinct(chain: Sequence[Certificate]) -> tuple[list[Certificate], dict[str, int], list[tuple[int, int]], int]:
    """The first ``MAX_SENT`` distinct certificates, their positions, repeats, and how many were not looked at."""
    kept: list[Certificate] = []
    positions: dict[str, int] = {}
    repeats: list[tuple[int, int]] = []
    ignored = 0
    for position, certificate in enumerate(chain):
        before = positions.get(certificate.sha256)
        if before is not None:
            if len(repeats) < MAX_SENT:
                repeats.append((position, before))
        elif len(kept) < MAX_SENT:
            positions[certificate.sha256] = position
            kept.append(certificate)
        else:
            ignored += 1
    return kept, positions, repeats, ignored


def shape_faults(sent: Sent, path: Path, budget: Budget, at: datetime) -> Iterator[Fault]:
    """Each kind of fault at most once; certificates off the path cause no error where a path was found, unless unreadable.

    The order of the list is left to :func:`order_fault` and :func:`better_leaves`, for it depends on the name asked.

    TLS clients read every certificate of the list before they look for a path, and end the handshake at the first they cannot.
    """
    on_path = {facts.sha256 for facts in path.certificates}
    yield from _repeats(sent)
    yield from _root(sent, path)
    others = [facts for facts in sent.facts if facts.sha256 not in on_path and not facts.problem]
    yield from _extra(sent, path, others, budget)
    for facts in sent.facts:
        if facts.problem and facts.sha256 not in on_path:
            ref = sent.ref(facts)
            fact = f"{who(ref)}: {facts.problem}; clients end the handshake for this"
            yield fault("cert-unparseable", ref, fact, "remove it, or replace it by an intact one")
    for facts in others:
        yield from date_faults(facts, sent.ref(facts), at, severity=Severity.INFO)


def order_fault(sent: Sent, path: Path) -> Fault | None:
    """The first certificate of the path that is sent before what it issued."""
    served = [facts for facts in path.certificates if facts.sha256 in sent.positions]
    positions = [sent.positions[facts.sha256] for facts in served]
    for facts, (before, here) in zip(served[1:], pairwise(positions), strict=True):
        if here < before:
            shown = ", ".join(map(str, positions))
            ref = sent.ref(facts)
            fact = f"{who(ref)} is sent before what it issued; from server certificate to root the positions are {shown}"
            return fault("chain-order", ref, fact, _IN_ORDER)
    return None


def better_leaves(sent: Sent) -> tuple[tuple[Offer, Fault], ...]:
    """Where a CA certificate comes first: the server certificates behind it, and what to say when one is for the name asked."""
    if not sent.facts[0].is_ca:
        return ()
    better: list[tuple[Offer, Fault]] = []
    for facts in sent.facts[1:]:
        if not facts.is_ca and facts.extensions.alt_names is not None:
            ref = sent.ref(facts)
            fact = f"{who(ref)} is the one for this name, a CA certificate is sent before it"
            better.append((offer(facts.extensions.alt_names), fault("chain-order", ref, fact, _IN_ORDER)))
    return tuple(better)


def _repeats(sent: Sent) -> Iterator[Fault]:
    if not sent.repeats:
        return
    by_position = {position: facts for facts in sent.facts for position in (sent.positions[facts.sha256],)}
    position, before = sent.repeats[0]
    ref = refer(by_position[before], position)
    shown = ", ".join(f"{later} (same as {earlier})" for later, earlier in sent.repeats[:5])
    more = f" and {len(sent.repeats) - 5} more" if len(sent.repeats) > 5 else ""
    yield fault("chain-duplicate", ref, f'"{ref.subject[:300]}" at positions {shown}{more}', "send each certificate once")


def _root(sent: Sent, path: Path) -> Iterator[Fault]:
    last = path.certificates[-1]
    if path.anchored and len(path.certificates) > 1 and last.names_itself and last.sha256 in sent.positions:
        ref = sent.ref(last)
        yield fault("chain-includes-root", ref, f"{who(ref)} is known to clients already", "it may be left out to save octets")


def _extra(sent: Sent, path: Path, others: Sequence[Facts], budget: Budget) -> Iterator[Fault]:
    """Certificates that lead nowhere from the leaf. Other issuers of path members (cross-signed ones) serve other clients."""
    reached = list(path.certificates)
    rest = list(others)
    for facts in reached:
        named = [other for other in rest if other.subject.key == facts.issuer.key]
        issuers = [other for other in named if budget.is_signed(other, facts) is not False]
        reached += issuers
        rest = [other for other in rest if other not in issuers]
    if not rest and not sent.ignored:
        return
    refs = [sent.ref(facts) for facts in rest]
    shown = ", ".join(who(ref) for ref in refs[:5]) + (f" and {len(refs) - 5} more" if len(refs) > 5 else "")
    ignored = f"{sent.ignored} certificates after the first {MAX_SENT} were not looked at" if sent.ignored else ""
    fact = "; ".join(text for text in (shown, ignored) if text)
    step = "remove what does not lead from the server certificate to its root"
    yield fault("chain-extra-cert", refs[0] if refs else None, fact, step)
