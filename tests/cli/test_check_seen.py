"""What `check` makes of what was seen: which status each trouble has, which one goes first, and the line that says it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from servers.checking import Told, read
from servers.judging import NOW, certificate, diagnosis, ref

from dnscertscan.checks.judge import Judge
from dnscertscan.checks.policy import CheckPolicy
from dnscertscan.cli.check_plugin import Asked, render
from dnscertscan.cli.check_seen import Rules, judge_look
from dnscertscan.cli.look import Look
from dnscertscan.cli.place import Place, read_place
from dnscertscan.ct.audit_report import Status
from dnscertscan.demo.authority import Authority
from dnscertscan.model.findings import Severity
from dnscertscan.model.observations import Deployment, Failure, FailureKind, Handshake, Observation, Outcome
from dnscertscan.pki.fault import Fault
from dnscertscan.pki.truststore import TrustStore

CA = Authority.root("Root", now=NOW)
(LEAF,) = certificate(CA.leaf("www.example.com").certificate)
GOOD = Handshake((Deployment((LEAF,), ("TLS 1.3",)),), "TLS 1.3", "some")
PLACE = read_place("www.example.com", addresses=["192.0.2.1", "192.0.2.2"])
K = FailureKind


def fault(severity: Severity, number: int = 0) -> Fault:
    return Fault("weak-key", f"fault {number}", ref(digest=f"{number:064x}"), severity)


def told(
    outcomes: Sequence[Outcome | None], *faults: Fault, cut: str | None = None, unreachable: Status = Status.CRITICAL,
    place: Place = PLACE, **look: Any
) -> Told:
    """What is printed for the outcomes of all addresses, when every chain has ``faults``."""

    def examine(chain, name, stores, at, *, known=(), staple=None, public=True):
        return diagnosis(*faults)

    seen = Look(place, 10.0, place.targets(place.addresses), **look)
    for target, outcome in zip(seen.targets, outcomes, strict=True):
        if outcome is not None:
            seen.seen[target] = Observation(target, outcome, "probe", NOW, 0.1)
    judge = Judge(CheckPolicy(), (TrustStore("public", ()),), (), NOW, examine=examine)
    found = judge_look(seen, Rules(judge, NOW, unreachable), cut)
    text, status = render(Asked(place.text, NOW, None, None, 0.1, 30.0), found)
    return read(status, text)


@pytest.mark.parametrize(
    ("severities", "status"),
    [((), 0), ((Severity.INFO,), 0), ((Severity.WARNING,), 1), ((Severity.ERROR,), 2), ((Severity.WARNING, Severity.ERROR), 2)],
)
def test_findings(severities: tuple[Severity, ...], status: int) -> None:
    """The worst decides; what both addresses have is said once, with both."""
    done = told((GOOD, GOOD), *(fault(one, number) for number, one in enumerate(severities)))
    assert done.status == status
    if severities:
        (line,) = done.details_with("fault 0")
        assert line.endswith("fault 0 [DCS301] at 192.0.2.1:443, 192.0.2.2:443")
    assert done.perfdata["critical"][0] == severities.count(Severity.ERROR)
    assert done.perfdata["warning"][0] == severities.count(Severity.WARNING)


def test_the_first_line() -> None:
    """The worst problem, and how many more there are."""
    done = told((GOOD, GOOD), fault(Severity.WARNING, 1), fault(Severity.ERROR, 2), fault(Severity.INFO, 3))
    assert done.line == (
        "CERT CRITICAL - www.example.com:443: fault 2 [DCS301] at 192.0.2.1:443, 192.0.2.2:443 (and 1 more below)"
    )
    assert [line.split(":")[0] for line in done.details[:3]] == ["CRITICAL", "WARNING", "note"]


@pytest.mark.parametrize(
    ("kind", "alone", "beside"),
    [
        (K.REFUSED, 2, 1), (K.TIMEOUT, 2, 1), (K.UNREACHABLE, 2, 1), (K.RESET, 2, 2), (K.CLOSED, 2, 2), (K.NOT_TLS, 2, 2),
        (K.ALERT, 2, 2), (K.UNRECOGNIZED_NAME, 2, 2), (K.UNSUPPORTED_TLS, 2, 2), (K.HANDSHAKE_TIMEOUT, 2, 2),
        (K.HANDSHAKE_ERROR, 2, 2), (K.NO_CERTIFICATE, 2, 2), (K.TOO_LARGE, 2, 2), (K.STARTTLS_UNSUPPORTED, 2, 2),
        (K.STARTTLS_REFUSED, 2, 2), (K.UNSCANNABLE_NAME, 3, 3), (K.ENGINE, 3, 3), (K.DEADLINE, 3, 3),
    ],
)
def test_without_a_certificate(kind: FailureKind, alone: int, beside: int) -> None:
    """Who cannot connect tries the next address; who can and gets no TLS is lost; what is our own trouble is unknown."""
    failure = Failure(kind, "because")
    assert (told((failure, failure)).status, told((GOOD, failure)).status) == (alone, beside)
    assert f"no certificate: {kind} (because)" in told((failure, failure)).line


TWO = read_place("www.example.com", addresses=["192.0.2.1", "2001:db8::1", "2001:db8::2"])
HERE, FAR = Failure(K.UNREACHABLE, "connect: Network is unreachable"), Failure(K.UNREACHABLE, "connect: No route to host")


@pytest.mark.parametrize(
    ("outcomes", "wayless", "status"),
    [
        ((GOOD, HERE, HERE), (1, 2), 0), ((GOOD, HERE, HERE), (1,), 1), ((GOOD, HERE, HERE), (), 1),
        ((GOOD, FAR, FAR), (1, 2), 1), ((GOOD, HERE, FAR), (1, 2), 1),
        ((GOOD, HERE, GOOD), (1,), 1), ((GOOD, HERE, Failure(K.REFUSED, "x")), (1,), 1),
        ((HERE, GOOD, GOOD), (), 1), ((HERE, HERE, HERE), (1, 2), 2),
    ],
)
def test_a_machine_without_ipv6(outcomes: Sequence[Outcome], wayless: Sequence[int], status: int) -> None:
    """Only when it is this machine that has a way to none of the IPv6 addresses is that no news of the host."""
    every = TWO.targets(TWO.addresses)
    done = told(outcomes, place=TWO, wayless=frozenset(every[number] for number in wayless))
    assert done.status == status
    if not status:
        assert "certificate on 1 of 3 addresses ends at" in done.line
        assert len(done.details_with("note: [2001:db8::")) == 2


def test_how_else_the_host_may_have_been_meant() -> None:
    """A remark that changes nothing."""
    place = read_place("2001:db8::1:443")
    done = told([GOOD], place=place)
    assert (done.status, len(done.details_with("note: 2001:db8::1:443 is taken for an address"))) == (0, 1)


def test_every_kind_of_failure_has_its_status() -> None:
    """None is left to chance."""
    marks = test_without_a_certificate.pytestmark  # type: ignore[attr-defined]  # where pytest keeps the parameters
    assert {kind for kind, _, _ in marks[0].args[1]} == set(FailureKind)


@pytest.mark.parametrize("state", Status)
def test_the_state_of_a_host_that_is_not_there(state: Status) -> None:
    """As wanted when nobody can connect; something that listens without TLS is critical all the same."""
    away, broken = Failure(K.REFUSED, "because"), Failure(K.RESET, "because")
    assert told((away, away), unreachable=state).status == state.exit_status
    assert told((broken, broken), unreachable=state).status == 2
    assert told((away, GOOD), unreachable=state).status == (0 if state is Status.OK else 1)
    assert "because" in told((away, away), unreachable=state).line


def test_critical_goes_before_unknown() -> None:
    """What is known to be broken is not unknown because something else is."""
    assert told((GOOD, None), fault(Severity.ERROR)).status == 2
    assert told((GOOD, None), fault(Severity.WARNING)).status == 3
    assert told((GOOD, GOOD), cut="interrupted").status == 3


def test_trouble_of_our_own() -> None:
    """An engine that died on a host is no news of the host; its certificate is judged."""
    half = replace(GOOD, engine_failure=Failure(K.ENGINE, "worker died"))
    assert told((GOOD, half)).status == 3
    assert told((GOOD, half), fault(Severity.ERROR)).status == 2


def test_no_address() -> None:
    """A name that is not there is as bad as a host that is not; a resolver that says nothing leaves it open."""
    place = read_place("www.example.com")
    judge = Judge(CheckPolicy(), (), (), NOW)
    for unresolved, status in ((False, 2), (True, 3)):
        look = Look(place, 10.0, problem="host www.example.com has no address", unresolved=unresolved)
        text, ended = render(Asked(place.text, NOW, None, None, 0.1, 30.0), judge_look(look, Rules(judge, NOW)))
        assert read(ended, text).status == status
    text, ended = render(Asked(place.text, NOW, None, None, 0.1, 30.0), judge_look(Look(place, 10.0), Rules(judge, NOW)))
    assert (ended, "before its addresses were known" in text) == (3, True)


def test_more_addresses_than_are_asked() -> None:
    """A warning with their number."""
    done = told((GOOD, GOOD), left_out=3)
    assert (done.status, "3 addresses more than 64" in done.line) == (1, True)


def test_a_long_message_is_cut_in_the_first_line_only() -> None:
    """Status lines go to telephones."""
    long = Fault("weak-key", "x" * 700, ref(), Severity.ERROR)
    done = told((GOOD, GOOD), long)
    assert len(done.line) < 600
    assert done.details_with("x" * 700)
