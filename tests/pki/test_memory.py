"""A memory that keeps what is in use, within a number and a weight."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pki import forge
from pki.forge import Spec, san, tlv

from dnscertscan.model.certificates import Certificate
from dnscertscan.pki import dn
from dnscertscan.pki import parse as parsing
from dnscertscan.pki.diagnose import examine_chain
from dnscertscan.pki.judged import JudgedChain
from dnscertscan.pki.memory import Kept
from dnscertscan.pki.truststore import TrustStore


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 40))), st.integers(2, 12), st.integers(2, 200))
def test_never_more_than_allowed_and_never_wrong(asked: list[tuple[int, int]], number: int, octets: int) -> None:
    """Whatever is put and asked for: the bounds hold at every step, and what is found is what was put last."""
    kept: Kept[int, int] = Kept(number, octets, lambda value: value)
    last: dict[int, int] = {}
    for key, value in asked:
        found = kept.get(key)
        assert found in (None, last.get(key))
        kept.put(key, value)
        if value <= octets // 2:
            last[key] = value
            assert kept.get(key) == value
        present = [one for one in (kept.get(key) for key in last) if one is not None]
        assert len(present) <= number
        assert len(kept) <= number
        assert sum(present) <= octets


@given(st.integers(1, 50), st.integers(0, 500))
def test_what_is_used_stays(size: int, others: int) -> None:
    """Half of the number, asked for again and again, stay through any number of others that come once."""
    kept: Kept[str, int] = Kept(4 * size)
    for key in range(size):
        kept.put(f"used {key}", key)
    for other in range(others):
        kept.put(f"other {other}", other)
        if other % size == 0:
            assert [kept.get(f"used {key}") for key in range(size)] == list(range(size))


def _weighty() -> dict[str, Spec]:
    directories = [tlv(0xA4, forge.name(f"D{number}")) for number in range(300)]
    return {
        "plain": forge.leaf_spec(),
        "many names": forge.leaf_spec().with_(san(*(f"h{number}.example.com" for number in range(700)))),
        "directories": forge.leaf_spec().with_(san("www.example.com", *directories)),
    }


def _each_takes(make: Callable[[Certificate], object], certificates: list[Certificate]) -> float:
    """Octets of memory that one result of ``make`` takes; what all certificates share is filled before."""
    make(certificates[0])
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = [make(certificate) for certificate in certificates]
        dn._parse_small.cache_clear()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return taken / len(made)


def _copies(kind: str) -> list[Certificate]:
    made = _weighty()[kind].signed_by(forge.root_spec())
    return [Certificate(made[:-1] + bytes([number])) for number in range(12)]


@pytest.mark.parametrize("kind", _weighty())
def test_facts_weigh_at_least_what_they_take(kind: str) -> None:
    """The weight is no less than the memory measured, and no more than three times that: bounds in octets are to be trusted."""

    def alone(certificate: Certificate) -> parsing.Facts:
        dn._parse_small.cache_clear()
        return parsing._parse(certificate)

    copies = _copies(kind)
    taken = _each_takes(alone, copies) + len(copies[0].der)
    assert taken <= parsing.weigh(alone(copies[0])) <= 3 * taken


@pytest.mark.parametrize("kind", _weighty())
def test_judged_chains_weigh_at_least_what_they_take(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for what is remembered of a chain."""
    monkeypatch.setattr(parsing, "_MEMORY", Kept(2))
    root = Certificate(forge.root_spec().signed_by(forge.root_spec()))
    stores = (TrustStore("own", (root,)),)

    def judge(certificate: Certificate) -> JudgedChain:
        return examine_chain((certificate, root), stores, forge.NOW)

    copies = _copies(kind)
    taken = _each_takes(judge, copies)
    assert taken <= judge(copies[0]).weight <= 4 * taken
