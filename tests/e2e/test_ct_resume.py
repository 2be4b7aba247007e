"""A run with CT that is killed, first while it scans, then while it searches, goes on with --resume and finds the same."""

import time
from collections.abc import Sequence

from servers.command import Done
from servers.ct_issue import Issued
from servers.ct_world import Scanned, World, kill
from servers.fake_search import FAILURES

MANY = tuple(f"127.0.12.{number}" for number in range(1, 31))
SEARCH = ("crtsh", "sslmate")
PACE = ("-v", "--rate", "12")


def prepare(world: World) -> tuple[tuple[Issued, Sequence[str]], ...]:
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


def killed(world: World, hosts: int, *args: str) -> str:
    """A run that gets SIGKILL when so many hosts are seen, those of earlier runs among them; what it logged by then."""
    process, log, seen = world.start(*args), "", 0
    assert process.stderr is not None
    while seen < hosts:
        line = process.stderr.readline()
        assert line, f"it ended before it was killed: {log}"
        seen, log = seen + (" - www.example.com - scanned: " in line), log + line
    time.sleep(0.8)  # the journal takes some at a time
    kill(process)
    return log


def test_killed_and_resumed(world: World) -> None:
    """SIGKILL in the midst of the targets, then when all are seen and a source still hangs: the same findings as without."""
    with world.serving(*prepare(world)):
        whole = world.scan(search=SEARCH, issuers=world.pinned, cache="cache-of-another-run")
        assert {"DCS620", "DCS623"} <= whole.codes
        (world.folder / "r.json").unlink()
        world.configure(SEARCH, issuers=world.pinned, budget="20s")
        world.crtsh.faults[""] = FAILURES["hang"]
        killed(world, 6, *PACE)
        assert "targets were observed before" in killed(world, len(MANY), *PACE, "--resume")
        assert not (world.folder / "r.json").exists()
        del world.crtsh.faults[""]
        resumed = end(world, *PACE, "--resume")
    assert f"{len(MANY)} of {len(MANY)} targets were observed before" in resumed.done.err, resumed.done.err[:3000]
    assert resumed.alike() == whole.alike()
    assert resumed.done.status == whole.done.status == 1
