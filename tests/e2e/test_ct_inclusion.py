"""Whether logs have what they promised, asked of the logs themselves: there, never merged, two histories, silence."""

import json

from servers.ct_log_http import hang
from servers.ct_world import ADDRESSES, Scanned, World
from servers.side_by_side import Scenes

scene = Scenes()
ONE = (("A", "www", ADDRESSES[0]),)


def proofs(found: Scanned) -> dict[str, str]:
    """What the logs said, by log, of the one certificate of the report."""
    (audit,) = found.report["ct_audits"]
    return {sct["log"]: sct["inclusion"]["verdict"] for sct in audit["scts"] if sct["inclusion"]}


@scene
def test_entry_is_included(world: World) -> None:
    """In both kinds of log; without the option no log is asked anything."""
    issued = world.issue("www.example.com")
    world.issue("mail.example.com")
    world.zone(*ONE)
    with world.serving((issued, ADDRESSES[:1])):
        assert world.scan().loud == []
        assert not world.alpha.asked
        assert not world.beta.asked
        found = world.scan("--ct-inclusion")
    assert (found.ct, found.done.status) == ([], 0)
    assert proofs(found) == {"log alpha": "included", "log beta": "included"}
    assert world.alpha.asked["ct/v1/get-proof-by-hash"] == 1


@scene
def test_entry_was_never_merged(world: World) -> None:
    """The log signs and forgets: an error with its name, for this certificate and no other one."""
    good = world.issue("mail.example.com")
    world.alpha.switches.drop = True
    issued = world.issue("www.example.com")
    world.zone(*ONE, ("A", "mail", ADDRESSES[1]))
    with world.serving((issued, ADDRESSES[:1]), (good, ADDRESSES[1:2])):
        found = world.scan("--ct-inclusion")
    (one,) = found.of("DCS608")
    assert (one["severity"], one["fqdn"], one["ip_address"]) == ("error", "www.example.com", ADDRESSES[0])
    assert "log alpha" in one["message"]
    assert "log beta" not in one["message"]
    assert found.codes == {"DCS608"}
    assert found.done.status == 1


@scene
def test_young_entry_has_time(world: World) -> None:
    """Within the maximum merge delay it is pending: nothing to say."""
    world.issue("mail.example.com")
    world.alpha.switches.drop = True
    issued = world.issue("www.example.com", days_ago=0.5)
    world.zone(*ONE)
    with world.serving((issued, ADDRESSES[:1])):
        found = world.scan("--ct-inclusion")
    assert (found.loud, found.done.status) == ([], 0)
    assert proofs(found)["log alpha"] == "pending"


@scene
def test_log_with_two_histories(world: World) -> None:
    """The tree head of the second run does not continue that of the first: an error, with a file of evidence."""
    first = world.issue("www.example.com", days_ago=30)
    world.issue("mail.example.com", days_ago=30)
    world.zone(*ONE)
    with world.serving((first, ADDRESSES[:1])):
        assert world.scan("--ct-inclusion").codes == set()
    twin = world.alpha.fork(keep=0)
    world.alpha.show(twin)
    with world.ago(10):
        twin.fill(3)
    second = world.issue("www.example.com", days_ago=5)
    with world.serving((second, ADDRESSES[:1])):
        found = world.scan("--ct-inclusion")
    (one,) = found.of("DCS609")
    assert (one["severity"], found.done.status) == ("error", 1)
    assert "log alpha" in one["message"]
    exhibits = [path for path in world.folder.rglob("*.json") if path.name in one["message"]]
    assert len(exhibits) == 1, one["message"]
    assert json.loads(exhibits[0].read_text())
    assert found.of("DCS608") == []


@scene
def test_silent_log(world: World) -> None:
    """One hangs: unknown, as information, within the time a log has; the other one's proof stands."""
    issued = world.issue("www.example.com")
    world.zone(*ONE)
    world.alpha.faults[""] = hang
    with world.serving((issued, ADDRESSES[:1])):
        found = world.scan("--ct-inclusion", log_budget="1s")
    (one,) = found.ct
    assert (one["code"], one["severity"], found.done.status) == ("DCS610", "info", 0)
    assert "log alpha" in one["message"]
    assert proofs(found) == {"log alpha": "unknown", "log beta": "included"}
    assert found.seconds < 25
