"""What CT has and nobody serves: unknown keys, certificates never used, validity over the cap (DCS621, 622, 630)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.checks import caa
from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_ca import Issuers
from dnscertscan.checks.ct_doubts import NOT_SEEN, Doubts
from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.checks.ct_rows import Row, listed, moment, origin, ref, subject, told, wildcard_above
from dnscertscan.checks.ct_seen import Seen
from dnscertscan.checks.ct_superseded import ONE_RENEWAL
from dnscertscan.model.ct import Issuance
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.names import DnsName
from dnscertscan.model.transparency import CaaAnswer, CtPolicy, Known
from dnscertscan.pki.validity_caps import over_cap

_UNKNOWN = "if it is yours, tell the scan of its key (--ct-known), else have it revoked and find out who asked the CA for it"


@dataclass(frozen=True, slots=True)
class Unserved:
    """Judges issuances that are served nowhere. ``renewals`` are those that DCS620 names."""

    rows: Mapping[str, Row]
    seen: Seen
    places: Places
    policy: CtPolicy
    known: Known
    at: datetime
    renewals: Set[str]
    doubts: Doubts
    issuers: Issuers
    caa: Mapping[DnsName, CaaAnswer]

    def findings(self) -> Iterator[Finding]:
        """At most one of DCS621 and DCS622 for each issuance.

        What a renewal explains is a note, not silence, unless its key is served: a certificate that a renewal left behind looks
        like one that somebody else got from the same CA in the meantime. Only the steady rhythm of renewals tells them apart:
        where each came when half the life of the one before was over, there was none in between.
        """
        begins = self._begins()
        for tbs, row in self.rows.items():
            one = row.issuance
            if not row.own or tbs in self.seen.served or tbs in self.known.issuances or one.key_sha256 in self.known.keys:
                continue
            age, is_served = self._age(row), one.key_sha256 in self.seen.keys
            if age <= self.policy.grace or (is_served and tbs in self.renewals):
                continue
            is_unknown = one.key_sha256 is not None and not is_served
            if not is_unknown and age <= self.policy.idle:
                continue
            reason = self._explained(row, begins)
            if reason and (is_served or self._is_told(row) or begins.is_regular(self._lines(row), row.issuance)):
                continue
            if self._was_looked_at(row):
                yield self._unknown_key(row, reason) if is_unknown else self._never_served(row, reason)

    def _unknown_key(self, row: Row, reason: str) -> Finding:
        message = (
            f"certificate in CT has a key that is neither served nor known: {told(row.sighting)} for {listed(row.own)}, "
            f"{origin(row.sighting)}, key sha256 {(row.issuance.key_sha256 or '')[:16]}{self._missed(row)}"
            f"{_left(reason)}; {_step(row, _UNKNOWN)}"
        )
        return self._finding("ct-unknown-key", row, message, Severity.INFO if reason or row.issuance.revoked else None)

    def _never_served(self, row: Row, reason: str) -> Finding:
        one = row.issuance
        if one.key_sha256 is None:
            key, step = "its key is not told by the source", _UNKNOWN
        else:
            key, step = "its key is served with another certificate", "install it, or have it revoked when it is not needed"
        message = (
            f"certificate in CT was not seen served since {moment(row.since)}: {told(row.sighting)} for {listed(row.own)}, "
            f"{origin(row.sighting)}; {key}{self._missed(row)}{_left(reason)}; {_step(row, step)}"
        )
        is_note = bool(reason) or one.revoked or one.key_sha256 is not None
        return self._finding("ct-never-served", row, message, Severity.INFO if is_note else None)

    def _finding(self, slug: str, row: Row, message: str, severity: Severity | None = None) -> Finding:
        rule = RULES[slug]
        place = subject(row.own, self.places)
        return Finding(rule, rule.severity if severity is None else severity, place, message, ref(row.sighting))

    def _missed(self, row: Row) -> str:
        """Where it may be served without our knowing."""
        places = sum(self.seen.unreached.get(name, 0) for name in row.own)
        return f" (places for its names that gave no certificate: {places})" if places else ""

    def _age(self, row: Row) -> timedelta:
        return timedelta.max if row.since is None else self.at - row.since

    def _was_looked_at(self, row: Row) -> bool:
        """Whether a server was seen for one of its names. Names that nobody can look at are told of as such (DCS626, 627)."""
        if any(name in self.seen.looked for name in row.own):
            return True
        missed = next((name for name in row.own if self.places.standing(name) is Standing.PUBLISHED), None)
        if missed is not None:
            self.doubts.add(NOT_SEEN, missed)
        return False

    def _begins(self) -> "_Begins":
        """For each set of names and what a CA is told by: the newest that could be served by now, and all that are."""
        newest: dict[_Line, datetime] = {}
        served: dict[_Line, list[datetime]] = {}
        every: dict[_Line, list[datetime]] = {}
        for tbs, row in self.rows.items():
            start = row.issuance.not_before
            if start is None:
                continue
            for key in self._lines(row):
                every.setdefault(key, []).append(start)
                if row.issuance.revoked or self._age(row) <= self.policy.grace:
                    continue
                newest[key] = max(newest.get(key, start), start)
                if tbs in self.seen.served:
                    served.setdefault(key, []).append(start)
        return _Begins(newest, *({key: sorted(found) for key, found in one.items()} for one in (served, every)))

    def _lines(self, row: Row) -> "list[_Line]":
        return [(row.names_key, mark) for mark in self.seen.family(row.issuance.issuer)]

    def _explained(self, row: Row, begins: "_Begins") -> str:
        """Why it may be what a renewal left behind: valid still, with a key that is gone. Empty when nothing says so."""
        start = row.issuance.not_before
        if start is None:
            return ""
        family = self.seen.family(row.issuance.issuer)
        lines = self._lines(row)
        if any(begins.newest.get(line, start) > start for line in lines):
            return "its CA made a later one for the same names"
        if any(begins.is_just_after(line, start) for line in lines):
            return "its CA made one that is served, for the same names, within a day before it"
        if all(self._is_covered(name, family, start) for name in row.own):
            return "what is served has all its names, is of the same CA and not older"
        if all(self._is_older(name, start) for name in row.own) and self._is_allowed(row):
            return "all that is served for its names is newer, and its CA is one that may issue"
        return ""

    def _is_told(self, row: Row) -> bool:
        """Whether it is of a CA that may not issue (DCS623): that is worse than anything a note could add."""
        return bool(self.policy.issuers) and self.issuers.is_allowed(row.issuance) is False

    def _is_covered(self, name: str, family: Set[str], start: datetime) -> bool:
        own, wildcard = self.seen.covered.get(name, {}), wildcard_above(name)
        if any(mark in own and own[mark] >= start for mark in family):
            return True
        # Who had the wildcard already did not need a certificate for one of its names: that one the wildcard does not explain.
        above = self.seen.covered.get(wildcard, {})
        return any(mark in above and start < self.seen.wildcards.get((wildcard, mark), start) for mark in family)

    def _is_older(self, name: str, start: datetime) -> bool:
        """Whether something is served for the name, and everything that is began later."""
        found = [self.seen.oldest[one] for one in (name, wildcard_above(name)) if one in self.seen.oldest]
        return bool(found) and start < min(found)

    def _is_allowed(self, row: Row) -> bool:
        """Whether the configuration names its CA, or the CAA records of all its names do."""
        if self.policy.issuers and self.issuers.is_allowed(row.issuance):
            return True
        domains = self.issuers.domains(row.issuance)
        return domains is not None and all(self._names_ca(name, domains) for name in row.own)

    def _names_ca(self, name: str, domains: tuple[str, ...]) -> bool:
        is_wildcard = name.startswith("*.")
        answer = self.caa.get(DnsName(name)) or (self.caa.get(DnsName(name[2:])) if is_wildcard else None)
        if answer is None or answer.problem or caa.permissions(answer.records, wildcard=is_wildcard) is None:
            return False
        return caa.decide(answer.records, domains, wildcard=is_wildcard).ruling is caa.Ruling.ALLOWED


_Line = tuple[bytes, str]


@dataclass(frozen=True, slots=True)
class _Begins:
    newest: Mapping[_Line, datetime]
    served: Mapping[_Line, list[datetime]]
    every: Mapping[_Line, list[datetime]]
    """Sorted."""

    def is_regular(self, lines: Sequence[_Line], one: Issuance) -> bool:
        """Whether the issuances before and after it are at least half its life away, and there is one after it.

        Of its lines the one with the most issuances counts: a CA issues by turns with several keys.
        """
        start, end = one.not_before, one.not_after
        if start is None or end is None or not lines:
            return False
        found = max((self.every.get(line, []) for line in lines), key=len)
        index, half = bisect_left(found, start), (end - start) / 2
        before, after = found[:index][-1:], found[index + 1 : index + 2]
        return bool(after) and after[0] - start >= half and not any(start - former < half for former in before)

    def is_just_after(self, line: _Line, start: datetime) -> bool:
        """Whether one that is served began less than a day before ``start``: both are one renewal."""
        found = self.served.get(line, [])
        index = bisect_right(found, start)
        return index > 0 and start - found[index - 1] < ONE_RENEWAL


def _left(reason: str) -> str:
    return f"; it was left by a renewal, or it is somebody else's: {reason}" if reason else ""


def _step(row: Row, step: str) -> str:
    return "it is revoked already: if it was not yours, find out who asked the CA for it" if row.issuance.revoked else step


def over_caps(
    rows: Mapping[str, Row], seen: Seen, policy: CtPolicy, issuers: Issuers, places: Places,
) -> Iterator[Finding]:
    """DCS630: what is served is judged there (DCS611). A CA that only private chains were seen of is bound by no cap."""
    rule = RULES["ct-validity-over-cap"]
    for tbs, row in rows.items():
        over = over_cap(row.issuance.not_before, row.issuance.not_after)
        if over is None or not row.own or tbs in seen.served:
            continue
        words = seen.public.get(row.issuance.issuer, set())
        if words == {False} and not policy.log_private:
            continue
        public = policy.log_private or True in words or issuers.domains(row.issuance) is not None
        doubt = "" if public else "; whether its CA is a public one is not known"
        message = (
            f"certificate in CT is {over.text}: {told(row.sighting)} for {listed(row.own)}, {origin(row.sighting)}{doubt}; "
            "do not use it: browsers refuse it; order a shorter one and report this one to the CA"
        )
        severity = rule.severity if public else Severity.WARNING
        yield Finding(rule, severity, subject(row.own, places), message, ref(row.sighting))


def doubted_cas(rows: Mapping[str, Row]) -> frozenset[str]:
    """Names of the CAs of which it matters whether they are public ones."""
    found = (row.issuance for row in rows.values() if row.own)
    return frozenset(one.issuer for one in found if over_cap(one.not_before, one.not_after) is not None)
