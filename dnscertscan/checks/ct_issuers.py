"""Who issued: CAs that may not by the configuration or by CAA, one serial number given twice (DCS623, 624, 625).

None of these is ever left out because something else is known of the certificate.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dnscertscan.checks import caa
from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_ca import Issuers
from dnscertscan.checks.ct_doubts import NO_CAA, NO_DOMAIN, NO_KEY, Doubts
from dnscertscan.checks.ct_places import Places
from dnscertscan.checks.ct_rows import Row, listed, marks, moment, origin, ref, subject, told, validity
from dnscertscan.checks.ct_seen import Seen, Twin
from dnscertscan.model.ct import Issuance
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.sightings import Conflict, Sighting, Sightings
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CaaAnswer, CaaRecord, CtPolicy, Known

_Question = tuple[DnsName | None, tuple[str, ...] | None, bool]
_Marks = tuple[str, str, bytes, str, datetime, datetime]
_SIGNING = (
    ", unless its issuer, which nobody here knows, is a Precertificate Signing Certificate (RFC 6962 3.1) of a CA that may"
)


@dataclass(frozen=True, slots=True)
class Issued:
    """Judges who made what CT has."""

    rows: Mapping[str, Row]
    seen: Seen
    places: Places
    policy: CtPolicy
    issuers: Issuers
    doubts: Doubts
    _decided: dict[_Question, tuple[Sequence[CaaRecord], caa.Decision]] = field(default_factory=dict, init=False, repr=False)

    def rogues(self) -> Iterator[Finding]:
        """DCS623: one for each issuance of a CA that the configuration does not name."""
        rule = RULES["ct-rogue-issuer"]
        for row in self.rows.values() if self.policy.issuers else ():
            if not row.names:
                continue
            one = row.issuance
            allowed = self.issuers.is_allowed(one)
            if allowed is None:
                self.doubts.add(NO_KEY, one.issuer or row.names[0], self.issuers.why_open)
            elif not allowed:
                key = self.issuers.key(one)
                related = self.issuers.is_of_allowed_ca(one)
                shown = f"key of the CA sha256:{key}" if key else "not signed by any CA that may"
                step = (
                    "it is another key of a CA that may: add it to issuers in [ct] if that is right" if related else
                    "have it revoked by that CA, and find out who asked for it; if it is right, add the key to issuers in [ct]"
                )
                open_ = one.precert and not self.issuers.is_known(one)
                doubt = _SIGNING if open_ else ""
                message = (
                    f"certificate in CT is of a CA that may not issue here: {told(row.sighting)} for {listed(row.names)}, "
                    f"{origin(row.sighting)} ({shown}){doubt}; {step}"
                )
                severity = Severity.WARNING if related or open_ else rule.severity
                yield Finding(rule, severity, subject(row.names, self.places), message, ref(row.sighting))

    def denied(self, answers: Mapping[DnsName, CaaAnswer], known: Known) -> Iterator[Finding]:
        """DCS624: one for each issuance with names whose CAA records, as of now, do not let its CA issue."""
        rule = RULES["ct-caa-denied"]
        for row in self.rows.values() if answers else ():
            reasons = dict(self._denials(row, answers))
            if not reasons:
                continue
            ours = self._is_ours(row.issuance, known)
            step = (
                "it is in use: its renewal will be refused; correct the CAA records or change the CA" if ours else
                "if the records were the same when it was issued, the CA must revoke it: report it; else correct the records"
            )
            message = (
                f"certificate in CT is of a CA that CAA, as of now, does not allow: {told(row.sighting)}, "
                f"{origin(row.sighting)}; {'; '.join(reasons.values())}; {step}"
            )
            severity = Severity.WARNING if ours else rule.severity
            yield Finding(rule, severity, subject(sorted(reasons), self.places), message, ref(row.sighting))

    def _denials(self, row: Row, answers: Mapping[DnsName, CaaAnswer]) -> Iterator[tuple[str, str]]:
        """The first name of those that one RRset denies, and why."""
        domains = self.issuers.domains(row.issuance) if row.names else None
        told_of: dict[tuple[DnsName | None, str], list[str]] = {}
        for name in row.names:
            answer = _answer(name, answers)
            if answer is None or answer.problem:
                self.doubts.add(NO_CAA, name, answer.problem if answer else "")
                continue
            decision = self._decide(answer, domains, wildcard=name.startswith("*."))
            if decision.ruling is caa.Ruling.UNKNOWN:
                self.doubts.add(NO_DOMAIN, row.issuance.issuer or name)
            elif decision.ruling is caa.Ruling.DENIED:
                told_of.setdefault((answer.at, decision.reason), []).append(name)
        for (at, reason), names in sorted(told_of.items(), key=lambda item: item[1]):
            place = f"at {at.display}" if at is not None else "in charge"
            yield names[0], f"for {listed(names)} the CAA RRset {place} counts, and {reason}"

    def _decide(self, answer: CaaAnswer, domains: tuple[str, ...] | None, *, wildcard: bool) -> caa.Decision:
        """The same RRset is in charge of many names, and one CA has issued for many."""
        question = answer.at, domains, wildcard
        records, decision = self._decided.get(question, (None, None))
        if decision is None or records != answer.records:
            decision = caa.decide(answer.records, domains, wildcard=wildcard)
            self._decided[question] = answer.records, decision
        return decision

    def _is_ours(self, one: Issuance, known: Known) -> bool:
        in_use = one.tbs_sha256 in self.seen.served or one.key_sha256 in self.seen.keys
        return in_use or one.tbs_sha256 in known.issuances or one.key_sha256 in known.keys


def by_signing_cas(rows: Mapping[str, Row]) -> frozenset[str]:
    """TBS hashes of precertificates that have another issuer than their certificate, which is in another row.

    A Precertificate Signing Certificate (RFC 6962 3.1) has a name of its own, and sources tell the precertificate as it is. What
    the CA may not change shows what belongs together: serial number, key, names, dates.
    """
    finals: dict[_Marks, set[str]] = {}
    for row in rows.values():
        if not row.issuance.precert and (marks_ := _marks(row)):
            finals.setdefault(marks_, set()).add(row.issuance.issuer)
    return frozenset(
        tbs for tbs, row in rows.items()
        if row.issuance.precert and (marks_ := _marks(row)) and finals.get(marks_, set()) - {row.issuance.issuer}
    )


def _marks(row: Row) -> _Marks | None:
    one = row.issuance
    if not one.serial or one.key_sha256 is None or one.not_before is None or one.not_after is None:
        return None
    return one.serial, one.key_sha256, row.names_key, one.subject, one.not_before, one.not_after


def _answer(name: str, answers: Mapping[DnsName, CaaAnswer]) -> CaaAnswer | None:
    """A wildcard is judged by the records of what stands behind it (RFC 8659 3)."""
    answer = answers.get(DnsName(name))
    return answers.get(DnsName(name[2:])) if answer is None and name.startswith("*.") else answer


def conflicts(sightings: Sightings, twins: Mapping[tuple[str, str], Twin], places: Places) -> Iterator[Finding]:
    """DCS625: one for each serial number that one CA gave to several certificates, in CT or served."""
    for conflict in sightings.conflicts:
        found = [sightings.issuances[tbs] for tbs in conflict.tbs if tbs in sightings.issuances]
        if found:
            by = "of the key" if conflict.certain else "by name and key identifier"
            texts = " and on ".join(_form(one) for one in found[:4])
            more = f" and {len(found) - 4} more" if len(found) > 4 else ""
            yield _conflict(found[0], _words(conflict, by), f"{texts}{more}", places)
    for twin in sorted({_pair(twin): twin for _, twin in sorted(twins.items(), reverse=True)}.items()):
        yield _served_twin(twin[1], sightings.issuances[twin[1].tbs], places)


def _pair(twin: Twin) -> tuple[str, str]:
    first, second = sorted((twin.tbs, twin.leaf_tbs))
    return first, second


def _words(conflict: Conflict, by: str) -> str:
    return f'serial {visible(conflict.serial, 60)} of "{visible(conflict.issuer, 150)}" ({by})'


def _form(sighting: Sighting) -> str:
    return f"{told(sighting)} TBS {sighting.issuance.tbs_sha256[:16]}"


def _served_twin(twin: Twin, sighting: Sighting, places: Places) -> Finding:
    leaf = twin.ref
    served = (
        f'"{visible(leaf.subject, 150)}" ({marks(leaf.serial, leaf.sha256, twin.leaf_tbs)}, '
        f"{validity(leaf.not_before, leaf.not_after)}), served at {twin.target.endpoint.text}"
    )
    what = f'serial {visible(leaf.serial, 60)} of "{visible(leaf.issuer, 150)}"'
    return _conflict(sighting, what, f"{_form(sighting)} and on {served}", places)


def _conflict(first: Sighting, what: str, texts: str, places: Places) -> Finding:
    rule = RULES["ct-serial-conflict"]
    names = [name for name in sorted(first.issuance.names) if places.zone_of(name)] or sorted(first.issuance.names)
    message = (
        f"two certificates of one CA share a serial number and are not the same: {what} is on {texts}; "
        f"report it to the CA: it can revoke neither of them alone (first seen {moment(first.issuance.first_seen)})"
    )
    return Finding(rule, rule.severity, subject(names, places), message, ref(first))
