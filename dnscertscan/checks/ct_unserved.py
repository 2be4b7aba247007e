"""What CT has and nobody serves: unknown keys, certificates never used, validity over the cap (DCS621, 622, 630)."""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from dnscertscan.checks.catalog import RULES
from dnscertscan.checks.ct_ca import Issuers, family
from dnscertscan.checks.ct_doubts import NOT_SEEN, Doubts
from dnscertscan.checks.ct_places import Places, Standing
from dnscertscan.checks.ct_rows import Row, listed, moment, origin, ref, subject, told, wildcard_above
from dnscertscan.checks.ct_seen import Seen
from dnscertscan.model.findings import Finding, Severity
from dnscertscan.model.transparency import CtPolicy, Known
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

    def findings(self) -> Iterator[Finding]:
        """At most one of DCS621 and DCS622 for each issuance."""
        newest = self._newest()
        for tbs, row in self.rows.items():
            one = row.issuance
            if not row.own or tbs in self.seen.served or tbs in self.renewals or tbs in self.known.issuances:
                continue
            age = self._age(row)
            if one.key_sha256 in self.known.keys or age <= self.policy.grace or self._is_replaced(row, newest):
                continue
            is_unknown = one.key_sha256 is not None and one.key_sha256 not in self.seen.keys
            if not is_unknown and age <= self.policy.idle:
                continue
            if self._was_looked_at(row):
                yield self._unknown_key(row) if is_unknown else self._never_served(row)

    def _unknown_key(self, row: Row) -> Finding:
        message = (
            f"certificate in CT has a key that is neither served nor known: {told(row.sighting)} for {listed(row.own)}, "
            f"{origin(row.sighting)}, key sha256 {(row.issuance.key_sha256 or '')[:16]}{self._missed(row)}; {_UNKNOWN}"
        )
        return self._finding("ct-unknown-key", row, message)

    def _never_served(self, row: Row) -> Finding:
        one = row.issuance
        if one.key_sha256 is None:
            key, severity, step = "its key is not told by the source", None, _UNKNOWN
        else:
            key, severity = "its key is served with another certificate", Severity.INFO
            step = "install it, or have it revoked when it is not needed"
        message = (
            f"certificate in CT was not seen served since {moment(row.since)}: {told(row.sighting)} for {listed(row.own)}, "
            f"{origin(row.sighting)}; {key}{self._missed(row)}; {step}"
        )
        return self._finding("ct-never-served", row, message, severity)

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

    def _newest(self) -> Mapping[tuple[bytes, str], datetime]:
        """For each set of names, and whatever a CA is told by, when the newest certificate begins that could be served by now."""
        newest: dict[tuple[bytes, str], datetime] = {}
        for row in self.rows.values():
            start = row.issuance.not_before
            if start is not None and self._age(row) > self.policy.grace:
                for mark in family(row.issuance.issuer, self.policy.ca_domains):
                    key = (row.names_key, mark)
                    newest[key] = max(newest.get(key, start), start)
        return newest

    def _is_replaced(self, row: Row, newest: Mapping[tuple[bytes, str], datetime]) -> bool:
        """Whether its CA made a later one for the same names, or what is served has all its names and is not older.

        That is what every renewal leaves behind: a certificate that is valid still, with a key that is gone.
        """
        start = row.issuance.not_before
        if start is None:
            return False
        marks = family(row.issuance.issuer, self.policy.ca_domains)
        if any(newest.get((row.names_key, mark), start) > start for mark in marks):
            return True
        return all(self._is_covered(name, marks, start) for name in row.own)

    def _is_covered(self, name: str, marks: Set[str], start: datetime) -> bool:
        for served in (name, wildcard_above(name)):
            begins = self.seen.covered.get(served, {})
            if any(mark in begins and begins[mark] >= start for mark in marks):
                return True
        return False


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
