"""A judge with logs of our own, and certificates that carry their SCTs: the real examination, real signatures, no server."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from pki import ct_forge, forge
from pki.ct_forge import CA, LEAF, OwnLog, sct_list
from pki.forge import DAY, NOW
from servers.judging import deployment, observed, target

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import Inclusion, InclusionVerdict, LogKind, LogList
from dnscertscan.model.endpoints import Target
from dnscertscan.model.findings import Finding
from dnscertscan.model.observations import Deployment, Observation
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.truststore import TrustStore

ONE, TWO = OwnLog("one", "Op A"), OwnLog("two", "Op B", kind=LogKind.STATIC)
THREE, STRANGER = OwnLog("three", "Op A"), OwnLog("stranger", "Op C")
LIST = ct_forge.list_of(ONE, TWO, THREE)
ROOT = Certificate(forge.root_spec().signed_by(forge.root_spec()))
ISSUER = ct_forge.issuer_of()
STORE = TrustStore("public", [ROOT])
BUNDLE = TrustStore("private bundle", [ROOT])
ELSEWHERE = TrustStore("public", [Certificate(forge.root_spec("Other").signed_by(forge.root_spec("Other")))])

GOOD = ct_forge.issue([ONE, TWO])
PLAIN = Certificate(LEAF.signed_by(CA))
ENTRY = ct_forge.x509_entry(PLAIN.der)
LATE = sct_list([ONE.sct(ENTRY), TWO.sct(ENTRY)])
"""SCTs over PLAIN, for the TLS extension or a stapled response."""
WHERE = target()


def judge(
    *, public: Sequence[TrustStore] = (STORE,), private: Sequence[TrustStore] = (), logs: LogList = LIST, **policy: Any
) -> Judge:
    """A judge who looks at CT, with the root in a public store."""
    return Judge(CheckPolicy(), public, private, NOW, ct=CtPolicy(logs, **policy))


def served(
    leaf: Certificate, *chain: Certificate, scts: bytes | None = b"", staple: bytes | None = None, where: Target = WHERE,
    how: str = "TLS 1.3",
) -> Observation:
    """One list by one handshake; unless ``scts`` is None, it has asked for all there is."""
    return observed(where, shown(leaf, *(chain or (ISSUER,)), scts=scts, staple=staple, how=how))


def shown(*chain: Certificate, scts: bytes | None = b"", staple: bytes | None = None, how: str = "TLS 1.3") -> Deployment:
    """One deployment."""
    return replace(deployment(*chain, how=(how,), staple=staple), scts=scts)


def codes(findings: Iterable[Finding]) -> list[str]:
    """Their codes without the letters."""
    return [finding.rule.code[3:] for finding in findings]


def spoilt(sct: bytes) -> bytes:
    """An SCT whose signature is over something else: its time is one millisecond later."""
    return sct[:40] + bytes([sct[40] ^ 1]) + sct[41:]


def facts_of(leaf: Certificate, judging: Judge, verdict: InclusionVerdict, reason: str = "said so", **more: Any) -> CtFacts:
    """What the logs say of all SCTs of ``leaf``."""
    questions = list(judging.ct_questions(served(leaf)))
    said = [
        (result, Inclusion(verdict, reason, result.log.log_id, b"\0" * 32, **more)) for _, result, _ in questions if result.log
    ]
    return CtFacts(inclusions={leaf.sha256: tuple(said)})


def days_from(start: int, days: int) -> forge.Spec:
    """A leaf valid for so many days, both ends counted, from so many days before NOW."""
    begin = NOW - start * DAY
    end = begin + days * DAY - timedelta(seconds=1)
    return replace(LEAF, not_before=forge.time(begin), not_after=forge.time(end))


def embedded(*scts: bytes, spec: forge.Spec = LEAF) -> Certificate:
    """A leaf with these SCTs."""
    return ct_forge.with_scts(scts, spec)


def over(spec: forge.Spec = LEAF) -> bytes:
    """The entry that embedded SCTs of a leaf are over."""
    return ct_forge.precert_entry(CA, ct_forge.tbs_of(spec.signed_by(CA)))


def logged(judging: Judge, seen: Observation) -> list[str]:
    """Whether each leaf is logged, says the judge."""
    return [str(audit.logged) for audit in judging.ct(seen).values()]
