"""Properties of all rules about CT together: order, repetition, renewals in any number, memory."""

import random
import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from servers.ct_sighting import (
    HOUSE,
    NOW,
    OTHER,
    SECOND,
    ZONE,
    Made,
    at,
    caa,
    codes,
    found,
    issuance,
    levels,
    made,
    policy,
    published,
    sightings,
)
from servers.judging import failed, target

from dnscertscan.checks.ct_fleet import look
from dnscertscan.checks.subjects import sort_key
from dnscertscan.model.findings import Finding
from dnscertscan.model.names import DnsName
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.model.sightings import unavailable
from dnscertscan.model.transparency import CtFacts, Known

HOSTS = ("www.example.com", "mail.example.com", "a.wild.example.com", "old.example.com", "x.lab.example.com")
NAMES = published(
    "example.com", "www.example.com", "mail.example.com", "*.wild.example.com", "lab.example.com", cuts=["lab.example.com"],
    dangling=["mail.example.com"],
)
POOL = [
    made(host, *more, ca=ca, ago=ago, days=days)
    for host in HOSTS for more in ((), ("*.example.com",)) for ca in (HOUSE, SECOND, OTHER)
    for ago, days in ((0.5, 90), (9, 90), (70, 250))
]
REFUSED = Failure(FailureKind.REFUSED, "x")


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Observation], list[Made]]:
    """Some of the certificates are served somewhere, some are in CT."""
    places = draw(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(HOSTS)), max_size=8, unique=True))
    seen = []
    for number, host in places:
        served = draw(st.lists(st.sampled_from(POOL), max_size=2, unique_by=lambda one: one.tbs))
        seen.append(at(number, *served, name=host) if served else failed(target(host, f"192.0.2.{number}"), REFUSED))
    return seen, draw(st.lists(st.sampled_from(POOL), max_size=8, unique_by=lambda one: one.tbs))


def everything(seen: Sequence[Observation] | Iterator[Observation], ct: Sequence[Made]) -> list[Finding]:
    answers, house = [unavailable("b", ZONE, "x")], POOL[0].issuer
    return found(
        seen, ct=sightings(*ct, answers=answers), names=NAMES, issuers=frozenset({house}), log_private=True,
        caa_of={host: caa("example.com", "issue house.example") for host in HOSTS}, ca_domains={house: ("house.example",)},
    )


@settings(max_examples=60, deadline=None)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_nothing_matters(world: tuple[list[Observation], list[Made]], chance: random.Random) -> None:
    """Observations and issuances in any order, observations that can be read only once: the same findings."""
    seen, ct = world
    first = sorted(everything(seen, ct), key=sort_key)
    chance.shuffle(seen)
    chance.shuffle(ct)
    assert sorted(everything(seen, ct), key=sort_key) == first
    assert sorted(everything(iter(seen), ct), key=sort_key) == first
    assert "check-crashed" not in codes(first)
    assert all(one.message.isprintable() and len(one.message) < 3000 for one in first)
    prints = [one.fingerprint for one in first]
    assert len(prints) == len(set(prints))


@settings(max_examples=40, deadline=None)
@given(worlds())
def test_what_is_certain_is_always_told(world: tuple[list[Observation], list[Made]]) -> None:
    """Every valid issuance of a CA that may not, for whatever name in the zones; no other."""
    seen, ct = world
    told = {one.certificate.serial for one in everything(seen, ct) if one.rule.slug == "ct-rogue-issuer" and one.certificate}
    assert told == {one.serial for one in ct if one.issuer != POOL[0].issuer}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 85), min_size=1, max_size=5, unique=True), st.integers(1, 4), st.booleans())
def test_renewals_in_any_number_are_notes(ages: list[int], addresses: int, wildcard: bool) -> None:
    """Any history of renewals of one name by one CA, the newest served everywhere.

    A note for each that came or went before half of a life was over, for the others nothing; none with its key at hand.
    """
    names = ("www.example.com", "*.example.com") if wildcard else ("www.example.com",)
    history = [made(*names, ago=age) for age in sorted(ages, reverse=True)]
    seen = [at(number, history[-1]) for number in range(addresses)]
    notes = [one for one in irregular(ages) if one != min(ages)]
    assert levels(found(seen, ct=history)) == [("ct-unknown-key", "info")] * len(notes)
    assert found(seen, ct=history, known=keys(history)) == []


def irregular(ages: Sequence[int]) -> set[int]:
    """Those (in days, of certificates for 90 days) that have a neighbour less than half a life away, and the last one."""
    ordered = sorted(ages, reverse=True)
    near = {age for pair in pairwise(ordered) for age in pair if pair[0] - pair[1] < 45}
    return near | {ordered[-1]}


def keys(history: Sequence[Made]) -> dict[str, str]:
    """All of them known."""
    return {one.key: "x" for one in history}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(2, 85), min_size=2, max_size=5, unique=True), st.data())
def test_each_place_that_is_behind_is_told(ages: list[int], data: st.DataObject) -> None:
    """Whatever each address serves of a history: those with another than the newest are told, and only those."""
    history = [made("www.example.com", ago=age) for age in sorted(ages, reverse=True)]
    assert all(one.issuance.not_before < other.issuance.not_before for one, other in pairwise(history))
    served = data.draw(st.lists(st.integers(0, len(history) - 1), min_size=1, max_size=5))
    findings = found([at(number, history[which]) for number, which in enumerate(served)], ct=history)
    behind = {f"192.0.2.{number}" for number, which in enumerate(served) if which < len(history) - 1}
    assert {one.subject.ip_address for one in findings if one.rule.slug == "ct-superseded"} == behind
    odd = irregular(ages)
    ordered = sorted(ages, reverse=True)
    unseen = [which for which in range(len(history)) if which not in served and ordered[which] in odd]
    told = {one.certificate.serial: levels([one])[0] for one in findings if one.rule.slug != "ct-superseded" and one.certificate}
    newest = len(history) - 1
    assert told == {history[which].serial: ("ct-unknown-key", "info" if which < newest else "warning") for which in unseen}
    assert len(findings) == len(behind) + len(unseen)
    known = found([at(number, history[which]) for number, which in enumerate(served)], ct=history, known=keys(history))
    assert set(codes(known)) <= {"ct-superseded"}
    assert {one.subject.ip_address for one in known} == behind


def test_hundred_thousand_targets_leave_little_behind() -> None:
    """What is kept does not grow with the number of targets that serve what they should."""
    one, other = made("www.example.com", ago=5), made("www.example.com", ago=40)
    facts = CtFacts(sightings=sightings(one, other), published=NAMES, known=Known(keys([other])))
    peaks = []
    for number in (200, 5000):
        tracemalloc.start()
        findings = list(look(_Many(number, one), policy(), facts, NOW, lambda *_: True))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert findings == []
    assert peaks[1] < peaks[0] + 200_000


class _Many:
    """Observations that are made when they are read, as those that lie on disk."""

    def __init__(self, number: int, served: Made) -> None:
        self._number, self._served = number, served

    def __iter__(self) -> Iterator[Observation]:
        for number in range(self._number):
            yield at(number % 250, self._served, port=1000 + number)


def test_an_empty_run_is_silent() -> None:
    """Nothing served, nothing found."""
    assert found() == []
    assert found([at(1)]) == []
    assert found(ct=[issuance(POOL[0].leaf, names=())]) == []
    assert DnsName("example.com") == ZONE
