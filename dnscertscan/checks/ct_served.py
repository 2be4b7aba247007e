"""What Certificate Transparency says of the certificates served for a name: what is wrong, and a word for each leaf.

See :mod:`dnscertscan.checks.ct_audits` for when a certificate may be called *not logged*.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from dnscertscan.checks import ct_faults, ct_fleet, ct_run
from dnscertscan.checks.ct_audits import Audits, Question, key_of, settle
from dnscertscan.checks.ct_faults import Case
from dnscertscan.checks.guard import guarded
from dnscertscan.checks.hits import Hit
from dnscertscan.checks.subjects import RecordText
from dnscertscan.checks.trust import Examiner
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit, Logged
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.observations import Deployment, Handshake, Observation
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.ct_policy import STALE_DAYS
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import reference

PRIVATE = "private"
_CHECK = "certificate transparency"
_MOST, _MOST_OCTETS = 65_536, 32 << 20
_WORDS: tuple[str, ...] = ("", Logged.NOT_LOGGED, Logged.UNKNOWN, PRIVATE, Logged.LOGGED)
"""The later one wins when two deployments of one leaf differ."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``faults`` of one deployment, the ``word`` for its leaf (see ``Finding.ct``), and whether more hangs on the list of logs.

    ``known`` is that of :class:`dnscertscan.checks.ct_audits.Audited`.
    """

    faults: tuple[Fault, ...] = ()
    word: str = ""
    hangs_on_list: bool = False
    known: tuple[Certificate, ...] | None = None


class Served:
    """Judges what is served, by ``policy`` and what :meth:`learn` brings. At most 65536 verdicts are kept, in about 32 MiB."""

    def __init__(self, policy: CtPolicy, examiner: Examiner, at: datetime) -> None:
        self._policy = policy
        self._at = at
        self._facts = CtFacts()
        self._audits = Audits(policy, examiner, at)
        self._verdicts: Kept[bytes, Verdict] = Kept(_MOST, _MOST_OCTETS, _weigh)

    def learn(self, facts: CtFacts) -> None:
        """What logs and search services said counts from now on."""
        self._facts = facts
        self._verdicts = Kept(_MOST, _MOST_OCTETS, _weigh)

    def verdict(self, deployment: Deployment, name: str) -> Verdict:
        """What is to be said of one deployment."""
        public = self._audits.is_public(deployment, name)
        key = key_of(deployment, public)
        kept = self._verdicts.get(key)
        if kept is None or self._audits.is_outdated(kept.known):
            kept = self._judge(deployment, public, key)
            self._verdicts.put(key, kept)
        return kept

    def questions(self, deployment: Deployment, name: str) -> Iterator[Question]:
        """What the logs can be asked about; see :meth:`dnscertscan.checks.ct_audits.Audits.questions`."""
        return self._audits.questions(deployment, name)

    def audits(self, deployment: Deployment, name: str, others: Mapping[str, CtAudit]) -> Iterator[tuple[str, CtAudit]]:
        """The leaf of ``deployment`` with its audit, unless ``others`` has one for it that says as much for the certificate."""
        if deployment.chain:
            leaf, public = deployment.chain[0].sha256, self._audits.is_public(deployment, name)
            made = self._audits.audited(deployment, public, key_of(deployment, public)).audit
            made = settle(deployment, made, public, self._facts, self._policy.grace)
            if made.logged is not Logged.LOGGED and self._audits.is_proven(leaf):
                made = replace(made, logged=Logged.LOGGED, notes=(*made.notes, "logged: another server sends a valid SCT for it"))
            if leaf not in others or _WORDS.index(made.logged) > _WORDS.index(others[leaf].logged):
                yield leaf, made

    def hits(self, served: Sequence[Deployment], name: str, words: dict[str, str]) -> Iterator[Hit]:
        """Everything wrong with what is ``served``; ``words`` takes what is to be said of each leaf (see ``Finding.ct``).

        What one deployment of any target proves of its leaf is true for the others, too.
        """
        verdicts = [(deployment, self.verdict(deployment, name)) for deployment in served if deployment.chain]
        for deployment, verdict in verdicts:
            leaf = deployment.chain[0].sha256
            word = Logged.LOGGED if verdict.word != PRIVATE and self._audits.is_proven(leaf) else verdict.word
            words[leaf] = max(word, words.get(leaf, ""), key=_WORDS.index)
        for deployment, verdict in verdicts:
            for fault in verdict.faults:
                if fault.slug != "ct-not-logged" or words[deployment.chain[0].sha256] == Logged.NOT_LOGGED:
                    yield Hit(fault, fault.certificate, deployment)

    def fleet(self, observations: Iterable[Observation], record_text: RecordText) -> list[Finding]:
        """What is to be said once for the whole run, and what only all observations together show."""
        findings: list[Finding] = []
        hanging = len({leaf for one in observations for leaf in self._hanging(one)}) if self._is_list_doubtful else 0
        look = partial(ct_run.look, self._policy, self._facts, self._at, hanging)
        findings += guarded(_CHECK, Subject(), None, findings, look)
        facts = ct_run.others(self._facts)
        findings += ct_fleet.look(observations, self._policy, facts, self._at, self._is_public, record_text=record_text)
        return findings

    @property
    def _is_list_doubtful(self) -> bool:
        """Whether a verdict can hang on the list: it is old, or does not tell the state of a log."""
        logs = self._policy.log_list
        fresh = timedelta(days=-1) < self._at - logs.timestamp < timedelta(days=STALE_DAYS + 1)
        return not fresh or any(log.state_at(self._at) is None for log in logs.logs.values())

    def _hanging(self, observation: Observation) -> Iterator[int]:
        """Digests of the leaves about which something is open because of the list; what crashes here was told before."""
        outcome, target = observation.outcome, observation.target
        for deployment in outcome.deployments if isinstance(outcome, Handshake) else ():
            if deployment.sni and deployment.chain:
                look = partial(self._hangs, deployment, target.server_name.text)
                yield from guarded(_CHECK, Subject(), target, [], look)

    def _hangs(self, deployment: Deployment, name: str) -> Iterator[int]:
        if self.verdict(deployment, name).hangs_on_list:
            yield hash(deployment.chain[0].sha256)

    def _is_public(self, observation: Observation, deployment: Deployment) -> bool | None:
        return self._audits.is_public(deployment, observation.target.server_name.text)

    def _judge(self, deployment: Deployment, public: bool | None, key: bytes) -> Verdict:
        if not deployment.chain:
            return Verdict()
        audited = self._audits.audited(deployment, public, key)
        settled = settle(deployment, audited.audit, public, self._facts, self._policy.grace)
        leaf = deployment.chain[0]
        case = Case(settled, reference(leaf, 0), public, self._at, self._facts.inclusions.get(leaf.sha256, ()))
        word = PRIVATE if public is False else settled.logged.value
        return Verdict(tuple(ct_faults.look(case)), word, ct_faults.hangs_on_list(case), audited.known)


def _weigh(verdict: Verdict) -> int:
    """Octets of memory, roughly."""
    refs = [fault.certificate for fault in verdict.faults if fault.certificate]
    return 400 + sum(len(fault.message) for fault in verdict.faults) + sum(len(ref.subject) + len(ref.issuer) for ref in refs[:1])
