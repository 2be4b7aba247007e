"""The audit of each certificate served, made once and remembered.

When may a certificate be called *not logged*? SCTs come in the certificate, in the TLS extension or in a stapled OCSP response.
Without any in the certificate, the other two ways have to have been seen: a handshake that asked for both, showed this list, and
was read to the end of the server's flight (``Deployment.scts`` is then not None; a ``staple`` of None then means that none was
sent). SSLyze and the hellos for old servers do not ask for SCTs, so what only they were shown is *unknown*. With SCTs in the
certificate, all of them must have been judged, by a known log's key, and none be good: an SCT of an unknown log, or one without
an issuer to check it by, leaves it *unknown*. So does a CA that is not known to be public: the rules are made for those, and a
self-signed certificate without SCTs says nothing. And a certificate that any search service has, by the hash of its TBS, *is*
logged, whatever comes with it; so is one for which another server of the run has sent a valid SCT. Where a search was wanted, it
must have ruled that out: a service has to vouch for having everything for a name of the certificate, up to a time when it would
have been logged. A search that failed, or that only lists what it has, leaves it *unknown*; without any search the handshakes
decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from dnscertscan.checks.ct_rows import names_of
from dnscertscan.checks.trust import Examiner
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, Delivery, InclusionVerdict, Logged, Program, SctResult, SctVerdict
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment
from dnscertscan.model.sightings import Verdict
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.ct_audit import audit, entry_of
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import Facts, parse
from dnscertscan.pki.tbs import Entry

_MOST, _MOST_OCTETS = 4096, 16 << 20
_MAX_NAMES = 100
NOT_RULED_OUT = "no valid SCT comes with it, and the search services that were asked do not rule out that it is logged"
"""How the note on such a certificate begins."""
_BROKEN_PROMISES = frozenset({InclusionVerdict.NOT_INCLUDED, InclusionVerdict.MISBEHAVIOUR})
Question = tuple[str, SctResult, Entry]
"""SHA-256 of the leaf, a valid SCT of it with its log, and what the SCT is over."""


@dataclass(frozen=True, slots=True)
class Audited:
    """``known``: the issuing certificates that were known when an issuer was missing; None where none was missing."""

    audit: CtAudit
    known: tuple[Certificate, ...] | None


class Audits:
    """Audits by ``policy``, with every issuer that ``examiner`` knows. At most 4096 are kept, in about 16 MiB."""

    def __init__(self, policy: CtPolicy, examiner: Examiner, at: datetime) -> None:
        self._policy = policy
        self._examiner = examiner
        self._at = at
        self._kept: Kept[bytes, Audited] = Kept(_MOST, _MOST_OCTETS, _weigh)
        self._asked: set[int] = set()
        self._shown: set[str] = set()

    def is_public(self, deployment: Deployment, name: str) -> bool | None:
        """Whether the CA is public, None when nobody knows; a private one counts as public where the operator logs it."""
        public = self._examiner.is_public(deployment, name)
        return True if public is False and self._policy.log_private else public

    def is_outdated(self, known: tuple[Certificate, ...] | None) -> bool:
        """Whether an issuer was missing when these were known, and others are known by now."""
        return known is not None and known is not self._examiner.known

    def audited(self, deployment: Deployment, public: bool | None, key: bytes) -> Audited:
        """What comes with the certificate; ``key`` is that of :func:`key_of`. A chain that lacked an issuer is audited again."""
        kept = self._kept.get(key)
        if kept is None or self.is_outdated(kept.known):
            made = self._make(deployment, public)
            self._note(deployment, made)
            lacking = any(result.verdict is SctVerdict.UNVERIFIABLE for result in made.results)
            kept = Audited(made, self._examiner.known if lacking else None)
            self._kept.put(key, kept)
        return kept

    def is_proven(self, leaf: str) -> bool:
        """Whether any server has sent a valid SCT for this leaf beside it: then it is logged, although others send none."""
        return leaf in self._shown

    def _note(self, deployment: Deployment, made: CtAudit) -> None:
        beside = (one for one in made.results if one.delivery is not Delivery.EMBEDDED and one.verdict is SctVerdict.VALID)
        if len(self._shown) < _MOST and any(True for _ in beside):
            self._shown.add(deployment.chain[0].sha256)

    def questions(self, deployment: Deployment, name: str) -> Iterator[Question]:
        """Every valid SCT, each of a leaf once for all calls; none of a private CA, whose names are no log's affair."""
        public = self.is_public(deployment, name)
        if public is False or not deployment.chain:
            return
        leaf = deployment.chain[0].sha256
        for result in self.audited(deployment, public, key_of(deployment, public)).audit.results:
            digest = hash((leaf, result.sct.raw))
            if result.verdict is SctVerdict.VALID and digest not in self._asked:
                entry = entry_of(deployment.chain, result.delivery, self._examiner.issuers_of)
                if not isinstance(entry, str):
                    self._asked.add(digest)
                    yield leaf, result, entry

    def _make(self, deployment: Deployment, public: bool | None) -> CtAudit:
        """With a list of Apple's own, Apple's policy is judged by that."""
        staple = b"" if deployment.staple is None and deployment.scts is not None else deployment.staple
        look = partial(
            audit, deployment.chain, at=self._at, staple=staple, tls_scts=deployment.scts, issuers=self._examiner.issuers_of,
            public=public,
        )
        made = look(log_list=self._policy.log_list)
        if self._policy.apple is None:
            return made
        theirs = {policy.program: policy for policy in look(log_list=self._policy.apple).policies}
        policies = (theirs.get(one.program, one) if one.program is Program.APPLE else one for one in made.policies)
        return replace(made, policies=tuple(policies))


