"""A run with CT that is killed, while it scans or while it searches, goes on with --resume and finds the same."""

import time

import pytest
from servers.command import Done
from servers.ct_world import Scanned, World, kill
from servers.fake_search import FAILURES

MANY = tuple(f"127.0.12.{number}" for number in range(1, 25))
SEARCH = ("crtsh", "sslmate")


def prepare(world: World) -> tuple[object, ...]:
    """Many hosts with one certificate, an old one on the last, a rogue one in CT."""
    old = world.issue("www.example.com", days_ago=40)
    new = world.renew(old, days_ago=5)
    world.issue("www.example.com", ca=world.other, days_ago=10)
    world.zone(*(("A", "www", address) for address in MANY))
    return (new, MANY[:-1]), (old, MANY[-1:])


def end(world: World, *args: str) -> Scanned:
    """A run to its end, with the configuration that is there."""
    process = world.start(*args)
    out, err = process.communicate(timeout=60)
    return world.scanned(Done(process.returncode, out, err))


@pytest.mark.parametrize(("moment", "pace"), [("scan", ("--rate", "6")), ("search", ())])
def test_killed_and_resumed(world: World, moment: str, pace: tuple[str, ...]) -> None:
    """SIGKILL in the midst of the targets, or when all are seen and a source still hangs: the same findings as without."""
    with world.serving(*prepare(world)):  # type: ignore[arg-type] - pairs
        whole = world.scan(search=SEARCH, issuers=world.pinned, cache="cache-of-another-run")
        assert {"DCS620", "DCS623"} <= whole.codes
        world.configure(SEARCH, issuers=world.pinned, budget="20s")
        (world.folder / "r.json").unlink()
        if moment == "search":
            world.crtsh.faults[""] = FAILURES["hang"]
        process = world.start("-v", *pace)
        assert process.stderr is not None
        seen = 0
        while seen < (6 if moment == "scan" else len(MANY)):
            line = process.stderr.readline()
            assert line, "it ended before it was killed"
            seen += " - www.example.com" in line
        if moment == "search":
            time.sleep(0.3)  # what comes after the last target has begun
        kill(process)
        assert not (world.folder / "r.json").exists()
        world.crtsh.faults.clear()
        resumed = end(world, "-v", *pace, "--resume")
    assert "targets were observed before" in resumed.done.err
    assert resumed.alike() == whole.alike()
    assert resumed.done.status == whole.done.status == 1
