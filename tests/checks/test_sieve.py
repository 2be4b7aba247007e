"""Sifting keys with more than one value out of many."""

from hypothesis import given
from hypothesis import strategies as st

from dnscertscan.checks.sieve import Sieve

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6)), max_size=60)


@given(PAIRS)
def test_exactly_the_keys_with_several_values(pairs: list[tuple[int, int]]) -> None:
    """Pairs in any number and order: the keys that have two values or more, and all values of these."""
    sieve = Sieve()
    values: dict[int, set[int]] = {}
    for key, value in pairs:
        sieve.add(hash((key, "key")), hash((value, "value")))
        values.setdefault(key, set()).add(value)
    wanted = {key for key, found in values.items() if len(found) > 1}
    assert sieve.keys() == {hash((key, "key")) for key in wanted}
    assert sieve.values() == {hash((value, "value")) for key in wanted for value in values[key]}


def test_what_came_lately_is_not_new() -> None:
    """The same value again and again is new once; the table of such values does not grow for ever."""
    sieve = Sieve()
    assert [sieve.is_new(value) for value in (1, 2, 1, 2, 3)] == [True, True, False, False, True]
    for value in range(200_000):
        sieve.is_new(value)
    assert len(sieve._recent) <= 1 << 16
