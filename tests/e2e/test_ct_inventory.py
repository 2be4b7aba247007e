"""`ct inventory`, online and from the state directory of the real certspotter: every unknown certificate, and the way to silence.

The cases are those that other checks promise for one's own certificates: known, unknown, another CA, learning, offline.
"""

import shutil
import tomllib

import pytest
from servers.command import Done
from servers.ct_issue import Issued
from servers.ct_world import World
from servers.fake_search import FAILURES
from servers.side_by_side import Scenes

scene = Scenes()
OK, WARNING, CRITICAL, UNKNOWN = range(4)


def deploy(world: World, *issued: Issued) -> None:
    """As an ACME client keeps them: a folder for each."""
    for one in issued:
        place = world.folder / "acme" / one.names[0]
        place.mkdir(parents=True, exist_ok=True)
        (place / "fullchain.pem").write_bytes(one.credential.chain_pem)
        (place / "privkey.pem").write_bytes(one.credential.key_pem)


def inventory(world: World, search: str, *args: object) -> Done:
    """The command over that folder, with the company's CA expected; what sources said before is forgotten."""
    shutil.rmtree(world.folder / ".cache", ignore_errors=True)
    return world.run(
        "ct", "inventory", "acme", "--search", search, "--issuer", world.pinned[0], "--config", "c.toml", "--budget", 2, *args
    )


def is_told(done: Done, issued: Issued) -> bool:
    return issued.tbs_sha256 in done.out


def company(world: World) -> tuple[Issued, Issued, Issued, Issued]:
    """Served and renewed; two that nobody knows; one of another CA."""
    old = world.issue("www.example.com", days_ago=62)
    new = world.renew(old, days_ago=4)
    first, second = world.issue("a.example.com", days_ago=10), world.issue("b.example.com", days_ago=12, submit_final=False)
    rogue = world.issue("www.example.com", ca=world.other, days_ago=9)
    deploy(world, old)
    return new, first, second, rogue


@pytest.mark.parametrize("source", ["sslmate", "crtsh"])
def test_every_unknown_one_is_told(world: World, source: str) -> None:
    """Online: one that nobody knows hides no other; the renewal whose certificate lies there is none of them."""
    new, *others = company(world)
    deploy(world, new)
    world.configure((source,))
    done = inventory(world, source)
    assert (done.status, done.out.startswith("CT INVENTORY CRITICAL")) == (CRITICAL, True), done.out
    assert [is_told(done, one) for one in (*others, new)] == [True, True, True, False], done.out


@scene
def test_from_unknown_to_known(world: World) -> None:
    """Offline, from the state directory: what is learnt counts when a person says so, and another CA is never learnt.

    What was known once stays known when a renewal overwrites it.
    """
    new, first, second, rogue = company(world)
    world.configure()
    review = world.folder / "review.toml"
    with world.watched() as state:
        search = f"certspotter:{state}"
        before = inventory(world, search, "--learn", "not-kept.toml")
        deploy(world, new)
        learning = inventory(world, search, "--learn", "review.toml")
        learnt = {entry["tbs_sha256"] for entry in tomllib.loads(review.read_text())["issuance"]}
        unread = inventory(world, search, "--accept", "review.toml")
        review.write_text(review.read_text().replace('decision = "review"', 'decision = "accept"'))
        done = inventory(world, search, "--accept", "review.toml")
    assert [is_told(before, one) for one in (first, second, rogue, new)] == [True] * 4, before.out
    assert [is_told(learning, one) for one in (first, second, rogue, new)] == [True, True, True, False], learning.out
    assert learnt == {first.tbs_sha256, second.tbs_sha256}
    assert [is_told(unread, one) for one in (first, second, rogue)] == [True, True, True], unread.out
    assert [is_told(done, one) for one in (first, second, rogue)] == [False, False, True], done.out
    assert {run.status for run in (before, learning, unread, done)} == {CRITICAL}


@scene
def test_all_known(world: World) -> None:
    """A key is enough: the renewal with a key that lies there is known before its certificate does."""
    good = world.issue("www.example.com")
    deploy(world, good)
    world.configure(("sslmate",))
    assert inventory(world, "sslmate").status == OK
    world.renew(good, days_ago=3, key=good.credential.key)
    done = inventory(world, "sslmate")
    assert (done.status, done.out.startswith("CT INVENTORY OK")) == (OK, True), done.out


@scene
def test_service_that_fails(world: World) -> None:
    """UNKNOWN, with the source in the first line; nobody is accused and nothing is called well."""
    deploy(world, world.issue("www.example.com"))
    world.issue("a.example.com", days_ago=10)
    world.configure(("sslmate",))
    world.sslmate.faults[""] = FAILURES["502"]
    done = inventory(world, "sslmate")
    assert (done.status, "sslmate" in done.out.splitlines()[0]) == (UNKNOWN, True), done.out


@scene
def test_no_state_directory(world: World) -> None:
    """The offline source is not there: UNKNOWN with its place, and no crash."""
    deploy(world, world.issue("www.example.com"))
    world.configure()
    done = inventory(world, "certspotter:nowhere")
    assert (done.status, "nowhere" in done.out) == (UNKNOWN, True), done.out
    assert "Traceback" not in done.err
