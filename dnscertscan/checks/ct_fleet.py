"""What CT has against everything that is served and published: the rules DCS620 to DCS631, for all observations together."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dnscertscan.checks import ct_accounts, ct_names, ct_sources, ct_superseded
from dnscertscan.checks.ct_blind import Blind
from dnscertscan.checks.ct_ca import Issuers
from dnscertscan.checks.ct_doubts import TOO_LONG, Doubts
from dnscertscan.checks.ct_issuers import Issued, by_signing_cas, conflicts
from dnscertscan.checks.ct_places import Places
from dnscertscan.checks.ct_rows import valid_rows
from dnscertscan.checks.ct_seen import Elsewhere, IsPublic, Seen
from dnscertscan.checks.ct_unserved import Unserved, doubted_cas, over_caps
from dnscertscan.checks.guard import guarded
from dnscertscan.checks.subjects import RecordText
from dnscertscan.model.endpoints import Provenance
from dnscertscan.model.findings import Finding, Subject
from dnscertscan.model.observations import Observation
from dnscertscan.model.sightings import Sightings
from dnscertscan.model.text import visible
from dnscertscan.model.transparency import CtFacts, CtPolicy


def _plain_record(origin: Provenance) -> str:
    record = origin.record
    return f"{record.name.display}. {record.type} {visible(record.data, 100)}"


def look(
    observations: Iterable[Observation], policy: CtPolicy, facts: CtFacts, at: datetime, is_public: IsPublic, *,
    record_text: RecordText = _plain_record,
) -> Iterator[Finding]:
    """All that is wrong; never raises. ``is_public``: whether the CA of a deployment is one that clients know by themselves.

    ``observations`` are read at most twice (what can be read only once is kept whole), and little of them is held: what is
    served with the names, keys and serial numbers that CT has. Without a search (``facts.sightings`` is None) only CAA records
    and what nobody asked is told. The order of the observations makes no difference to what is found.
    """
    places, doubts, crashes = Places(facts.published), Doubts(), list[Finding]()
    blind = Blind(facts.sightings, policy, at)
    if facts.sightings is not None:
        search = _Search(facts.sightings, policy, facts, at, places, doubts, crashes, blind)
        run = partial(search.run, observations, is_public, record_text)
        yield from _each(crashes, (("search", run), ("sources", partial(ct_sources.unavailable, facts.sightings))))
    yield from _each(crashes, (
        ("CAA accounts", partial(ct_accounts.look, facts.caa, policy.accounts, places)),
        ("what is open", partial(ct_sources.incomplete, facts.sightings, facts.unasked, doubts, blind, at)),
    ))
    yield from crashes


@dataclass(frozen=True, slots=True)
class _Search:
    """What was searched for, against what was seen."""

    sightings: Sightings
    policy: CtPolicy
    facts: CtFacts
    at: datetime
    places: Places
    doubts: Doubts
    crashes: list[Finding]
    blind: Blind

    def run(self, observations: Iterable[Observation], is_public: IsPublic, record_text: RecordText) -> Iterator[Finding]:
        """Read the observations, then ask the rules."""
        observed = tuple(observations) if isinstance(observations, Iterator) else observations
        known, policy, places = self.facts.known, self.policy, self.places
        every = valid_rows(self.sightings, places, self.at, partial(self.doubts.add, TOO_LONG))
        twice = by_signing_cas(every)
        rows = {tbs: row for tbs, row in every.items() if tbs not in twice}
        issuers = Issuers(policy, (row.issuance for row in rows.values()))
        seen = Seen(rows, self.sightings.issuances, policy, issuers, self.at)
        seen.doubt(doubted_cas(rows))
        if self.sightings.issuances:
            self._read(observed, lambda observation: (*seen.look(observation, is_public), *self.blind.look(observation)))
        elif self.blind.is_open:
            self._read(observed, self.blind.look)
        stale = list(ct_superseded.superseded(seen))
        renewals = {one.newer.issuance.tbs_sha256 for one in stale}
        elsewhere = Elsewhere(renewals & seen.served)
        if renewals & seen.served:
            self._read(observed, elsewhere.look)
        unserved = Unserved(rows, seen, places, policy, known, self.at, renewals, self.doubts, issuers, self.facts.caa)
        issued = Issued(rows, seen, places, policy, issuers, self.doubts)
        yield from _each(self.crashes, (
            ("superseded", partial(ct_superseded.findings, stale, seen, elsewhere, known, self.at, record_text)),
            ("unserved", unserved.findings),
            ("issuers", issued.rogues),
            ("CAA", partial(issued.denied, self.facts.caa, known)),
            ("serial numbers", partial(conflicts, self.sightings, seen.twins, places)),
            ("names", partial(ct_names.orphans, rows, places)),
            ("wildcards", partial(ct_names.hidden, rows, places, seen.looked | seen.unreached.keys())),
            ("validity", partial(over_caps, rows, seen, policy, issuers, places)),
        ))

    def _read(self, observed: Iterable[Observation], note: Callable[[Observation], Iterable[Finding]]) -> None:
        """``note`` every observation; one that it stumbles over is reported once."""
        told: list[Finding] = []
        for observation in observed:
            place = Subject(fqdn=observation.target.server_name.text)
            guarded("transparency", place, observation.target, told, partial(note, observation))
        self.crashes.extend(crash for crash in told if crash not in self.crashes)


def _each(crashes: list[Finding], checks: Iterable[tuple[str, Callable[[], Iterable[Finding]]]]) -> Iterator[Finding]:
    """A check that crashes costs itself alone."""
    for name, check in checks:
        yield from guarded(f"transparency: {name}", Subject(), None, crashes, check)
