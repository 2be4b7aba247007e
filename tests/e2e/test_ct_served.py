"""The SCTs of what is served, with and without a search: none at all, forged, of a log nobody knows, of a mimic."""

from collections.abc import Callable, Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from servers import ct_issue
from servers.ct_issue import Issued
from servers.ct_log import CtLog
from servers.ct_world import ADDRESSES, Scanned, World
from servers.fake_search import FAILURES
from servers.side_by_side import Scenes

from dnscertscan.pki.mimics import MIMICS

scene = Scenes()
ONE = (("A", "www", ADDRESSES[0]),)
Spoil = Callable[[list[bytes]], Sequence[bytes]]


def served(world: World, issued: Issued, **scan: object) -> Scanned:
    """A scan of the one host that serves it."""
    world.zone(*ONE)
    with world.serving((issued, ADDRESSES[:1])):
        return world.scan(**scan)  # type: ignore[arg-type] - options of a scan


def logged(found: Scanned) -> list[str]:
    return [audit["logged"] for audit in found.report["ct_audits"]]


@scene
def test_no_sct_and_in_no_log(world: World) -> None:
    """All ways for SCTs were looked at, and the source that vouches for its answers has no such certificate: not logged."""
    world.issue("other.example.com")
    found = served(world, world.issue("www.example.com", logs=()), search=["sslmate"])
    (one,) = found.of("DCS601")
    assert (one["severity"], one["ip_address"], found.done.status) == ("error", ADDRESSES[0], 1)


@scene
def test_no_sct_and_nobody_answers(world: World) -> None:
    """The search fails: unknown, as information; there is no error and no "not logged" anywhere."""
    world.sslmate.faults[""] = FAILURES["502"]
    found = served(world, world.issue("www.example.com", logs=()), search=["sslmate"], budget="1s")
    assert found.of("DCS601") == []
    assert len(found.of("DCS610")) == 1
    assert len(found.of("DCS629")) == 1
    assert "not logged" not in str(found.report) + found.done.out + found.done.err


@scene
def test_no_sct_but_in_a_log(world: World) -> None:
    """The certificate itself was logged, without SCTs in it: it is logged, though no browser takes it."""
    issued = world.issue("www.example.com", logs=())
    with world.ago(19):
        ct_issue.late_scts(issued.credential, world.logs)
    found = served(world, issued, search=["sslmate"])
    assert found.of("DCS601") == []


@scene
def test_private_ca_needs_none(world: World) -> None:
    """Unless the company says that its CA logs: then nothing is to be said of one without SCTs."""
    found = served(world, world.issue("www.example.com", logs=()), log_private=False)
    assert (found.ct, found.done.status) == ([], 0)


def forged(scts: list[bytes]) -> list[bytes]:
    """The first one's signature is of another octet."""
    return [scts[0][:-1] + bytes([scts[0][-1] ^ 1]), *scts[1:]]


def of_a_mimic(scts: list[bytes]) -> list[bytes]:
    """The first one says that it is of a log whose key is public."""
    return [scts[0][:1] + next(iter(MIMICS)) + scts[0][33:], *scts[1:]]


@pytest.mark.parametrize(("spoil", "code"), [(forged, "DCS602"), (of_a_mimic, "DCS604")])
def test_sct_that_is_none(world: World, spoil: Spoil, code: str) -> None:
    """An error; with the good one beside it the certificate is logged, only not often enough."""
    found = served(world, world.issue("www.example.com", spoil=spoil))
    (one,) = found.of(code)
    assert (one["severity"], one["fqdn"], found.done.status) == ("error", "www.example.com", 1)
    assert found.codes <= {code, "DCS605", "DCS606", "DCS607"}
    assert logged(found) == ["logged"]


@scene
def test_sct_of_a_log_nobody_knows(world: World) -> None:
    """It may be a new one: a warning at most, never "invalid"."""
    unlisted = CtLog("gamma", [world.root.certificate], clock=world.clock, key=ec.generate_private_key(ec.SECP256R1()))
    found = served(world, world.issue("www.example.com", logs=(*world.logs, unlisted)))
    (one,) = found.of("DCS603")
    assert one["severity"] in ("info", "warning")
    assert (found.codes, found.done.status) == ({"DCS603"}, 0)


@scene
def test_audit_can_be_switched_off(world: World) -> None:
    """Then nothing of all this is said, whatever is served."""
    found = served(world, world.issue("www.example.com", spoil=forged), audit=False)
    assert (found.ct, found.done.status) == ([], 0)
