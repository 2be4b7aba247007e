"""Sources that give no answer, in every way there is: the scan ends, nothing is concluded, it is said once for each."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

import pytest
from servers.command import closed_port
from servers.ct_world import ADDRESSES, Scanned, World
from servers.fake_search import FAILURES
from servers.side_by_side import Played, side_by_side

BUDGET = 2
MODES = (*FAILURES, "closed port")
KINDS = ("crtsh", "sslmate", "crtsh-sql", "certspotter")
NAMES = ("crt.sh", "sslmate", "crt.sh-sql", "certspotter")
"""By which name each is told of."""
FAIL_ON_WARNING = ("--fail-on", "warning")


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played[Scanned]]:
    """A scan for each mode, all its sources failing in it."""
    with side_by_side(tmp_path_factory.mktemp, {mode: partial(failing, mode) for mode in MODES}) as done:
        yield done


def failing(mode: str, world: World) -> Scanned:
    """A certificate with SCTs on two addresses, one without on the third; a rogue one in CT that no source tells of."""
    good = world.issue("www.example.com")
    bare = world.issue("bare.example.com", logs=())
    world.issue("www.example.com", ca=world.other, days_ago=10)
    world.zone(*(("A", "www", address) for address in ADDRESSES[:2]), ("A", "bare", ADDRESSES[2]))
    for service in (world.crtsh, world.sslmate):
        if mode in FAILURES:
            service.faults[""] = FAILURES[mode]
    sources = [source(world, kind, mode) for kind in KINDS]
    with world.serving((good, ADDRESSES[:2]), (bare, ADDRESSES[2:])):
        return world.scan(search=sources, budget=f"{BUDGET}s", issuers=world.pinned)


def source(world: World, kind: str, mode: str) -> Mapping[str, object]:
    """One that fails in that mode, or in the one way it can."""
    if kind == "certspotter":
        return {"kind": kind, "place": str(world.folder / "nowhere")}
    if kind == "crtsh-sql":
        return {"kind": kind, "place": f"postgresql://guest@127.0.0.1:{closed_port()}/certwatch"}
    told = world.place(kind)
    return told if mode in FAILURES else {**told, "place": f"http://127.0.0.1:{closed_port()}"}


@pytest.mark.parametrize("mode", MODES)
def test_everything_fails(scan: Played[Scanned], mode: str) -> None:
    """One warning for each source; no conclusion from what is missing; the status of a scan without sources."""
    found = scan(mode)
    told = found.of("DCS629")
    assert sorted(map(source_of, told)) == sorted(NAMES), found.loud
    assert {one["severity"] for one in told} == {"warning"}
    assert {"DCS601", *(f"DCS62{number}" for number in range(7)), "DCS630"} & found.codes == set(), found.loud
    assert "not logged" not in found.done.out + found.done.err
    assert found.report["complete"]
    errors = {(one["code"], one["fqdn"]) for one in found.report["findings"] if one["severity"] == "error"}
    assert errors == {("DCS605", "bare.example.com")}  # what Chrome asks of a certificate is no matter of search
    assert found.seconds < 25  # a service that hangs does so for 30 s


def source_of(finding: Mapping[str, object]) -> str:
    """The source a DCS629 is about."""
    (first, *_) = re.findall(r"(?<![\w.-])(?:crt\.sh-sql|crt\.sh|sslmate|certspotter)(?![\w-])", str(finding["message"]))
    return str(first)


def test_what_is_undecided_is_said(scan: Played[Scanned]) -> None:
    """The certificate without SCTs: unknown, in words and in the column; the one with SCTs is logged whatever searches say."""
    found = scan("502")
    (one,) = found.of("DCS610")
    assert (one["severity"], one["fqdn"]) == ("info", "bare.example.com")
    states = {audit["certificate"]: audit["logged"] for audit in found.report["ct_audits"]}
    assert sorted(states.values()) == ["logged", "unknown"]


def test_the_status_is_that_of_a_warning(world: World) -> None:
    """It changes nothing by itself, and with --fail-on warning it counts as any other."""
    good = world.issue("www.example.com")
    world.zone(("A", "www", ADDRESSES[0]))
    with world.serving((good, ADDRESSES[:1])):
        statuses = [world.scan(*args, search=[source(world, "certspotter", "")]).done.status for args in ((), FAIL_ON_WARNING)]
    assert statuses == [0, 1]


def test_one_answer_is_enough_to_find_and_not_to_exclude(world: World) -> None:
    """crt.sh fails, SSLMate answers: what that has is found, and the failure is said beside it."""
    good, rogue = world.issue("www.example.com"), world.issue("www.example.com", ca=world.other, days_ago=10)
    world.zone(("A", "www", ADDRESSES[0]))
    world.crtsh.faults[""] = FAILURES["html"]
    with world.serving((good, ADDRESSES[:1])):
        found = world.scan(search=["crtsh", "sslmate"], issuers=world.pinned, budget="1s")
    (one,) = found.of("DCS623")
    assert f"{rogue.certificate.serial_number:X}" in str(one).upper() or rogue.tbs_sha256 in str(one)
    assert [source_of(one) for one in found.of("DCS629")] == ["crt.sh"]


def test_what_these_tests_rest_on(world: World) -> None:
    """Without a place it is the real crt.sh that is asked for: the attempt is stopped before it leaves, and seen."""
    good = world.issue("www.example.com")
    world.zone(("A", "www", ADDRESSES[0]))
    with world.serving((good, ADDRESSES[:1])):
        found = world.scan(search=[{"kind": "crtsh"}], budget="1s")
    assert [source_of(one) for one in found.of("DCS629")] == ["crt.sh"]
    assert world.guard.attempts
    assert all("crt.sh" in attempt for attempt in world.guard.attempts)
    world.guard.forget()
