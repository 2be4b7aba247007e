"""Which issuing certificates a judge remembers when a fleet sends more than anybody needs."""

from itertools import permutations

from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from servers.judging import NOW, deployment, failed, observed, target

from dnscertscan.checks.issuers import MOST, MOST_OCTETS, Issuers
from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.demo.authority import Authority
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Failure, FailureKind, Observation
from dnscertscan.pki.parse import parse, weigh
from dnscertscan.pki.truststore import TrustStore

LEAF = Certificate(b"leaf")


def _issuer(number: int) -> Certificate:
    return Certificate(b"issuer %d" % number)


def _sent(number: int, *issuers: int) -> Observation:
    return observed(target(address=f"192.0.2.{number}"), deployment(LEAF, *map(_issuer, issuers)))


def test_all_are_kept_while_there_is_room() -> None:
    """Those behind the first certificate of each list, each once, sorted; first certificates and failures give none."""
    issuers = Issuers()
    issuers.learn([_sent(1, 1, 2), _sent(2, 2, 3), failed(target(), Failure(FailureKind.REFUSED, "x"))])
    assert set(issuers.all) == {_issuer(1), _issuer(2), _issuer(3)}
    assert list(issuers.all) == sorted(issuers.all, key=lambda one: one.sha256)


@given(st.integers(0, 5))
def test_those_that_many_send_outlive_a_flood(most: int) -> None:
    """A new issuer with each answer pushes out none that two servers use, in whatever order the answers come."""
    used = [_sent(number, 1000 + number % 3) for number in range(6)]
    flood = [_sent(number, number) for number in range(40)]
    kept = []
    for seen in ([*used, *flood], [*flood, *used], iter([*flood[:20], *used, *flood[20:]])):
        issuers = Issuers(most=most)
        issuers.learn(seen)
        kept.append(issuers.all)
    assert kept[0] == kept[1] == kept[2]
    assert len(kept[0]) == most
    assert len({_issuer(1000), _issuer(1001), _issuer(1002)}.intersection(kept[0])) == min(most, 3)


def test_octets_are_bounded_too() -> None:
    """Big certificates fill the room before there are many; what does not fit leaves room for smaller ones."""
    room = 10 * weigh(parse(_issuer(1)))
    issuers = Issuers(octets=room)
    big = Certificate(bytes(room))
    issuers.learn([observed(target(), deployment(LEAF, big)), *(_sent(number, number) for number in range(30))])
    assert big not in issuers.all
    assert 9 <= len(issuers.all) <= 10


def test_what_was_fetched_comes_first() -> None:
    """An issuer fetched because a certificate names it has a place even where the room is full; order does not matter."""
    results = set()
    for fetched in permutations([_issuer(100), _issuer(101)]):
        issuers = Issuers(most=3)
        issuers.learn([_sent(number, number) for number in range(3)])
        issuers.add(fetched)
        results.add(issuers.all)
    ((first, *more),) = results
    assert len(more) == 2
    assert {_issuer(100), _issuer(101)} < {first, *more}


def test_the_same_again_changes_nothing() -> None:
    """Learning what is known keeps the very tuple, so that nothing is judged again for it."""
    issuers = Issuers()
    issuers.learn([_sent(1, 1, 2)])
    before = issuers.all
    issuers.learn([_sent(2, 2, 1)])
    issuers.add([_issuer(1)])
    assert issuers.all is before


def test_the_bounds_are_those_of_a_small_machine() -> None:
    """As many as the public CAs have, in less memory than a tenth of what a run may take."""
    assert (MOST, MOST_OCTETS) == (2048, 16 << 20)


def test_a_used_intermediate_is_still_named_after_a_flood() -> None:
    """The message about a missing intermediate survives thousands of issuers that nobody needs."""
    root = Authority.root("Root", now=NOW)
    issuing = root.intermediate("Issuing CA")
    leaf, sent = (Certificate(one.public_bytes(Encoding.DER)) for one in issuing.leaf("www.example.com").chain[:2])
    judge = Judge(CheckPolicy(), [TrustStore("own", [Certificate(root.certificate.public_bytes(Encoding.DER))])], (), NOW)
    lonely = observed(target(), deployment(leaf))
    good = [observed(target(address=f"192.0.2.{number}"), deployment(leaf, sent)) for number in (2, 3)]
    flood = [observed(target(address="192.0.2.9"), deployment(LEAF, _issuer(number))) for number in range(3000)]
    (before,) = judge.endpoint(lonely)
    judge.learn([*flood, *good, lonely])
    (after,) = judge.endpoint(lonely)
    assert "missing intermediate" not in before.message
    assert 'missing intermediate "CN=Issuing CA' in after.message