def settle(deployment: Deployment, made: CtAudit, public: bool | None, facts: CtFacts, grace: timedelta) -> CtAudit:
    """What was learnt elsewhere, and what the CA is, decide about ``logged`` together with the audit."""
    sightings = facts.sightings
    seen = sightings.issuances.get(made.tbs_sha256) if sightings is not None and made.tbs_sha256 else None
    if seen is not None:
        note = visible(f"logged: seen by {', '.join(seen.sources)}", 300)
        return replace(made, logged=Logged.LOGGED, notes=(*made.notes, note))
    if made.logged is Logged.NOT_LOGGED and not public:
        return replace(made, logged=Logged.UNKNOWN)
    if made.logged is Logged.NOT_LOGGED and (why := _not_ruled_out(parse(deployment.chain[0]), facts, grace)):
        return replace(made, logged=Logged.UNKNOWN, notes=(*made.notes, why))
    if made.logged is Logged.LOGGED and _all_broken(deployment, made, facts):
        return replace(made, logged=Logged.UNKNOWN, notes=(*made.notes, "none of the logs that promised to have it has it"))
    return made


def _not_ruled_out(leaf: Facts, facts: CtFacts, grace: timedelta) -> str:
    """Why the search that was wanted leaves open whether CT has a certificate that it did not find; empty when it does not."""
    if facts.sightings is None:
        return f"{NOT_RULED_OUT}: {visible(facts.unasked[0], 300)}" if facts.unasked else ""
    names = [DnsName.parse(name) for name in names_of(leaf)[:_MAX_NAMES]]
    vouched = max(filter(None, map(facts.sightings.complete_as_of, names)), default=None)
    if vouched is not None and leaf.not_before is not None and vouched >= leaf.not_before + grace:
        return ""
    silent = {
        answer.source for answer in facts.sightings.answers
        if answer.verdict is Verdict.UNAVAILABLE and any(name.is_within(answer.domain) for name in names)
    }
    answer = f"no answer from {', '.join(sorted(silent))}" if silent else "none of them vouches for having everything"
    return f"{NOT_RULED_OUT}: {visible(answer, 300)}"


def _all_broken(deployment: Deployment, made: CtAudit, facts: CtFacts) -> bool:
    """Whether every log that gave a valid SCT was asked, and does not have the entry."""
    said = {result.sct.raw: told.verdict for result, told in facts.inclusions.get(deployment.chain[0].sha256, ())}
    return all(said.get(one.sct.raw) in _BROKEN_PROMISES for one in made.results if one.verdict is SctVerdict.VALID)


def key_of(deployment: Deployment, public: bool | None) -> bytes:
    """What the audit of a deployment depends on."""
    parts = [certificate.sha256 for certificate in deployment.chain]
    parts += ["-" if octets is None else sha256(octets).hexdigest() for octets in (deployment.staple, deployment.scts)]
    return sha256(f"{','.join(parts)} {public}".encode()).digest()


def _weigh(audited: Audited) -> int:
    """Octets of memory, roughly: an SCT is there whole and in its parts."""
    return 2000 + sum(1000 + 3 * len(result.sct.raw) for result in audited.audit.results)
