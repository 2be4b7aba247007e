"""What Certificate Transparency says of one served certificate, from octets at hand alone (RFC 6962; no I/O, no clock)."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import (
    BadSct,
    CtAudit,
    Delivery,
    Log,
    Logged,
    LogList,
    LogState,
    PolicyResult,
    Sct,
    SctResult,
    SctVerdict,
)
from dnscertscan.pki import der
from dnscertscan.pki.ct_policy import STALE_DAYS, evaluate
from dnscertscan.pki.mimics import MIMICS
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.sct import (
    LIST_BROKEN,
    MIMIC,
    UNKNOWN_VERSION,
    embedded_sct_list,
    parse_sct_list,
    stapled_sct_list,
    verify,
)
from dnscertscan.pki.signatures import Budget
from dnscertscan.pki.tbs import Entry, PrecertEntry, X509Entry, is_precertificate, precert_tbs

Issuers = Callable[[Certificate], Sequence[Certificate]]
MAX_ISSUERS = 20
FUTURE = "signed by the log, but at a later time than that of this audit: "
"""How the reason of an SCT begins that a log did sign, with a time that is still to come: either clock may be wrong."""
NOT_SIGNED = "issuer missing: no certificate of that name at hand has the key that signed this one"
UNSEEN = "no SCT is in the certificate, and whether the server sends some in the handshake could not be seen in full"
STAPLE_UNUSABLE = "SCTs in the stapled OCSP response are not known: it cannot be used"
"""How notes begin that say why the SCTs of a certificate may not all be there."""
_CLOCKS_DIFFER = timedelta(minutes=5)
_STALE = timedelta(days=STALE_DAYS)


def no_issuers(_certificate: Certificate) -> Sequence[Certificate]:
    """Nothing is known beside the chain."""
    return ()


def audit(
    chain: Sequence[Certificate], log_list: LogList, at: datetime, *, staple: bytes | None = None, tls_scts: bytes | None = None,
    issuers: Issuers = no_issuers, public: bool | None = None,
) -> CtAudit:
    """All SCTs of ``chain[0]`` judged by ``log_list`` as of ``at`` (aware); never raises.

    ``staple`` (an OCSP response) and ``tls_scts`` (content of the TLS extension): None when nobody looked or could have seen one,
    ``b""`` when the server was asked and sent none; only then no SCT at all means NOT_LOGGED. ``issuers`` gives certificates seen
    elsewhere that may be the issuer of one; whether they are is checked here. ``public``: whether the CA is one that clients
    trust without being told; False: no policy applies.
    """
    if not chain:
        return _report((), (), Logged.UNKNOWN, "", log_list, at, ("no certificate was received",))
    leaf = chain[0]
    notes: list[str] = []
    judge = _Judge(log_list, at)
    try:
        tbs = precert_tbs(leaf)
    except der.DerError as error:
        return _report((), (), Logged.UNKNOWN, "", log_list, at, (f"the certificate cannot be read ({error})",))
    if is_precertificate(leaf):
        notes.append("this is a precertificate (it has the CT poison): no client takes it")
    results = list(_embedded(judge, leaf, tbs, chain[1:], issuers))
    embedded, seen = bool(results), staple is not None and tls_scts is not None
    whole = X509Entry(leaf.der)
    if staple:
        try:
            results += judge.listed(stapled_sct_list(staple, leaf), Delivery.OCSP, whole)
        except der.DerError as error:
            seen = False
            notes.append(f"{STAPLE_UNUSABLE} ({error})")
    results += judge.listed(tls_scts or None, Delivery.TLS, whole)
    if not embedded and not seen:
        notes.append(UNSEEN)
    policies: tuple[PolicyResult, ...] = ()
    if public is False:
        notes.append("the certificate is of a private CA: it needs no SCTs, and no policy was applied")
    else:
        policies = evaluate(results, _validity(parse(leaf)), at, fresh=abs(at - log_list.timestamp) < _STALE, seen=seen)
        if public is None:
            notes.append("whether the CA is a public one is not known: the policies bind public CAs only")
    logged = _logged(results, settled=embedded or seen)
    return _report(tuple(results), policies, logged, sha256(tbs).hexdigest(), log_list, at, tuple(notes))


def entry_of(chain: Sequence[Certificate], delivery: Delivery, issuers: Issuers = no_issuers) -> Entry | str:
    """What SCTs that came for ``chain[0]`` by ``delivery`` are over, or why that is not known; arguments as for :func:`audit`."""
    if delivery is not Delivery.EMBEDDED:
        return X509Entry(chain[0].der)
    issuer = _issuer(chain[0], chain[1:], issuers)
    try:
        return PrecertEntry(issuer.key.digest, precert_tbs(chain[0])) if isinstance(issuer, Facts) else issuer
    except der.DerError as error:
        return f"the certificate cannot be read ({error})"


@dataclass(frozen=True, slots=True)
class _Judge:
    logs: LogList
    at: datetime

    def listed(self, octets: bytes | None, delivery: Delivery, entry: Entry | str) -> Iterator[SctResult]:
        """A result for each SCT of a list; ``entry`` is what they are over, or why that is not known."""
        for sct in parse_sct_list(octets) if octets is not None else ():
            yield self.judged(sct, delivery, entry)

    def judged(self, sct: Sct | BadSct, delivery: Delivery, entry: Entry | str) -> SctResult:
        """The verdict on one SCT."""
        if isinstance(sct, BadSct):
            unknown = sct.problem.startswith(UNKNOWN_VERSION)
            verdict = SctVerdict.UNVERIFIABLE if unknown else SctVerdict.INVALID
            return SctResult(sct, delivery, verdict, sct.problem, None, "", None)
        log = self.logs.logs.get(sct.log_id)
        if log is None:
            return SctResult(sct, delivery, *self._unlisted(sct), None, "", None)
        state, operator = log.state_at(self.at), log.operator_at(sct.at)
        if isinstance(entry, str):
            return SctResult(sct, delivery, SctVerdict.UNVERIFIABLE, entry, log, operator, state)
        verdict, reason = verify(sct, log, entry)
        if verdict is SctVerdict.VALID and sct.at - self.at > _CLOCKS_DIFFER:
            verdict, reason = SctVerdict.UNVERIFIABLE, f"{FUTURE}{sct.at.isoformat(timespec='seconds')}"
        elif verdict is SctVerdict.VALID:
            reason = "; ".join(filter(None, (reason, _remark(log, state))))
        return SctResult(sct, delivery, verdict, reason, log, operator, state)

    def _unlisted(self, sct: Sct) -> tuple[SctVerdict, str]:
        if sct.log_id in MIMICS:
            return SctVerdict.INVALID, MIMIC
        name = b64encode(sct.log_id).decode()
        return SctVerdict.UNKNOWN_LOG, f"log {name} is not in the list {self.logs.name} {self.logs.version}".rstrip()


def _remark(log: Log, state: LogState | None) -> str:
    """What is worth saying of a valid SCT all the same."""
    if state is None:
        return "the state of the log at that time is not known"
    since = next((moment for past, moment in reversed(log.states) if past is state), None)
    if state not in (LogState.PENDING, LogState.REJECTED, LogState.RETIRED) or since is None:
        return ""
    return f"the log is {state} since {since:%Y-%m-%d}"


def _embedded(
    judge: _Judge, leaf: Certificate, tbs: bytes, sent: Sequence[Certificate], issuers: Issuers
) -> Iterator[SctResult]:
    try:
        octets = embedded_sct_list(leaf)
    except der.DerError as error:
        yield judge.judged(BadSct(b"", f"{LIST_BROKEN}{error}"), Delivery.EMBEDDED, "")
        return
    if octets is None:
        return
    issuer = _issuer(leaf, sent, issuers)
    entry = PrecertEntry(issuer.key.digest, tbs) if isinstance(issuer, Facts) else issuer
    yield from judge.listed(octets, Delivery.EMBEDDED, entry)


def _issuer(leaf: Certificate, sent: Sequence[Certificate], issuers: Issuers) -> Facts | str:
    """A certificate with the key that signed ``leaf``, or why there is none. Those sent come first; the name has to fit."""
    wanted, budget = parse(leaf), Budget(MAX_ISSUERS)
    named = False
    for facts in map(parse, _candidates(leaf, sent, issuers)):
        if not facts.problem and facts.key.spki and not facts.key.refused and facts.subject.key == wanted.issuer.key:
            named = True
            if budget.is_signed(facts, wanted):
                return facts
    if named:
        return NOT_SIGNED
    return "issuer missing: its certificate was not sent and is not known from elsewhere"


def _candidates(leaf: Certificate, sent: Sequence[Certificate], issuers: Issuers) -> Iterator[Certificate]:
    """Others are asked for only when those sent are not enough; a self-signed certificate is its own issuer."""
    yield from sent
    yield from issuers(leaf)
    yield leaf


def _validity(facts: Facts) -> tuple[datetime, datetime] | None:
    return None if facts.not_before is None or facts.not_after is None else (facts.not_before, facts.not_after)


def _logged(results: Sequence[SctResult], *, settled: bool) -> Logged:
    """``settled``: the certificate has SCTs of its own, or all ways to send some were looked at."""
    if any(result.verdict is SctVerdict.VALID for result in results):
        return Logged.LOGGED
    return Logged.NOT_LOGGED if settled and all(map(_decided, results)) else Logged.UNKNOWN


def _decided(result: SctResult) -> bool:
    """Whether it is known that this SCT proves nothing; what a broken list held nobody knows."""
    if result.verdict is not SctVerdict.INVALID:
        return False
    return isinstance(result.sct, Sct) or not result.sct.problem.startswith(LIST_BROKEN)


def _report(
    results: tuple[SctResult, ...], policies: tuple[PolicyResult, ...], logged: Logged, tbs: str, log_list: LogList, at: datetime,
    notes: tuple[str, ...],
) -> CtAudit:
    age = at - log_list.timestamp
    days = max(age, timedelta()).days if age > -timedelta(days=1) else None
    name = f"{log_list.name} {log_list.version}".rstrip()
    if days is None:
        notes += (f"the list {name} is of {log_list.timestamp.isoformat()}, later than the time asked for",)
    elif days > STALE_DAYS:
        notes += (f"the list {name} is {days} days old: browsers enforce up to {STALE_DAYS}, and newer logs are unknown here",)
    return CtAudit(results, policies, logged, tbs, log_list.name, log_list.version, days, notes)
