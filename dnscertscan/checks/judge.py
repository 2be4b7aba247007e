"""The judge: observations, resolutions and zones in, findings out. It stamps code, severity and subject on what the rules see."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from dnscertscan.checks import expiring, fleetwide, handshake, rotation, zonal
from dnscertscan.checks.chains import Examine
from dnscertscan.checks.crl import Link, Verdicts
from dnscertscan.checks.ct_audits import Question
from dnscertscan.checks.ct_served import Served
from dnscertscan.checks.guard import guarded
from dnscertscan.checks.hits import Hit, collapse, plain_finding, to_finding, weight, without_twins
from dnscertscan.checks.policy import CheckPolicy, TrustMode
from dnscertscan.checks.subjects import RecordText, joint_subject, sort_key, subject_of, zones_of
from dnscertscan.checks.trust import Examiner, Word
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.ct import CtAudit
from dnscertscan.model.endpoints import Provenance, Target
from dnscertscan.model.findings import Finding, Severity, Subject
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Deployment, Failure, Handshake, Observation
from dnscertscan.model.records import Zone, ZoneProblem
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtFacts, CtPolicy
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.parse import reference
from dnscertscan.pki.truststore import TrustStore

__all__ = ["Judge", "Judgement", "sort_key"]


def _plain_record(origin: Provenance) -> str:
    record = origin.record
    return f"{record.name.display}. {record.type} {visible(record.data, 100)}"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What :meth:`Judge.look` says of one observation: what :meth:`Judge.endpoint` and what :meth:`Judge.valid` give for it."""

    findings: tuple[Finding, ...]
    valid: dict[str, bool]


