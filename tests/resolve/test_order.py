"""The scanning order: the same each time, like chance to look at, and gentle to neighbours."""

from collections import Counter
from itertools import pairwise
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from dnscertscan.model.endpoints import Endpoint, Target
from dnscertscan.model.names import DnsName
from dnscertscan.resolve.order import network, spread


def target(address: str, name: str, port: int = 443) -> Target:
    return Target(Endpoint(address, port), DnsName(name))


ADDRESSES = st.one_of(
    st.builds("192.0.{}.{}".format, st.integers(0, 5), st.integers(1, 4)),
    st.builds("2001:db8:{:x}:{:x}::1".format, st.integers(1, 3), st.integers(1, 3)),
)
ANY_TARGET = st.builds(target, ADDRESSES, st.sampled_from("abcdefgh"), st.sampled_from([25, 443]))
TARGETS = st.lists(ANY_TARGET, unique=True, max_size=80)


@settings(deadline=None)  # a busy machine is no fault of the code
@given(TARGETS, st.binary(max_size=40))
def test_every_target_once_and_the_same_order_again(targets, seed):
    """A permutation, decided by the targets and the seed alone."""
    order = spread(targets, seed)
    assert sorted(order) == sorted(targets)
    assert spread(tuple(targets), seed) == order


@settings(deadline=None)
@given(TARGETS.filter(bool), st.binary(max_size=4), st.data())
def test_no_network_has_much_more_than_its_share_of_any_stretch(targets, seed, data):
    """In a stretch of any length: its share, and what rounding each network once can add to it."""
    order = [network(one.endpoint.address) for one in spread(targets, seed)]
    networks = Counter(order)
    start = data.draw(st.integers(0, len(order) - 1))
    length = data.draw(st.integers(1, len(order) - start))
    for name, count in Counter(order[start : start + length]).items():
        assert count <= ceil(networks[name] * min(1, (length + len(networks)) / len(order))) + 1


def test_two_hundred_names_on_one_address_are_spread_over_the_whole_run():
    """Among 5,000 targets of 500 other networks, and among 2,000 of its own: about every n-th, from first to last."""
    crowd = [target("192.0.2.1", f"n{i}.example") for i in range(200)]
    others = [target(f"10.{i % 2}.{i % 250}.{i // 500 + 1}", f"o{i}.example") for i in range(5_000)]
    same_network = [target(f"192.0.2.{i % 100 + 2}", f"s{i}.example") for i in range(2_000)]
    for company in (others, same_network, others + same_network):
        targets = sorted(crowd + company)
        places = [i for i, one in enumerate(spread(targets, b"seed")) if one.endpoint.address == "192.0.2.1"]
        fair = len(targets) / 200
        gaps = [after - before for before, after in pairwise(places)]
        assert places[0] < 2 * fair
        assert places[-1] > len(targets) - 2 * fair
        assert max(gaps) < 2 * fair
        assert min(gaps) > fair / 5


def test_names_of_one_address_come_in_no_order_and_seeds_differ():
    """Alphabetical order would take one customer's names in a row."""
    targets = [target("192.0.2.1", f"n{i:03}.example") for i in range(200)]
    first, second = spread(targets, b"one"), spread(targets, b"two")
    ascending = sum(before < after for before, after in pairwise(first))
    assert 70 < ascending < 130
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 10


def test_networks_are_24_and_48_bits():
    """The usual sizes of one operator's piece, for any spelling of the address."""
    assert network("192.0.2.1") == network("192.0.2.254") != network("192.0.3.1")
    assert network("2001:db8:1::1") == network("2001:db8:1:ffff::") != network("2001:db8:2::1")
    assert network("::1") == network("::ffff") != network("::1:0:0:0:0:0")


def test_nothing_to_scan_is_no_order():
    """An empty plan is spread without complaint."""
    assert spread((), b"") == []
