"""What is to be said of one audited certificate, each with its Nagios status. Pure; texts are safe to show."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from dnscertscan.ct.audit_issuers import Ancestry, Pins
from dnscertscan.ct.audit_report import Point, Proof, Status
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import BadSct, CtAudit, Delivery, InclusionVerdict, Logged, Program, SctResult, SctVerdict
from dnscertscan.model.text import visible
from dnscertscan.pki.ct_audit import FUTURE, NOT_SIGNED
from dnscertscan.pki.ct_policy import APPLE_ALL_STATIC, STALE_DAYS
from dnscertscan.pki.parse import Facts, parse

DELIVERIES = {Delivery.EMBEDDED: "embedded", Delivery.OCSP: "stapled", Delivery.TLS: "TLS"}
PROGRAMS = {Program.CHROME: "Chrome", Program.APPLE: "Apple", Program.MOZILLA: "Mozilla"}
_ISSUER_MISSING = "issuer missing"
_REFUSED = {InclusionVerdict.NOT_INCLUDED: "does not have", InclusionVerdict.MISBEHAVIOUR: "contradicts itself about"}


def log_name(result: SctResult) -> str:
    """The log of an SCT: its description, else its id in base64; empty where the SCT does not even say that."""
    if result.log is not None:
        return visible(result.log.description, 100)
    return "" if isinstance(result.sct, BadSct) else b64encode(result.sct.log_id).decode()


def points_of(audit: CtAudit, leaf: Certificate, public: bool | None, at: datetime) -> Iterator[Point]:
    """What its SCTs and the policies say."""
    end = parse(leaf).not_after
    expired = end is not None and end < at
    yield from _invalid(audit.results)
    yield from _logged(audit, leaf, public)
    refused = any(policy.compliant is False for policy in audit.policies)
    if not expired and (audit.logged is Logged.LOGGED or (refused and _only_unlisted(audit))):
        yield from _policies(audit)
    if end is not None and expired:
        yield Point(Status.OK, f"it has expired on {end.isoformat()}: whether a browser's policy is met does not matter any more")
    for note in audit.notes:
        yield Point(Status.OK, visible(note, 500))


def _invalid(results: Iterable[SctResult]) -> Iterator[Point]:
    for result in results:
        of = f"{DELIVERIES[result.delivery]} SCT" + (f" of {log_name(result)}" if log_name(result) else "")
        if result.verdict is SctVerdict.INVALID:
            yield Point(Status.CRITICAL, f"{of} is not valid: {visible(result.reason, 300)}")
        elif result.reason.startswith(FUTURE):
            step = "see whether the clock here is right, or --at"
            yield Point(Status.UNKNOWN, f"{of} is not of this time: {visible(result.reason, 300)}; {step}")


def _logged(audit: CtAudit, leaf: Certificate, public: bool | None) -> Iterator[Point]:
    unlisted = [result for result in audit.results if result.verdict is SctVerdict.UNKNOWN_LOG]
    if audit.logged is Logged.LOGGED:
        if unlisted:
            yield Point(Status.WARNING if is_fresh(audit) else Status.OK, _unlisted(audit, unlisted))
    elif audit.logged is Logged.NOT_LOGGED:
        yield _not_logged(audit, public)
    elif _only_unlisted(audit) and is_fresh(audit):
        yield Point(Status.WARNING, f"not known to be logged: {_unlisted(audit, unlisted)}")
    else:
        yield Point(Status.UNKNOWN, _undecided(audit, leaf, unlisted))


def _not_logged(audit: CtAudit, public: bool | None) -> Point:
    if audit.results:
        return Point(Status.CRITICAL, f"not logged: none of its {len(audit.results)} SCTs is valid")
    if public is False:
        return Point(Status.UNKNOWN, "no SCT, and its CA is a private one, which needs none: there is nothing to audit")
    step = "ask the CA for a certificate with SCTs" + ("" if public else "; if it is your own CA, name it with --ca-file")
    return Point(Status.CRITICAL, f"no SCT: none is in the certificate, stapled or in the TLS handshake; {step}")


def is_fresh(audit: CtAudit) -> bool:
    """Whether the list is so new that browsers would go by it: only then a log it does not have is a log nobody knows."""
    return audit.list_age_days is not None and audit.list_age_days < STALE_DAYS


def _only_unlisted(audit: CtAudit) -> bool:
    """Whether all that keeps it from being decided are logs that the list does not have."""
    verdicts = {result.verdict for result in audit.results}
    return SctVerdict.UNKNOWN_LOG in verdicts and verdicts <= {SctVerdict.UNKNOWN_LOG, SctVerdict.INVALID}


def _unlisted(audit: CtAudit, unlisted: Sequence[SctResult]) -> str:
    names = ", ".join(dict.fromkeys(map(log_name, unlisted)))
    where = visible(f"{audit.list_name} {audit.list_version}".rstrip(), 120)
    step = "" if is_fresh(audit) else "; the list is old: run `dnscertscan ct loglist update`"
    return f"{len(unlisted)} of {len(audit.results)} SCTs are of logs that the list {where} does not have ({names}){step}"


def _undecided(audit: CtAudit, leaf: Certificate, unlisted: Sequence[SctResult]) -> str:
    if any(result.reason.startswith(_ISSUER_MISSING) for result in audit.results):
        facts = parse(leaf)
        urls = facts.extensions.issuer_urls
        place = f" (to be had at {visible(urls[0], 200)})" if urls else ""
        step = "without its key no embedded SCT can be checked: append its certificate, or name it with --issuer-file"
        if any(result.reason == NOT_SIGNED for result in audit.results):
            place, step = "", "one of that name is at hand, but did not sign it: it was changed, or its CA has another key"
        return f'issuer missing: "{visible(facts.issuer.text, 200)}"{place}; {step}'
    if unlisted:
        return f"not decided: {_unlisted(audit, unlisted)}"
    if audit.results:
        return f"not decided: {visible(audit.results[0].reason, 300)}"
    return f"not decided: {visible('; '.join(audit.notes), 400)}"


def _policies(audit: CtAudit) -> Iterator[Point]:
    for policy in audit.policies:
        if policy.compliant is True:
            continue
        how = "is not met" if policy.compliant is False else "cannot be decided"
        said = f"policy of {PROGRAMS[policy.program]} {how}: {visible('; '.join(policy.reasons), 400)}"
        open_question = policy.compliant is None and APPLE_ALL_STATIC in policy.reasons
        yield Point(Status.OK if open_question else Status.WARNING, said)


def pin_points(pins: Pins, ancestry: Ancestry, leaf: Certificate) -> Iterator[Point]:
    """Whether it comes from a CA that may issue: the one that signed it, or one above that."""
    if not pins.keys:
        return
    if ancestry.keys & pins.keys:
        return
    issuer = visible(parse(leaf).issuer.text, 200)
    if not ancestry.direct:
        step = "name the certificate of the issuer with --issuer-file"
        yield Point(Status.UNKNOWN, f'whether the CA is an expected one is not known: issuer "{issuer}" is not at hand; {step}')
        return
    seen = ", ".join(dict.fromkeys(map(_named, ancestry.all)))
    step = "if this CA may issue, add it with --issuer; if not, ask who ordered the certificate"
    yield Point(Status.CRITICAL, f"unexpected CA: issued by {seen}; {step}")


def _named(facts: Facts) -> str:
    return f'"{visible(facts.subject.text, 200)}" (sha256:{facts.key.digest.hex()})'


def proof_points(proofs: Sequence[Proof]) -> Iterator[Point]:
    """What the logs said themselves. One that gave no answer is a warning only where no other one has proven the entry."""
    proven = any(proof.inclusion.verdict in (InclusionVerdict.INCLUDED, InclusionVerdict.PENDING) for proof in proofs)
    for proof in proofs:
        name, reason = log_name(proof.result), visible(proof.inclusion.reason, 400)
        match proof.inclusion.verdict:
            case InclusionVerdict.INCLUDED:
                yield Point(Status.OK, f"{name} has it: {reason}")
            case InclusionVerdict.PENDING:
                yield Point(Status.OK, f"{name} has time left: {reason}")
            case InclusionVerdict.UNKNOWN:
                yield Point(Status.OK if proven else Status.WARNING, f"whether {name} has it is not known: {reason}")
            case verdict:
                kept = f" (evidence: {visible(proof.inclusion.evidence, 300)})" if proof.inclusion.evidence else ""
                yield Point(Status.CRITICAL, f"{name} {_REFUSED[verdict]} what its SCT promises: {reason}{kept}")