class Judge:
    """Judges with one policy, one set of trust stores, at one time (aware). Pure: the same input gives the same findings.

    ``record_text`` tells how a record is written in a finding's subject. ``examine`` takes the place of the examination of chains
    in :mod:`dnscertscan.pki.diagnose`. With ``ct`` what is served is checked against Certificate Transparency, too.
    """

    def __init__(
        self, policy: CheckPolicy, public_stores: Sequence[TrustStore], private_stores: Sequence[TrustStore], at: datetime, *,
        record_text: RecordText = _plain_record, examine: Examine | None = None, ct: CtPolicy | None = None,
    ) -> None:
        self._policy = policy
        self._private_bundle = bool(private_stores)
        self._at = at
        self._record_text = record_text
        self._modes: Kept[tuple[DnsName, ...], TrustMode] = Kept(1024)
        self._examiner = Examiner(examine, public_stores, private_stores, at)
        self._served = Served(ct, self._examiner, at) if ct else None
        self.rota = rotation.Rota(policy)

    def learn(self, observations: Iterable[Observation]) -> None:
        """Take note of every issuing certificate of the run: judging an incomplete chain again then names the one missing."""
        self._examiner.learn(observations)

    def learn_issuers(self, certificates: Iterable[Certificate]) -> None:
        """The same for certificates fetched from where others say their issuer is; they never make a chain valid."""
        self._examiner.learn_issuers(certificates)

    def learn_revocation(self, verdicts: Verdicts) -> None:
        """Judging again takes into account what the revocation lists say."""
        self._examiner.learn_revocation(verdicts)

    def learn_ct(self, facts: CtFacts) -> None:
        """Judging again takes into account what logs, search services, the DNS and local files say."""
        if self._served:
            self._served.learn(facts)

    def ct_questions(self, observation: Observation) -> Iterator[Question]:
        """What the logs can be asked about this target: each valid SCT with its log and the entry it is over.

        Every distinct (leaf, SCT) is given once in the life of the judge, whichever target shows it first.
        """
        if self._served:
            for deployment, _ in self._named(observation):
                look = partial(self._served.questions, deployment, observation.target.server_name.text)
                yield from guarded("certificate transparency", Subject(), observation.target, [], look)

    def ct(self, observation: Observation) -> Mapping[str, CtAudit]:
        """What Certificate Transparency says of each leaf served for the name, by the SHA-256 of the leaf."""
        audits: dict[str, CtAudit] = {}
        if self._served:
            for deployment, _ in self._named(observation):
                look = partial(self._served.audits, deployment, observation.target.server_name.text, audits)
                audits.update(guarded("certificate transparency", Subject(), observation.target, [], look))
        return audits

    def links(self, observation: Observation) -> Iterator[Link]:
        """Whose revocation matters to this target: each certificate on a path to an anchor, with its issuer."""
        for deployment, mode in self._named(observation):
            look = partial(self._examiner.links, deployment, observation.target.server_name.text, mode)
            yield from guarded("revocation", Subject(), observation.target, [], look)

    def orphans(self, observation: Observation) -> Iterator[Certificate]:
        """Certificates of this target whose issuer is missing."""
        for deployment, mode in self._named(observation):
            look = partial(self._examiner.orphans, deployment, observation.target.server_name.text, mode)
            yield from guarded("missing issuers", Subject(), observation.target, [], look)

    def look(self, observation: Observation) -> Judgement:
        """:meth:`endpoint` and :meth:`valid` in one, for about half of what the two cost. Never raises."""
        outcome, target = observation.outcome, observation.target
        if isinstance(outcome, Failure):
            return Judgement(self._away(outcome, target), {})
        crashes: list[Finding] = []  # left alone: with a crash nothing is healthy, and the thorough look below reports it
        healthy = guarded("diagnosis", Subject(), target, crashes, partial(self._healthy, outcome, target))
        if healthy:
            return Judgement((), healthy[0])
        return Judgement(self._findings(outcome, target), self.valid(observation))

    def endpoint(self, observation: Observation) -> tuple[Finding, ...]:
        """Everything wrong with what one target showed, each problem once, sorted. Never raises."""
        return self.look(observation).findings

    def valid(self, observation: Observation) -> dict[str, bool]:
        """Trust store -> whether an ordinary client with it accepts every list served for the name; empty: unknown."""
        verdicts: dict[str, bool] = {}
        crashes: list[Finding] = []
        if isinstance(observation.outcome, Handshake):
            for deployment in observation.outcome.deployments:
                if deployment.sni:
                    look = partial(self._verdicts, deployment, observation.target)
                    for store, valid in guarded("verdict", Subject(), observation.target, crashes, look):
                        verdicts[store] = valid and verdicts.get(store, True)
        return {} if crashes else verdicts

    def zone(
        self, plan_resolutions: Sequence[Provenance], problems: Sequence[ZoneProblem], zones: Sequence[Zone],
    ) -> tuple[Finding, ...]:
        """What is wrong before any server is asked: aliases that lead nowhere, zones that could not be read, and the like."""
        findings = [zonal.look_problem(problem) for problem in problems]
        findings += [finding for zone in zones if (finding := zonal.look_zone(zone)) is not None]
        by_name: dict[DnsName, list[Provenance]] = {}
        for origin in (*plan_resolutions, *(origin for zone in zones for origin in zonal.unscannable(zone))):
            by_name.setdefault(zonal.name_of(origin), []).append(origin)
        for name, origins in by_name.items():
            place = Subject(zone=origins[0].zone.text, fqdn=name.text)
            findings += guarded("alias", place, None, findings, partial(zonal.look_name, name, origins, self._record_text))
        return tuple(sorted(findings, key=sort_key))

    def fleet(self, observations: Iterable[Observation]) -> tuple[Finding, ...]:
        """What only all observations together show: names served differently, serial numbers used twice.

        Reads ``observations`` up to three times, so that little of them has to be kept; what can be read only once is kept whole.
        """
        seen = tuple(observations) if isinstance(observations, Iterator) else observations
        crashes: dict[Target, Finding] = {}
        fleet = fleetwide.Fleet()
        self._each(fleet.sift, seen, crashes)
        if fleet.sifted():
            self._each(fleet.collect, seen, crashes)
            if fleet.collected():
                self._each(fleet.collect_twins, seen, crashes)
        findings = list(crashes.values())
        for varying in fleet.varying():
            subject = joint_subject(varying.targets, self._record_text)
            findings.append(plain_finding(Fault("cert-varies", varying.message, None), subject, varying.targets[0]))
        for twins in fleet.twins():
            subject = subject_of(twins.target, self._record_text)
            findings.append(plain_finding(Fault("duplicate-serial", twins.message, twins.first), subject, twins.target))
        if self._served:
            findings += self._served.fleet(seen, self._record_text)
        return tuple(sorted(findings, key=sort_key))

    def _each(
        self, look: Callable[[Observation], Iterable[Finding]], seen: Iterable[Observation], crashes: dict[Target, Finding]
    ) -> None:
        """``look`` at every observation; one that it stumbles over is reported once and left out from then on."""
        told: list[Finding] = []
        for observation in seen:
            target = observation.target
            if not crashes or target not in crashes:
                guarded("fleet", Subject(fqdn=target.server_name.text), target, told, partial(look, observation))
                if told:
                    crashes[target] = told.pop()

    def _healthy(self, outcome: Handshake, target: Target) -> tuple[dict[str, bool], ...]:
        """The verdicts of a target that nothing at all is to be said about; of any other, nothing."""
        verdicts: dict[str, bool] = {}
        named = [deployment.chain for deployment in outcome.deployments if deployment.sni]
        for deployment in outcome.deployments:
            if deployment.sni:
                word = self._word(deployment, target)
                if word.faults or any(True for _ in self._soon(word, target)):
                    return ()
                if self._served and self._served.verdict(deployment, target.server_name.text).faults:
                    return ()
                for store, valid in word.valid_for.items():
                    verdicts[store] = valid and verdicts.get(store, True)
            elif deployment.chain not in named and self._word(deployment, target).faults:
                return ()
        return () if any(True for _ in handshake.look(outcome)) else (verdicts,)

    def _findings(self, outcome: Handshake, target: Target) -> tuple[Finding, ...]:
        subject = subject_of(target, self._record_text)
        findings: list[Finding] = []
        served = [deployment for deployment in outcome.deployments if deployment.sni]
        hits: list[Hit] = []
        for deployment in served:
            hits += guarded("diagnosis", subject, target, findings, partial(self._hits, deployment, target))
        words: dict[str, str] = {}
        if self._served:
            look_up = partial(self._served.hits, served, target.server_name.text, words)
            told = guarded("certificate transparency", subject, target, findings, look_up)
            hits = [*without_twins(hits, told), *told]
        for group in collapse(hits, served):
            findings += guarded("finding", subject, target, findings, partial(to_finding, group, served, subject, target))
        for check, look in (("handshake", self._around), ("default certificate", self._without_sni)):
            findings += guarded(check, subject, target, findings, partial(look, outcome, subject, target))
        stamped = [replace(one, ct=words.get(one.leaf.sha256, "")) if words and one.leaf else one for one in findings]
        return tuple(stamped) if len(stamped) < 2 else tuple(sorted(stamped, key=sort_key))

    def _named(self, observation: Observation) -> Iterator[tuple[Deployment, TrustMode]]:
        """What is served for the name, and the stores in charge."""
        if isinstance(observation.outcome, Handshake):
            for deployment in observation.outcome.deployments:
                if deployment.sni:
                    yield deployment, self._mode(observation.target)

    def _mode(self, target: Target) -> TrustMode:
        zones = zones_of(target)
        mode = self._modes.get(zones)
        if mode is None:
            mode = self._policy.trust_for(zones, private_bundle=self._private_bundle)
            self._modes.put(zones, mode)
        return mode

    def _word(self, deployment: Deployment, target: Target) -> Word:
        return self._examiner.word(deployment, target.server_name.text, self._mode(target))

    def _verdicts(self, deployment: Deployment, target: Target) -> Iterable[tuple[str, bool]]:
        return self._word(deployment, target).valid_for.items()

    def _hits(self, deployment: Deployment, target: Target) -> Iterator[Hit]:
        word = self._word(deployment, target)
        for fault in (*word.faults, *self._soon(word, target)):
            yield Hit(fault, word.diagnosis.leaf, deployment)

    def _soon(self, word: Word, target: Target) -> Iterator[Fault]:
        zones = zones_of(target)
        yield from expiring.look(word.diagnosis, self._policy, zones, self._at)
        if self._policy.rotations:
            yield from self.rota.look(word.diagnosis, zones, self._at)

    def _around(self, outcome: Handshake, subject: Subject, target: Target) -> Iterator[Finding]:
        for fault in handshake.look(outcome):
            leaf = next((reference(one.chain[0], 0) for one in outcome.deployments if one.sni and one.chain), None)
            yield plain_finding(fault, subject, target, leaf)

    def _without_sni(self, outcome: Handshake, subject: Subject, target: Target) -> Iterator[Finding]:
        """One note for what clients that name no host get, unless that is what all the others get, too."""
        named = [deployment.chain for deployment in outcome.deployments if deployment.sni]
        texts: list[str] = []
        leaf = None
        for deployment in outcome.deployments:
            if not deployment.sni and deployment.chain not in named:
                word = self._word(deployment, target)
                bad = [fault.message for fault in word.faults if weight(fault) >= Severity.WARNING]
                leaf = leaf or (word.diagnosis.leaf if bad else None)
                texts += [text for text in bad if text not in texts]
        if texts:
            more = f"; and {len(texts) - 3} more" if len(texts) > 3 else ""
            message = f"clients without SNI get another certificate, which has a problem: {'; '.join(texts[:3])}{more}"
            yield plain_finding(Fault("default-certificate", message, leaf), subject, target, leaf)

    def _away(self, failure: Failure, target: Target) -> tuple[Finding, ...]:
        faults = tuple(handshake.look_failure(failure, unreachable_counts=self._policy.fail_on_unreachable))
        subject = subject_of(target, self._record_text) if faults else Subject()
        return tuple(plain_finding(fault, subject, target) for fault in faults)
