"""A chain is judged once for all names: what the name adds, and what it leaves alone."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pki.changes import CHANGES, make
from pki.worlds import Case

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki.diagnose import examine, examine_chain
from dnscertscan.pki.fault import Diagnosis
from dnscertscan.pki.judged import JudgedChain
from dnscertscan.pki.names import ask, is_named
from dnscertscan.pki.outline import issued_by
from dnscertscan.pki.parse import parse, refer
from dnscertscan.pki.truststore import TrustStore
from dnscertscan.pki.wording import is_error

NAMES = st.sampled_from((
    "www.example.com", "WWW.Example.com.", "", " ", ".", "other.example.net", "a.b.www.example.com", "192.0.2.1", "[2001:db8::1]",
    "_x.example.com", "xn--bcher-kva.example",
)) | st.text("ab.*-_1:[] ", max_size=12)
OF_NAMES = {"hostname-mismatch", "ip-mismatch", "no-san"}
CASES = st.lists(st.sampled_from(list(CHANGES)), max_size=2).map(lambda changes: make(*changes))


def _stores(case: Case) -> tuple[TrustStore, ...]:
    own = TrustStore("own", map(Certificate, case.anchors))
    return own, TrustStore("same", own.anchors), TrustStore("none", ())


def _judged(case: Case, chain: tuple[Certificate, ...]) -> JudgedChain:
    return examine_chain(chain, _stores(case), case.at)


@settings(deadline=None, max_examples=150)
@given(CASES, st.data())
def test_a_judged_chain_forgets_the_names_asked_before(case: Case, data: st.DataObject) -> None:
    """Many names asked of one judged chain get what each gets of an examination of its own, in any order of the certificates."""
    chain = tuple(data.draw(st.permutations([*map(Certificate, case.chain)])))
    judged = _judged(case, chain)
    for name in data.draw(st.lists(NAMES, min_size=1, max_size=5)):
        assert judged.for_name(name) == examine(chain, name, _stores(case), case.at)


@settings(deadline=None, max_examples=150)
@given(CASES, st.data())
def test_a_name_adds_its_own_faults_and_nothing_else(case: Case, data: st.DataObject) -> None:
    """A fault of the name exactly when the first certificate is not for it; the others stay but for the order of the list."""
    chain = tuple(data.draw(st.permutations([*map(Certificate, case.chain)])))
    name = data.draw(NAMES)
    judged = _judged(case, chain)
    named, leaf = judged.for_name(name), parse(chain[0])
    added = [fault for fault in named.faults if fault.slug in OF_NAMES]
    names = leaf.extensions.alt_names
    unknown = leaf.problem or not name.strip() or (names is None and "2.5.29.17" in leaf.extensions.present)
    assert bool(added) is bool(not unknown and (names is None or not is_named(ask(name), names)))
    assert all(is_error(fault) and fault.certificate == refer(leaf, 0) for fault in added)
    rest = [fault for fault in named.faults if fault.slug not in (*OF_NAMES, "chain-order")]
    assert rest == [fault for fault in judged.plain.faults if fault.slug != "chain-order"]
    assert named.valid_for == (dict.fromkeys(named.valid_for, False) if added else judged.plain.valid_for)
    assert (named.leaf, named.path) == (judged.plain.leaf, judged.plain.path)


def test_the_better_leaf_depends_on_the_name() -> None:
    """A CA sent before the server certificate is said of the names that the server certificate is for."""
    case = make()
    leaf, authority = map(Certificate, case.chain)
    judged = _judged(case, (authority, leaf))
    orders = {name: [fault.message for fault in judged.for_name(name).faults if fault.slug == "chain-order"]
              for name in (case.name, "other.example.net", "")}
    assert len(orders[case.name]) == 1
    assert "is the one for this name, a CA certificate is sent before it" in orders[case.name][0]
    assert orders["other.example.net"] == orders[""] == []


def test_a_healthy_name_makes_nothing_new() -> None:
    """All names a certificate is for share one diagnosis; that is what makes many names cheap."""
    case = make()
    judged = _judged(case, tuple(map(Certificate, case.chain)))
    assert judged.for_name(case.name) is judged.for_name(case.name.upper()) is judged.plain


def test_stores_with_the_same_anchors_need_one_search() -> None:
    """A store that would answer every question alike gets the same verdict, and one that would not gets its own."""
    case = make()
    found: Diagnosis = examine(tuple(map(Certificate, case.chain)), case.name, _stores(case), case.at)
    assert found.valid_for == {"own": True, "same": True, "none": False}
    alone = [examine(tuple(map(Certificate, case.chain)), case.name, (store,), case.at).valid for store in _stores(case)]
    assert alone == [True, True, False]


@pytest.mark.parametrize("change", CHANGES)
def test_the_outline_is_what_the_whole_says(change: str) -> None:
    """Issuer and serial number read alone are those of the full reading, for every certificate of every change."""
    for octets in make(change).chain:
        facts = parse(Certificate(octets))
        if not facts.problem:
            assert issued_by(Certificate(octets)) == (facts.issuer.key, facts.serial)


@given(st.binary(max_size=40), st.integers(0, 400))
def test_the_outline_of_anything_is_no_crash(octets: bytes, where: int) -> None:
    """Octets that are no certificate, or one with a hole, give something or the full reading's remains."""
    whole = make().chain[0]
    for broken in (octets, whole[:where] + octets + whole[where + len(octets):]):
        facts = parse(Certificate(broken))
        key, serial = issued_by(Certificate(broken))
        assert facts.problem or (key, serial) == (facts.issuer.key, facts.serial)


def test_the_weight_grows_with_what_is_kept() -> None:
    """A chain with many names weighs more than one with few, so that a memory of chains stays within its octets."""
    judged = _judged(make(), tuple(map(Certificate, make().chain)))
    assert judged.offer is not None
    many = replace(judged, offer=replace(judged.offer, hosts=frozenset(f"host{n}.example.com" for n in range(1000))))
    assert judged.weight < 10_000
    assert many.weight > 100_000
