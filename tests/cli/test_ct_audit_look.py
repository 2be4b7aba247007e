"""What a look at a host amounts to: addresses that answered, those that did not, and what was left out."""

import asyncio
from datetime import UTC, datetime

import pytest
from servers.command import closed_port

from dnscertscan.cli.ct_audit_look import points, presented, unanswered
from dnscertscan.cli.look import MAX_ADDRESSES, Look
from dnscertscan.cli.place import read_place
from dnscertscan.ct.audit_report import Status
from dnscertscan.model.certificates import Certificate
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation, Outcome

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PLACE = read_place("www.example.com", addresses=["192.0.2.1", "2001:db8::1"])
GOOD = Handshake((Deployment((Certificate(b"x"),), ("TLS 1.3",)),), "TLS 1.3", "some")


def failure(kind: FailureKind, detail: str = "because") -> Failure:
    return Failure(kind, detail)


def looked(*outcomes: Outcome | None) -> Look:
    look = Look(PLACE, 10.0, PLACE.targets(PLACE.addresses))
    for target, outcome in zip(look.targets, outcomes, strict=True):
        if isinstance(outcome, Failure) and ":" in target.endpoint.address:
            look.wayless = frozenset({target})  # this machine has no way there; the words of the failure may say other things
        if outcome is not None:
            look.seen[target] = Observation(target, outcome, "probe", NOW, 0.1)
    return look


@pytest.mark.parametrize(
    ("outcomes", "statuses"),
    [
        ((GOOD, GOOD), []),
        ((GOOD, failure(FailureKind.UNREACHABLE, "connect: Network is unreachable")), [Status.OK]),
        ((GOOD, failure(FailureKind.UNREACHABLE, "connect: No route to host")), [Status.WARNING]),
        ((failure(FailureKind.UNREACHABLE), GOOD), [Status.WARNING]),
        ((GOOD, failure(FailureKind.REFUSED)), [Status.WARNING]),
        ((GOOD, None), [Status.WARNING]),
        ((None, failure(FailureKind.UNREACHABLE)), [Status.UNKNOWN] * 2),
        ((failure(FailureKind.REFUSED), failure(FailureKind.TIMEOUT)), [Status.UNKNOWN] * 2),
    ],
)
def test_addresses_without_a_certificate(outcomes: tuple[Outcome | None, ...], statuses: list[Status]) -> None:
    """Beside one that answered a warning, and for a machine without IPv6 a remark; where none answered nothing is known."""
    look = looked(*outcomes)
    assert [point.status for point in points(look)] == statuses
    assert len(unanswered(look)) == len(statuses)
    assert len(presented(look)) == sum(outcome is GOOD for outcome in outcomes)


def test_what_was_asked_of_the_server() -> None:
    """That no SCT and no staple came is only known where the handshake asked for both."""
    known = {(None, None): (None, None), (b"", None): (b"", b""), (b"s", b"o"): (b"s", b"o"), (None, b"o"): (None, b"o")}
    for (scts, staple), told in known.items():
        shown = Handshake((Deployment((Certificate(b"x"),), ("TLS 1.3",), staple=staple, scts=scts),), "TLS 1.3", "some")
        (one,) = presented(looked(shown, None))
        assert (one.scts, one.staple) == told


def test_lists_that_clients_without_a_name_get() -> None:
    """They are not the host's."""
    other = Deployment((Certificate(b"y"),), ("no SNI",), sni=False)
    assert len(presented(looked(Handshake((*GOOD.deployments, other), "TLS 1.3", "some"), None))) == 1


def test_hostile_details() -> None:
    """What a server said is shown without its escapes."""
    look = looked(failure(FailureKind.NOT_TLS, "\x1b[31m"), None)
    assert "\x1b" not in "".join(point.text for point in points(look))
    assert "--starttls" in points(look)[0].text


def test_more_addresses_than_are_asked() -> None:
    """The rest is counted and told."""
    port = closed_port()
    many = [f"127.0.3.{number}" for number in range(1, MAX_ADDRESSES + 3)]
    look = Look(read_place(f"www.example.com:{port}", addresses=many), 20.0)
    asyncio.run(look.go())
    assert len(look.seen) == MAX_ADDRESSES
    assert points(look)[0].text.startswith("2 addresses more than ")
