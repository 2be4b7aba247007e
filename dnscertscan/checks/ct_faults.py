"""What is wrong with a certificate that is served, by what Certificate Transparency says of it. Pure: values in, faults out."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dnscertscan.checks.ct_audits import NOT_RULED_OUT
from dnscertscan.model.certificates import CertificateRef
from dnscertscan.model.ct import (
    BadSct,
    CtAudit,
    Delivery,
    Inclusion,
    InclusionVerdict,
    Logged,
    Program,
    Sct,
    SctResult,
    SctVerdict,
)
from dnscertscan.model.findings import Severity
from dnscertscan.model.text import visible
from dnscertscan.pki.ct_audit import FUTURE, STAPLE_UNUSABLE, UNSEEN
from dnscertscan.pki.ct_policy import STALE_DAYS
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.mimics import MIMICS
from dnscertscan.pki.validity_caps import over_cap
from dnscertscan.pki.wording import who

_SHOWN = 5
_POLICIES = {
    Program.CHROME: ("ct-policy-chrome", "Chrome"),
    Program.APPLE: ("ct-policy-apple", "Apple"),
    Program.MOZILLA: ("ct-policy-mozilla", "Mozilla"),
}
_DELIVERIES = {
    Delivery.EMBEDDED: "embedded SCT",
    Delivery.OCSP: "SCT in the stapled OCSP response",
    Delivery.TLS: "SCT in the TLS extension",
}
_LOOK = "`dnscertscan ct audit` shows every SCT"
_UPDATE = "update the list of logs with `dnscertscan ct loglist update`"


@dataclass(frozen=True, slots=True)
class Case:
    """One leaf as one deployment shows it.

    ``bound``: it has to keep the rules for public CAs (True), it need not (False), or nobody knows (None). ``audit`` takes into
    account what was learnt of the certificate elsewhere; ``inclusions`` are what its logs said.
    """

    audit: CtAudit
    leaf: CertificateRef
    bound: bool | None
    at: datetime
    inclusions: Sequence[tuple[SctResult, Inclusion]] = ()

    @property
    def in_force(self) -> bool:
        """Whether clients get as far as asking for SCTs: outside its validity they refuse the certificate anyway."""
        start, end = self.leaf.not_before, self.leaf.not_after
        return start is not None and end is not None and start <= self.at <= end

    @property
    def is_stale(self) -> bool:
        """Whether the list of logs is too old, or not of this time at all."""
        return self.audit.list_age_days is None or self.audit.list_age_days > STALE_DAYS


def look(case: Case) -> Iterator[Fault]:
    """Everything that is wrong, one fault per rule. A certificate that need not be logged has nothing wrong."""
    if case.bound is False:
        return
    yield from _not_included(case)
    yield from _bad_scts(case)
    if not case.in_force:
        return
    if case.bound:
        yield from _rules_for_public(case)
    if missing := tuple(open_questions(case)):
        lacking = any(result.verdict is SctVerdict.UNVERIFIABLE for result in case.audit.results)
        step = "let the server send its whole chain, and look again" if lacking else f"look again later; {_LOOK}"
        yield _fault("ct-unknown", case, "what Certificate Transparency says is not known", missing, step)


def _rules_for_public(case: Case) -> Iterator[Fault]:
    audit = case.audit
    if audit.logged is Logged.NOT_LOGGED:
        had = len(audit.results)
        fact = (
            f"it has {_scts(had)}, and none of them is valid" if had
            else "it has no SCT, and the server sends none in the handshake (TLS extension, stapled OCSP response)"
        )
        step = "browsers refuse it: find out who ordered it, and let a CA issue one with embedded SCTs"
        yield _fault("ct-not-logged", case, "certificate is not shown to be logged", (fact,), step)
    if unknown := [result for result in audit.results if result.verdict is SctVerdict.UNKNOWN_LOG]:
        severity = Severity.INFO if case.is_stale else None
        yield _fault("ct-sct-unknown-log", case, "SCT of an unknown log", _told(unknown), _UPDATE, severity)
    for policy in audit.policies:
        if policy.compliant is False:
            slug, whose = _POLICIES[policy.program]
            step = f"have it issued again; judged by the list {_list(audit)}; {_LOOK}"
            yield _fault(slug, case, f"CT policy of {whose} is not met", policy.reasons, step)
    if (over := over_cap(case.leaf.not_before, case.leaf.not_after)) is not None:
        step = "order one with a shorter life, and replace it before the CA revokes it"
        yield _fault("validity-over-cap", case, "validity period longer than allowed", (over.text,), step)


def _bad_scts(case: Case) -> Iterator[Fault]:
    wrong = [result for result in case.audit.results if result.verdict is SctVerdict.INVALID]
    mimics = [result for result in wrong if isinstance(result.sct, Sct) and result.sct.log_id in MIMICS]
    if invalid := [result for result in wrong if result not in mimics]:
        step = f"have it issued again, or correct what the server sends in the handshake; {_LOOK}"
        yield _fault("ct-sct-invalid", case, "SCT is not valid", _told(invalid), step)
    if mimics:
        step = "find out who made this certificate: no CA uses these logs"
        yield _fault("ct-mimic-log", case, "SCT of a mimic log", _told(mimics), step)


def _not_included(case: Case) -> Iterator[Fault]:
    missing = [
        f"{named(result)}: {said.reason}" for result, said in case.inclusions if said.verdict is InclusionVerdict.NOT_INCLUDED
    ]
    if missing:
        step = "report it to the log's operator and ct-policy, and have it issued again with SCTs of other logs"
        yield _fault("ct-not-included", case, "log does not have the certificate it promised to have", missing, step)


def open_questions(case: Case) -> Iterator[str]:
    """Why the verdict on this certificate is not known, or a policy not decided; nothing when all is known.

    What concerns the list of logs or a log is for the whole run to say. A certificate that may be a private one and has no SCT
    leaves nothing open.
    """
    audit = case.audit
    undecided = audit.logged is Logged.UNKNOWN or any(policy.compliant is None for policy in audit.policies)
    if not undecided or not (case.bound or audit.results):
        return
    late = [result for result in audit.results if result.reason.startswith(FUTURE)]
    unverifiable = [result for result in audit.results if result.verdict is SctVerdict.UNVERIFIABLE and result not in late]
    for reason in dict.fromkeys(result.reason for result in unverifiable):
        yield f"{_scts(sum(result.reason == reason for result in unverifiable))} cannot be checked: {reason}"
    yield from _told(late)
    if case.bound:
        yield from (note for note in audit.notes if note.startswith((UNSEEN, STAPLE_UNUSABLE, NOT_RULED_OUT)))


def hangs_on_list(case: Case) -> bool:
    """Whether something about this certificate is open because of the list of logs: a state it does not tell, or its age.

    Logs come and go: all that an old list says of SCTs and policies may be out of date, also that they are fine.
    """
    if case.bound is False or not case.in_force:
        return False
    results = case.audit.results
    undecided = case.audit.logged is Logged.UNKNOWN or any(policy.compliant is None for policy in case.audit.policies)
    stateless = any(result.log is not None and result.state is None for result in results)
    return (case.is_stale and bool(results)) or (undecided and stateless)


def named(result: SctResult) -> str:
    """``embedded SCT of log "Argon2027h1", made at 2026-05-01T00:00:00+00:00``; what comes of a list is made safe to show."""
    where, sct = _DELIVERIES[result.delivery], result.sct
    if isinstance(sct, BadSct):
        return where
    log = f'"{visible(result.log.description, 100)}"' if result.log else b64encode(sct.log_id).decode()
    return f"{where} of log {log}, made at {sct.at.isoformat(timespec='seconds')}"


def _told(results: Iterable[SctResult]) -> list[str]:
    return [f"{named(result)}: {result.reason}" for result in results]


def _list(audit: CtAudit) -> str:
    age = "" if audit.list_age_days is None else f" ({audit.list_age_days} days old)"
    name = f"{audit.list_name} {audit.list_version}".rstrip()
    return f'"{name}"{age}'


def _scts(number: int) -> str:
    return f"{number} SCT{'s' * (number != 1)}"


def _fault(
    slug: str, case: Case, words: str, facts: Sequence[str], step: str, severity: Severity | None = None
) -> Fault:
    more = f"; and {len(facts) - _SHOWN} more" if len(facts) > _SHOWN else ""
    return Fault(slug, visible(f"{words}: {who(case.leaf)}: {'; '.join(facts[:_SHOWN])}{more}; {step}"), case.leaf, severity)
